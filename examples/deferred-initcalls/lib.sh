# shellcheck shell=bash
# Shared by deps, build and boot: where things are, and how to stop.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${INITSECT_DEFERRED_BUILD:-${XDG_CACHE_HOME:-$HOME/.cache}/initsect/deferred}
source_package=linux-source-6.12

say() { echo "$*" >&2; }

die() {
	say "${0##*/}: $*"
	exit 1
}

# defects: their names, in the order of the table.
# shellcheck disable=SC2034 # read by build and boot
mapfile -t defects < <(grep -v '^#' "$here/defects/defects.tsv" | cut -f1)

# folder VARIANT: where its kernel and its log lie.
folder() {
	case $1 in
	deferred | original) echo "$build/$1" ;;
	*)
		[[ " ${defects[*]} " == *" $1 "* ]] ||
			die "no such variant: $1 (known: deferred original ${defects[*]})"
		echo "$build/defects/$1"
		;;
	esac
}
