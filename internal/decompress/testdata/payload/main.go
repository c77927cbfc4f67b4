// Command payload writes 16 KiB that look like machine code to every branch
// filter of XZ: bytes of all kinds, and among them dense branch instructions of
// every architecture with near targets. The same on every run.
package main

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
)

func main() {
	r := rand.New(rand.NewPCG(6, 12))
	var b []byte
	word := func(v uint32) { b = binary.LittleEndian.AppendUint32(b, v) }
	swapped := func(v uint32) { b = binary.BigEndian.AppendUint32(b, v) }
	for len(b) < 16<<10 {
		n := r.Uint32()
		switch r.IntN(16) {
		case 0, 1: // x86 call, jmp, at odd places and over one another
			b = append(b, 0xe8+byte(n>>30&1))
			word(uint32(int32(n) >> 12))
		case 2:
			b = append(b, 0xe8, 0xe9, byte(n), 0xe8, byte(n>>8), 0, 0xff, byte(n>>16))
		case 3: // arm bl
			word(0xeb000000 | n&0x0000ffff)
		case 4: // thumb bl
			b = binary.LittleEndian.AppendUint16(b, 0xf000|uint16(n&0x7ff))
			b = binary.LittleEndian.AppendUint16(b, 0xf800|uint16(n>>16&0x7ff))
		case 5: // arm64 bl
			word(0x94000000 | n&0x03ffffff)
		case 6: // arm64 adrp
			word(0x90000000 | n&0x6000001f | n>>8&0x3ff<<5 | -(n>>7&1)&0xfc0000)
		case 7: // powerpc bl
			swapped(0x48000001 | n&0x03fffffc)
		case 8: // sparc call
			swapped(0x40000000 | uint32(int32(n<<10)>>10)&0x3fffffff)
		case 9: // riscv jal ra, t0
			word(n&0xfffff000 | 0xef | n&1<<9)
		case 10, 11: // riscv auipc and an addi, load or store
			reg := n >> 27
			word(n&0x000ff000 | reg<<7 | 0x17)
			word(r.Uint32()&0xfff07f00 | reg<<15 | []uint32{0x13, 0x03, 0x23, 0x67}[n&3])
		case 12: // auipc with x0 and x2
			word(n&0xfffff000 | n>>3&1<<8 | 0x17)
		case 13:
			b = append(b, make([]byte, n&15)...)
		default:
			word(n)
		}
		for len(b)%4 != 0 && n&0x100 != 0 {
			b = append(b, byte(r.Uint32()))
		}
	}
	os.Stdout.Write(b[:16<<10])
}
