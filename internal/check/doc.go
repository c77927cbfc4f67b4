// Package check judges the tables of initcalls of an image: by rules that hold
// for every kernel, and by a policy that says what is meant of this one. It
// reads images through package elfscan and knows nothing of output.
package check
