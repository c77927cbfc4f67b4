package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// MaxDocument bounds a saved document: a distribution kernel's list has 0.5 MB,
// and one with every driver built in has some 7.
const MaxDocument = 16 << 20

// IsDocument reports whether a file that begins like this is a document, which
// is a JSON object, rather than an image.
func IsDocument(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{"))
}

// ReadList reads back what `list --format json` wrote. It takes nothing on
// trust: a document of another kind or version, one that was cut off or edited,
// or whose parts contradict each other, is an error. So is one that was written
// with a filter, which would pass for a kernel with fewer initcalls.
func ReadList(r io.Reader) (*List, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(text) > MaxDocument {
		return nil, fmt.Errorf("a document of more than %d bytes", MaxDocument)
	}
	if err := checkSchema(text, ListSchema); err != nil {
		return nil, err
	}
	doc := &List{}
	if err := unmarshal(text, doc); err != nil {
		return nil, err
	}
	if err := checkForm(text, doc); err != nil {
		return nil, err
	}
	if err := doc.check(); err != nil {
		return nil, fmt.Errorf("inconsistent: %w", err)
	}
	return doc, nil
}

// checkSchema asks which document this is before anything of it is believed.
func checkSchema(text []byte, want Schema) error {
	var doc struct {
		Schema *Schema `json:"schema"`
	}
	if err := unmarshal(text, &doc); err != nil {
		return err
	}
	switch {
	case doc.Schema == nil || !strings.HasPrefix(doc.Schema.Name, "initsect."):
		return errors.New("JSON, but no document of initsect: it names no schema of ours")
	case doc.Schema.Name != want.Name:
		return fmt.Errorf("a document %s, where %s is needed: write it with list --format json", doc.Schema.Name, want.Name)
	case doc.Schema.Version != want.Version:
		return fmt.Errorf("version %d of %s is unknown: this program reads version %d", doc.Schema.Version, want.Name, want.Version)
	}
	return nil
}

// unmarshal is json.Unmarshal with errors that say where.
func unmarshal(text []byte, doc any) error {
	err := json.Unmarshal(text, doc)
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(text)):
		return fmt.Errorf("the document is cut off after %d bytes", len(text))
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON at byte %d: %w", syntax.Offset, err)
	case errors.As(err, &typed):
		return fmt.Errorf("%s is a %s at byte %d", typed.Field, typed.Value, typed.Offset)
	}
	return err
}

// checkForm makes sure that text holds what this program would write for doc,
// key for key: decoding alone takes a key that is missing for a zero, and
// passes over one that is not known.
func checkForm(text []byte, doc *List) error {
	again, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	var read, written any
	for _, half := range []struct {
		text []byte
		into *any
	}{{text, &read}, {again, &written}} {
		in := json.NewDecoder(bytes.NewReader(half.text))
		in.UseNumber()
		if err := in.Decode(half.into); err != nil {
			return err
		}
	}
	if where := difference(read, written); where != "" {
		return fmt.Errorf("not as list --format json writes it: %s", where)
	}
	return nil
}

// difference says where a decoded JSON value is not as it should be, "" if it
// is.
func difference(read, want any) string {
	switch want := want.(type) {
	case map[string]any:
		read, ok := read.(map[string]any)
		if !ok {
			return "no object"
		}
		for _, key := range keysOf(read, want) {
			r, inRead := read[key]
			w, inWant := want[key]
			switch {
			case !inRead:
				return key + " is missing"
			case !inWant:
				return fmt.Sprintf("%q is not known", key)
			}
			if where := difference(r, w); where != "" {
				return key + ": " + where
			}
		}
		return ""
	case []any:
		read, ok := read.([]any)
		if !ok || len(read) != len(want) {
			return "not the array"
		}
		for i := range want {
			if where := difference(read[i], want[i]); where != "" {
				return fmt.Sprintf("element %d: %s", i+1, where)
			}
		}
		return ""
	}
	if !reflect.DeepEqual(read, want) {
		return fmt.Sprintf("%v", read)
	}
	return ""
}

// keysOf returns the keys of both maps, sorted, so that an error is the same
// each time.
func keysOf(maps ...map[string]any) []string {
	var keys []string
	for _, m := range maps {
		for key := range m {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
