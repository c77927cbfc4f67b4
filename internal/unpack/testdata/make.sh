#!/bin/sh
# make.sh: makes the images beside it with the tools that make them for real
# kernels. Debian 12: u-boot-tools 2023.01, mkbootimg, binutils 2.40, xz-utils,
# lzop, lz4, zstd, bzip2.
set -eu
cd "$(dirname "$0")"
go run ./kernel >kernel.bin
printf 'not a kernel, but an initramfs' >ramdisk
trap 'rm -f ramdisk packed.* fit.its empty.*' EXIT
export SOURCE_DATE_EPOCH=946684800

gzip -n -9 <kernel.bin >packed.gzip
bzip2 -9 <kernel.bin >packed.bzip2
lzma -9 <kernel.bin >packed.lzma
xz --check=crc32 --arm64 --lzma2=dict=128MiB <kernel.bin >packed.xz
lzop -9 <kernel.bin >packed.lzo
lz4 -l -9 <kernel.bin >packed.lz4
zstd -q -22 --ultra <kernel.bin >packed.zstd
: >chains
image() { echo "$1: $2" >>chains; }

for codec in gzip bzip2 lzma xz lzo lz4 zstd; do
	cp "packed.$codec" "image.$codec"
	image "image.$codec" "file $codec"
done
{
	cat packed.gzip
	printf '\320\015\376\355 and a device tree behind it'
} >image.gzip-dtb
image image.gzip-dtb 'file gzip'

# uImage
for codec in gzip bzip2 lzma lzo lz4 zstd; do
	mkimage -A arm64 -O linux -T kernel -C "$codec" -a 0x80000 -e 0x80000 -n tiny -d "packed.$codec" "image.uimage-$codec" >/dev/null
	image "image.uimage-$codec" "uImage $codec"
done
mkimage -A arm64 -O linux -T kernel -C none -a 0x80000 -e 0x80000 -n tiny -d kernel.bin image.uimage-none >/dev/null
image image.uimage-none 'uImage none'
mkimage -A arm64 -O linux -T kernel_noload -C gzip -n tiny -d packed.gzip image.uimage-noload >/dev/null
image image.uimage-noload 'uImage gzip'
mkimage -A arm64 -O linux -T multi -C none -n tiny -d kernel.bin:ramdisk image.uimage-multi >/dev/null
image image.uimage-multi 'uImage none'

# FIT: two kernels, of which the default configuration names the second
fit() { # compression, data
	cat <<-its
		/dts-v1/;
		/ {
			description = "tiny";
			#address-cells = <1>;
			images {
				other {
					description = "another kernel";
					data = /incbin/("ramdisk");
					type = "kernel"; arch = "arm64"; os = "linux"; compression = "none";
					load = <0x40000>; entry = <0x40000>;
				};
				kernel-2 {
					description = "the kernel";
					data = /incbin/("$2");
					type = "kernel"; arch = "arm64"; os = "linux"; compression = "$1";
					load = <0x80000>; entry = <0x80000>;
					hash-1 { algo = "crc32"; };
					hash-2 { algo = "sha1"; };
					hash-3 { algo = "sha256"; };
				};
			};
			configurations {
				default = "conf-2";
				conf-1 { kernel = "other"; };
				conf-2 { kernel = "kernel-2"; };
			};
		};
	its
}
fit lzma packed.lzma >fit.its
mkimage -f fit.its image.fit >/dev/null
image image.fit 'FIT lzma'
mkimage -E -f fit.its image.fit-external >/dev/null
image image.fit-external 'FIT lzma'
mkimage -E -p 0x2000 -f fit.its image.fit-position >/dev/null
image image.fit-position 'FIT lzma'
fit none kernel.bin >fit.its
mkimage -f fit.its image.fit-none >/dev/null
image image.fit-none 'FIT none'

# Android
for version in 0 1 2 3; do
	mkbootimg --header_version $version --kernel packed.gzip --ramdisk ramdisk --dtb ramdisk -o image.boot-$version
	image image.boot-$version 'boot.img gzip'
done
# This mkbootimg ends at version 3; 4 differs by a signature's size behind it.
cp image.boot-3 image.boot-4
printf '\004' | dd of=image.boot-4 bs=1 seek=40 conv=notrunc status=none
image image.boot-4 'boot.img gzip'
mkbootimg --header_version 2 --pagesize 4096 --kernel packed.lz4 --ramdisk ramdisk --dtb ramdisk -o image.boot-lz4
image image.boot-lz4 'boot.img lz4'

# EFI
for codec in gzip lz4 lzma lzo; do
	go run ./kernel $codec <packed.$codec >image.zboot-$codec
	image image.zboot-$codec "zboot $codec"
done
go run ./kernel xzkern <packed.xz >image.zboot-xzkern
image image.zboot-xzkern 'zboot xz'
go run ./kernel zstd22 <packed.zstd >image.zboot-zstd22
image image.zboot-zstd22 'zboot zstd'
printf '' | as -o empty.o
objcopy -O pei-x86-64 --add-section .osrel=ramdisk --add-section .linux=image.zboot-gzip \
	--set-section-flags .linux=contents,alloc,load,readonly,data empty.o image.uki
image image.uki 'UKI none, zboot gzip'

# one within the other
xz <image.uki >image.nested
image image.nested 'file xz, UKI none, zboot gzip'
mkimage -A arm64 -O linux -T kernel -C none -n tiny -d image.uimage-gzip packed.uimage >/dev/null
mkbootimg --header_version 3 --kernel packed.uimage -o image.nested-boot
image image.nested-boot 'boot.img none, uImage none, uImage gzip'
