/* Deferred initcalls, each patch in its own way. */
#include "kernel.h"

INIT_FUNCTION(piix_init)
INIT_FUNCTION(ehci_hcd_init)
INIT_FUNCTION(uhci_hcd_init2)
INIT_FUNCTION(usb_storage_init_s)

#if DEFERRED == TIM_BIRD || DEFERRED == PORTS
deferred_initcall(piix_init)
deferred_initcall(ehci_hcd_init)
deferred_initcall(uhci_hcd_init2)
deferred_initcall(usb_storage_init_s)
#elif DEFERRED == SAMSUNG
deferred_initcall_sync(piix_init)
deferred_initcall(ehci_hcd_init)
deferred_initcall(uhci_hcd_init2)
deferred_initcall_sync(usb_storage_init_s)
#elif DEFERRED == SONY
/* The compiler lays these out backwards: groups 3, 0, 1, 0 in the table. */
deferred_initcall(piix_init, 0)
deferred_initcall(ehci_hcd_init, 1)
deferred_initcall(uhci_hcd_init2, 0)
deferred_initcall(usb_storage_init_s, 3)
#elif DEFERRED == LG
user_initcall(piix_init)
user_initcall_grp("usb", ehci_hcd_init)
user_initcall(uhci_hcd_init2)
user_initcall_grp("usb", usb_storage_init_s)
#endif
