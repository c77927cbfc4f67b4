package report

import "github.com/initsect/initsect/elfscan"

// Sibling is a linker-built table beside those of initcalls.
type Sibling struct {
	Name       string   `json:"name"`
	Start      Boundary `json:"start"`
	End        Boundary `json:"end"`
	Section    *string  `json:"section"`
	InitMemory *bool    `json:"init_memory"`
	EntrySize  *int     `json:"entry_size"`
	Count      *int     `json:"count"` // null if the entry's size is not known
	Bytes      uint64   `json:"bytes"`
	Inferred   []string `json:"inferred"`
}

// Sections is the document of the sections command.
type Sections struct {
	Schema   Schema    `json:"schema"`
	Image    Image     `json:"image"`
	Tables   []Table   `json:"tables"`
	Siblings []Sibling `json:"siblings"`
}

// NewSections makes the document of an image's tables.
func NewSections(im *elfscan.Image, l *elfscan.Listing, siblings []elfscan.Sibling) *Sections {
	doc := &Sections{
		Schema:   SectionsSchema,
		Image:    newImage(im, l),
		Tables:   newTables(l),
		Siblings: []Sibling{},
	}
	for _, s := range siblings {
		sibling := Sibling{
			Name:       s.Name,
			Start:      newBoundary(s.Start),
			End:        newBoundary(s.End),
			Section:    known(s.Section),
			InitMemory: s.InitMem,
			EntrySize:  known(s.EntrySize),
			Bytes:      s.Bytes(),
			Inferred:   []string{},
		}
		if s.EntrySize > 0 || s.Bytes() == 0 {
			sibling.Count = &s.Count
		}
		if s.Inferred != "" {
			sibling.Inferred = append(sibling.Inferred, s.Inferred)
		}
		doc.Siblings = append(doc.Siblings, sibling)
	}
	return doc
}
