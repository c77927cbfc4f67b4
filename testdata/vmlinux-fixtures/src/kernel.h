/*
 * Just enough of a kernel to lay out initcall tables.
 *
 * The macros are ours; the symbol names, section names and encodings that they
 * produce are the kernel's. Chosen on the command line:
 *   KERNEL    V(major, minor, patch) of the kernel that is imitated
 *   PREL32    entries are 32-bit offsets from their own address
 *   LTO       entries point at global __initstub__ wrappers
 *   DEFERRED  which of the deferred-initcall patches, see below
 *   KBUILD_MODNAME
 */
#define V(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))

#define TIM_BIRD 1 /* .deferred_initcall.init, __def_initcall_start/_end */
#define PORTS    2 /* the same with __deferred_initcall_start/_end */
#define SAMSUNG  3 /* .deferred_initcall0.init and .deferred_initcall0s.init */
#define SONY     4 /* 20-byte structs, run group by group */
#define LG       5 /* .user_initcall.init, {group, function} */

#ifndef DEFERRED
#define DEFERRED 0
#endif

#ifndef __ASSEMBLER__

#define __used __attribute__((used))
#define __section(name) __attribute__((section(name)))
#define __word_aligned __attribute__((aligned(sizeof(long))))
#define __init __section(".init.text") __attribute__((cold, noinline))
#define __initdata __section(".init.data")
#define NULL ((void *)0)
#define STRING(x) STRING_(x)
#define STRING_(x) #x

typedef int (*initcall_t)(void);
#ifdef PREL32
typedef int initcall_entry_t;
#else
typedef initcall_t initcall_entry_t;
#endif

/* A function worth registering; the line number keeps the bodies apart. */
#define INIT_FUNCTION(fn) static int __used __init fn(void) { return __LINE__; }

/* The entry symbol. */
#define KMOD_NAME_(mod, counter, line, fn, id) \
	mod##__##counter##_##line##_##fn##id
#define KMOD_NAME(mod, counter, line, fn, id) \
	KMOD_NAME_(mod, counter, line, fn, id)
#define PREFIX_(prefix, name) prefix##name
#define PREFIX(prefix, name) PREFIX_(prefix, name)

#if KERNEL >= V(5, 12, 0)
#define UNIQUE(fn, id) \
	KMOD_NAME(KBUILD_MODNAME, __COUNTER__, __LINE__, fn, id)
#define CONSOLE_ID con
#define DEFERRED_ID deferred
#else
#define UNIQUE(fn, id) fn##id
#define CONSOLE_ID
#define DEFERRED_ID
#endif

/* The entry itself. */
#ifdef PREL32
#define PLACE_(target, symbol, sec) \
	__asm__(".pushsection \"" sec "\", \"a\"\n" \
		#symbol ":\n" \
		".long " #target " - .\n" \
		".popsection\n");
#else
#define PLACE_(target, symbol, sec) \
	static initcall_t symbol __used __section(sec) = target;
#endif
#define PLACE(target, symbol, sec) PLACE_(target, symbol, sec)

#ifdef LTO
#define DEFINE__(fn, unique, sec) \
	int PREFIX(__initstub__kmod_, unique)(void); \
	int __init PREFIX(__initstub__kmod_, unique)(void) { return fn(); } \
	PLACE(PREFIX(__initstub__kmod_, unique), \
	      PREFIX(__initcall__kmod_, unique), sec)
#elif KERNEL >= V(5, 12, 0)
#define DEFINE__(fn, unique, sec) PLACE(fn, PREFIX(__initcall__kmod_, unique), sec)
#else
#define DEFINE__(fn, unique, sec) PLACE(fn, PREFIX(__initcall_, unique), sec)
#endif
#define DEFINE_(fn, unique, sec) DEFINE__(fn, unique, sec)
#define DEFINE(fn, id, sec) DEFINE_(fn, UNIQUE(fn, id), sec)

#define define_initcall(fn, id) DEFINE(fn, id, ".initcall" #id ".init")

#if KERNEL >= V(2, 6, 28)
#define early_initcall(fn) define_initcall(fn, early)
#define pure_initcall(fn) define_initcall(fn, 0)
#else /* section 0, but the symbol says 1 */
#define early_initcall(fn)
#define pure_initcall(fn) DEFINE(fn, 1, ".initcall0.init")
#endif
#define core_initcall(fn) define_initcall(fn, 1)
#define core_initcall_sync(fn) define_initcall(fn, 1s)
#define postcore_initcall(fn) define_initcall(fn, 2)
#define postcore_initcall_sync(fn) define_initcall(fn, 2s)
#define arch_initcall(fn) define_initcall(fn, 3)
#define arch_initcall_sync(fn) define_initcall(fn, 3s)
#define subsys_initcall(fn) define_initcall(fn, 4)
#define subsys_initcall_sync(fn) define_initcall(fn, 4s)
#define fs_initcall(fn) define_initcall(fn, 5)
#define fs_initcall_sync(fn) define_initcall(fn, 5s)
#define rootfs_initcall(fn) define_initcall(fn, rootfs)
#define device_initcall(fn) define_initcall(fn, 6)
#define device_initcall_sync(fn) define_initcall(fn, 6s)
#define late_initcall(fn) define_initcall(fn, 7)
#define late_initcall_sync(fn) define_initcall(fn, 7s)
#define module_init(fn) device_initcall(fn)

/* With an empty id the name ends in the function's name. */
#define WITH_ID(fn, id, sec) DEFINE_(fn, UNIQUE_ID(fn, id), sec)
#define UNIQUE_ID(fn, id) UNIQUE(fn, id)
#define console_initcall(fn) WITH_ID(fn, CONSOLE_ID, ".con_initcall.init")
#if KERNEL < V(4, 20, 0)
#define security_initcall(fn) WITH_ID(fn, , ".security_initcall.init")
#else
#define security_initcall(fn)
#endif

/* powerpc: the registered function first asks whether this is the machine. */
#define machine_initcall(mach, fn, id) \
	static int __init __machine_initcall_##mach##_##fn(void) { \
		return fn() + 1; \
	} \
	define_initcall(__machine_initcall_##mach##_##fn, id)
#define machine_device_initcall(mach, fn) machine_initcall(mach, fn, 6)

#if DEFERRED == TIM_BIRD || DEFERRED == PORTS
#define deferred_initcall(fn) WITH_ID(fn, DEFERRED_ID, ".deferred_initcall.init")
#elif DEFERRED == SAMSUNG
#define deferred_initcall(fn) DEFINE(fn, 0, ".deferred_initcall0.init")
#define deferred_initcall_sync(fn) DEFINE(fn, 0s, ".deferred_initcall0s.init")
#elif DEFERRED == SONY
struct list_head { struct list_head *next, *prev; };
struct deferred_entry {
	struct list_head list;
	const char *name;
	initcall_t fn;
	int group;
};
#define deferred_initcall(fn, number) \
	static struct deferred_entry __deferred_initcall_##fn \
		__used __section(".deferred_initcall.init") = \
		{ { NULL, NULL }, #fn "()", fn, number };
#elif DEFERRED == LG
struct user_entry {
	const char *group;
	initcall_t fn;
};
#define user_initcall(fn) \
	static struct user_entry __initcall_##fn \
		__used __section(".user_initcall.init") = { "default", fn };
#define user_initcall_grp(name, fn) \
	static struct user_entry __initcall_group_##fn \
		__used __section(".user_initcall.init") = { name, fn };
#endif

#endif /* !__ASSEMBLER__ */
