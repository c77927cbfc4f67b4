package elfscan

import (
	"fmt"
	"slices"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/symbols"
)

// Sibling is a linker-built table that lies beside those of initcalls and
// runs code or feeds boot too. Only its extent is read, not its entries.
type Sibling struct {
	Name    string // "setup", "lsm_info"
	Start   Boundary
	End     Boundary
	Section string // output section
	InitMem *bool  // nil if unknown

	// EntrySize in bytes and Count are 0 if the entry's size is not known.
	// Inferred says where the size comes from if it is not that of the
	// symbols in the table.
	EntrySize int
	Count     int
	Inferred  string
}

// Bytes is the size of the table in bytes.
func (s *Sibling) Bytes() uint64 { return uint64(s.End.Addr - s.Start.Addr) }

// siblingSpec says how a sibling's boundaries are called. A table with a
// sentinel ends where that begins. The sizes are those of most kernels with
// 64-bit and 32-bit words; what the symbols in the table say goes before them.
type siblingSpec struct {
	name, start, end string
	sentinel         bool
	size64, size32   int
}

// siblingSpecs lists the tables that a developer looks for, code-running ones
// first (include/asm-generic/vmlinux.lds.h, arch/*/kernel/vmlinux.lds.S).
var siblingSpecs = []siblingSpec{
	{name: "lsm_info", start: "__start_lsm_info", end: "__end_lsm_info", size64: 48, size32: 24},
	{name: "early_lsm_info", start: "__start_early_lsm_info", end: "__end_early_lsm_info", size64: 48, size32: 24},
	{name: "x86_cpu_dev", start: "__x86_cpu_dev_start", end: "__x86_cpu_dev_end", size64: 8, size32: 4},
	{name: "x86cpuvendor", start: "__x86cpuvendor_start", end: "__x86cpuvendor_end"},
	{name: "apicdrivers", start: "__apicdrivers", end: "__apicdrivers_end", size64: 8, size32: 4},
	{name: "ctors", start: "__ctors_start", end: "__ctors_end", size64: 8, size32: 4},
	{name: "setup", start: "__setup_start", end: "__setup_end", size64: 24, size32: 12},
	{name: "param", start: "__start___param", end: "__stop___param", size64: 40, size32: 20},
	{name: "modver", start: "__start___modver", end: "__stop___modver", size64: 72, size32: 36},
	{name: "earlycon", start: "__earlycon_table", end: "__earlycon_table_end"},
	{name: "proc_info", start: "__proc_info_begin", end: "__proc_info_end", size32: 52},
	{name: "arch_info", start: "__arch_info_begin", end: "__arch_info_end", size32: 108},
	{name: "irqchip_of", start: "__irqchip_of_table", end: "irqchip_of_match_end", sentinel: true, size64: 200, size32: 196},
	{name: "timer_of", start: "__timer_of_table", end: "__timer_of_table_sentinel", sentinel: true, size64: 200, size32: 196},
	{name: "clk_of", start: "__clk_of_table", end: "__clk_of_table_sentinel", sentinel: true, size64: 200, size32: 196},
	{name: "reservedmem_of", start: "__reservedmem_of_table", end: "__rmem_of_table_sentinel", sentinel: true, size64: 200, size32: 196},
	{name: "cpu_method_of", start: "__cpu_method_of_table", end: "__cpu_method_of_table_sentinel", sentinel: true, size32: 8},
	{name: "cpuidle_method_of", start: "__cpuidle_method_of_table", end: "__cpuidle_method_of_table_sentinel", sentinel: true, size32: 8},
	{name: "irqchip_acpi", start: "__irqchip_acpi_probe_table", end: "__irqchip_acpi_probe_table_end", size64: 32},
	{name: "timer_acpi", start: "__timer_acpi_probe_table", end: "__timer_acpi_probe_table_end", size64: 32},
	{name: "thermal_governor", start: "__governor_thermal_table", end: "__governor_thermal_table_end", size64: 8, size32: 4},
	{name: "ftrace_events", start: "__start_ftrace_events", end: "__stop_ftrace_events", size64: 8, size32: 4},
	{name: "kunit_suites", start: "__kunit_suites_start", end: "__kunit_suites_end", size64: 8, size32: 4},
	{name: "kunit_init_suites", start: "__kunit_init_suites_start", end: "__kunit_init_suites_end", size64: 8, size32: 4},
	{name: "pci_fixup_early", start: "__start_pci_fixups_early", end: "__end_pci_fixups_early", size32: 16},
	{name: "pci_fixup_header", start: "__start_pci_fixups_header", end: "__end_pci_fixups_header", size32: 16},
	{name: "pci_fixup_final", start: "__start_pci_fixups_final", end: "__end_pci_fixups_final", size32: 16},
	{name: "pci_fixup_enable", start: "__start_pci_fixups_enable", end: "__end_pci_fixups_enable", size32: 16},
}

// Siblings returns the sibling tables that the image has. Object files,
// modules and archives have none.
func (im *Image) Siblings() (found []Sibling, err error) {
	defer filemap.Guard(&err)()
	if !im.Linked() {
		return nil, nil
	}
	var names []string
	for _, spec := range siblingSpecs {
		names = append(names, spec.start, spec.end)
	}
	ends, err := im.syms.Named(names...)
	if err != nil {
		return nil, err
	}
	var extents []extent
	for _, spec := range siblingSpecs {
		s, ok, err := im.sibling(spec, ends)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, s)
			extents = append(extents, extent{s.Start.Addr, s.End.Addr})
		}
	}
	inside, err := im.syms.Within(bounds(extents))
	if err != nil {
		return nil, err
	}
	for i := range found {
		spec := siblingSpecs[slices.IndexFunc(siblingSpecs, func(s siblingSpec) bool { return s.name == found[i].Name })]
		found[i].measure(inside, spec, im.elf.Class64)
	}
	if err := im.checkUnchanged(); err != nil {
		return nil, err
	}
	return found, nil
}

// sibling locates one table; ok is false if the image does not have it.
func (im *Image) sibling(spec siblingSpec, ends map[string][]symbols.Symbol) (s Sibling, ok bool, err error) {
	start, end := ends[spec.start], ends[spec.end]
	if len(start) == 0 || len(end) == 0 {
		return s, false, nil
	}
	for _, defs := range [][]symbols.Symbol{start, end} {
		for _, d := range defs {
			if d.Addr != defs[0].Addr {
				return s, false, fmt.Errorf("symbol %s is defined twice, at %#x and at %#x", d.Name, defs[0].Addr, d.Addr)
			}
		}
	}
	s = Sibling{Name: spec.name, Start: Boundary{spec.start, start[0].Addr}, End: Boundary{spec.end, end[0].Addr}}
	if spec.sentinel {
		s.EntrySize = int(min(end[0].Size, maxTable)) // the sentinel is an entry itself
	}
	if s.End.Addr < s.Start.Addr {
		return s, false, fmt.Errorf("%s table: the boundaries are reversed: %s is at %#x, %s at %#x",
			spec.name, spec.start, s.Start.Addr, spec.end, s.End.Addr)
	}
	s.Section = im.sectionAt(s.Start.Addr)
	if i := start[0].Section; i > 0 && i < len(im.elf.Sections) {
		s.Section = im.elf.Sections[i].Name // of an empty table the address may be the next section's
	}
	s.InitMem = inInitMem(s.Start.Addr, im.known)
	return s, true, nil
}

func bounds(extents []extent) (from, to Addr) {
	for i, e := range extents {
		if i == 0 || e.start < from {
			from = e.start
		}
		to = max(to, e.end)
	}
	return from, to
}

// measure finds the size of an entry: that of the symbols in the table if
// they all have one size, else their distance if there is one at every entry,
// else the usual size if the table is a whole number of those.
func (s *Sibling) measure(inside []symbols.Symbol, spec siblingSpec, is64 bool) {
	if s.Bytes() == 0 {
		return
	}
	var sizes, places []uint64
	if s.EntrySize > 0 {
		sizes = append(sizes, uint64(s.EntrySize))
		s.EntrySize = 0
	}
	for _, sym := range inside {
		if sym.Addr < s.Start.Addr || sym.Addr >= s.End.Addr {
			continue
		}
		places = append(places, uint64(sym.Addr-s.Start.Addr))
		if sym.Size > 0 {
			sizes = append(sizes, sym.Size)
		}
	}
	slices.Sort(sizes)
	usual := spec.size32
	if is64 {
		usual = spec.size64
	}
	switch sizes = slices.Compact(sizes); {
	case len(sizes) == 1 && s.Bytes()%sizes[0] == 0:
		s.EntrySize = int(sizes[0])
	case spacing(places, s.Bytes()) > 0:
		s.EntrySize = int(spacing(places, s.Bytes()))
		s.Inferred = "entry size: the distance of the symbols in the table"
	case usual > 0 && s.Bytes()%uint64(usual) == 0:
		s.EntrySize = usual
		s.Inferred = "entry size: the usual one, for want of symbols with sizes in the table"
	default:
		return
	}
	s.Count = int(s.Bytes() / uint64(s.EntrySize))
}

// spacing returns the distance between symbols that stand at every entry of a
// table, 0 if they do not.
func spacing(places []uint64, size uint64) uint64 {
	slices.Sort(places)
	places = slices.Compact(places)
	n := uint64(len(places))
	if n < 2 || places[0] != 0 || size%n != 0 {
		return 0
	}
	for i, p := range places {
		if p != uint64(i)*(size/n) {
			return 0
		}
	}
	return size / n
}
