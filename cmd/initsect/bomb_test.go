package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/fixture"
)

// A small file must not make much work or take much memory, however its
// parts refer to each other.
func TestBombs(t *testing.T) {
	long := func(n int) []byte { return append(bytes.Repeat([]byte{'n'}, n), 0) }

	t.Run("every section has one name of 1 MiB", func(t *testing.T) {
		im := testKernel()
		im.Sections = append(im.Sections, &fixture.Section{Name: "n", Type: fixture.Strtab, Data: long(1 << 20)})
		data := im.Bytes()
		// 65,000 section headers behind the others, named by the tail of the long name.
		shoff := binary.LittleEndian.Uint64(data[im.ShOff():])
		names := len(im.Sections)
		headers := data[shoff:]
		data = append(data[:len(data):len(data)], headers...)
		binary.LittleEndian.PutUint64(data[im.ShOff():], shoff+uint64(len(headers)))
		for len(data) < int(shoff)+len(headers)+65000*64 {
			data = append(data, make([]byte, 64)...)
		}
		binary.LittleEndian.PutUint16(data[60:], 65000)
		binary.LittleEndian.PutUint16(data[62:], uint16(names))
		refused(t, put(t, data))
	})

	t.Run("every symbol has one name of 1 MiB", func(t *testing.T) {
		im := testKernel()
		for i := range 40000 {
			im.Define(fmt.Sprintf("__initcall_%d", i), ".text", im.Base(), 0, fixture.Func)
		}
		data := im.Bytes()
		strtab := bytes.Repeat([]byte("__in"), 1<<18)
		at := len(data)
		data = append(data, strtab...)
		h := headerOf(t, &im.File, data, ".strtab")
		h.offset(uint64(at))
		h.size(uint64(len(strtab)))
		symtab := data[im.Offset(".symtab"):im.Offset(".strtab")]
		for i := 24; i+24 <= len(symtab); i += 24 {
			binary.LittleEndian.PutUint32(symtab[i:], uint32(4*(i/24)))
		}
		refused(t, put(t, data))
	})

	t.Run("every symbol at one target, each with a long name", func(t *testing.T) {
		im := testKernel()
		data := im.Bytes()
		tail := long(1 << 20)
		strtab := append(bytes.Clone(data[im.Offset(".strtab"):im.Offset(".shstrtab")]), tail...)
		rows := bytes.Clone(data[im.Offset(".symtab"):im.Offset(".strtab")])
		rows = rows[:len(rows)/24*24]
		target := im.Rows[3].Target
		for i := range 40000 {
			rows = im.U32(rows, uint32(len(strtab)-len(tail)+i))
			rows = append(rows, fixture.Func, 0)
			rows = im.U64(im.U64(im.U16(rows, 3), target), 0)
		}
		h := headerOf(t, &im.File, data, ".symtab")
		h.offset(uint64(len(data)))
		h.size(uint64(len(rows)))
		data = append(data, rows...)
		h = headerOf(t, &im.File, data, ".strtab")
		h.offset(uint64(len(data)))
		h.size(uint64(len(strtab)))
		data = append(data, strtab...)
		status, _, stderr := bounded(t, len(data), "list", put(t, data))
		require.Zero(t, status, stderr)
	})

	t.Run("a table of 32 MiB", func(t *testing.T) {
		im := testKernel()
		big := &fixture.Section{Name: ".big", Type: fixture.Progbits, Flags: fixture.Alloc, Addr: im.Base() + 1<<28, Data: make([]byte, 32<<20)}
		for i := range big.Data {
			big.Data[i] = byte(i)
		}
		im.Sections = append(im.Sections, big)
		for i := range im.Symbols {
			if s := &im.Symbols[i]; s.Section == ".init.data" {
				s.Value = big.End()
			}
		}
		im.Find("__initcall_start").Value = big.Addr
		refused(t, put(t, im.Bytes()))
	})

	t.Run("an object of many unnamed functions", func(t *testing.T) {
		const n = 20000
		o := fixture.File{Arch: fixture.Arch{Class64: true, Machine: 62}, Type: fixture.TypeRel}
		var rela []byte
		for i := range n {
			rela = o.U64(o.U64(o.U64(rela, uint64(8*i)), 1<<32|1), uint64(i))
			o.Symbols = append(o.Symbols, fixture.Symbol{Name: fmt.Sprintf("v%d", i), Section: ".data", Value: uint64(i)})
		}
		o.Symbols = append([]fixture.Symbol{{Section: ".text", Type: fixture.SectionSym}}, o.Symbols...)
		o.Sections = []*fixture.Section{
			{Name: ".text", Type: fixture.Progbits, Flags: fixture.Alloc | fixture.Exec, Data: make([]byte, n)},
			{Name: ".data", Type: fixture.Progbits, Flags: fixture.Alloc | fixture.Write, Data: make([]byte, n)},
			{Name: ".initcall6.init", Type: fixture.Progbits, Flags: fixture.Alloc, Data: make([]byte, 8*n)},
			{Name: ".rela.initcall6.init", Type: fixture.Rela, Link: ".symtab", Info: 3, Data: rela},
		}
		data := o.Bytes()
		status, _, stderr := bounded(t, 20*len(data), "list", put(t, data))
		require.Zero(t, status, stderr)
	})

	t.Run("an archive whose members have one name of 1 MiB", func(t *testing.T) {
		var b bytes.Buffer
		member := func(name string, body []byte) {
			fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", name, 0, 0, 0, 0o644, len(body))
			b.Write(body)
			if len(body)%2 != 0 {
				b.WriteByte('\n')
			}
		}
		b.WriteString("!<arch>\n")
		member("//", bytes.Repeat([]byte("n"), 1<<20))
		for range 20000 {
			member("/0", nil)
		}
		refused(t, put(t, b.Bytes()), "archive")
	})
}
