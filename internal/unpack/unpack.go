// Package unpack finds the kernel in a boot image: it follows containers and
// compressions, one within the other, until there is a kernel.
//
// Where a header tells where the payload lies, that place is taken and no
// other. Where none does, every place that looks compressed is tried: the code
// of a decompressor holds signatures, too, and what decodes to a kernel is
// one. Two different kernels in one file are an error.
package unpack

import (
	"errors"
	"fmt"
	"slices"

	"github.com/initsect/initsect/internal/decompress"
	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/kimage"
	"github.com/initsect/initsect/internal/safeelf"
)

// Limits of what a file may cost.
const (
	// maxOutput bounds what one stream may unpack to: ten times the largest
	// kernel of a distribution, which leaves room for one with an initramfs
	// built in.
	maxOutput = 512 << 20
	// maxRatio bounds how much of that a short stream may give. Kernels shrink
	// to a fifth; one that is zeros for the most part, by more.
	maxRatio = 256
	minRatio = 1 << 20 // for which the ratio is not asked
	// maxWork bounds what all streams of a file give, decoys included.
	maxWork = 2 * maxOutput
	// streamWork is what trying a stream counts for even if nothing comes out:
	// the codecs' tables cost as much as some output, and streams can hold
	// streams that hold streams.
	streamWork = 256 << 10
	// maxNesting bounds containers within one another. Four occur: a compressed
	// UKI with a bzImage.
	maxNesting = 8
	// maxCandidates bounds how many places are tried where no header tells. The
	// boot images of distributions have up to six.
	maxCandidates = 64
)

// ErrNoKernel is returned for a file in which no kernel was found.
var ErrNoKernel = errors.New("no kernel in it")

// Kernel is what was found.
type Kernel struct {
	File *filemap.File // its bytes, and nothing else; closed with the file that was opened
	ELF  bool          // else it is raw: the bytes of memory from _text on
	// Machine is named as package safeelf names it; "" if nothing tells.
	Machine string
	// Header is that of a raw kernel, nil if it has none.
	Header *kimage.Placement
	// Load is where the container around the kernel says that it is put, nil if
	// it does not.
	Load *uint64
	// Steps lead from the file to the kernel, outermost first. There are none if
	// the file is the kernel.
	Steps []Step
	// Behind is what lies behind an ELF kernel in the same stream: relocations
	// on x86 (CONFIG_RELOCATABLE). Nil if nothing does.
	Behind *filemap.File
}

// Step is one container, and what became of its payload.
type Step struct {
	Container   kimage.Kind // "" for a compressed file as such
	Offset      int64       // of the payload, in what the step before gave
	Size        int64       // of the payload
	Compression string      // as package decompress names it, or kimage.None
	Unpacked    int64       // size of what it gave
	Tried       int         // places that look compressed but are not, if it was searched for
}

// Open finds the kernel in a file. If the file is a kernel itself, Kernel.File
// is the file and no more than its headers was read. Read the bytes under
// [filemap.Guard].
func Open(f *filemap.File) (k *Kernel, err error) {
	defer filemap.Guard(&err)()
	u := unpacker{work: maxWork}
	return u.find(f, 0)
}

type unpacker struct {
	work int // how much may yet come out of streams
}

// find finds the kernel in the bytes of f, which lie depth containers deep.
func (u *unpacker) find(f *filemap.File, depth int) (*Kernel, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("more than %d containers within one another", maxNesting)
	}
	elf, err := safeelf.New(f)
	if err == nil {
		return u.fromELF(f, elf, depth)
	} else if !errors.Is(err, safeelf.ErrNotELF) {
		return nil, err
	}
	b, err := f.Bytes(0, f.Size())
	if err != nil {
		return nil, err
	}
	im, err := kimage.Recognize(b)
	switch {
	case err == nil && im.Kernel != nil:
		if !hasBanner(b) {
			return nil, fmt.Errorf("%s: %w: its bytes have no %q and version", im.Kind, ErrNoKernel, banner)
		}
		return &Kernel{File: f, Machine: im.Machine, Header: im.Kernel}, nil
	case err == nil:
		return u.fromContainer(f, im, depth)
	case !errors.Is(err, kimage.ErrUnknown):
		return nil, err
	}
	whole := kimage.Payload{Size: len(b), Compression: string(decompress.Detect(b))}
	switch {
	case whole.Compression != kimage.Unknown:
		return u.fromContainer(f, kimage.Image{Payload: whole}, depth)
	case hasBanner(b):
		return &Kernel{File: f}, nil
	case depth > 0: // what somebody compressed is a kernel, or is none
		return nil, ErrNoKernel
	}
	whole.Search = true
	return u.fromContainer(f, kimage.Image{Payload: whole}, depth)
}

// fromELF tells a kernel from an ELF file around one.
func (u *unpacker) fromELF(f *filemap.File, elf *safeelf.File, depth int) (*Kernel, error) {
	im, isKernel, err := kimage.FromELF(elf, f.Size())
	if err != nil {
		return nil, err
	}
	if !isKernel && im.Payload.Search {
		b, err := f.Bytes(0, f.Size())
		if err != nil {
			return nil, err
		}
		isKernel = hasBanner(b)
	}
	if !isKernel {
		return u.fromContainer(f, im, depth)
	}
	k := &Kernel{File: f, ELF: true, Machine: im.Machine}
	if depth == 0 {
		return k, nil
	}
	size, err := kimage.ELFSize(elf)
	if err != nil {
		return nil, err
	}
	if size < f.Size() {
		if k.Behind, err = f.Part(size, f.Size()-size); err != nil {
			return nil, err
		}
		k.File, err = f.Part(0, size)
	}
	return k, err
}

// fromContainer finds the kernel in the payload of a container.
func (u *unpacker) fromContainer(f *filemap.File, im kimage.Image, depth int) (k *Kernel, err error) {
	p := im.Payload
	part, err := f.Part(int64(p.Offset), int64(p.Size))
	if err != nil {
		return nil, err
	}
	if p.Search {
		k, err = u.search(part, im, depth)
	} else {
		k, err = u.payload(part, im, depth)
	}
	if err != nil {
		return nil, within(im, err)
	}
	if k.Machine == "" {
		k.Machine = im.Machine
	}
	if len(k.Steps) == 1 {
		k.Load = im.Load
	}
	return k, nil
}

// within says in which container an error occurred.
func within(im kimage.Image, err error) error {
	switch {
	case im.Kind != "":
		return fmt.Errorf("%s: %w", im.Kind, err)
	case im.Payload.Compression != kimage.Unknown:
		return fmt.Errorf("compressed with %s: %w", im.Payload.Compression, err)
	}
	return err
}

// payload takes the payload from where the header says it lies.
func (u *unpacker) payload(part *filemap.File, im kimage.Image, depth int) (*Kernel, error) {
	b, err := part.Bytes(0, part.Size())
	if err != nil {
		return nil, err
	}
	step := Step{Container: im.Kind, Offset: int64(im.Payload.Offset), Size: part.Size(), Compression: im.Payload.Compression}
	if step.Compression == kimage.Unknown {
		if step.Compression = string(decompress.Detect(b)); step.Compression == "" {
			step.Compression = kimage.None
		}
	}
	inner := part
	if step.Compression != kimage.None {
		out, consumed, err := u.decode(decompress.Codec(step.Compression), b, im.Payload.Unpacked)
		if err != nil {
			return nil, err
		}
		inner, step.Size = filemap.FromBytes(out), int64(consumed)
	}
	return u.step(inner, step, depth)
}

// step goes on with what a step gave.
func (u *unpacker) step(inner *filemap.File, s Step, depth int) (*Kernel, error) {
	k, err := u.find(inner, depth+1)
	if err != nil {
		return nil, err
	}
	s.Unpacked = inner.Size()
	k.Steps = slices.Insert(k.Steps, 0, s)
	return k, nil
}

// decode undoes a compression. If a size was promised, it must come out.
func (u *unpacker) decode(c decompress.Codec, b []byte, promised int) ([]byte, int, error) {
	if u.work <= 0 {
		return nil, 0, errWork
	}
	limit := min(maxOutput, u.work, max(minRatio, maxRatio*len(b)))
	out, consumed, err := decompress.Decode(c, b, decompress.Bounds{Max: limit, Size: promised})
	u.work -= len(out) + streamWork
	if e := (*decompress.Error)(nil); errors.As(err, &e) {
		u.work -= e.Produced
	}
	if errors.Is(err, decompress.ErrTooLarge) {
		err = fmt.Errorf("%w: %d bytes", err, limit)
	}
	if err == nil && promised != 0 && len(out) != promised {
		err = fmt.Errorf("%s: %d bytes came out, but the header promises %d", c, len(out), promised)
	}
	if err != nil {
		return nil, 0, err
	}
	return out, consumed, nil
}
