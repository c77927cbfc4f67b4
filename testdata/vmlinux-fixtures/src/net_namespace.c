#include "kernel.h"

INIT_FUNCTION(net_ns_init1)
INIT_FUNCTION(net_ns_exit_0s)
pure_initcall(net_ns_init1)
device_initcall(net_ns_exit_0s)
