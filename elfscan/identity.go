package elfscan

import (
	"regexp"
	"strings"
)

// Identity says which kernel an image is.
type Identity struct {
	Release   string // "6.12.117+deb12-cloud-amd64"; "" if the image does not say
	Banner    string // what the kernel prints first: "Linux version 6.12.117 …"
	BuildID   string // GNU build id in hex; "" if the image has none
	Machine   string // "x86_64"
	Bits      int    // 32 or 64
	BigEndian bool
	ELFType   string // "ET_EXEC"
}

const (
	symBanner    = "linux_banner"
	bannerPrefix = "Linux version "
	maxBanner    = 1024
)

func (im *Image) identifyELF() error {
	im.Identity.Machine = im.elf.MachineName()
	im.Identity.Bits = 8 * im.elf.WordSize()
	im.Identity.BigEndian = im.elf.BigEndian
	if !im.elf.IsRaw {
		im.Identity.ELFType = im.elf.Type.String()
	}
	id, err := im.elf.BuildID()
	im.Identity.BuildID = id
	return err
}

func (im *Image) identifyKernel() error {
	if err := im.identifyELF(); err != nil {
		return err
	}
	banner, err := im.findBanner()
	if err != nil {
		return err
	}
	im.Identity.Banner = strings.TrimSpace(banner)
	im.Identity.Release, _, _ = strings.Cut(strings.TrimPrefix(im.Identity.Banner, bannerPrefix), " ")
	return nil
}

// findBanner reads the banner where its symbol says it is, and looks through
// the data for it where no symbol leads to one.
func (im *Image) findBanner() (string, error) {
	if a, ok := im.known[symBanner]; ok {
		if s, ok := im.mem.cString(a, maxBanner); ok && strings.HasPrefix(s, bannerPrefix) {
			return s, nil
		}
	}
	a, found, err := im.searchBanner()
	if err != nil || !found {
		return "", err
	}
	s, _ := im.mem.cString(a, maxBanner)
	return s, nil
}

// searchBanner looks for the banner without a symbol. A kernel holds another
// string like it, for a build that has no number yet ("# SMP"), and formats
// that begin like it.
func (im *Image) searchBanner() (Addr, bool, error) {
	return im.mem.find([]byte(bannerPrefix), func(a Addr) bool {
		s, ok := im.mem.cString(a, maxBanner)
		return ok && numberedBanner.MatchString(s)
	})
}

var numberedBanner = regexp.MustCompile(`^Linux version [0-9].* #[0-9]`)
