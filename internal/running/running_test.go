package running

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	fixture     = "../../testdata/vmlinux-fixtures/amd64-prel32-6.12"
	fixtureID   = "f9f18956700e7e9661cc743d856395d9d2df6ce7" // readelf -n
	otherBuild  = "../../testdata/vmlinux-fixtures/amd64-lto-6.12"
	testRelease = "6.12.0-fixture"
)

// machine makes a root folder of a machine that runs the fixture.
func machine(t *testing.T, buildID string) string {
	root := t.TempDir()
	put(t, root, "proc/sys/kernel/osrelease", []byte(testRelease+"\n"))
	if buildID != "" {
		id, err := hex.DecodeString(buildID)
		require.NoError(t, err)
		put(t, root, "sys/kernel/notes", append(
			note("Linux\x00", 0x100, []byte{0, 0, 0, 0}), // a note of another kind comes first
			note("GNU\x00", 3, id)...))
	}
	return root
}

func note(name string, typ uint32, desc []byte) []byte {
	var b []byte
	for _, n := range []uint32{uint32(len(name)), uint32(len(desc)), typ} {
		b = binary.NativeEndian.AppendUint32(b, n)
	}
	b = append(b, name...)
	b = append(b, make([]byte, -len(name)&3)...)
	return append(b, desc...)
}

func put(t *testing.T, root, path string, content []byte) {
	path = filepath.Join(root, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, content, 0o644))
}

func copyTo(t *testing.T, root, path, from string) string {
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	put(t, root, path, content)
	return filepath.Join(root, path)
}

func TestVmlinux(t *testing.T) {
	for _, place := range []string{
		"usr/lib/debug/boot/vmlinux-" + testRelease,
		"usr/lib/debug/lib/modules/" + testRelease + "/vmlinux",
		"lib/modules/" + testRelease + "/build/vmlinux",
		"boot/vmlinux-" + testRelease,
		"usr/lib/debug/.build-id/f9/f18956700e7e9661cc743d856395d9d2df6ce7.debug",
	} {
		t.Run(place, func(t *testing.T) {
			root := machine(t, fixtureID)
			want := copyTo(t, root, place, fixture)
			got, err := Image(root)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func TestVmlinuxOfAnotherBuildIsPassedOver(t *testing.T) {
	root := machine(t, fixtureID)
	copyTo(t, root, "usr/lib/debug/boot/vmlinux-"+testRelease, otherBuild)
	_, err := Image(root)
	require.ErrorContains(t, err, "vmlinux-6.12.0-fixture (of another build)")

	right := copyTo(t, root, "boot/vmlinux-"+testRelease, fixture)
	got, err := Image(root)
	require.NoError(t, err)
	require.Equal(t, right, got)
}

// ppc64 installs the kernel itself as /boot/vmlinux; others a compressed one.
func TestCompressedVmlinuxIsPassedOver(t *testing.T) {
	root := machine(t, "")
	put(t, root, "boot/vmlinux-"+testRelease, []byte("\x1f\x8b compressed"))
	_, err := Image(root)
	require.ErrorContains(t, err, "(not an ELF file)")
}

// A stripped kernel is of no use where another file has the symbols.
func TestStrippedVmlinuxIsPassedOver(t *testing.T) {
	root := machine(t, "")
	copyTo(t, root, "usr/lib/debug/boot/vmlinux-"+testRelease, fixture+".stripped")
	_, err := Image(root)
	require.ErrorContains(t, err, "(no symbol table)")
	right := copyTo(t, root, "boot/vmlinux-"+testRelease, fixture)
	got, err := Image(root)
	require.NoError(t, err)
	require.Equal(t, right, got)
}

// Without a vmlinux the boot image does, if it is the running kernel's.
func TestBootImage(t *testing.T) {
	root := machine(t, "")
	content, err := os.ReadFile(fixture)
	require.NoError(t, err)
	start := bytes.Index(content, []byte("Linux version "))
	require.Positive(t, start)
	banner := content[start : start+bytes.IndexByte(content[start:], '\n')]
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	put(t, root, "boot/vmlinuz-"+testRelease, packed.Bytes())

	put(t, root, "proc/version", []byte("Linux version 6.12.0-fixture (another) #1\n"))
	_, err = Image(root)
	require.ErrorContains(t, err, "vmlinuz-6.12.0-fixture (of another build)")

	put(t, root, "proc/version", append(banner, '\n'))
	got, err := Image(root)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "boot/vmlinuz-"+testRelease), got)
}

func TestNothingFound(t *testing.T) {
	_, err := Image(machine(t, fixtureID))
	require.ErrorContains(t, err, "no IMAGE was given, and no kernel 6.12.0-fixture, which is running")
	_, err = Image(t.TempDir())
	require.ErrorContains(t, err, "the running kernel's release is not to be had")
}
