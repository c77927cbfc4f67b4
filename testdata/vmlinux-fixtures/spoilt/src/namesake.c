/* Another function with the name of a deferred one. */
#include "kernel.h"

INIT_FUNCTION(usb_driver_init)
INIT_FUNCTION(piix_init)
device_initcall(usb_driver_init)
device_initcall(piix_init)
