package report

import (
	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/symbols"
)

// Symbol is one symbol of an image.
type Symbol struct {
	Address string `json:"address"`
	Type    string `json:"type"` // nm's letter
	Name    string `json:"name"`
}

// Symbols is the document of the symbols command, in the order of nm -n.
type Symbols struct {
	Schema  Schema   `json:"schema"`
	Image   Image    `json:"image"`
	Source  string   `json:"source"` // symtab, System.map, kallsyms
	Symbols []Symbol `json:"symbols"`
}

// NewSymbols makes the document of a table of an image's symbols.
func NewSymbols(im *elfscan.Image, table *symbols.Table) (*Symbols, error) {
	all, err := table.Sorted()
	if err != nil {
		return nil, err
	}
	doc := &Symbols{
		Schema:  SymbolsSchema,
		Image:   newImage(im, &elfscan.Listing{}),
		Source:  string(table.Source()),
		Symbols: make([]Symbol, 0, len(all)),
	}
	for _, s := range all {
		doc.Symbols = append(doc.Symbols, Symbol{*address(s.Addr), s.Kind.String(), s.Name})
	}
	return doc, nil
}
