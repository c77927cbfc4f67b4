/*
 * Initcalls, of which the last is registered in a wrong way. Which one is chosen
 * on the command line; the linker script knows mistakes of its own.
 */
#include "kernel.h"

INIT_FUNCTION(init_hw_perf_events)
INIT_FUNCTION(cpu_pm_init)
INIT_FUNCTION(bdi_class_init)
INIT_FUNCTION(dmi_id_init)
INIT_FUNCTION(acpi_init)
INIT_FUNCTION(chr_dev_init)
INIT_FUNCTION(i8042_init)
INIT_FUNCTION(ahci_init)
INIT_FUNCTION(seqgen_init)
early_initcall(init_hw_perf_events)
core_initcall(cpu_pm_init)
postcore_initcall(bdi_class_init)
arch_initcall(dmi_id_init)
subsys_initcall(acpi_init)
fs_initcall(chr_dev_init)
device_initcall(i8042_init)
device_initcall(ahci_init)
late_initcall(seqgen_init)

#ifndef OUTSIDE_CONSOLE
INIT_FUNCTION(con_init)
console_initcall(con_init)
#endif

/* What a deferred initcall is when init memory does not matter. */
#ifdef SPARED
#define DEFERRED_FUNCTION(fn) \
	static int __used __attribute__((noinline)) fn(void) { return __LINE__; }
#else
#define DEFERRED_FUNCTION(fn) INIT_FUNCTION(fn)
#endif
#ifndef NO_DEFERRED
DEFERRED_FUNCTION(piix_init)
DEFERRED_FUNCTION(ehci_init)
DEFERRED_FUNCTION(uhci_init)
deferred_initcall(piix_init)
deferred_initcall(ehci_init)
deferred_initcall(uhci_init)
#endif

/* Targets that are not initcalls. */
static int __used usb_options[4] = { 1, 2, 3, 4 };
static int __used __section(".exit.text") __attribute__((noinline)) usb_exit(void)
{
	return __LINE__;
}

/* An entry whose symbol is about fn and which holds something else. */
#define MISSTATED(fn, id, target) MISSTATED_(UNIQUE(fn, id), target, ".initcall" #id ".init")
#if KERNEL >= V(5, 12, 0)
#define MISSTATED_(unique, target, sec) PLACE(target, PREFIX(__initcall__kmod_, unique), sec)
#else
#define MISSTATED_(unique, target, sec) PLACE(target, PREFIX(__initcall_, unique), sec)
#endif
#ifdef PREL32
#define NOTHING .
#define BEHIND(symbol, bytes) symbol + bytes
#else
#define NOTHING NULL
#define BEHIND(symbol, bytes) (initcall_t)((char *)symbol + bytes)
#endif

INIT_FUNCTION(usb_init)

#if defined(DOUBLE)
device_initcall(usb_init)
deferred_initcall(usb_init)
#elif defined(TWICE)
device_initcall(usb_init)
device_initcall(usb_init)
#elif defined(TWICE_LEVELS)
subsys_initcall(usb_init)
device_initcall(usb_init)

#elif defined(LOST)
DEFINE(usb_init, 6, ".initcal6.init")
#elif defined(LOST_DEFERRED)
WITH_ID(usb_init, DEFERRED_ID, ".defered_initcall.init")
#elif defined(LOST_LEVEL)
define_initcall(usb_init, 8)
#elif defined(WRONG_LEVEL)
DEFINE(usb_init, 6, ".initcall7.init")

#elif defined(NULL_ENTRY)
MISSTATED(usb_init, 6, NOTHING)
#elif defined(NOT_CODE)
MISSTATED(usb_init, 6, BEHIND(usb_options, 4))
#elif defined(NOWHERE)
MISSTATED(usb_init, 6, BEHIND(usb_init, 0x1000000))
#elif defined(INSIDE)
MISSTATED(usb_init, 6, BEHIND(usb_init, 4))
#elif defined(NOT_TEXT)
device_initcall(usb_exit)
#elif defined(OTHER_NAME)
INIT_FUNCTION(hub_init)
MISSTATED(usb_init, 6, hub_init)

#elif defined(ODD_INSIDE)
__asm__(".pushsection .initcall6.init, \"a\"\n"
	".byte 0x80\n"
	".popsection\n");
device_initcall(usb_init)

#else
device_initcall(usb_init)
#endif

/* A table of another kind, to lie before the deferred one. */
#ifdef FOREIGN_AROUND
static int *const cpu_methods[] __used __section("__cpu_method_of_table") =
	{ usb_options, &usb_options[2] };
#endif
