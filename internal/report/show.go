package report

import "github.com/initsect/initsect/elfscan"

// Detail is everything about one initcall.
type Detail struct {
	Initcall
	Position int       `json:"position"` // in its level, from 1
	Of       int       `json:"of"`
	Before   *Neighbor `json:"before"`
	After    *Neighbor `json:"after"`
}

// Neighbor is what runs just before or after.
type Neighbor struct {
	Order  int     `json:"order"`
	Level  string  `json:"level"`
	Symbol *string `json:"symbol"`
}

// Show is the document of the show command.
type Show struct {
	Schema    Schema   `json:"schema"`
	Image     Image    `json:"image"`
	Name      string   `json:"name"`
	Initcalls []Detail `json:"initcalls"`
}

// NewShow makes the document about the initcalls of one function.
func NewShow(im *elfscan.Image, l *elfscan.Listing, name string, details []elfscan.Detail) *Show {
	doc := &Show{Schema: ShowSchema, Image: newImage(im, l), Name: name, Initcalls: []Detail{}}
	for _, d := range details {
		doc.Initcalls = append(doc.Initcalls, Detail{
			Initcall: newInitcall(d.Initcall),
			Position: d.Position,
			Of:       d.Of,
			Before:   newNeighbor(d.Before),
			After:    newNeighbor(d.After),
		})
	}
	return doc
}

func newNeighbor(c *elfscan.Initcall) *Neighbor {
	if c == nil {
		return nil
	}
	return &Neighbor{c.Order, c.Level.String(), known(c.Display())}
}
