package kimage

import "fmt"

// Offsets in the header of an Android boot image (system/tools/mkbootimg,
// include/bootimg/bootimg.h). The kernel begins on the page behind the header.
const (
	aKernelSize = 8
	aLoad       = 12 // before version 3
	aPageSize   = 36 // before version 3
	aVersion    = 40

	aOldest34   = 3
	aNewest     = 4
	aFixedPage  = 4096 // from version 3 on
	aLegacyMost = 1 << 16
)

func androidImage(b data) (Image, error) {
	if !b.has(0, "ANDROID!") {
		return Image{}, ErrUnknown
	}
	im := Image{}
	page := aFixedPage
	// Before there were versions, their place held the size of a device tree,
	// or nothing.
	if version := b.le32(aVersion); version < aOldest34 || version > aNewest {
		page = int(b.le32(aPageSize))
		if page < 512 || page > aLegacyMost || page&(page-1) != 0 {
			return im, fmt.Errorf("its page size is %d", page)
		}
		load := uint64(b.le32(aLoad))
		im.Load = &load
	}
	im.Payload = Payload{Offset: page, Size: int(b.le32(aKernelSize))}
	return im, nil
}
