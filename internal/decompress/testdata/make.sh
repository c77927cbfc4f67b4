#!/bin/sh
# make.sh: makes the files beside it with the commands that a kernel build uses
# (scripts/Makefile.lib). Debian 12: gzip 1.12, bzip2 1.0.8, xz 5.4.1, lzop 1.04,
# lz4 1.9.4, zstd 1.5.4.
#
# riscv.filtered and riscv.plain are not made here: lib/xz/xz_dec_bcj.c of Linux
# 6.12, compiled for user space, turned the first (payload as it is) into the second.
set -eu
cd "$(dirname "$0")"
go run ./payload >payload.bin
gzip -n -9 <payload.bin >payload.gz
bzip2 -9 <payload.bin >payload.bz2
lzma -9 <payload.bin >payload.lzma
lzma --format=lzma --lzma1=lc=1,lp=2,pb=1,dict=4KiB <payload.bin >payload.other.lzma
lz4 -l -9 <payload.bin >payload.lz4
lz4 -9 <payload.bin >payload.frame.lz4
zstd -q -22 --ultra <payload.bin >payload.zst
zstd -q -3 --no-check <payload.bin >payload.nocheck.zst
touch -d 2000-01-01T00:00:00Z payload.bin
lzop -9 <payload.bin >payload.lzo
lzop -1 --crc32 payload.bin -o payload.crc.lzo -f
lzop -3 -F <payload.bin >payload.nosum.lzo
for filter in x86 arm armthumb arm64 powerpc sparc; do
	xz --check=crc32 "--$filter" --lzma2=dict=128MiB <payload.bin >"payload.$filter.xz"
done
xz --check=crc32 --x86=start=4096 --lzma2=dict=128MiB <payload.bin >payload.start.xz
xz --check=crc64 --lzma2=lp=2,lc=2,dict=128MiB <payload.bin >payload.crc64.xz
xz --check=sha256 -T2 --block-size=5000 --arm64 --lzma2 <payload.bin >payload.blocks.xz
xz --check=none <payload.bin >payload.none.xz
