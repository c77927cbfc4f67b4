/* The tables beside the initcalls. */
#include "kernel.h"

/* .init.setup */
struct setup_entry {
	const char *text;
	int (*fn)(char *);
	int early;
};
#define SETUP(name, string, fn, early) \
	static struct setup_entry __setup_##name \
		__used __section(".init.setup") __word_aligned = { string, fn, early };

static int __init set_quiet(char *value) { return *value; }
static int __init set_mem(char *value) { return value[1]; }
SETUP(set_quiet, "quiet", set_quiet, 1)
SETUP(set_mem, "mem=", set_mem, 1)
SETUP(set_root, "root=", set_quiet, 0)

/* __param */
#if KERNEL >= V(4, 10, 0)
struct param_entry {
	const char *name;
	void *mod;
	const void *ops;
	unsigned short perm;
	signed char level;
	unsigned char flags;
	void *arg;
};
static const void *const param_ops_int[2] = { set_quiet, set_mem };
static int debug_level;
#define PARAM(name, number) \
	static const struct param_entry __param_##name \
		__used __section("__param") __word_aligned = \
		{ "tables." #name, NULL, param_ops_int, 0644, number, 0, &debug_level };
PARAM(debug, -1)
PARAM(verbose, 3)
#endif

/* .lsm_info.init */
#if KERNEL >= V(5, 3, 0)
struct lsm_entry {
	const char *name;
	int order;
	unsigned long flags;
	int *enabled;
	int (*init)(void);
	void *blobs;
};
#define LSM(name, order, fn) \
	static struct lsm_entry __lsm_##name \
		__used __section(".lsm_info.init") __word_aligned = \
		{ #name, order, 1, NULL, fn, NULL };
INIT_FUNCTION(capability_init)
INIT_FUNCTION(apparmor_init)
LSM(capability, -1, capability_init)
LSM(apparmor, 0, apparmor_init)
#endif

/* The end of __earlycon_table has its own symbol. */
#if KERNEL >= V(5, 12, 0)
struct earlycon_entry {
	char name[16];
	char compatible[128];
	int (*setup)(void *, const char *);
};
static int __init early_uart_setup(void *device, const char *options)
{
	return device && options;
}
static const struct earlycon_entry _earlycon_uart8250
	__used __section("__earlycon_table") __word_aligned =
	{ "uart8250", "ns8250", early_uart_setup };
static const struct earlycon_entry _earlycon_ns16550
	__used __section("__earlycon_table") __word_aligned =
	{ "ns16550", "ns16550a", early_uart_setup };
#endif

/* .x86_cpu_dev.init */
#if (defined(__x86_64__) || defined(__i386__)) && KERNEL >= V(2, 6, 32)
static const int intel_cpu_dev = 1, amd_cpu_dev = 2;
static const int *const __intel_cpu_dev
	__used __section(".x86_cpu_dev.init") = &intel_cpu_dev;
static const int *const __amd_cpu_dev
	__used __section(".x86_cpu_dev.init") = &amd_cpu_dev;
#endif

/* __ksymtab: offsets of value, name and namespace, each from its own address. */
#ifdef PREL32
#define EXPORT_SYMBOL(fn) \
	__asm__(".pushsection \"__ksymtab_strings\", \"aMS\", %progbits, 1\n" \
		"__kstrtab_" #fn ": .asciz \"" #fn "\"\n" \
		"__kstrtabns_" #fn ": .asciz \"\"\n" \
		".popsection\n" \
		".pushsection \"___ksymtab+" #fn "\", \"a\"\n" \
		".balign 4\n" \
		"__ksymtab_" #fn ":\n" \
		".long " #fn " - .\n" \
		".long __kstrtab_" #fn " - .\n" \
		".long __kstrtabns_" #fn " - .\n" \
		".popsection\n");
int register_chrdev(int major);
int register_chrdev(int major) { return major + 1; }
int unregister_chrdev(int major);
int unregister_chrdev(int major) { return major - 1; }
EXPORT_SYMBOL(register_chrdev)
EXPORT_SYMBOL(unregister_chrdev)
#endif
