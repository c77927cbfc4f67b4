/* powerpc: initcalls for one machine only. */
#include "kernel.h"

INIT_FUNCTION(pseries_init_panel)
INIT_FUNCTION(opal_init_s)
machine_device_initcall(pseries, pseries_init_panel)
machine_initcall(powernv, opal_init_s, 3)
