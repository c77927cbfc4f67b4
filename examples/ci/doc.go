// Package ci holds workflows for CI services that judge a kernel with initsect
// check; its tests run their steps.
package ci
