// Package deferredinitcalls builds and boots a kernel with deferred initcalls, and kernels in which that
// went wrong, and compares what initsect prints with what they do. See README.md.
//
// It is tests only, behind the build tag deferred: twenty minutes the first time.
package deferredinitcalls
