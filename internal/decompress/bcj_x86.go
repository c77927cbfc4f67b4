package decompress

// x86Branches undoes the filter for call and jmp, 0xe8 and 0xe9, with 32-bit
// displacements. Instructions have any length, so these bytes also occur within
// others: mask remembers in which of the last three bytes one was seen, and a
// displacement that overlaps such is left alone where the filter left it.
func x86Branches(b []byte, pos uint32) {
	if len(b) <= 4 {
		return
	}
	// By mask: whether to convert, and which byte of the displacement decides.
	allowed := [8]bool{true, true, true, false, true}
	byteOf := [8]uint32{0, 1, 2, 2, 3, 3, 3, 3}

	previous, mask := -1, uint32(0)
	for i := 0; i < len(b)-4; i++ {
		if b[i]&0xfe != 0xe8 {
			continue
		}
		if distance := i - previous; distance > 3 {
			mask = 0
		} else {
			mask = mask << (distance - 1) & 7
			if mask != 0 && (!allowed[mask] || signByte(b[i+4-int(byteOf[mask])])) {
				previous, mask = i, mask<<1|1
				continue
			}
		}
		previous = i
		if !signByte(b[i+4]) {
			mask = mask<<1 | 1
			continue
		}
		source := le.Uint32(b[i+1:])
		var target uint32
		for {
			target = source - (pos + uint32(i) + 5)
			if mask == 0 {
				break
			}
			bit := byteOf[mask] * 8
			if !signByte(byte(target >> (24 - bit))) {
				break
			}
			source = target ^ (1<<(32-bit) - 1)
		}
		target &= 0x01ffffff
		le.PutUint32(b[i+1:], target|-(target&0x01000000))
		i += 4
	}
}

// signByte reports whether a byte can be the highest of a displacement within
// 16 MiB.
func signByte(b byte) bool { return b == 0 || b == 0xff }
