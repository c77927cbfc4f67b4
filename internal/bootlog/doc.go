// Package bootlog reads what a kernel says of its initcalls while it boots, and
// joins it with the tables of the image.
//
// A kernel that is booted with initcall_debug prints a line before and a line
// after each call (init/main.c, v6.12):
//
//	[    1.358148] calling  init_hw_perf_events+0x0/0x700 @ 1
//	[    1.360702] initcall init_hw_perf_events+0x0/0x700 returned 0 after 4000 usecs
//
// Kernels before 2.6.28 have other words for it, and the trace events
// initcall_level, initcall_start and initcall_finish say the same in ftrace's
// text (include/trace/events/initcall.h). [Read] understands all of them, as
// dmesg, a serial line, syslog and journald hand them on.
//
// Reading streams: of a log of any length the calls are kept and nothing else.
// A line that speaks of an initcall and cannot be read, because another writer
// tore it, is counted and shown, never dropped in silence.
//
// Limitations: a line that ends a call does not name its thread. Where two
// threads call functions of one name at once, the ends are given to the calls
// whose times they fit.
package bootlog
