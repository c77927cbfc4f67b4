/* One initcall or more at every level, and names that invite misreading. */
#include "kernel.h"

INIT_FUNCTION(init_hw_perf_events)
INIT_FUNCTION(cpu_stop_init)
INIT_FUNCTION(ipc_ns_init)
INIT_FUNCTION(cpu_pm_init)
INIT_FUNCTION(iommu_sync_init)
INIT_FUNCTION(bdi_class_init)
INIT_FUNCTION(dma_pool_tail)
INIT_FUNCTION(pcibios_init_s)
INIT_FUNCTION(arch_late_hook)
INIT_FUNCTION(acpi_init4)
INIT_FUNCTION(nl80211_init)
INIT_FUNCTION(pcpu_init_1s)
INIT_FUNCTION(chr_dev_init)
INIT_FUNCTION(pci_apply_final_quirks)
INIT_FUNCTION(populate_rootfs)
INIT_FUNCTION(i8042_init)
INIT_FUNCTION(deferred_probe_initcall)
INIT_FUNCTION(seqgen_init7)
INIT_FUNCTION(fb_logo_late_init)
INIT_FUNCTION(con_init)
INIT_FUNCTION(cpufreq_twice_init)

early_initcall(init_hw_perf_events)
early_initcall(cpu_stop_init)
pure_initcall(ipc_ns_init)
core_initcall(cpu_pm_init)
core_initcall_sync(iommu_sync_init)
postcore_initcall(bdi_class_init)
postcore_initcall_sync(dma_pool_tail)
arch_initcall(pcibios_init_s)
arch_initcall_sync(arch_late_hook)
subsys_initcall(acpi_init4)
subsys_initcall(cpufreq_twice_init)
subsys_initcall_sync(nl80211_init)
fs_initcall(pcpu_init_1s)
fs_initcall(chr_dev_init)
fs_initcall_sync(pci_apply_final_quirks)
rootfs_initcall(populate_rootfs)
device_initcall(i8042_init)
device_initcall_sync(deferred_probe_initcall)
late_initcall(seqgen_init7)
late_initcall(cpufreq_twice_init)
late_initcall_sync(fb_logo_late_init)
console_initcall(con_init)

/* Level 0s is in the linker script, but no kernel macro makes it. */
#if KERNEL >= V(6, 12, 0)
INIT_FUNCTION(pure_tail_init)
define_initcall(pure_tail_init, 0s)
#endif

#if KERNEL < V(4, 20, 0)
INIT_FUNCTION(selinux_init)
INIT_FUNCTION(apparmor_init)
security_initcall(selinux_init)
security_initcall(apparmor_init)
#endif

/* Not marked __init: the target is in .text. */
static int __used __attribute__((noinline)) hibernate_text_init(void)
{
	return __LINE__;
}
late_initcall(hibernate_text_init)
