/* One object file before any link; from 2.6.20 its level 0 symbol says 1. */
#include "kernel.h"

int board_init(void); /* in another object: the target is undefined here */

INIT_FUNCTION(object_early_init)
INIT_FUNCTION(object_pure_init)
INIT_FUNCTION(object_core_init)
INIT_FUNCTION(object_sync_init)
INIT_FUNCTION(object_rootfs_init)
INIT_FUNCTION(object_first_init)
INIT_FUNCTION(object_second_init2)
INIT_FUNCTION(object_console_init)
INIT_FUNCTION(object_deferred_init)

int object_global_init(void);
int __init object_global_init(void) { return __LINE__; }

static int __used __attribute__((noinline)) object_text_init(void)
{
	return __LINE__;
}

late_initcall(board_init)
late_initcall(object_text_init)
device_initcall(object_first_init)
device_initcall(object_second_init2)
device_initcall(object_global_init)
rootfs_initcall(object_rootfs_init)
fs_initcall(object_global_init)
core_initcall(object_core_init)
core_initcall_sync(object_sync_init)
pure_initcall(object_pure_init)
early_initcall(object_early_init)
console_initcall(object_console_init)
deferred_initcall(object_deferred_init)
