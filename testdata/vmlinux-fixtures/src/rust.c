/* What a built-in Rust module leaves: C-like and mangled names. */
#include "kernel.h"

#define RUST_MODULE(module, symbol) \
	int module(void) __asm__(symbol); \
	int __init module(void) { return __LINE__; }

/* The module! macro: __<name>_init, registered as __<name>_initcall. */
RUST_MODULE(rust_minimal, "__rust_minimal_init")
PLACE(__rust_minimal_init, __rust_minimal_initcall, ".initcall6.init")

/* v0: foobar::init */
RUST_MODULE(v0, "_RNvCsbmNqQUJIY6D_6foobar4init")
PLACE(_RNvCsbmNqQUJIY6D_6foobar4init, __v0_initcall, ".initcall6.init")

/* v0, nested: foobar::probe::init */
RUST_MODULE(nested, "_RNvNtCsbmNqQUJIY6D_6foobar5probe4init")
PLACE(_RNvNtCsbmNqQUJIY6D_6foobar5probe4init, __nested_initcall, ".initcall6.init")

/* legacy: foobar::late::init */
RUST_MODULE(legacy, "_ZN6foobar4late4init17h0123456789abcdefE")
PLACE(_ZN6foobar4late4init17h0123456789abcdefE, __legacy_initcall, ".initcall7.init")

/* legacy, promoted by LTO: foobar::thin::init */
RUST_MODULE(thin, "_ZN6foobar4thin4init17hfedcba9876543210E.llvm.1234567")
PLACE(_ZN6foobar4thin4init17hfedcba9876543210E.llvm.1234567, __thin_initcall,
      ".initcall7.init")
