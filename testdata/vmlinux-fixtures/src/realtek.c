/* realtek.c and broadcom.c have the same static name. */
#include "kernel.h"

INIT_FUNCTION(phy_module_init)
module_init(phy_module_init)
