// Package symbols reads the symbol tables of a Linux kernel and names
// addresses the way that kernel names them.
//
// A [Table] comes from the .symtab of an ELF file ([FromSymtab]), from text in
// nm's format ([ParseMap]): System.map, the output of nm, /proc/kallsyms, or from
// the table that the kernel carries in its own memory ([FindKallsyms]).
// Whatever its source, it answers the same few questions: which symbols have
// these names ([Table.Named]), which lie at these addresses ([Table.At]), and
// which is the last one at or before an address ([Table.Before]).
//
// A kernel has some 200,000 symbols and a caller wants some 1,500 of them.
// The questions therefore take many names or addresses at once, each is
// answered in one pass over the table, and nothing is allocated per symbol.
//
// [ParseEntry] takes apart the names of the __initcall_… variables that the
// initcall macros leave behind; [DisplayName] turns what a compiler made of a
// function's name (link-time stubs, jump-table slots, Rust mangling) into the
// function it stands for; [Preferred] chooses among aliases as kallsyms does.
//
// # Limitations
//
// A table in the kernel's memory is read from 2.6.11 on; before, names were
// compressed otherwise. Sizes are in a .symtab only.
//
// A System.map of another build reads as well as the right one. Telling them
// apart takes the image; package elfscan does it.
package symbols
