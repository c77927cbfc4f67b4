# shellcheck shell=bash disable=SC2034 # each script uses some of the variables
# Shared by deps, build and boot: where things are, the table of kernels, and how to stop.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${INITSECT_OWN_BUILD:-${XDG_CACHE_HOME:-$HOME/.cache}/initsect/own}
source_package=linux-source-6.12
llvm=16 # kCFI came with LLVM 16

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$*"
	exit 2
}

# kernel ID sets the variables of the kernel's line in the table.
kernel() {
	local id
	while IFS=$'\t' read -r id objects image options; do
		[[ $id == "$1" ]] && return
	done < <(grep -v '^#' "$here/kernels.tsv")
	die "$1: no such kernel in kernels.tsv"
}
