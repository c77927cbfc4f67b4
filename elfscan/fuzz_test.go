package elfscan_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/internal/fixture"
)

// seeds are the ELF files and archives among the fixtures, and some of the
// builder's.
func seeds(f *testing.F) (all [][]byte) {
	paths, err := filepath.Glob(filepath.Join(fixtureDir, "*"))
	require.NoError(f, err)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err == nil && (bytes.HasPrefix(data, []byte("\x7fELF")) || bytes.HasPrefix(data, []byte("!<"))) {
			all = append(all, data)
		}
	}
	require.Greater(f, len(all), 30)
	for _, a := range arches {
		k := modern()
		k.Arch, k.Encoding = a.Arch, a.Encoding
		all = append(all, k.Build().Bytes())
		im := k.Build()
		im.NoSections, im.Segments = true, true
		all = append(all, im.Bytes())
	}
	for _, d := range known {
		all = append(all, deferredKernel(d, arm).Build().Bytes(), deferredKernel(d, amd64).Build().Bytes())
	}
	return append(all, ar(thick, arMember{"//", "a.o/\n", ""}, arMember{"/0", object(amd64, "a"), ""}))
}

// Any bytes are either listed or refused; what is listed holds together, and
// nothing that can be asked about it makes trouble.
func FuzzListELF(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { exercise(t, data) })
}

// FuzzArchive makes the members' headers good, so that what is in the members
// and in the tables of the archive is reached.
func FuzzArchive(f *testing.F) {
	object := []byte(object(amd64, "a"))
	f.Add("a.o/", object, "b.o/", object, "")
	f.Add("//", []byte("a.o/\nb.o/\n"), "/5", object, "")
	f.Add("/", []byte("\x00\x00\x00\x01\x00\x00\x00\x08a\x00"), "a.o/", object, "")
	f.Add("/SYM64/", []byte("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x08a\x00"), "a.o/", object, "")
	f.Add("__.SYMDEF", []byte("\x00\x00\x00\x00"), "#1/4", append([]byte("a.o\x00"), object...), "")
	f.Add("a.o", []byte("BC\xc0\xde"), "b.o", []byte(thick), "9999999999")
	f.Fuzz(func(t *testing.T, name1 string, body1 []byte, name2 string, body2 []byte, size string) {
		if len(name1) > 16 || len(name2) > 16 || len(size) > 10 || strings.ContainsAny(name1+name2+size, "\n") {
			return
		}
		exercise(t, ar(thick, arMember{name1, string(body1), ""}, arMember{name2, string(body2), size}))
	})
}

var someNames = regexp.MustCompile("init$")

func exercise(t *testing.T, data []byte) {
	before := bytes.Clone(data)
	// "-" as the path keeps thin archives from opening files.
	im, err := elfscan.OpenBytes("-", data, elfscan.Options{})
	require.Equal(t, err == nil, im != nil)
	if err != nil {
		require.NotEmpty(t, err.Error())
		return
	}
	defer im.Close()
	_ = im.SymbolSource()
	require.Zero(t, im.MapShift())
	siblings, err := im.Siblings()
	require.True(t, err == nil || siblings == nil)
	for _, s := range siblings {
		require.GreaterOrEqual(t, s.EntrySize, 0, "%+v", s)
		require.GreaterOrEqual(t, s.Count, 0, "%+v", s)
		require.LessOrEqual(t, uint64(s.Count)*uint64(s.EntrySize), s.Bytes())
	}
	for _, opt := range []elfscan.ListOptions{
		{},
		{RawRust: true},
		{Deferred: elfscan.Deferred{Section: ".data"}},
		{Deferred: elfscan.Deferred{Start: "__con_initcall_start", End: "__con_initcall_end"}},
	} {
		l, err := im.List(opt)
		require.Equal(t, err == nil, l != nil)
		if err == nil {
			holdsTogether(t, l)
		}
		surveyed(t, im, opt, l)
	}
	require.Equal(t, before, data, "an image is only read")
}

// surveyed makes sure that Survey sees all that List sees, and that it finds
// nothing wrong in what List takes.
func surveyed(t *testing.T, im *elfscan.Image, opt elfscan.ListOptions, l *elfscan.Listing) {
	s, err := im.Survey(opt)
	require.Equal(t, err == nil, s != nil)
	if err == nil {
		for _, f := range s.Faults {
			require.NotEmpty(t, f.Error())
			require.True(t, l == nil || f.Kind == elfscan.FaultLevelMissing, f)
		}
	}
	if l != nil {
		require.NoError(t, err)
		require.Equal(t, linesOf(l), linesOf(s.Listing))
	}
}

func holdsTogether(t *testing.T, l *elfscan.Listing) {
	require.NotEmpty(t, l.Initcalls)
	require.NotEmpty(t, l.Tables)
	count := map[*elfscan.Table]int{}
	for i := range l.Initcalls {
		c := &l.Initcalls[i]
		require.Equal(t, i+1, c.Order)
		require.Contains(t, l.Tables, c.Table)
		count[c.Table]++
		_, err := elfscan.ParseLevel(c.Level.String())
		require.NoError(t, err)
		_ = c.Level.Title()
		require.Equal(t, c.Slot.Known, c.Slot.String() != "-")
		require.Equal(t, c.Target.Known, c.Target.String() != "-")
		require.Equal(t, c.Name == "", c.Symbol == "")
		require.Equal(t, c.Name == "", c.Display() == "")
		if i < 5 {
			for _, d := range l.Show(c.Display()) {
				require.Positive(t, d.Position)
				require.LessOrEqual(t, d.Position, d.Of)
			}
			require.LessOrEqual(t, len(l.Nearest(c.Name, 2)), 2)
		}
	}
	for _, table := range l.Tables {
		require.Equal(t, table.Count, count[table], "%+v", table)
		require.Contains(t, elfscan.TableKinds, table.Kind)
		n := 0
		for _, s := range table.Levels {
			n += s.Count
		}
		require.Equal(t, table.Count, n, "%+v", table)
	}
	first := l.Initcalls[0]
	for _, f := range []elfscan.Filter{
		{Levels: []elfscan.Level{first.Level}},
		{Table: first.Table.Kind},
		{Module: first.Module},
		{Match: someNames},
	} {
		selected := *l
		selected.Initcalls = slices.Clone(l.Initcalls)
		if _, err := selected.Select(f); err == nil {
			require.LessOrEqual(t, len(selected.Initcalls), len(l.Initcalls))
		}
	}
}

// The same for a few files of each kind that are sound, so that it is known to
// be reached.
func TestExerciseFixtures(t *testing.T) {
	for _, k := range []fixture.Kernel{modern(), pointers()} {
		l := mustList(t, k.Build().Bytes())
		holdsTogether(t, l)
	}
}
