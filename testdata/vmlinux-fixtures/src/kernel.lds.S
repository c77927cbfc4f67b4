/*
 * One linker script for every fixture, run through cpp. Beside the choices of
 * kernel.h:
 *   BASE           address of _text
 *   WORD           4 or 8
 *   X86 ARCH_ARM OPD  the architecture's own sections
 *   KEEP_DYNAMIC   the dynamic section and its symbols stay in the image
 *   SHIFT          bytes to insert, for "another build of the same sources"
 *   INITCALLS LEVELS CONSOLE SETUP DEFERRED_SECTION DEFERRED_TABLE
 *   MORE_SECTIONS KEPT_SECTIONS
 *                  parts of it, for a script that includes this one
 */
#include "kernel.h"

#define LEVEL(start, plain, sync) LEVEL_START(start) KEEP(*(plain)) KEEP(*(sync))
#if KERNEL >= V(3, 4, 0)
#define LEVEL_START(start) start = .;
#else
#define LEVEL_START(start)
#endif

#if KERNEL >= V(2, 6, 28)
#define EARLY KEEP(*(.initcallearly.init)) EARLY_END
#else
#define EARLY
#endif
#if KERNEL >= V(2, 6, 28) && KERNEL < V(3, 4, 0)
#define EARLY_END __early_initcall_end = .;
#else
#define EARLY_END
#endif

#ifndef INITCALLS
#define INITCALLS __initcall_start = .; LEVELS __initcall_end = .;
#endif
#ifndef LEVELS
#define LEVELS \
	EARLY \
	LEVEL(__initcall0_start, .initcall0.init, .initcall0s.init) \
	LEVEL(__initcall1_start, .initcall1.init, .initcall1s.init) \
	LEVEL(__initcall2_start, .initcall2.init, .initcall2s.init) \
	LEVEL(__initcall3_start, .initcall3.init, .initcall3s.init) \
	LEVEL(__initcall4_start, .initcall4.init, .initcall4s.init) \
	LEVEL(__initcall5_start, .initcall5.init, .initcall5s.init) \
	LEVEL(__initcallrootfs_start, .initcallrootfs.init, .initcallrootfss.init) \
	LEVEL(__initcall6_start, .initcall6.init, .initcall6s.init) \
	LEVEL(__initcall7_start, .initcall7.init, .initcall7s.init)
#endif

#ifndef CONSOLE
#define CONSOLE \
	__con_initcall_start = .; \
	KEEP(*(.con_initcall.init)) \
	__con_initcall_end = .;
#endif

#if KERNEL < V(4, 20, 0)
#define SECURITY \
	__security_initcall_start = .; \
	KEEP(*(.security_initcall.init)) \
	__security_initcall_end = .;
#else
#define SECURITY
#endif

#ifndef SETUP
#define SETUP \
	. = ALIGN(16); \
	__setup_start = .; \
	KEEP(*(.init.setup)) \
	__setup_end = .;
#endif

#ifdef DEFERRED_SECTION /* by another script */
#elif DEFERRED == TIM_BIRD
#define DEFERRED_SECTION \
	.deferred_initcall.init : { \
		__def_initcall_start = .; \
		KEEP(*(.deferred_initcall.init)) \
		__def_initcall_end = .; \
	} :init
#else
#define DEFERRED_SECTION
#endif

#ifdef DEFERRED_TABLE
#elif DEFERRED == PORTS || DEFERRED == SAMSUNG || DEFERRED == SONY
#define DEFERRED_TABLE \
	__deferred_initcall_start = .; \
	KEEP(*(.deferred_initcall.init)) \
	KEEP(*(.deferred_initcall0.init)) \
	KEEP(*(.deferred_initcall0s.init)) \
	__deferred_initcall_end = .;
#elif DEFERRED == LG
#define DEFERRED_TABLE \
	. = ALIGN(16); \
	__user_initcall_start = .; \
	KEEP(*(.user_initcall.init)) \
	__user_initcall_end = .;
#else
#define DEFERRED_TABLE
#endif

#define INIT_DATA \
	*(.init.data .init.data.*) \
	. = ALIGN(8); \
	__earlycon_table = .; \
	KEEP(*(__earlycon_table)) \
	__earlycon_table_end = .; \
	. = ALIGN(WORD); \
	__start_lsm_info = .; \
	KEEP(*(.lsm_info.init)) \
	__end_lsm_info = .;

#ifndef SHIFT
#define SHIFT 0
#endif
#ifndef MORE_SECTIONS
#define MORE_SECTIONS
#endif
#ifndef KEPT_SECTIONS
#define KEPT_SECTIONS
#endif
#define BLOCK . = ALIGN(256);

ENTRY(_text)

PHDRS
{
	text PT_LOAD FLAGS(5);
	data PT_LOAD FLAGS(6);
	init PT_LOAD FLAGS(7);
#ifdef KEEP_DYNAMIC
	dynamic PT_DYNAMIC FLAGS(6);
#endif
	note PT_NOTE FLAGS(4);
}

SECTIONS
{
	. = BASE;
	.text : {
		_text = .;
		_stext = .;
		. += SHIFT;
		*(.text .text.* .glue_7 .glue_7t .vfp11_veneer .v4_bx .sfpr .glink)
		_etext = .;
	} :text
	BLOCK
	.rodata : {
		__start_rodata = .;
		*(.rodata .rodata.* .srodata .srodata.*)
	} :text
	. = ALIGN(WORD);
	__ksymtab : {
		__start___ksymtab = .;
		KEEP(*(SORT(___ksymtab+*)))
		__stop___ksymtab = .;
	} :text
	.kcfi_traps : { *(.kcfi_traps) } :text
	__ksymtab_strings : { *(__ksymtab_strings) } :text
	. = ALIGN(WORD);
	__param : {
		__start___param = .;
		KEEP(*(__param))
		__stop___param = .;
	} :text
	.notes : { *(.note.*) } :text :note

	BLOCK
	.data : { _sdata = .; *(.data .data.* .sdata .sdata.*) } :data
	KEPT_SECTIONS
	.got : {
		*(.got.plt) /* s390 wants it first */
		*(.got .toc .plt .iplt .igot .igot.plt .dlt .stub .branch_lt)
	} :data
#ifdef OPD
	.opd : {
		__start_opd = .;
		KEEP(*(.opd))
		__end_opd = .;
	} :data
#endif
#ifdef KEEP_DYNAMIC
	.dynsym : { *(.dynsym) } :data
	.dynstr : { *(.dynstr) } :data
	.hash : { *(.hash) } :data
	.gnu.hash : { *(.gnu.hash) } :data
	.dynamic : { *(.dynamic) } :data :dynamic
#endif

	BLOCK
#if defined(ARCH_ARM) && KERNEL < V(3, 4, 0)
	.init : {
		__init_begin = .;
		_sinittext = .;
		. += SHIFT;
		*(.init.text)
		_einittext = .;
		INIT_DATA SETUP INITCALLS CONSOLE SECURITY DEFERRED_TABLE
	} :init
#else
	__init_begin = .;
	.init.text : {
		_sinittext = .;
		. += SHIFT;
		*(.init.text)
		_einittext = .;
	} :init
#if defined(X86) && KERNEL < V(2, 6, 32)
	. = ALIGN(16);
	.init.data : { INIT_DATA } :init
	. = ALIGN(16);
	.init.setup : { SETUP } :init
#if KERNEL < V(2, 6, 24) /* the boundaries are outside the section */
	__initcall_start = .;
	.initcall.init : { LEVELS } :init
	__initcall_end = .;
#else
	.initcall.init : { INITCALLS } :init
#endif
	.con_initcall.init : { CONSOLE } :init
	.security_initcall.init : { SECURITY } :init
	DEFERRED_SECTION
#else
	. = ALIGN(16);
	.init.data : {
		INIT_DATA SETUP INITCALLS DEFERRED_TABLE CONSOLE SECURITY
	} :init
	DEFERRED_SECTION
#endif
#endif
#ifdef X86
	. = ALIGN(WORD);
	.x86_cpu_dev.init : {
		__x86_cpu_dev_start = .;
		KEEP(*(.x86_cpu_dev.init))
		__x86_cpu_dev_end = .;
	} :init
#endif
	MORE_SECTIONS
	. = ALIGN(8);
	.rela.dyn : { *(.rela .rela*) } :init
	.rel.dyn : { *(.rel .rel.*) } :init
	.relr.dyn : { *(.relr.dyn) } :init
	BLOCK
	__init_end = .;
	.bss : {
		__bss_start = .;
		*(.bss .bss.* .sbss .dynbss COMMON)
		__bss_stop = .;
	} :init
	_end = .;

	.ARM.attributes 0 : { *(.ARM.attributes) }
	.symtab 0 : { *(.symtab) }
	.strtab 0 : { *(.strtab) }
	.shstrtab 0 : { *(.shstrtab) }

	/DISCARD/ : {
		*(.comment .eh_frame .interp .gnu.attributes .mdebug.*)
		*(.ARM.exidx* .MIPS.* .reginfo .pdr .gnu.version* .discard.*)
		*(.PARISC.unwind .note.GNU-stack .llvm_addrsig .riscv.attributes)
#ifndef KEEP_DYNAMIC
		*(.dynamic .dynsym .dynstr .hash .gnu.hash)
#endif
	}
}
