/* Targets with more than one name; the comment names the one to print. */
#include "kernel.h"

#define ALIAS(name, of) int name(void) __attribute__((cold, alias(#of)));
#define WEAK_ALIAS(name, of) int name(void) \
	__attribute__((cold, weak, alias(#of)));
#define GLOBAL_FUNCTION(fn) \
	int fn(void); \
	int __init fn(void) { return __LINE__; }

/* drv_real_init: not the weak one, although it sorts first. */
GLOBAL_FUNCTION(drv_real_init)
WEAK_ALIAS(a_weak_init, drv_real_init)
fs_initcall(drv_real_init)

/* bus_init: fewer underscores. */
GLOBAL_FUNCTION(__bus_init)
ALIAS(bus_init, __bus_init)
fs_initcall(__bus_init)

/* alpha_init: first in C collation, static or not. */
INIT_FUNCTION(zeta_init)
ALIAS(alpha_init, zeta_init)
fs_initcall(zeta_init)

/* Upper_init: C collation puts capitals first. */
INIT_FUNCTION(lower_init)
ALIAS(Upper_init, lower_init)
fs_initcall(lower_init)

/* __zz_init: the others look like linker-script names. */
INIT_FUNCTION(__zz_init)
ALIAS(__start_zz, __zz_init)
ALIAS(__zz_start, __zz_init)
fs_initcall(__zz_init)

/* _strong_init: weakness counts before underscores. */
GLOBAL_FUNCTION(_strong_init)
WEAK_ALIAS(strong_init, _strong_init)
fs_initcall(_strong_init)
