//go:build kernels

package kerneltest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUnpack compares what `unpack` finds in each boot image with the vmlinux of
// the debug package, section by section or, where the boot image holds memory,
// with what objcopy makes of it.
func TestUnpack(t *testing.T) {
	initsect := buildInitsect(t)
	for _, k := range chosen(t, readKernels(t)) {
		t.Run(k.id, func(t *testing.T) {
			dir := fetch(t, k)
			boot := filepath.Join(dir, "boot")
			kernel := filepath.Join(t.TempDir(), "kernel")
			t.Logf("%s", run(t, initsect, "unpack", "-o", kernel, boot))
			got, err := os.ReadFile(kernel)
			require.NoError(t, err)
			switch k.arch {
			case "ppc64el": // is a vmlinux
				want, err := os.ReadFile(boot)
				require.NoError(t, err)
				require.True(t, bytes.Equal(want, got))
			case "amd64", "i386":
				sameSections(t, filepath.Join(dir, "vmlinux"), kernel)
			case "arm64":
				want := binaryOf(t, filepath.Join(dir, "vmlinux"))
				require.True(t, bytes.Equal(want, unsigned(t, got)))
			default:
				require.True(t, bytes.Equal(binaryOf(t, filepath.Join(dir, "vmlinux")), got))
			}
		})
	}
}

// binaryOf returns the memory that a vmlinux is loaded to.
func binaryOf(t *testing.T, vmlinux string) []byte {
	file := filepath.Join(t.TempDir(), "binary")
	run(t, "objcopy", "-O", "binary", vmlinux, file)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return b
}

// unsigned takes back what Debian's signature changes in an EFI application:
// the signature behind it, its place in the header, and the checksum.
func unsigned(t *testing.T, image []byte) []byte {
	pe := binary.LittleEndian.Uint32(image[0x3c:])
	const checksum, certificate = 24 + 64, 24 + 112 + 4*8
	entry := image[pe+certificate:]
	at := binary.LittleEndian.Uint32(entry)
	require.Equal(t, len(image), int(at+binary.LittleEndian.Uint32(entry[4:])), "the signature ends the file")
	b := bytes.Clone(image[:at])
	clear(b[pe+certificate:][:8])
	clear(b[pe+checksum:][:4])
	return b
}

// sameSections requires that both files have the same sections of memory, with
// the same bytes.
func sameSections(t *testing.T, want, got string) {
	wanted, err := elf.Open(want)
	require.NoError(t, err)
	defer wanted.Close()
	found, err := elf.Open(got)
	require.NoError(t, err)
	defer found.Close()
	compared := 0
	for _, s := range wanted.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Type == elf.SHT_NOBITS {
			continue
		}
		o := found.Section(s.Name)
		require.NotNil(t, o, s.Name)
		require.Equal(t, s.Addr, o.Addr, s.Name)
		a, err := s.Data()
		require.NoError(t, err)
		b, err := o.Data()
		require.NoError(t, err)
		require.True(t, bytes.Equal(a, b), s.Name)
		compared++
	}
	require.Greater(t, compared, 20)
}

// packers are the commands of scripts/Makefile.lib, less their highest levels,
// which change how long it takes, and nothing in the format.
var packers = map[string][]string{
	"gzip":  {"gzip", "-n", "-6"},
	"bzip2": {"bzip2", "-9"},
	"lzma":  {"lzma", "-1"},
	"xz":    {"xz", "--check=crc32", "--x86", "--lzma2=preset=1,dict=128MiB"},
	"lzo":   {"lzop", "-3"},
	"lz4":   {"lz4", "-l", "-1"},
	"zstd":  {"zstd", "-q", "-3", "--long=27"},
}

// packedKernel is a kernel of 16 MB and what each command makes of it.
type packedKernel struct {
	dir    string // has packed.CODEC for each
	boot   []byte // the boot image that it came from
	kernel string // the file in it
}

// TestRepack puts a real kernel into every container with every compression.
func TestRepack(t *testing.T) {
	initsect := buildInitsect(t)
	all := readKernels(t)
	dir := fetch(t, all[slices.IndexFunc(all, func(k kernel) bool { return k.id == "i386-6.1" })])
	p := packedKernel{dir: t.TempDir()}
	var err error
	p.boot, err = os.ReadFile(filepath.Join(dir, "boot"))
	require.NoError(t, err)
	p.kernel = filepath.Join(p.dir, "stream")
	payload := p.boot[payloadOf(p.boot):][:payloadLength(p.boot)-4]
	pipe(t, payload, p.kernel, "xz", "-dc")
	stream, err := os.ReadFile(p.kernel)
	require.NoError(t, err)
	for codec, command := range packers {
		pipe(t, stream, filepath.Join(p.dir, "packed."+codec), command[0], command[1:]...)
	}
	want := filepath.Join(p.dir, "want")
	run(t, initsect, "unpack", "-o", want, filepath.Join(dir, "boot"))
	sameSections(t, filepath.Join(dir, "vmlinux"), want)
	kernel, err := os.ReadFile(want)
	require.NoError(t, err)

	for codec := range packers {
		packed := filepath.Join(p.dir, "packed."+codec)
		for container, build := range containers {
			t.Run(container+" "+codec, func(t *testing.T) {
				image := filepath.Join(t.TempDir(), "image")
				build(t, p, codec, packed, image)
				out := filepath.Join(t.TempDir(), "kernel")
				t.Logf("%s", run(t, initsect, "unpack", "-o", out, image))
				got, err := os.ReadFile(out)
				require.NoError(t, err)
				require.True(t, bytes.Equal(kernel, got))
			})
		}
	}
}

var containers = map[string]func(t *testing.T, p packedKernel, codec, packed, image string){
	"file": func(t *testing.T, _ packedKernel, _, packed, image string) {
		run(t, "cp", packed, image)
	},
	"bzImage": func(t *testing.T, p packedKernel, codec, packed, image string) {
		require.NoError(t, os.WriteFile(image, repackBzImage(t, p, codec, packed), 0o644))
	},
	"uImage": func(t *testing.T, _ packedKernel, codec, packed, image string) {
		if codec == "xz" { // has no number in U-Boot
			codec = "none"
		}
		run(t, "mkimage", "-A", "x86", "-O", "linux", "-T", "kernel", "-C", codec, "-d", packed, image)
	},
	"FIT": func(t *testing.T, p packedKernel, codec, packed, image string) {
		if codec == "xz" {
			codec = "none"
		}
		its := filepath.Join(t.TempDir(), "its")
		require.NoError(t, os.WriteFile(its, fmt.Appendf(nil, `/dts-v1/; / { description = "repacked"; images { k {
			data = /incbin/("%s"); type = "kernel"; arch = "x86"; os = "linux"; compression = "%s"; load = <0>; entry = <0>;
			hash { algo = "sha256"; }; }; }; configurations { default = "c"; c { kernel = "k"; }; }; };`, packed, codec), 0o644))
		run(t, "mkimage", "-E", "-f", its, image)
	},
	"boot.img": func(t *testing.T, _ packedKernel, _, packed, image string) {
		run(t, "mkbootimg", "--header_version", "2", "--kernel", packed, "--dtb", "unpack_test.go", "-o", image)
	},
	"UKI": func(t *testing.T, p packedKernel, codec, packed, image string) {
		linux := filepath.Join(t.TempDir(), "linux")
		require.NoError(t, os.WriteFile(linux, repackBzImage(t, p, codec, packed), 0o644))
		run(t, "objcopy", "--add-section", ".osrel=unpack_test.go", "--change-section-vma", ".osrel=0x20000",
			"--add-section", ".linux="+linux, "--change-section-vma", ".linux=0x2000000",
			"/usr/lib/systemd/boot/efi/linuxx64.efi.stub", image)
	},
}

func payloadOf(boot []byte) int {
	return (int(boot[0x1f1])+1)*512 + int(binary.LittleEndian.Uint32(boot[0x248:]))
}

func payloadLength(boot []byte) int { return int(binary.LittleEndian.Uint32(boot[0x24c:])) }

// repackBzImage puts another payload between the same code.
func repackBzImage(t *testing.T, p packedKernel, codec, packed string) []byte {
	payload, err := os.ReadFile(packed)
	require.NoError(t, err)
	if codec != "gzip" {
		info, err := os.Stat(p.kernel)
		require.NoError(t, err)
		payload = binary.LittleEndian.AppendUint32(payload, uint32(info.Size()))
	}
	at := payloadOf(p.boot)
	b := slices.Concat(p.boot[:at], payload, p.boot[at+payloadLength(p.boot):])
	binary.LittleEndian.PutUint32(b[0x24c:], uint32(len(payload)))
	return b
}

// pipe runs a command on bytes and writes its output to a file.
func pipe(t *testing.T, in []byte, out, name string, arguments ...string) {
	f, err := os.Create(out)
	require.NoError(t, err)
	defer f.Close()
	command := exec.Command(name, arguments...)
	command.Stdin, command.Stdout = bytes.NewReader(in), f
	require.NoError(t, command.Run(), "%s %v", name, arguments)
}

// BenchmarkUnpack compares `unpack` on a boot image with the C decompressor on
// the payload alone; both write a file. "times" below 1 is how much slower
// initsect is.
func BenchmarkUnpack(b *testing.B) {
	initsect := buildInitsect(b)
	work := b.TempDir()
	all := readKernels(b)
	for _, bench := range []struct {
		id     string
		unpack string // the C tool for its own payload
		repack []string
	}{
		{"amd64-6.1", "lz4 -dc", nil},
		{"amd64-6.12", "zstd -dc --long=27", []string{"gzip"}},
		{"i386-6.1", "xz -dc", nil},
	} {
		dir := fetch(b, all[slices.IndexFunc(all, func(k kernel) bool { return k.id == bench.id })])
		boot, err := os.ReadFile(filepath.Join(dir, "boot"))
		require.NoError(b, err)
		payload := filepath.Join(work, bench.id)
		require.NoError(b, os.WriteFile(payload, boot[payloadOf(boot):][:payloadLength(boot)-4], 0o644))
		out := filepath.Join(work, "out")
		ours := func(image string) []string { return []string{initsect, "unpack", "-o", out, image} }
		his := func(tool, packed string) []string {
			return []string{"sh", "-c", tool + ` <"$0" >"$1"`, packed, out + ".c"}
		}
		b.Run(bench.id, func(b *testing.B) {
			comparePair(b, ours(filepath.Join(dir, "boot")), his(bench.unpack, payload))
		})
		for _, codec := range bench.repack {
			packed := filepath.Join(work, codec)
			run(b, "sh", "-c", bench.unpack+` <"$0" | `+strings.Join(packers[codec], " ")+` >"$1"`, payload, packed)
			b.Run(bench.id+"/"+codec, func(b *testing.B) { comparePair(b, ours(packed), his(packers[codec][0]+" -dc", packed)) })
		}
	}
}
