package initdiff

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/report"
)

func TestChanges(t *testing.T) {
	for _, test := range []struct {
		name, old, new string
		want           []string
	}{
		{
			"the line means nothing",
			"6 a m:1\n6 b m:2", "6 a m:7\n6 b m:9",
			[]string{},
		},
		{
			"added and removed",
			"6 a m:1\n6 b m:2", "6 a m:1\n7 c m:3",
			[]string{"removed: 6 b -> -", "added: - -> 7 c"},
		},
		{
			"device to deferred",
			"6 a m:1\n6 b m:2\n6 c m:3", "6 a m:1\n6 c m:3\ndeferred b m:2",
			[]string{"moved: 6 b -> deferred b"},
		},
		{
			"device to device sync",
			"6 a m:1\n6 b m:2", "6 b m:2\n6s a m:1",
			[]string{"moved: 6 a -> 6s a"},
		},
		{
			"one insertion in front reorders nothing",
			"6 a m:1\n6 b m:2\n6 c m:3", "6 x m:9\n6 a m:1\n6 b m:2\n6 c m:3",
			[]string{"added: - -> 6 x"},
		},
		{
			"the last becomes the first",
			"6 a m:1\n6 b m:2\n6 c m:3\n6 d m:4", "6 d m:4\n6 a m:1\n6 b m:2\n6 c m:3",
			[]string{"reordered: 6 d -> 6 d"},
		},
		{
			"the same name in another module is another initcall",
			"6 init m:1", "6 init n:1",
			[]string{"removed: 6 init -> -", "added: - -> 6 init"},
		},
		{
			"a new one among ten equals",
			"6 phy_module_init a:1\n6 phy_module_init b:1\n6 phy_module_init c:1",
			"6 phy_module_init a:1\n6 phy_module_init x:1\n6 phy_module_init b:1\n6 phy_module_init c:1",
			[]string{"added: - -> 6 phy_module_init"},
		},
		{
			"equals that stayed are paired before one that moved",
			"4 init m:1\n6 init m:2", "6 init m:2\n7 init m:1",
			[]string{"moved: 4 init -> 7 init"},
		},
		{
			"a new equal in front moves no other",
			"6 init m:1\n6 a m:2\n6 init m:3", "6 init m:9\n6 init m:1\n6 a m:2\n6 init m:3",
			[]string{"added: - -> 6 init"},
		},
		{
			"the same function once more at another level",
			"6 a m:1", "6 a m:1\n7 a m:1",
			[]string{"added: - -> 7 a"},
		},
		{
			"renamed",
			"6 a m:1\n6 b m:2", "6 a m:1\n6 c m:2",
			[]string{"renamed: 6 b -> 6 c"},
		},
		{
			"several renamed, in run order",
			"6 a m:5\n6 b m:2\n6 c m:9\n6 d m:1\n6 e m:7", "6 v m:5\n6 w m:2\n6 x m:9\n6 y m:1\n6 z m:7",
			[]string{"renamed: 6 a -> 6 v", "renamed: 6 b -> 6 w", "renamed: 6 c -> 6 x", "renamed: 6 d -> 6 y", "renamed: 6 e -> 6 z"},
		},
		{
			"no guess at another line",
			"6 b m:2", "6 c m:3",
			[]string{"removed: 6 b -> -", "added: - -> 6 c"},
		},
		{
			"no guess at another level",
			"6 b m:2", "7 c m:2",
			[]string{"removed: 6 b -> -", "added: - -> 7 c"},
		},
		{
			"no guess between two",
			"6 b m:2\n6 c m:2", "6 d m:2",
			[]string{"removed: 6 b -> -", "removed: 6 c -> -", "added: - -> 6 d"},
		},
		{
			"another group of a vendor's table",
			"6 x m:1\ndeferred a m:1 camera\ndeferred b m:2 camera", "6 x m:1\ndeferred a m:1 camera\ndeferred b m:2 radio",
			[]string{"moved: deferred/camera b -> deferred/radio b"},
		},
		{
			"modules that one side does not name",
			"6 a\n6 b\n7 c", "6 a m:1\n6 b n:2\n7 d m:3",
			[]string{"removed: 7 c -> -", "added: - -> 7 d"},
		},
		{
			"a module that one side names of others only",
			"6 a m:1\n6 b m:2\n6 c m:3", "6 a m:1\n6 c m:3\ndeferred b",
			[]string{"moved: 6 b -> deferred b"},
		},
		{
			"a module that one side names of one of two namesakes",
			"6 a m:1\n6 init m:2\n6 init n:3", "6 a m:1\n6 init\n6 init n:3",
			[]string{},
		},
		{
			"levels that one side does not tell",
			"unknown a\nunknown b\nunknown c", "early a\n4 b\n6s c\n7 d",
			[]string{"added: - -> 7 d"},
		},
		{
			"early ones that both sides tell",
			"early a\nunknown b", "4 a\n6 b",
			[]string{"moved: early a -> 4 a"},
		},
		{
			"a level that one side does not tell among others that it does",
			"1 a\nunknown b\n6 c\n6 d", "1 a\n5 b\n6 c\n6s d",
			[]string{},
		},
		{
			"order across levels that one side does not tell",
			"unknown a\nunknown b\nunknown c", "4 b\n5 c\n6 a",
			[]string{"reordered: unknown a -> 6 a"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			old, new := document(t, rowsOf(test.old)), document(t, rowsOf(test.new))
			require.Equal(t, test.want, changesOf(compare(t, old, new, Query{})))
		})
	}
}

func TestSyncUnknown(t *testing.T) {
	old, new := document(t, rowsOf("6 a m:1\n6 b m:2\n7 c m:3")), document(t, rowsOf("6 a m:1\n6s b m:2\n7s c m:3"))
	old.SyncKnown = false
	doc := compare(t, old, new, Query{})
	require.Empty(t, doc.Changes)
	require.Equal(t, []string{
		"the old side lacks entry symbols that tell sync levels: these are compared as a part of their base levels",
	}, doc.Notes)
	require.Zero(t, doc.Counted)

	old.SyncKnown = true
	require.Len(t, compare(t, old, new, Query{}).Changes, 2)
}

// A boot image of a kernel whose own symbols name functions alone is compared with the vmlinux of the same build.
func TestBoundsUnknown(t *testing.T) {
	old, new := document(t, rowsOf("5 a m:1\n5 b m:2\n6 c m:3")), document(t, rowsOf("5 a m:1\nrootfs b m:2\n6 c m:3"))
	require.Len(t, compare(t, old, new, Query{}).Changes, 1)

	old.Tables[0].Start.Symbol, old.Tables[0].End.Symbol = nil, nil
	doc := compare(t, old, new, Query{})
	require.Empty(t, doc.Changes)
	require.Empty(t, doc.Facts)
	require.Equal(t, []string{
		"the old side has no symbols that bound its tables: these symbols are not compared, and level rootfs is compared as a part of level 5",
	}, doc.Notes)
	require.Zero(t, doc.Counted)
	_, err := Compare(Side{List: old}, Side{List: new}, Query{Levels: []elfscan.Level{elfscan.LevelRootfs}})
	require.ErrorContains(t, err, "cannot select level rootfs")
}

func TestNotes(t *testing.T) {
	known, unknown := document(t, rowsOf("6 a m:1")), document(t, rowsOf("unknown a"))
	empty := document(t, rowsOf("6 a m:1")) // of level 5, whose end no symbol tells
	empty.Tables[0].Levels = append(empty.Tables[0].Levels, report.Level{Level: "unknown"})
	for _, test := range []struct {
		name     string
		old, new *report.List
		want     []string
	}{
		{"nothing unknown", known, known, []string{}},
		{"nothing at the level that is unknown", empty, known, []string{}},
		{"old", unknown, known, []string{
			"the old side lacks boundary symbols between levels: levels that they would tell apart are compared as one",
			"the old side names no modules: functions are compared by name alone",
		}},
		{"new", known, unknown, []string{
			"the new side lacks boundary symbols between levels: levels that they would tell apart are compared as one",
			"the new side names no modules: functions are compared by name alone",
		}},
		{"new, of some", document(t, rowsOf("6 a m:1\n7 b m:2")), document(t, rowsOf("6 a m:1\n7 b")), []string{
			"the new side names no module of some functions: these are compared by name alone",
		}},
		{"both, of some", document(t, rowsOf("6 a\n7 b m:2")), document(t, rowsOf("6 a\n7 b m:2")), []string{
			"each side names no module of some functions: these are compared by name alone",
		}},
		{"both", unknown, unknown, []string{
			"each side lacks boundary symbols between levels: levels that they would tell apart are compared as one",
			"each side names no modules: functions are compared by name alone",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := compare(t, test.old, test.new, Query{})
			require.Equal(t, test.want, doc.Notes)
			require.Empty(t, doc.Changes)
		})
	}
}

func TestLevelsAreInRunOrder(t *testing.T) {
	doc := document(t, rowsOf("console a\nearly b\nunknown c\ndeferred d"))
	var levels []string
	for _, l := range compare(t, doc, doc, Query{}).Levels {
		levels = append(levels, l.Level)
	}
	require.Equal(t, []string{"console", "early", "unknown", "deferred"}, levels)

	doc = document(t, rowsOf("early b m:1\n1 c m:2\n1s d m:3\nrootfs e m:4\n6 f m:5\n7s g m:6"))
	levels = nil
	for _, l := range compare(t, doc, doc, Query{}).Levels {
		levels = append(levels, l.Level)
	}
	require.Equal(t, []string{"early", "1", "1s", "rootfs", "6", "7s"}, levels)
}

// What a function is called in the image may change while it stays the same.
func TestFunction(t *testing.T) {
	entry := func(function string) *report.Entry {
		return &report.Entry{Symbol: "__initcall_" + function, Function: function}
	}
	for _, test := range []struct {
		name string
		call report.Initcall
		want string
	}{
		{"plain", report.Initcall{RawSymbol: ptr("usb_init")}, "usb_init"},
		{"a stub of link-time optimisation", report.Initcall{RawSymbol: ptr("__initstub__kmod_core__376_2214_init_hw_perf_eventsearly")}, "init_hw_perf_events"},
		{"a local of link-time optimisation", report.Initcall{RawSymbol: ptr("usb_init.llvm.1234567")}, "usb_init"},
		{"an alias that was registered", report.Initcall{RawSymbol: ptr("alpha_init"), Aliases: []string{"zeta_init"}, Entry: entry("zeta_init")}, "zeta_init"},
		{"an entry symbol that its target belies", report.Initcall{RawSymbol: ptr("usb_exit"), Aliases: []string{}, Entry: entry("usb_init")}, "usb_exit"},
		{"into a function", report.Initcall{RawSymbol: ptr("usb_exit"), Offset: 3, Entry: entry("usb_init")}, "usb_exit+0x3"},
		{"no function", report.Initcall{Entry: entry("usb_init")}, ""},
		{"Rust, whose mangled name holds a hash", report.Initcall{RawSymbol: ptr("_ZN6foobar4init17h0123456789abcdefE")}, "foobar::init"},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, function(&test.call, test.call.Entry != nil, false))
		})
	}
	require.Equal(t, "_ZN6foobar4init17h0123456789abcdefE", function(&report.Initcall{RawSymbol: ptr("_ZN6foobar4init17h0123456789abcdefE")}, false, true))
}

// The hash of a Rust name is another with each build, also where names are
// shown mangled.
func TestRawRustIsShownOnly(t *testing.T) {
	old := document(t, rowsOf("6 _ZN6foobar4init17h0123456789abcdefE m:1\n7 x m:2"))
	new := document(t, rowsOf("6 x m:2\n7 _ZN6foobar4init17hfedcba9876543210E m:1"))
	require.Equal(t, []string{
		"moved: 7 x -> 6 x",
		"moved: 6 _ZN6foobar4init17h0123456789abcdefE -> 7 _ZN6foobar4init17hfedcba9876543210E",
	}, changesOf(compare(t, old, new, Query{RawRust: true})))
	require.Equal(t, []string{
		"moved: 7 x -> 6 x",
		"moved: 6 foobar::init -> 7 foobar::init",
	}, changesOf(compare(t, old, new, Query{})))
}

func TestAfter(t *testing.T) {
	old, new := document(t, rowsOf("5 z m:9\n6 a m:1\n6 b m:2\n6 c m:3")), document(t, rowsOf("5 z m:9\n6 c m:3\n6 a m:1\n6 b m:2"))
	doc := compare(t, old, new, Query{})
	require.Len(t, doc.Changes, 1)
	require.Equal(t, ptr("b"), doc.Changes[0].Old.After)
	require.Nil(t, doc.Changes[0].New.After, "nothing runs before it at its level")
}

func TestAfterAnUnnamedFunction(t *testing.T) {
	old, new := document(t, rowsOf("6 ghost m:1\n6 a m:2\n6 b m:3")), document(t, rowsOf("6 ghost m:1\n6 b m:3\n6 a m:2"))
	for _, doc := range []*report.List{old, new} {
		doc.Initcalls[0].RawSymbol, doc.Initcalls[0].Symbol = nil, nil
	}
	doc := compare(t, old, new, Query{})
	require.Len(t, doc.Changes, 1)
	require.Equal(t, "b", *doc.Changes[0].Old.Symbol)
	require.Equal(t, ptr("a"), doc.Changes[0].Old.After)
	require.Equal(t, ptr("an unnamed function"), doc.Changes[0].New.After, "it is not the first")
}

func TestQuery(t *testing.T) {
	old := document(t, rowsOf("4 a m:1\n5 gone m:2\n6 b m:3\n6 c n:4\n7 d m:5\n7 e m:6\n7 old_name m:7"))
	new := document(t, rowsOf("4 a m:1\n5 come m:8\n6 c n:4\n7 b m:3\n7 e m:6\n7 d m:5\n7 new_name m:7"))
	new.Image.Release = ptr("6.12")
	new.Tables[0].Encoding = ptr("absolute")
	level5, level6 := []elfscan.Level{elfscan.Level5}, []elfscan.Level{elfscan.Level6}
	for _, test := range []struct {
		name    string
		query   Query
		changes int
		facts   int
		counted int
	}{
		{"all", Query{}, 5, 2, 6}, // the release does not count
		{"only moved", Query{Only: []Kind{KindMoved}}, 1, 0, 1},
		{"only the image", Query{Only: []Kind{KindImage}}, 0, 1, 1},
		{"fail on moved", Query{FailOn: []Kind{KindMoved}}, 5, 2, 1},
		{"fail on image", Query{FailOn: []Kind{KindImage}}, 5, 2, 1},
		{"a renamed one may be an added one", Query{FailOn: []Kind{KindAdded}}, 5, 2, 2},
		{"a renamed one may be a removed one", Query{FailOn: []Kind{KindRemoved}}, 5, 2, 2},
		{"only added, which a renamed one may be", Query{Only: []Kind{KindAdded}}, 2, 0, 2},
		{"only removed, which a renamed one may be", Query{Only: []Kind{KindRemoved}}, 2, 0, 2},
		{"a renamed one that is shown may count alone", Query{Only: []Kind{KindAdded}, FailOn: []Kind{KindRenamed}}, 2, 0, 1},
		{"level", Query{Levels: level5}, 2, 1, 2},
		{"a level that was left", Query{Levels: level6}, 1, 1, 1},
		{"module", Query{Module: "n"}, 0, 1, 0},
		{"level and kind", Query{Levels: level5, Only: []Kind{KindAdded}}, 1, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := compare(t, old, new, test.query)
			require.Len(t, doc.Changes, test.changes)
			require.Len(t, doc.Facts, test.facts)
			require.Equal(t, test.counted, doc.Counted)
		})
	}

	doc := compare(t, old, new, Query{Levels: level6})
	require.Equal(t, []report.DiffLevel{{Table: "initcall", Level: "6", DiffCount: report.DiffCount{Old: 2, New: 1, Unchanged: 1, MovedOut: 1}}}, doc.Levels)
	require.Equal(t, 1, doc.Total.Moved)

	doc = compare(t, old, new, Query{Module: "n"})
	require.Equal(t, report.DiffTotal{DiffCount: report.DiffCount{Old: 1, New: 1, Unchanged: 1}}, doc.Total)
}

// Whoever asks for a part is told that there is more.
func TestNotesOfWhatWasNotAskedFor(t *testing.T) {
	const image, tables = "there are image differences, which were not asked for", "there are table differences, which were not asked for"
	old, same, new := document(t, rowsOf("6 a m:1")), document(t, rowsOf("6 a m:1")), document(t, rowsOf("6 a m:1"))
	new.Image.Release, new.Image.Machine = ptr("6.12"), "aarch64"
	new.Tables[0].Encoding, new.Tables[0].Section = ptr("absolute"), ptr(".rodata")
	for _, test := range []struct {
		name  string
		new   *report.List
		query Query
		want  []string
	}{
		{"all", new, Query{}, []string{}},
		{"what counts", new, Query{FailOn: []Kind{KindMoved}}, []string{}},
		{"a kind", new, Query{Only: []Kind{KindMoved}}, []string{image, tables}},
		{"tables", new, Query{Only: []Kind{KindTable}}, []string{image}},
		{"a level", new, Query{Levels: []elfscan.Level{elfscan.Level6}}, []string{tables}},
		{"a module", new, Query{Module: "m"}, []string{tables}},
		{"a kind, and no fact", same, Query{Only: []Kind{KindMoved}}, []string{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, compare(t, old, test.new, test.query).Notes)
		})
	}
}

// An initcall is in a module if one of the sides says so.
func TestModuleThatOneSideNames(t *testing.T) {
	old, new := document(t, rowsOf("6 a n:1\n6 b m:2")), document(t, rowsOf("6 a n:1\ndeferred b"))
	for _, pair := range [][2]*report.List{{old, new}, {new, old}} {
		doc := compare(t, pair[0], pair[1], Query{Module: "m"})
		require.Len(t, doc.Changes, 1)
		require.Equal(t, "moved", doc.Changes[0].Kind)
		require.Equal(t, report.DiffTotal{DiffCount: report.DiffCount{Old: 1, New: 1, MovedIn: 1, MovedOut: 1}, Moved: 1}, doc.Total)
	}
}

func TestBadQueries(t *testing.T) {
	known, unknown := document(t, rowsOf("6 a m:1")), document(t, rowsOf("unknown a"))
	for _, test := range []struct {
		name  string
		query Query
		want  string
	}{
		{"counts what is not shown", Query{Only: []Kind{KindAdded}, FailOn: []Kind{KindMoved}}, "moved differences are to count, but not to be shown"},
		{"tables of a level", Query{Only: []Kind{KindTable}, Levels: []elfscan.Level{elfscan.Level6}}, "of no single level or module"},
		{"tables of a module", Query{FailOn: []Kind{KindTable}, Module: "m"}, "of no single level or module"},
		{"a level that is not told", Query{Levels: []elfscan.Level{elfscan.Level6}}, "cannot select level 6: not both sides tell it from others, and it is compared as level unknown"},
		{"a module that is not named", Query{Module: "m"}, "cannot select a module"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Compare(Side{List: unknown}, Side{List: known}, test.query)
			require.ErrorContains(t, err, test.want)
		})
	}
	_, err := Compare(Side{List: known}, Side{List: known}, Query{Module: "usb-storage"})
	require.EqualError(t, err, `neither side has an initcall of module "usb-storage"`)
	_, err = ParseKind("moves")
	require.EqualError(t, err, `unknown kind "moves": want one of [added removed moved reordered renamed table image]`)
}
