package kimage

import (
	"unicode"
	"unicode/utf8"
)

// OtherError says what a file is that holds no kernel in any way known here.
type OtherError struct {
	What string // with an article
}

func (e *OtherError) Error() string { return e.What + ", not a kernel" }

// others are files that lie beside kernels, and are mistaken for them.
var others = []struct {
	offset int
	magic  string
	what   string
}{
	{0, "070701", "an initramfs (cpio archive)"},
	{0, "070702", "an initramfs (cpio archive)"},
	{0, "070707", "a cpio archive"},
	{0, "\xc7\x71", "a cpio archive"},
	{0, "hsqs", "a squashfs file system"},
	{0, "sqsh", "a squashfs file system"},
	{0x438, "\x53\xef", "an ext2, ext3 or ext4 file system"},
	{0x8001, "CD001", "an ISO 9660 file system"},
	{0, "!<arch>\ndebian-binary", "a Debian package"},
	{0, "!<arch>\n", "an archive of objects"},
	{0, "\xed\xab\xee\xdb", "an RPM package"},
	{0, "PK\x03\x04", "a zip archive"},
	{257, "ustar", "a tar archive"},
	{0, "VNDRBOOT", "an Android vendor boot image, which has no kernel"},
	{0, "\xd0\x0d\xfe\xed", "a device tree blob"},
	{0, "BC\xc0\xde", "LLVM bitcode"},
	{0, "KDUMP   ", "a memory dump"},
	{0, "\x7fELF", "an ELF file"},
}

// other says what b is, "" if that is not known.
func other(b data) string {
	for _, o := range others {
		if b.has(o.offset, o.magic) {
			return o.what
		}
	}
	if peMachine(b) != "" {
		return "an EFI application without a .linux section"
	}
	if len(b) == 0 {
		return "an empty file"
	}
	if isText(b) {
		return "a text file"
	}
	return ""
}

// isText reports whether the first page has nothing but text. Kernels and
// compressed data have other bytes there.
func isText(b data) bool {
	for page := b[:min(len(b), 4096)]; len(page) > 0; {
		r, n := utf8.DecodeRune(page)
		if r == utf8.RuneError && n == 1 {
			return len(page) < utf8.UTFMax && len(b) > 4096 // cut by the page's end
		}
		if unicode.IsControl(r) && !unicode.IsSpace(r) && r != 0x1b {
			return false
		}
		page = page[n:]
	}
	return true
}
