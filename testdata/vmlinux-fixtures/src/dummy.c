/* A loadable module: any initcall becomes module_init. */
#include "kernel.h"

static int __init dummy_init_module(void)
{
	return 0;
}

static void __section(".exit.text") __attribute__((cold)) dummy_cleanup_module(void)
{
}

int init_module(void) __attribute__((cold, alias("dummy_init_module")));
void cleanup_module(void) __attribute__((cold, alias("dummy_cleanup_module")));
static void *__UNIQUE_ID___addressable_init_module1 __used __initdata = init_module;

static const char license[] __used __section(".modinfo") = "license=GPL";
