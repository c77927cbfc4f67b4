/*
 * The linker script of the sound kernels, with one mistake in it. The mistake
 * is chosen on the command line; without one the script is sound.
 */
#include "kernel.h"

#define ENTRIES KEEP(*(.deferred_initcall.init))
#define BOUNDED __def_initcall_start = .; ENTRIES __def_initcall_end = .;
#define OWN_SECTION(content) .deferred_initcall.init : { content } :init

/* --- the deferred table --- */

/* The section and its boundaries are there, the entries are forgotten. */
#if defined(ORPHAN_BEHIND)
#define DEFERRED_SECTION \
	OWN_SECTION(__def_initcall_start = .; __def_initcall_end = .;)

/* The boundaries only: in another section, equal. */
#elif defined(ORPHAN_ELSEWHERE)
#define DEFERRED_SECTION
#define DEFERRED_TABLE __def_initcall_start = .; __def_initcall_end = .;

/* Nothing at all. */
#elif defined(ORPHAN_UNBOUNDED)
#define DEFERRED_SECTION

/* Behind the last level, before __initcall_end. */
#elif defined(FOLDED)
#define DEFERRED_SECTION
#define INITCALLS __initcall_start = .; LEVELS BOUNDED __initcall_end = .;

/* Behind __initcall_end, in .init.data. */
#elif defined(SHARED_SECTION)
#define DEFERRED_SECTION
#define DEFERRED_TABLE BOUNDED

/* With a table of another kind. */
#elif defined(FOREIGN_BEHIND)
#define DEFERRED_SECTION OWN_SECTION(BOUNDED FOREIGN)
#elif defined(FOREIGN_BEFORE)
#define DEFERRED_SECTION OWN_SECTION(FOREIGN . = ALIGN(WORD); BOUNDED)
#elif defined(FOREIGN_AROUND)
#define DEFERRED_SECTION OWN_SECTION(CPU_DEV . = ALIGN(WORD); BOUNDED FOREIGN)

/* Not a mistake: alignment, and bytes of it at both ends. */
#elif defined(PADDED)
#define DEFERRED_SECTION \
	. = ALIGN(16) + WORD; \
	OWN_SECTION(. = ALIGN(16); BOUNDED . = ALIGN(16);)

/* Not a mistake: kept after boot, like the functions in it. */
#elif defined(SPARED)
#define DEFERRED_SECTION
#define KEPT_SECTIONS .deferred_initcall.init : { BOUNDED } :data

#elif defined(HALF)
#define DEFERRED_SECTION OWN_SECTION(__def_initcall_start = .; ENTRIES)
#elif defined(REVERSED)
#define DEFERRED_SECTION \
	OWN_SECTION(__def_initcall_end = .; ENTRIES __def_initcall_start = .;)
#elif defined(OUTSIDE)
#define DEFERRED_SECTION \
	OWN_SECTION(__def_initcall_start = .; ENTRIES __def_initcall_end = . + 0x1000;)
#elif defined(MISALIGNED_DEFERRED)
#define DEFERRED_SECTION OWN_SECTION(. += MISALIGNED_DEFERRED; BOUNDED)
#elif defined(ODD_DEFERRED)
#define DEFERRED_SECTION \
	OWN_SECTION(__def_initcall_start = .; ENTRIES BYTE(0) __def_initcall_end = .;)
#endif

#if defined(FOREIGN_BEHIND) || defined(FOREIGN_BEFORE) || defined(FOREIGN_AROUND)
#define SETUP
#define FOREIGN \
	. = ALIGN(16); \
	__setup_start = .; \
	KEEP(*(.init.setup)) \
	__setup_end = .;
#define CPU_DEV \
	. = ALIGN(WORD); \
	__cpu_method_of_table = .; \
	KEEP(*(__cpu_method_of_table))
#endif

/* --- the ordinary tables --- */

#if defined(MISALIGNED)
#define INITCALLS \
	. += MISALIGNED; __initcall_start = .; LEVELS __initcall_end = .;
#elif defined(ODD_SIZE) /* a byte behind level 7; what follows is aligned */
#define INITCALLS \
	__initcall_start = .; LEVELS BYTE(0) __initcall_end = .; \
	. = ALIGN(WORD);
#endif

#define UP_TO_5 \
	EARLY \
	LEVEL(__initcall0_start, .initcall0.init, .initcall0s.init) \
	LEVEL(__initcall1_start, .initcall1.init, .initcall1s.init) \
	LEVEL(__initcall2_start, .initcall2.init, .initcall2s.init) \
	LEVEL_3 \
	LEVEL(__initcall4_start, .initcall4.init, .initcall4s.init) \
	LEVEL(__initcall5_start, .initcall5.init, .initcall5s.init) \
	LEVEL(__initcallrootfs_start, .initcallrootfs.init, .initcallrootfss.init)
#define LEVEL_6 LEVEL(__initcall6_start, .initcall6.init, .initcall6s.init)
#define LEVEL_7 LEVEL(__initcall7_start, .initcall7.init, .initcall7s.init)

#ifdef LEVEL_MISSING
#define LEVEL_3 KEEP(*(.initcall3.init)) KEEP(*(.initcall3s.init))
#else
#define LEVEL_3 LEVEL(__initcall3_start, .initcall3.init, .initcall3s.init)
#endif
#if defined(LEVEL_MISSING)
#define LEVELS UP_TO_5 LEVEL_6 LEVEL_7
#elif defined(LEVEL_ORDER)
#define LEVELS UP_TO_5 LEVEL_7 LEVEL_6
#elif defined(ODD_LEVEL) /* only offsets can follow a single byte unaligned */
#define LEVELS UP_TO_5 LEVEL_6 BYTE(0) LEVEL_7
#endif

#if defined(HALF_CONSOLE)
#define CONSOLE __con_initcall_start = .; KEEP(*(.con_initcall.init))
#elif defined(REVERSED_CONSOLE)
#define CONSOLE \
	__con_initcall_end = .; \
	KEEP(*(.con_initcall.init)) \
	__con_initcall_start = .;
#elif defined(OUTSIDE_CONSOLE) /* in no section */
#define CONSOLE \
	__con_initcall_start = . + 0x100000; \
	KEEP(*(.con_initcall.init)) \
	__con_initcall_end = . + 0x100000 + WORD;
#endif

/* Kernels that are linked with --gc-sections need KEEP. */
#ifdef NO_KEEP
#define KEEP(sections) sections
#endif

#define MORE_SECTIONS .exit.text : { *(.exit.text) } :init

#include "kernel.lds.S"
