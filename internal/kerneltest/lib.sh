# Sourced by the scripts beside it: the table of kernels and the place of the cache.
# shellcheck shell=bash disable=SC2034 # each script uses some of the variables

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${INITSECT_KERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/initsect/kernels}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# kernel ID sets the variables of the kernel's line in the table.
kernel() {
	local id
	while IFS=$'\t' read -r id arch tier image file dtb symbols emulator command; do
		[[ $id == "$1" ]] && return
	done < <(grep -v '^#' "$here/kernels.tsv")
	die "$1: no such kernel in kernels.tsv"
}
