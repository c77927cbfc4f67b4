package elfscan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/safeelf"
	"github.com/initsect/initsect/internal/unpack"
	"github.com/initsect/initsect/symbols"
)

// Errors that a caller may want to answer with advice of its own.
var (
	ErrNoSymbols = errors.New("no symbol table")
)

// Container is what kind of file an image is.
type Container string

// The containers.
const (
	ContainerELF     Container = "elf"     // a linked kernel: vmlinux
	ContainerRaw     Container = "raw"     // the bytes of a linked kernel without ELF headers: Image
	ContainerObject  Container = "object"  // an object file: one .o, vmlinux.o
	ContainerModule  Container = "module"  // a loadable module: .ko
	ContainerArchive Container = "archive" // an archive of objects: built-in.a
)

// Image is an opened kernel, object file, module or archive. Close it after
// use. An Image is not for use by several goroutines at once.
type Image struct {
	Path      string
	Container Container
	Identity  Identity

	file        *filemap.File
	elf         *safeelf.File // nil for an archive
	mem         *memory
	syms        *symbols.Table
	mapFile     string // the System.map in use, "" if none
	mapData     *filemap.File
	kaslr       Addr            // what the map's addresses were ahead of the image's
	known       map[string]Addr // the symbols that every command asks for
	descriptors *descriptors
	members     []member          // of an archive
	kallsyms    *symbols.Kallsyms // of a raw image
	boot        *unpack.Kernel    // what the file was found to hold
	data        []patched         // see readData
}

// Options say what besides the image may be used.
type Options struct {
	// Map is the path of a System.map, /proc/kallsyms or output of nm for
	// this image, or "". It is checked against the image.
	Map string

	// MapText is what the map says, if it was read already; Map is then its
	// name for messages.
	MapText []byte
}

// Open opens an image and reads who it is.
func Open(path string, opt Options) (*Image, error) {
	file, err := filemap.Open(path)
	if err != nil {
		return nil, err
	}
	im, err := newImage(path, file, opt)
	if err != nil {
		file.Close()
		return nil, err
	}
	return im, nil
}

// OpenBytes opens an image in memory, which must not change meanwhile. The name
// is for messages.
func OpenBytes(name string, data []byte, opt Options) (*Image, error) {
	return newImage(name, filemap.FromBytes(data), opt)
}

// OpenReader reads a stream to its end and opens the image in it. The name is
// for messages.
func OpenReader(name string, r io.Reader, opt Options) (*Image, error) {
	file, err := filemap.Read(r)
	if err != nil {
		return nil, err
	}
	return newImage(name, file, opt)
}

func newImage(path string, file *filemap.File, opt Options) (im *Image, err error) {
	defer func() {
		if err != nil && im != nil {
			im.closeOthers()
			im = nil
		}
	}()
	defer filemap.Guard(&err)()
	if isArchive(file) {
		if opt.Map != "" {
			return nil, errors.New("a System.map is of no use for an archive")
		}
		return openArchive(path, file)
	}
	elf, err := safeelf.New(file)
	if err != nil && !errors.Is(err, safeelf.ErrNotELF) {
		return nil, err
	}
	im = &Image{Path: path, file: file, elf: elf}
	if elf == nil {
		return im, im.openBoot(opt)
	}
	switch elf.Type {
	case safeelf.TypeRel:
		if opt.Map != "" {
			return nil, errors.New("a System.map is of no use for an object file")
		}
		return im, im.openObject()
	case safeelf.TypeCore:
		return nil, errors.New("a core dump, not a kernel image")
	case safeelf.TypeExec, safeelf.TypeDyn:
		return im, im.openBoot(opt)
	}
	return nil, fmt.Errorf("ELF type %v is neither an executable nor an object file", elf.Type)
}

// Close releases the file.
func (im *Image) Close() error {
	im.closeOthers()
	return im.file.Close()
}

// checkUnchanged makes sure that what was read is what the files hold.
func (im *Image) checkUnchanged() error {
	for _, f := range []*filemap.File{im.file, im.mapData} {
		if f == nil {
			continue
		}
		if err := f.CheckUnchanged(); err != nil {
			return err
		}
	}
	return nil
}

// closeOthers releases the files besides the image's own.
func (im *Image) closeOthers() {
	if im.mapData != nil {
		im.mapData.Close()
	}
}

// Symbols is the table that names the image's functions. It is nil for an
// archive.
func (im *Image) Symbols() *symbols.Table { return im.syms }

// MapFile is the System.map in use, "" if none.
func (im *Image) MapFile() string { return im.mapFile }

func (im *Image) openKernel(opt Options) error {
	var err error
	if im.mem, err = newMemory(im.elf); err != nil {
		return err
	}
	if im.descriptors, err = readDescriptors(im.mem); err != nil {
		return err
	}
	if err := im.loadSymbols(opt); err != nil {
		return err
	}
	return im.identifyKernel()
}

// setSymbols makes a table the image's, and looks up in one pass all names
// that every command will ask for.
func (im *Image) setSymbols(table *symbols.Table) (err error) {
	im.syms = table
	names := append(boundaryNames(knownDeferred), symBanner)
	if table.Source() == symbols.SourceMap {
		names = append(names, symEnd)
		for _, s := range sectionStarts {
			names = append(names, s.symbol)
		}
	}
	im.known, err = boundaryAddrs(table, names)
	return err
}

// loadSymbols takes the names from the symbol table or the map. Where there
// are both, the map must say what the symbol table says.
func (im *Image) loadSymbols(opt Options) error {
	section, hasSymtab := im.elf.Symtab()
	if hasSymtab && section.Size > 0 {
		table, err := readSymtab(im.elf, section)
		if err != nil {
			return err
		}
		if err := im.setSymbols(table); err != nil {
			return err
		}
	}
	if opt.Map == "" {
		if im.syms == nil {
			return im.loadKallsyms()
		}
		return nil
	}
	table, err := im.readMap(opt)
	if err != nil {
		return err
	}
	im.mapFile = opt.Map
	if table, err = im.undoKASLR(table); err != nil {
		return err
	}
	if im.syms != nil {
		return im.checkMapAgainstSymtab(table, im.syms)
	}
	if err := im.setSymbols(table); err != nil {
		return err
	}
	return im.checkMap()
}

func readSymtab(elf *safeelf.File, section safeelf.Section) (*symbols.Table, error) {
	rows, err := elf.Bytes(section)
	if err != nil {
		return nil, err
	}
	strtab, err := elf.Linked(section)
	if err != nil {
		return nil, err
	}
	if strtab.Compressed() || section.Compressed() {
		return nil, fmt.Errorf("section %s is compressed", section.Label())
	}
	names, err := elf.Bytes(strtab)
	if err != nil {
		return nil, err
	}
	if n := len(names); n > 0 && names[n-1] != 0 {
		return nil, fmt.Errorf("section %s does not end in a NUL, as every table of strings does", strtab.Label())
	}
	var shndx []byte
	if s, ok := elf.SymtabShndx(); ok {
		if shndx, err = elf.Bytes(s); err != nil {
			return nil, err
		}
	}
	table, err := symbols.FromSymtab(symbols.Symtab{
		Rows:      rows,
		Names:     names,
		Class64:   elf.Class64,
		BigEndian: elf.BigEndian,
		Thumb:     elf.Machine == safeelf.MachineARM,
		Sections:  sectionKinds(elf),
		Shndx:     shndx,
	})
	if err != nil {
		return nil, fmt.Errorf("section %s: %w", section.Label(), err)
	}
	return table, nil
}

// sectionKinds gives nm's letter for the symbols of each section
// (decode_section_type in binutils).
func sectionKinds(elf *safeelf.File) []symbols.Kind {
	kinds := make([]symbols.Kind, len(elf.Sections))
	for i, s := range elf.Sections {
		switch {
		case s.Exec():
			kinds[i] = 't'
		case !s.Alloc() && s.Debugging():
			kinds[i] = 'N'
		case !s.Alloc() && s.Write():
			kinds[i] = '?'
		case !s.Alloc():
			kinds[i] = 'n'
		case !s.HasBytes():
			kinds[i] = 'b'
		case s.Write():
			kinds[i] = 'd'
		default:
			kinds[i] = 'r'
		}
	}
	return kinds
}

// named puts a file's name before an error about it that lacks one.
func named(path string, err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

func openMap(opt Options) (*filemap.File, error) {
	if opt.MapText != nil {
		return filemap.FromBytes(opt.MapText), nil
	}
	file, err := filemap.Open(opt.Map)
	if err != nil || file.Size() > 0 {
		return file, err
	}
	file.Close()
	return filemap.OpenStream(opt.Map) // /proc/kallsyms tells no size
}

// readMap reads a map; the image keeps its file open.
func (im *Image) readMap(opt Options) (*symbols.Table, error) {
	path := opt.Map
	file, err := openMap(opt)
	if err != nil {
		return nil, named(path, err)
	}
	if im.mapData != nil {
		im.mapData.Close()
	}
	im.mapData = file
	text, err := file.Bytes(0, file.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	table, err := symbols.ParseMap(text, 8*im.elf.WordSize())
	if errors.Is(err, symbols.ErrMapStub) {
		return nil, fmt.Errorf("%s: %w; the real one is in the package of debug symbols (linux-image-…-dbg), as /usr/lib/debug/boot/System.map-<release>", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return table, nil
}

// SymbolSource tells where the names come from.
func (im *Image) SymbolSource() symbols.Source {
	if im.syms == nil {
		return symbols.SourceSymtab // the members' own
	}
	return im.syms.Source()
}

// MapShift is how far ahead of the image the map's addresses were: the KASLR
// offset of the kernel whose /proc/kallsyms it is. It has been undone.
func (im *Image) MapShift() uint64 { return uint64(im.kaslr) }
