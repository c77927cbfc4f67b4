// Package running finds the kernel that this machine runs: its vmlinux, or its
// boot image.
package running

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/safeelf"
	"github.com/initsect/initsect/internal/unpack"
)

// places are where perf (tools/perf/util/symbol.c) and drgn
// (libdrgn/debug_info.c) look for a kernel with symbols; %s is its release.
var places = []string{
	"usr/lib/debug/boot/vmlinux-%s",
	"usr/lib/debug/boot/vmlinux-%s.debug",
	"usr/lib/debug/lib/modules/%s/vmlinux",
	"usr/lib/debug/lib/modules/%s/vmlinux.debug",
	"lib/modules/%s/build/vmlinux",
	"lib/modules/%s/vmlinux",
	"usr/lib/modules/%s/vmlinux",
	"boot/vmlinux-%s",
}

// bootPlaces are where distributions install the boot image.
var bootPlaces = []string{
	"boot/vmlinuz-%s",
	"boot/Image-%s",
	"lib/modules/%s/vmlinuz",
	"usr/lib/modules/%s/vmlinuz",
}

// buildIDPlace is where debuggers look by build id.
const buildIDPlace = "usr/lib/debug/.build-id/%s/%s.debug"

// Image returns the path of the running kernel's vmlinux, or of its boot image,
// below root, which is "/" but in tests. Where the running kernel tells its build
// id, a file with another one is passed over, and so is a boot image whose
// banner is not in /proc/version.
func Image(root string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(root, "proc/sys/kernel/osrelease"))
	if err != nil {
		return "", fmt.Errorf("no IMAGE was given, and the running kernel's release is not to be had: %w", err)
	}
	release := strings.TrimSpace(string(raw))
	id := runningBuildID(root)
	var passed []string
	try := func(path string, usable func(string) error) bool {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return false
		}
		err := usable(path)
		if err != nil {
			passed = append(passed, fmt.Sprintf("%s (%v)", path, err))
		}
		return err == nil
	}
	for _, path := range candidates(release, id) {
		path = filepath.Join(root, path)
		if try(path, func(path string) error { return usable(path, id) }) {
			return path, nil
		}
	}
	for _, place := range bootPlaces {
		path := filepath.Join(root, fmt.Sprintf(place, release))
		if try(path, func(path string) error { return sameBanner(path, root) }) {
			return path, nil
		}
	}
	msg := fmt.Sprintf("no IMAGE was given, and no kernel %s, which is running, is where packages put it, such as %s: "+
		"install the package of debug symbols, or name an image", release, filepath.Join(root, fmt.Sprintf(places[0], release)))
	if len(passed) > 0 {
		msg += "; passed over: " + strings.Join(passed, ", ")
	}
	return "", errors.New(msg)
}

// sameBanner makes sure that the kernel in a boot image says of itself what the
// running one does.
func sameBanner(path, root string) (err error) {
	defer filemap.Guard(&err)()
	version, err := os.ReadFile(filepath.Join(root, "proc/version"))
	if err != nil {
		return err
	}
	file, err := filemap.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	kernel, err := unpack.Open(file)
	if err != nil {
		return err
	}
	all, err := kernel.File.Bytes(0, kernel.File.Size())
	if err != nil {
		return err
	}
	if banner := bytes.TrimSpace(version); len(banner) == 0 || !bytes.Contains(all, banner) {
		return errors.New("of another build")
	}
	return nil
}

func candidates(release, id string) []string {
	var paths []string
	if len(id) > 2 {
		paths = append(paths, fmt.Sprintf(buildIDPlace, id[:2], id[2:]))
	}
	for _, p := range places {
		paths = append(paths, fmt.Sprintf(p, release))
	}
	return paths
}

// runningBuildID reads the build id from the running kernel's notes, "" if it
// has none.
func runningBuildID(root string) string {
	notes, err := os.ReadFile(filepath.Join(root, "sys/kernel/notes"))
	if err != nil {
		return ""
	}
	return safeelf.BuildIDFromNotes(notes, binary.NativeEndian)
}

// usable says why a file is of no use for the running kernel with this build
// id, which is "" if it does not tell.
func usable(path, id string) (err error) {
	defer filemap.Guard(&err)()
	file, err := filemap.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	elf, err := safeelf.New(file)
	if err != nil {
		return err
	}
	other, err := elf.BuildID()
	if err != nil {
		return err
	}
	symtab, hasSymtab := elf.Symtab()
	text, hasText := elf.SectionByName(".text")
	switch {
	case id != "" && other != id:
		return errors.New("of another build")
	case !hasSymtab || symtab.Size == 0:
		return errors.New("no symbol table")
	case hasText && !text.HasBytes():
		return errors.New("debug information only, without the kernel's bytes")
	}
	return nil
}
