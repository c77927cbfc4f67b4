/* Runs the tables, so that every boundary symbol is referenced as in a kernel. */
#include "kernel.h"

#ifndef RELEASE
#error "RELEASE is the kernel's name for itself"
#endif

const char linux_banner[] __used =
	"Linux version " RELEASE " (initsect@fixture) (" COMPILER ") #1 SMP fixture\n";

int *initcall_calls; /* a word for .bss and one for .data */
int initcall_debug = 1;

extern initcall_entry_t __initcall_start[], __initcall_end[];
extern initcall_entry_t __con_initcall_start[], __con_initcall_end[];

static int __used call(initcall_entry_t *entry)
{
#ifdef PREL32
	return ((initcall_t)((unsigned long)entry + *entry))();
#else
	return (*entry)();
#endif
}

static void run(initcall_entry_t *entry, initcall_entry_t *end)
{
	while (entry < end)
		call(entry++);
}

#if KERNEL >= V(3, 4, 0)
extern initcall_entry_t __initcall0_start[], __initcall1_start[];
extern initcall_entry_t __initcall2_start[], __initcall3_start[];
extern initcall_entry_t __initcall4_start[], __initcall5_start[];
extern initcall_entry_t __initcall6_start[], __initcall7_start[];

initcall_entry_t *initcall_levels[] __used __initdata = {
	__initcall0_start, __initcall1_start, __initcall2_start,
	__initcall3_start, __initcall4_start, __initcall5_start,
	__initcall6_start, __initcall7_start, __initcall_end,
};

#ifdef __s390x__
/* A symbol used through the GOT gets symbolic relocations: R_390_64. */
#define USE(symbol) __asm__ volatile("" : : "r"(symbol));
#else
#define USE(symbol)
#endif

static void __init do_initcalls(void)
{
	USE(__initcall1_start) USE(__initcall2_start) USE(__initcall3_start)
	USE(__initcall4_start) USE(__initcall5_start) USE(__initcall6_start)
	USE(__initcall7_start) USE(__initcall_end)
	run(__initcall_start, __initcall0_start);
	for (int level = 0; level < 8; level++)
		run(initcall_levels[level], initcall_levels[level + 1]);
}
#elif KERNEL >= V(2, 6, 28)
extern initcall_entry_t __early_initcall_end[];

static void __init do_initcalls(void)
{
	run(__initcall_start, __early_initcall_end);
	run(__early_initcall_end, __initcall_end);
}
#else
static void __init do_initcalls(void)
{
	run(__initcall_start, __initcall_end);
}
#endif

#if KERNEL < V(4, 20, 0)
extern initcall_entry_t __security_initcall_start[], __security_initcall_end[];
#endif

void __init start_kernel(void);
void __init start_kernel(void)
{
	run(__con_initcall_start, __con_initcall_end);
#if KERNEL < V(4, 20, 0)
	run(__security_initcall_start, __security_initcall_end);
#endif
	do_initcalls();
}

/* The trigger: the function that runs the deferred table, and its /proc name. */
#if DEFERRED == TIM_BIRD
#define DEFERRED_START __def_initcall_start
#define DEFERRED_END __def_initcall_end
#elif DEFERRED == PORTS || DEFERRED == SAMSUNG
#define DEFERRED_START __deferred_initcall_start
#define DEFERRED_END __deferred_initcall_end
#endif

#if DEFERRED == TIM_BIRD || DEFERRED == PORTS || DEFERRED == SAMSUNG
extern initcall_entry_t DEFERRED_START[], DEFERRED_END[];
extern const char deferred_proc_name[];
const char deferred_proc_name[] __used = "deferred_initcalls";

void do_deferred_initcalls(void);
void do_deferred_initcalls(void)
{
	run(DEFERRED_START, DEFERRED_END);
}
#elif DEFERRED == SONY
extern struct deferred_entry __deferred_initcall_start[];
extern struct deferred_entry __deferred_initcall_end[];
extern const char deferred_proc_name[];
const char deferred_proc_name[] __used = "snsc_deferred_initcalls";

static int __used do_deferred_initcalls(int group)
{
	struct deferred_entry *entry = __deferred_initcall_start;
	int result = 0;

	for (; entry < __deferred_initcall_end; entry++)
		if (entry->group == group)
			result |= entry->fn();
	return result;
}
#elif DEFERRED == LG
extern struct user_entry __user_initcall_start[], __user_initcall_end[];
extern const char deferred_proc_name[];
const char deferred_proc_name[] __used = "usercalls";

static int __used do_user_initcalls(const char *group)
{
	struct user_entry *entry = __user_initcall_start;
	int result = 0;

	for (; entry < __user_initcall_end; entry++)
		if (entry->group == group)
			result |= entry->fn();
	return result;
}
#endif
