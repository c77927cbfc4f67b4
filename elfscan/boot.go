package elfscan

import (
	"errors"
	"fmt"
	"strings"

	"github.com/initsect/initsect/internal/safeelf"
	"github.com/initsect/initsect/internal/unpack"
	"github.com/initsect/initsect/symbols"
)

// Unpacked is one step from a boot image to the kernel in it.
type Unpacked struct {
	Container   string // bzImage, zImage, Image, …; "" for a file that is compressed as such
	Compression string // gzip, xz, …; "none" if there is none
	Offset      int64  // of the payload, in what the step before gave
	Size        int64  // of the payload, in bytes
}

// Unpacked returns the steps that led from the file to the kernel, outermost
// first. There are none if the file is the kernel.
func (im *Image) Unpacked() []Unpacked {
	if im.boot == nil {
		return nil
	}
	var steps []Unpacked
	for _, s := range im.boot.Steps {
		steps = append(steps, Unpacked{string(s.Container), s.Compression, s.Offset, s.Size})
	}
	return steps
}

// ErrNoKernel is returned for a file that is no kernel and holds none.
var ErrNoKernel = unpack.ErrNoKernel

// Linked reports whether the image is a linked kernel, in which tables lie where
// they are in memory.
func (im *Image) Linked() bool { return im.Container == ContainerELF || im.Container == ContainerRaw }

// openBoot finds the kernel in the file and opens it.
func (im *Image) openBoot(opt Options) error {
	found, err := unpack.Open(im.file)
	if err != nil {
		return err
	}
	im.boot = found
	im.Container = ContainerELF
	if found.ELF {
		if im.elf == nil || len(found.Steps) > 0 {
			if im.elf, err = safeelf.New(found.File); err != nil {
				return fmt.Errorf("the kernel in it: %w", err)
			}
		}
		return im.openKernel(opt)
	}
	im.Container = ContainerRaw
	if err := im.placeRaw(opt); err != nil {
		return err
	}
	return im.openKernel(opt)
}

// placeRaw finds out where a raw image lies in memory: from its own symbol
// table, or where it has none, from the map.
func (im *Image) placeRaw(opt Options) error {
	bytes, err := im.boot.File.Bytes(0, im.boot.File.Size())
	if err != nil {
		return err
	}
	raw := safeelf.Raw{Machine: im.boot.Machine}
	kernel := symbols.Kernel{Pieces: []symbols.Piece{{Bytes: bytes}}, Raw: true}
	if elf, err := safeelf.NewRaw(im.boot.File, raw); err == nil {
		kernel.WordSize, kernel.Order = elf.WordSize(), elf.Order()
	}
	switch im.kallsyms, err = symbols.FindKallsyms(kernel); {
	case errors.Is(err, symbols.ErrNoKallsyms) && opt.Map != "":
		raw.Base, err = im.baseFromMap(opt, bytes)
	case errors.Is(err, symbols.ErrNoKallsyms):
		err = fmt.Errorf("%w: the kernel has none of its own (CONFIG_KALLSYMS)", ErrNoSymbols)
	case err == nil:
		placed := im.kallsyms.Placement
		raw.Base = uint64(placed.Base)
		raw.RelocsOff, raw.RelocsSize = placed.Relocations.Offset, placed.Relocations.Size
		raw.DynsymOff, raw.DynsymSize = placed.DynamicSymbols.Offset, placed.DynamicSymbols.Size
	}
	if err != nil {
		return err
	}
	im.elf, err = safeelf.NewRaw(im.boot.File, raw)
	return err
}

// baseFromMap takes the image to lie where the map's banner is the image's. That
// the map is the image's is checked later, like that of any image.
func (im *Image) baseFromMap(opt Options, bytes []byte) (uint64, error) {
	elf, err := safeelf.NewRaw(im.boot.File, safeelf.Raw{Machine: im.boot.Machine})
	if err != nil {
		return 0, err
	}
	im.elf = elf
	table, err := im.readMap(opt)
	if err != nil {
		return 0, err
	}
	addrs, err := boundaryAddrs(table, []string{symBanner})
	if err != nil {
		return 0, err
	}
	banner, ok := addrs[symBanner]
	if !ok {
		return 0, fmt.Errorf("%s: the map has no %s, which would tell where the image lies", opt.Map, symBanner)
	}
	if im.mem, err = newMemory(elf); err != nil {
		return 0, err
	}
	at, found, err := im.searchBanner()
	if err != nil || !found || uint64(at) > uint64(len(bytes)) {
		return 0, errors.Join(err, fmt.Errorf("the image has no %q and version", strings.TrimSpace(bannerPrefix)))
	}
	return uint64(banner - at), nil
}
