package unpack

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/fixture"
	"github.com/initsect/initsect/internal/kimage"
)

// images are those that testdata/make.sh made with the tools that make them for
// real kernels. Within each is testdata/kernel, which the last step of the chain
// must give; testdata/chains says what lies around it.
func images(t testing.TB) (chains map[string]string, kernel []byte) {
	t.Helper()
	kernel, err := os.ReadFile("testdata/kernel.bin")
	require.NoError(t, err)
	text, err := os.ReadFile("testdata/chains")
	require.NoError(t, err)
	chains = map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, chain, ok := strings.Cut(strings.TrimSpace(line), ": ")
		require.True(t, ok, line)
		chains[name] = chain
	}
	paths, err := filepath.Glob("testdata/image.*")
	require.NoError(t, err)
	require.Equal(t, len(chains), len(paths), "chains has a line for each image")
	return chains, kernel
}

func open(t testing.TB, data []byte) (*Kernel, []byte, error) {
	t.Helper()
	k, err := Open(filemap.FromBytes(data))
	if err != nil {
		require.Nil(t, k)
		return nil, nil, err
	}
	b, err := k.File.Bytes(0, k.File.Size())
	require.NoError(t, err)
	return k, b, nil
}

// chain prints what was found as testdata/chains does.
func chain(k *Kernel) string {
	var words []string
	for _, s := range k.Steps {
		name := string(s.Container)
		if name == "" {
			name = "file"
		}
		words = append(words, name+" "+s.Compression)
	}
	return strings.Join(words, ", ")
}

func TestImages(t *testing.T) {
	chains, kernel := images(t)
	for name, want := range chains {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", name))
			require.NoError(t, err)
			k, got, err := open(t, data)
			require.NoError(t, err)
			require.Equal(t, want, chain(k))
			require.True(t, bytes.Equal(kernel, got))
			require.False(t, k.ELF)
			require.Equal(t, "aarch64", k.Machine)
			require.Equal(t, kimage.Placement{TextOffset: 0x80000, Size: 0x12000}, *k.Header)
		})
	}
}

// A container that was cut is an error, or gives the kernel.
func TestCutImages(t *testing.T) {
	chains, kernel := images(t)
	for name := range chains {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		for n := 0; n < len(data); n += 1 + len(data)/150 {
			_, got, err := open(t, data[:n])
			require.True(t, err != nil || bytes.Equal(kernel, got), "%s: %d of %d bytes", name, n, len(data))
		}
	}
}

// A file that shrinks while it is read is an error.
func TestShrinkingFile(t *testing.T) {
	random := make([]byte, 200<<10)
	for i := range random {
		random[i] = byte(i * i >> 7)
	}
	_, kernel := images(t)
	path := filepath.Join(t.TempDir(), "Image")
	require.NoError(t, os.WriteFile(path, append(kernel[:len(kernel):len(kernel)], random...), 0o600))
	f, err := filemap.Open(path)
	require.NoError(t, err)
	defer f.Close()
	_, err = Open(f)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 10))
	_, err = Open(f)
	require.ErrorIs(t, err, filemap.ErrChanged)
}

// elfKernel is a vmlinux with .init.text.
func elfKernel() []byte {
	k := fixture.Kernel{
		Arch: fixture.Arch{Class64: true, Machine: 62}, Encoding: fixture.Prel32, Era: fixture.PerLevel,
		Calls: []fixture.Call{{Table: "initcall", Level: "6", Func: "driver_init"}},
	}
	return k.Build().Bytes()
}

// A kernel is its own file: nothing is copied, nothing but headers read.
func TestKernelItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vmlinux")
	require.NoError(t, os.WriteFile(path, elfKernel(), 0o600))
	f, err := filemap.Open(path)
	require.NoError(t, err)
	defer f.Close()
	k, err := Open(f)
	require.NoError(t, err)
	require.Same(t, f, k.File)
	require.True(t, k.ELF)
	require.Empty(t, k.Steps)
	require.Equal(t, "x86_64", k.Machine)
}
