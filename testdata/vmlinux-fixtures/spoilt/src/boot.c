/*
 * How a kernel boots, and when it frees init memory. Chosen on the command line:
 *   TRIGGER      reading /proc/deferred_initcalls runs the deferred table
 *   BY_DATA      the same, but the code finds the table through a struct
 *   BY_BOOT      the same, but kernel_init makes that file
 *   FALLBACK     kernel_init may run the deferred table itself
 *   MENTIONED    only the name of that file is there
 *   FREE_DIRECT FREE_DEEP FREE_TAIL  kernel_init frees init memory: itself,
 *                through two functions, through two that end in a jump
 *   SEAL         kernel_init only makes it not executable (x86)
 *   WEAK         the linker script need not have every boundary
 */
#include "kernel.h"

/* Calls stay calls. */
#ifdef __clang__
#error "gcc only: noipa"
#endif
#define noipa __attribute__((noipa))

const char linux_banner[] __used =
	"Linux version " RELEASE " (initsect@fixture) (" COMPILER ") #1 SMP fixture\n";

int *saved_command_line; /* a word for .bss and two for .data */
int system_state = 1;
int free_pages = 1;

#ifdef WEAK
#define BOUNDARY extern __attribute__((weak)) initcall_entry_t
#else
#define BOUNDARY extern initcall_entry_t
#endif
BOUNDARY __initcall_start[], __initcall_end[];
BOUNDARY __con_initcall_start[], __con_initcall_end[];
BOUNDARY __def_initcall_start[], __def_initcall_end[];

extern char __init_begin[], __init_end[];

static noipa int do_one_initcall(initcall_t fn)
{
	return fn();
}

static initcall_t initcall_from_entry(initcall_entry_t *entry)
{
#ifdef PREL32
	return (initcall_t)((unsigned long)entry + *entry);
#else
	return *entry;
#endif
}

static noipa void run(initcall_entry_t *entry, initcall_entry_t *end)
{
	for (; entry < end; entry++)
		do_one_initcall(initcall_from_entry(entry));
}

/* --- boot --- */

#if KERNEL >= V(3, 4, 0)
BOUNDARY __initcall0_start[], __initcall1_start[], __initcall2_start[];
BOUNDARY __initcall3_start[], __initcall4_start[], __initcall5_start[];
BOUNDARY __initcall6_start[], __initcall7_start[];

static initcall_entry_t *initcall_levels[] __used __initdata = {
	__initcall0_start, __initcall1_start, __initcall2_start,
	__initcall3_start, __initcall4_start, __initcall5_start,
	__initcall6_start, __initcall7_start, __initcall_end,
};

static noipa __init void do_initcalls(void)
{
	run(__initcall_start, __initcall0_start);
	for (int level = 0; level < 8; level++)
		run(initcall_levels[level], initcall_levels[level + 1]);
}
#else
static noipa __init void do_initcalls(void)
{
	run(__initcall_start, __initcall_end);
}
#endif

static noipa void run_init_process(const char *path)
{
	system_state = *path;
}

int (*proc_show)(char *);

static noipa __used void proc_create(const char *name, int (*show)(char *))
{
	proc_show = show;
	system_state = *name;
}

int noipa deferred_initcalls_show(char *buffer);
void noipa do_deferred_initcalls(void);

static noipa __init void kernel_init_freeable(void)
{
	do_initcalls();
#ifdef BY_BOOT
	proc_create("deferred_initcalls", deferred_initcalls_show);
#endif
	system_state = 2;
}

static noipa void free_reserved_area(volatile char *page, volatile char *end)
{
	for (; page < end; page += 4096)
		*page = free_pages++;
}

void noipa free_initmem(void);
void noipa free_initmem(void)
{
	free_reserved_area(__init_begin, __init_end);
	system_state = 3;
}

#if defined(__x86_64__) || defined(__i386__)
void noipa mark_rodata_ro(void);
void noipa mark_rodata_ro(void)
{
	system_state = 4;
}
#else
#define mark_rodata_ro()
#endif

#if defined(FREE_DEEP)
static noipa void finish_boot(void)
{
	free_initmem();
	mark_rodata_ro();
	system_state = 5;
}

static noipa void init_post(void)
{
	finish_boot();
	run_init_process("/sbin/init");
	system_state = 6;
}
#elif defined(FREE_TAIL)
static noipa void finish_boot(void)
{
	run_init_process("/sbin/init");
	free_initmem();
}

static noipa void init_post(void)
{
	system_state = 6;
	finish_boot();
}
#elif defined(SEAL)
static noipa void mark_readonly(void)
{
	mark_rodata_ro();
	system_state = 7;
}
#endif

static noipa void kernel_init(const char *path)
{
	kernel_init_freeable();
#if defined(FREE_DIRECT)
	free_initmem();
	mark_rodata_ro();
#elif defined(FREE_DEEP)
	init_post();
#elif defined(FREE_TAIL)
	if (system_state == 2)
		return init_post();
#elif defined(SEAL)
	mark_readonly();
#elif defined(FALLBACK)
	if (*path == 'n')
		do_deferred_initcalls();
#endif
	run_init_process(path);
	system_state = 8;
}

static noipa void kernel_thread(void (*fn)(const char *), const char *path)
{
	fn(path);
}

void __init start_kernel(void);
void __init start_kernel(void)
{
	run(__con_initcall_start, __con_initcall_end);
	kernel_thread(kernel_init, "/init");
}

/* --- the trigger --- */

#if defined(TRIGGER) || defined(BY_DATA) || defined(BY_BOOT)
#ifdef BY_DATA
static struct {
	initcall_entry_t *start, *end;
} deferred = { __def_initcall_start, __def_initcall_end };
#define DEFERRED_START (*(initcall_entry_t *volatile *)&deferred.start)
#define DEFERRED_END (*(initcall_entry_t *volatile *)&deferred.end)
#else
#define DEFERRED_START __def_initcall_start
#define DEFERRED_END __def_initcall_end
#endif

void noipa do_deferred_initcalls(void)
{
	for (initcall_entry_t *entry = DEFERRED_START; entry < DEFERRED_END; entry++)
		do_one_initcall(initcall_from_entry(entry));
	free_initmem();
	mark_rodata_ro();
	system_state = 9;
}

int noipa deferred_initcalls_show(char *buffer)
{
	static int done;

	buffer[0] = '0' + done;
	if (!done) {
		done = 1;
		do_deferred_initcalls();
	}
	return 0;
}

#ifndef BY_BOOT
static int __used __init deferred_initcalls_init(void)
{
	proc_create("deferred_initcalls", deferred_initcalls_show);
	return 0;
}
fs_initcall(deferred_initcalls_init)
#endif
#elif defined(MENTIONED)
static int __used __init deferred_initcalls_init(void)
{
	run_init_process("deferred_initcalls");
	return 0;
}
fs_initcall(deferred_initcalls_init)
#endif
