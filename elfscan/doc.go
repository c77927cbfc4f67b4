// Package elfscan opens a built Linux kernel and reads the tables of initcalls
// that its linker script made: where they are, how their entries hold their
// functions, which functions those are, and in which order the kernel calls
// them.
//
//	im, err := elfscan.Open("vmlinux", elfscan.Options{})
//	…
//	defer im.Close()
//	listing, err := im.List(elfscan.ListOptions{})
//	for _, c := range listing.Initcalls {
//		fmt.Println(c.Order, c.Level, c.Display())
//	}
//
// It reads linked kernels (ELF executables and shared objects), the boot images
// that hold them, object files, loadable modules and archives of objects, of
// either class and byte order. A linked kernel's names come from its symbol table,
// from a System.map, or from the symbol table that the kernel itself carries.
//
// # How a table is read
//
// The boundary symbols of include/asm-generic/vmlinux.lds.h say where a table
// begins and ends. Its bytes are read as the kernel will see them: relocations
// that the file leaves to the boot code are applied first. The bytes are then
// read in every encoding that there is ([EncodingAbsolute],
// [EncodingPrel32], [EncodingDescriptor], and for deferred tables the
// structures of two vendors), and the one in which the entries are the starts
// of functions is taken. If it is none, or more than one, that is an error: no
// version, machine or configuration is consulted, for a patched kernel may
// differ from its version in just this.
//
// The level of an entry follows from its address between the boundaries; the
// function's name from what is at its target, by the rule by which the kernel
// itself chooses among aliases ([symbols.Preferred]); module, line and sync
// level from the entry symbol beside it, where there is one.
//
// # Kernels that do not name their tables
//
// Without CONFIG_KALLSYMS_ALL a kernel's own symbol table names code only. Its
// tables are then found by what they are: a run of entries that all hold starts
// of functions, most of them in init text; nine pointers into it, which are
// initcall_levels of init/main.c; and code that refers to where the run begins
// and ends, as what walks it must. If one of these is missing, or there are two,
// that is an error. [Table.Inferred] says what was found so.
//
// # What cannot be known
//
// Kernels before 2.6.28 have no boundaries between levels and those before 3.4
// only that of the early ones: the level is [LevelUnknown] there. Without
// entry symbols sync levels cannot be told from their base levels
// ([Listing.SyncKnown]), nor modules and lines be known. A file that shrinks
// while it is read, symbols that contradict the tables, and a System.map of
// another build are errors.
//
// # Limitations
//
// Names come from the symbol table, from a System.map, or from the table that a
// kernel built with CONFIG_KALLSYMS carries; one that has none of them is an
// error. Objects that hold LLVM bitcode are not read.
package elfscan
