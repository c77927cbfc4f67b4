/* A module whose name starts with digits. */
#include "kernel.h"

INIT_FUNCTION(dw8250_platform_driver_init)
INIT_FUNCTION(univ8250_console_init)
module_init(dw8250_platform_driver_init)
console_initcall(univ8250_console_init)
