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
		f := e.add(ruleUnreachable, "nothing in the kernel refers to the deferred table from %s at %#x to %s at %#x: its %s never run",
			t.Start.Symbol, t.Start.Addr, t.End.Symbol, t.End.Addr, naming(e.entriesOf(t)))
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

// walkers returns what refers to a table, by the address at which it starts.
func (e *examiner) walkers(t *elfscan.Table) (map[elfscan.Addr]string, error) {
	refs, err := e.im.References(elfscan.Range{From: t.Start.Addr, To: t.End.Addr})
	if err != nil {
		return nil, err
	}
	shared, err := e.startIsShared(t)
	if err != nil {
		return nil, err
	}
	ends := map[elfscan.Addr]bool{}
	for _, r := range refs {
		ends[r.Start] = ends[r.Start] || r.Target == t.End.Addr
	}
	walkers := map[elfscan.Addr]string{}
	for _, r := range refs {
		if r.Target != t.End.Addr && (ends[r.Start] || !shared) {
			walkers[r.Start] = r.Name
		}
	}
	return walkers, nil
}

// startIsShared reports whether something else ends or begins where a table
// does. What refers to that refers to the table only if it refers to the
// table's end, too.
func (e *examiner) startIsShared(t *elfscan.Table) (bool, error) {
	at, err := e.im.Symbols().At([]elfscan.Addr{t.Start.Addr})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(at[t.Start.Addr], func(s symbols.Symbol) bool {
		return s.Name != t.Start.Symbol && !symbols.IsEntryName(s.Name)
	}), nil
}

// enders are the functions that take from the kernel what deferred initcalls
// need.
var enders = []struct {
	function string
	does     string
	table    bool     // it takes the table, not only the functions
	machines []string // nil for all
}{
	{"free_initmem", "frees init memory", true, nil},
	// Elsewhere sealing leaves init text executable.
	{"mark_rodata_ro", "takes the right to execute from init text", false, []string{"x86_64", "i386"}},
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
		if errors.Is(err, errNoCaller) && ender.machines == nil {
			e.unjudged(t, "%s in init memory, and when that is freed cannot be told: %v", what, err)
			return nil
		}
		if err != nil && !errors.Is(err, errNoCaller) {
			return err
		}
		if len(chain) > 0 {
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

// errNoCaller is returned for a function of which the image does not show who
// calls it.
var errNoCaller = errors.New("no caller is found")

// bootReaches returns the chain of calls by which boot comes to a function
// without going through one that runs the deferred table, nil if there is none.
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
	for depth := 0; len(frontier) > 0 && depth < maxDepth; depth++ {
		callers, err := e.im.Callers(frontier...)
		if err != nil {
			return nil, err
		}
		if depth == 0 && len(callers) == 0 {
			break
		}
		frontier = nil
		for _, c := range callers {
			_, walks := walkers[c.Start]
			if _, seen := chains[c.Start]; seen || walks || c.Name == "" {
				continue
			}
			chain := append([]string{c.Name}, e.chainOf(c, chains)...)
			if boot[c.Start] {
				return chain, nil
			}
			chains[c.Start] = chain
			frontier = append(frontier, c.Start)
		}
		if len(frontier) == 0 {
			return nil, nil
		}
	}
	return nil, fmt.Errorf("%w for %s", errNoCaller, function)
}

// chainOf returns the chain that a caller begins. A function may be entered
// behind its start.
func (e *examiner) chainOf(caller elfscan.Reference, chains map[elfscan.Addr][]string) []string {
	for a := caller.Target; a+maxEntry > caller.Target; a-- {
		if chain, ok := chains[a]; ok {
			return chain
		}
	}
	return nil
}

// maxEntry is how far behind its start, and one more, a function may be entered.
const maxEntry = 9

func textSymbols(syms []symbols.Symbol) []symbols.Symbol {
	return slices.DeleteFunc(slices.Clone(syms), func(s symbols.Symbol) bool { return !s.Kind.Text() })
}
