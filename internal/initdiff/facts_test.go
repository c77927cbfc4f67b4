package initdiff

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/report"
)

func TestSizes(t *testing.T) {
	old, new := document(t, rowsOf("6 a m:1\n7 b m:2")), document(t, rowsOf("7 b m:2\ndeferred a m:1"))
	require.Equal(t, []report.DiffTable{
		{Table: "initcall", Old: &report.DiffSize{Count: 2, Bytes: 8}, New: &report.DiffSize{Count: 1, Bytes: 4}},
		{Table: "deferred", New: &report.DiffSize{Count: 1, Bytes: 4}},
	}, compare(t, old, new, Query{}).Tables)
}

func TestFacts(t *testing.T) {
	const rows = "6 a m:1\ndeferred b m:2"
	for _, test := range []struct {
		name   string
		change func(old, new *report.List)
		want   []string
	}{
		{"none", func(_, _ *report.List) {}, nil},
		{"release", func(_, new *report.List) { new.Image.Release = ptr("6.12") }, []string{"image release unknown 6.12"}},
		{"machine", func(_, new *report.List) {
			new.Image.Machine, new.Image.Bits, new.Image.ByteOrder = "s390", 32, "big"
		}, []string{"image machine x86_64 s390", "image bits 64 32", "image byte order little big"}},
		{"encoding", func(_, new *report.List) {
			new.Tables[0].Encoding, new.Tables[0].EntrySize = ptr("absolute"), 8
		}, []string{"initcall encoding prel32 absolute", "initcall entry size 4 8"}},
		{"how many entries and bytes", func(_, new *report.List) { new.Tables[0].Count, new.Tables[0].Bytes = 7, 28 }, nil},
		{"layout", func(_, new *report.List) { new.Tables[1].Layout = "lg-user-initcall" }, []string{"deferred layout plain lg-user-initcall"}},
		{"section", func(_, new *report.List) { new.Tables[0].Section = ptr(".rodata") }, []string{"initcall section .init.data .rodata"}},
		{"a section that is not known", func(_, new *report.List) { new.Tables[0].Section = nil }, nil},
		{"boundaries", func(_, new *report.List) {
			new.Tables[1].Start.Symbol, new.Tables[1].End.Symbol = ptr("__def_initcall_start"), ptr("__def_initcall_end")
		}, []string{"deferred start symbol none __def_initcall_start", "deferred end symbol none __def_initcall_end"}},
		{"addresses", func(_, new *report.List) { new.Tables[0].Start.Address = ptr("0x1") }, nil},
		{"init memory", func(old, new *report.List) {
			old.Tables[0].InitMemory, new.Tables[0].InitMemory = ptr(true), ptr(false)
		}, []string{"initcall init memory yes no"}},
		{"a trigger that was lost", func(old, _ *report.List) { old.Tables[1].Trigger = ptr("when asked") }, []string{"deferred trigger when asked none"}},
		{"a table that is gone", func(_, new *report.List) { new.Tables = new.Tables[:1] }, []string{"deferred presence present absent"}},
		{"a table that is empty", func(old, new *report.List) {
			old.Tables[1].Trigger = ptr("when asked")
			new.Tables[1].Count, new.Tables[1].Section, new.Tables[1].EntrySize = 0, ptr(".data"), 8
		}, nil},
		{"what the linker has yet to decide", func(_, new *report.List) {
			new.Image.Container = "object"
			new.Tables[0].Start.Symbol, new.Tables[0].Section = ptr("x"), ptr(".initcall6.init")
		}, []string{"image container elf object"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			old, new := document(t, rowsOf(rows)), document(t, rowsOf(rows))
			test.change(old, new)
			var got []string
			doc := compare(t, old, new, Query{})
			for _, f := range doc.Facts {
				what := f.Kind
				if f.Table != nil {
					what = *f.Table
				}
				got = append(got, what+" "+f.Fact+" "+f.Old+" "+f.New)
			}
			require.Equal(t, test.want, got)
		})
	}
}
