// Package kerneltest holds no code but the test that lets real kernels judge initsect: it boots them
// and compares the order in which each calls its initcalls with what initsect lists. README.md tells
// how to run it.
package kerneltest
