/*
 * Names that LTO and CFI leave on targets; each is shown as the function that
 * it stands for. Built beside the other sources with -DLTO, whose targets are
 * all __initstub__ wrappers.
 */
#include "kernel.h"

#define NAMED(c_name, symbol) \
	int c_name(void) __asm__(symbol); \
	int __init c_name(void) { return __LINE__; }
#define ENTRY_AT_6(symbol, entry) \
	PLACE(symbol, __initcall__kmod_lto_names__##entry, ".initcall6.init")

/* ThinLTO promoted a static function. */
NAMED(promoted, "promoted_init.llvm.1234567")
ENTRY_AT_6(promoted_init.llvm.1234567, 700_18_promoted_init6)

/* CFI of 5.13 to 6.0: the target is a jump table's slot, the body is elsewhere. */
NAMED(body, "jump_init")
NAMED(slot, "jump_init.cfi_jt")
ENTRY_AT_6(jump_init.cfi_jt, 701_23_jump_init6)

/* ... or the other way round. */
NAMED(old_slot, "canonical_init")
NAMED(old_body, "canonical_init.cfi")
ENTRY_AT_6(canonical_init.cfi, 702_28_canonical_init6)

/* Both. */
NAMED(both, "nested_init.llvm.42.cfi_jt")
ENTRY_AT_6(nested_init.llvm.42.cfi_jt, 703_32_nested_init6)
