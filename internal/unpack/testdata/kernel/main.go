// Command kernel writes what stands for a kernel here: the header of an arm64
// Image (Documentation/arch/arm64/booting.rst), a banner, and 6 KiB that hardly
// compress. With an argument it writes an EFI zboot image around standard input,
// which is compressed with that: no tool but the kernel's own build makes one.
package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"log"
	"math/rand/v2"
	"os"
)

func main() {
	if len(os.Args) > 1 {
		zboot(os.Args[1])
		return
	}
	head := make([]byte, 64)
	binary.LittleEndian.PutUint64(head[0x08:], 0x80000)
	binary.LittleEndian.PutUint64(head[0x10:], 0x12000)
	binary.LittleEndian.PutUint64(head[0x18:], 0xa)
	copy(head[0x38:], "ARM\x64")
	b := bytes.NewBuffer(head)
	b.WriteString("Linux version 6.12.0-tiny (builder) #1\n")
	r := rand.New(rand.NewPCG(64, 612))
	for b.Len() < 6<<10 {
		b.WriteByte(byte(r.Uint32()))
		b.Write(make([]byte, r.IntN(2)))
	}
	os.Stdout.Write(b.Bytes())
}

// zboot follows drivers/firmware/efi/libstub/zboot-header.S.
func zboot(compression string) {
	payload, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	const headerLen, pe = 0x400, 0x40
	head := make([]byte, headerLen)
	copy(head, "MZ\x00\x00zimg")
	binary.LittleEndian.PutUint32(head[8:], headerLen)
	binary.LittleEndian.PutUint32(head[12:], uint32(len(payload)))
	copy(head[0x18:], compression)
	copy(head[0x38:], "\xcd\x23\x82\x81")
	binary.LittleEndian.PutUint32(head[0x3c:], pe)
	copy(head[pe:], "PE\x00\x00\x64\xaa")
	os.Stdout.Write(append(append(head, payload...), "\x00\x18\x00\x00and the code that unpacks it"...))
}
