package report

import (
	"strconv"

	"github.com/initsect/initsect/internal/unpack"
)

// Step is one container on the way to the kernel.
type Step struct {
	Container   *string `json:"container"` // null for a file that is compressed as such
	Offset      int64   `json:"offset"`    // of the payload, in what the step before gave
	Size        int64   `json:"size"`      // of the payload
	Compression string  `json:"compression"`
	Unpacked    int64   `json:"unpacked"` // size of what came out
	Decoys      int     `json:"decoys"`   // other places that looked compressed
}

// Kernel is what was found at the end.
type Kernel struct {
	Form        string  `json:"form"` // elf, raw
	Machine     *string `json:"machine"`
	Size        int64   `json:"size"`
	Behind      int64   `json:"behind"`       // bytes behind an ELF kernel in the same stream
	TextOffset  *string `json:"text_offset"`  // from a raw kernel's header
	MemorySize  *string `json:"memory_size"`  // likewise
	LoadAddress *string `json:"load_address"` // from the container around it
}

// Unpack is the document of the unpack command.
type Unpack struct {
	Schema Schema  `json:"schema"`
	Path   string  `json:"path"`
	Output *string `json:"output"` // null if the kernel was not written
	Steps  []Step  `json:"steps"`
	Kernel Kernel  `json:"kernel"`
}

// NewUnpack makes the document of what was found in the file at path.
func NewUnpack(path, output string, k *unpack.Kernel) *Unpack {
	doc := &Unpack{Schema: UnpackSchema, Path: path, Output: known(output), Steps: []Step{}}
	for _, s := range k.Steps {
		doc.Steps = append(doc.Steps, Step{
			Container:   known(string(s.Container)),
			Offset:      s.Offset,
			Size:        s.Size,
			Compression: s.Compression,
			Unpacked:    s.Unpacked,
			Decoys:      s.Tried,
		})
	}
	doc.Kernel = Kernel{Form: "raw", Machine: known(k.Machine), Size: k.File.Size()}
	if k.ELF {
		doc.Kernel.Form = "elf"
	}
	if k.Behind != nil {
		doc.Kernel.Behind = k.Behind.Size()
	}
	if k.Header != nil {
		doc.Kernel.TextOffset = hex(k.Header.TextOffset)
		if k.Header.Size != 0 {
			doc.Kernel.MemorySize = hex(k.Header.Size)
		}
	}
	if k.Load != nil {
		doc.Kernel.LoadAddress = hex(*k.Load)
	}
	return doc
}

func hex(v uint64) *string {
	s := "0x" + strconv.FormatUint(v, 16)
	return &s
}
