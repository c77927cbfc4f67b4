package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/initsect/initsect/elfscan"
	"github.com/initsect/initsect/symbols"
)

// runs makes sure that something runs a deferred table, and that what it needs
// is still there then.
func (e *examiner) runs(t *elfscan.Table) error {
	walkers, err := e.walkers(t)
	if errors.Is(err, elfscan.ErrCodeUnknown) {
		e.unjudged(t, "whether anything runs the deferred table from %#x to %#x, and before init memory is freed, cannot be told: %v",
			t.Start.Addr, t.End.Addr, err)
		return nil
	}
	if err != nil {
		return err
	}
	if len(walkers) == 0 {
		f := e.add(ruleUnreachable, "nothing in the kernel refers to the deferred table from %s at %#x to %s at %#x: its %s",
			t.Start.Symbol, t.Start.Addr, t.End.Symbol, t.End.Addr, neverRun(e.entriesOf(t)))
		f.Table, f.Section, f.Symbol, f.Address = t.Kind, t.Section, t.Start.Symbol, &t.Start.Addr
		return nil
	}
	return e.outlives(t, walkers)
}

func (e *examiner) entriesOf(t *elfscan.Table) []string {
	var names []string
	for i := range e.survey.Initcalls {
		if c := &e.survey.Initcalls[i]; c.Table == t {
			names = append(names, called(c))
		}
	}
	return names
}

// walkers returns what walks a table, by the address at which it starts: code
// that refers to its start, or a variable that does.
func (e *examiner) walkers(t *elfscan.Table) (map[elfscan.Addr]string, error) {
	wanted := []elfscan.Range{{From: t.Start.Addr, To: t.End.Addr}}
	before := e.tablesBefore(t)
	for _, b := range before {
		wanted = append(wanted, elfscan.Range{From: b.Start.Addr, To: b.End.Addr - 1})
	}
	refs, err := e.im.References(wanted...)
	if err != nil {
		return nil, err
	}
	sharedStart, err := e.isShared(t.Start)
	if err != nil {
		return nil, err
	}
	sharedEnd, err := e.isShared(t.End)
	if err != nil {
		return nil, err
	}
	type referrer struct {
		name                string
		start, end, another bool // what it refers to
	}
	referrers := map[elfscan.Addr]referrer{}
	for _, r := range refs {
		if r.Name == "" {
			r.Start = r.At
		}
		found := referrers[r.Start]
		found.name = r.Name
		switch {
		case r.Target < t.Start.Addr || r.Target > t.End.Addr:
			found.another = true
		case r.Target == t.End.Addr:
			found.end = true
		default:
			found.start = true
		}
		referrers[r.Start] = found
	}
	// Who walks the table before this one, or what is behind it, may refer to the
	// same address.
	others := false
	for _, r := range referrers {
		others = others || r.start && r.another && !r.end
	}
	sharedStart = sharedStart || len(before) > 0 // by what has no name
	walkers := map[elfscan.Addr]string{}
	toEnd := false
	for at, r := range referrers {
		if r.start && (!sharedStart || r.end && (!sharedEnd || !r.another || others)) {
			walkers[at] = r.name
			toEnd = toEnd || r.end
		}
	}
	if len(walkers) > 0 && !toEnd && e.im.SymbolSource() == symbols.SourceMap {
		return nil, fmt.Errorf("%s: %w: it has %s at %#x, to which nothing refers that walks the table from %#x on",
			e.im.MapFile(), elfscan.ErrMapMismatch, t.End.Symbol, t.End.Addr, t.Start.Addr)
	}
	return walkers, nil
}

// tablesBefore are the tables that end where a table starts.
func (e *examiner) tablesBefore(t *elfscan.Table) []*elfscan.Table {
	return slices.DeleteFunc(slices.Clone(e.survey.Tables), func(other *elfscan.Table) bool {
		return other == t || other.End.Addr != t.Start.Addr || other.Bytes() == 0
	})
}

// isShared reports whether something else ends or begins where a table does.
func (e *examiner) isShared(edge elfscan.Boundary) (bool, error) {
	at, err := e.im.Symbols().At([]elfscan.Addr{edge.Addr})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(at[edge.Addr], func(s symbols.Symbol) bool {
		return s.Name != edge.Symbol && !symbols.IsEntryName(s.Name)
	}), nil
}

// enders are the functions that take from the kernel what deferred initcalls
// need.
var enders = []struct {
	function string
	does     string
	table    bool     // it takes the table, not only the functions
	optional bool     // kernels without it do not do that
	machines []string // nil for all
}{
	{"free_initmem", "frees init memory", true, false, nil},
	// Elsewhere sealing leaves init text executable.
	{"mark_rodata_ro", "takes the right to execute from init text", false, true, []string{"x86_64", "i386"}},
}

// outlives makes sure that boot does not end init memory before a deferred
// table in it, or with functions in it, can be run.
func (e *examiner) outlives(t *elfscan.Table, walkers map[elfscan.Addr]string) error {
	if t.InitMem == nil {
		e.unjudged(t, "whether the deferred table at %#x lies in init memory cannot be told, for the symbols __init_begin and __init_end are missing", t.Start.Addr)
		return nil
	}
	for _, ender := range enders {
		what := e.inInitMem(t, ender.table)
		if what == "" || ender.machines != nil && !slices.Contains(ender.machines, e.im.Identity.Machine) {
			continue
		}
		chain, err := e.bootReaches(ender.function, walkers)
		switch {
		case errors.Is(err, errNoFunction) && ender.optional:
			continue
		case errors.Is(err, errNoFunction), errors.Is(err, errNoCaller):
			e.unjudged(t, "%s in init memory, and whether the kernel %s at boot cannot be told: %v", what, ender.does, err)
			return nil
		case err != nil:
			return err
		case len(chain) > 0:
			f := e.add(ruleEarlyFree, "the kernel %s at boot (%s), before the deferred initcalls can run, %s: %s there, and the first call takes a page fault",
				ender.does, strings.Join(chain, " -> "), whenRuns(t), what)
			f.Table, f.Section, f.Symbol, f.Address = t.Kind, t.Section, t.Start.Symbol, &t.Start.Addr
			return nil
		}
	}
	return nil
}

func (e *examiner) unjudged(t *elfscan.Table, format string, args ...any) {
	f := e.add(ruleUnjudged, format, args...)
	f.Table, f.Section, f.Symbol, f.Address = t.Kind, t.Section, t.Start.Symbol, &t.Start.Addr
}

// inInitMem says what of a table lies in init memory, "" if nothing does.
func (e *examiner) inInitMem(t *elfscan.Table, table bool) string {
	var names []string
	for i := range e.survey.Initcalls {
		if c := &e.survey.Initcalls[i]; c.Table == t && c.InitMem != nil && *c.InitMem {
			names = append(names, called(c))
		}
	}
	table = table && *t.InitMem
	switch {
	case table && len(names) > 0:
		return fmt.Sprintf("the table at %#x and the functions of %s lie", t.Start.Addr, naming(names))
	case table:
		return fmt.Sprintf("the table at %#x lies", t.Start.Addr)
	case len(names) > 0:
		return fmt.Sprintf("the functions of %s lie", naming(names))
	}
	return ""
}

// bootFunctions are those by which the kernel comes to run user space
// (init/main.c): kernel_init from 2.6.28 on, and what called it or stood for it.
var bootFunctions = []string{"kernel_init", "init_post", "init", "rest_init", "start_kernel", "kernel_init_freeable"}

// maxDepth bounds how long a chain of calls is followed.
const maxDepth = 8

// errNoFunction is returned for a function that the image does not name, and
// errNoCaller if it does not show who calls one: nothing does by its name, or
// only a pointer leads to it.
var (
	errNoFunction = errors.New("the image has no function")
	errNoCaller   = errors.New("no caller is found for")
)

// bootReaches returns the chain of calls by which boot comes to a function
// without going through one that runs the deferred table, nil if there is none.
// It is errNoCaller if none is found and a chain ends before it came to either.
func (e *examiner) bootReaches(function string, walkers map[elfscan.Addr]string) ([]string, error) {
	starts, err := e.im.Symbols().Named(append([]string{function}, bootFunctions...)...)
	if err != nil {
		return nil, err
	}
	boot := map[elfscan.Addr]bool{}
	for _, name := range bootFunctions {
		for _, s := range textSymbols(starts[name]) {
			boot[s.Addr] = true
		}
	}
	chains := map[elfscan.Addr][]string{} // from each function that calls it, in the end
	var frontier []elfscan.Addr
	for _, s := range textSymbols(starts[function]) {
		chains[s.Addr] = []string{function}
		frontier = append(frontier, s.Addr)
	}
	if len(frontier) == 0 {
		return nil, fmt.Errorf("%w %s", errNoFunction, function)
	}
	var uncalled error
	for depth := 0; len(frontier) > 0; depth++ {
		if depth == maxDepth {
			return nil, fmt.Errorf("%w %s within %d calls", errNoCaller, function, maxDepth)
		}
		callers, err := e.im.Callers(frontier...)
		if err != nil {
			return nil, err
		}
		reached := frontier
		frontier = nil
		calls := map[elfscan.Addr]bool{} // to each function that was reached
		for _, c := range callers {
			callee, ok := calleeOf(c, chains)
			if !ok || c.Name == "" || c.Kind != elfscan.ReferenceBranch && !isVeneer(c.Name) {
				continue
			}
			calls[callee] = true
			if _, walks := walkers[c.Start]; walks || chains[c.Start] != nil {
				continue
			}
			chain := append([]string{c.Name}, chains[callee]...)
			if boot[c.Start] {
				return chain, nil
			}
			chains[c.Start] = chain
			frontier = append(frontier, c.Start)
		}
		for _, f := range reached {
			if !calls[f] && uncalled == nil {
				uncalled = fmt.Errorf("%w %s", errNoCaller, chains[f][0])
			}
		}
	}
	return nil, uncalled
}

// isVeneer reports whether a function is one that the linker made to reach
// another that is too far for a direct branch.
func isVeneer(name string) bool {
	return strings.HasSuffix(name, "_veneer") || strings.Contains(name, ".long_branch.") || strings.Contains(name, ".plt_")
}

// calleeOf returns which of the functions a caller calls. They may be entered
// behind their start.
func calleeOf(caller elfscan.Reference, functions map[elfscan.Addr][]string) (elfscan.Addr, bool) {
	for a := caller.Target; a+maxEntry > caller.Target; a-- {
		if _, ok := functions[a]; ok {
			return a, true
		}
	}
	return 0, false
}

// maxEntry is how far behind its start, and one more, a function may be entered.
const maxEntry = 9

func textSymbols(syms []symbols.Symbol) []symbols.Symbol {
	return slices.DeleteFunc(slices.Clone(syms), func(s symbols.Symbol) bool { return !s.Kind.Text() })
}
