// Package insn finds the instructions of a linked kernel that refer to given
// addresses: those that call or jump there directly, and those that make the
// address itself, in a register or as what a load or store reaches.
//
// It is no disassembler. It knows the direct branches of each machine and the
// few ways in which compilers and linkers write an address, and passes once
// over the code. What it looks for, beside direct branches:
//
//   - x86: the address as 4 bytes at any place (an immediate or a
//     displacement, and the low half of a movabs), and on x86-64 %rip-relative
//     operands. Every byte position is tried, because instructions have no
//     alignment; of conditional jumps only those with 32-bit displacements.
//   - AArch64: adr, adrp and what add, loads and stores make of it; pointers in
//     literal pools.
//   - ARM, in A32 or Thumb-2, whichever most of the section is: movw and movt,
//     addresses relative to the pc, pointers in literal pools.
//   - 64-bit PowerPC: addresses relative to r2, lis sequences, and the prefixed
//     instructions relative to the pc.
//   - s390x: every instruction with a 32-bit relative operand.
//   - MIPS: lui sequences, of 32 and 64 bits. Not MIPS16, not microMIPS.
//   - RISC-V: auipc and lui with what follows, and addresses relative to gp.
//
// # Limits
//
// A register is followed in the order of the code and along forward branches
// inside a function. An address that travels in a way this does not see (a copy
// in another register whose offset is added later, the stack, a register of an
// inlined assembler routine) is missed, as is whatever the code computes or
// loads from data. A global offset table is data: a caller looks with [Code.Words]
// for the slots that hold a wanted address, and wants the slots, too. A branch
// that the linker led through a veneer refers to the veneer; a veneer's own
// branch, or its literal, is found like any other.
//
// Code is not told from data, and x86 instructions are not aligned, so
// bytes that only look like a reference are reported. The odds are about
// 2^-32 for each position and wanted address; for x86's two-byte jmp, whose
// target can only be near, about 1 in 250 for each wanted address in code.
package insn

import (
	"encoding/binary"

	"github.com/initsect/initsect/internal/safeelf"
)

// Code says how to read the machine code of an image.
type Code struct {
	Machine   safeelf.Machine
	Class64   bool
	BigEndian bool // the file's byte order

	// GlobalPointer is the address in the register that the ABI reserves: on
	// PowerPC r2 (the symbol .TOC., 0x8000 above the start of .got), on RISC-V
	// gp (__global_pointer$). 0 if it is not known or there is none.
	GlobalPointer uint64
}

// Kind is what an instruction does with an address.
type Kind int

// Kinds of references.
const (
	Branch  Kind = iota // calls it or jumps to it
	Address             // makes the address, or reads or writes what is there
)

func (k Kind) String() string {
	if k == Branch {
		return "branch"
	}
	return "address"
}

// Ref is one reference.
type Ref struct {
	// At is an address inside the instruction; where several make an address
	// together, inside the last; for a literal, the literal's.
	At     uint64
	Target uint64
	Kind   Kind
}

// Range is a range of addresses, both ends included: a loop over a table
// compares with the address past its last entry. In images of 32 bits the upper
// half of an address is 0.
type Range struct{ Start, End uint64 }

// Supported reports whether Find knows the machine. If not, that it finds
// nothing says nothing. PowerPC needs the global pointer.
func (c Code) Supported() bool {
	switch c.Machine {
	case safeelf.Machine386:
		return !c.Class64 && !c.BigEndian
	case safeelf.MachineAMD64:
		return c.Class64 && !c.BigEndian
	case safeelf.MachineARM: // BE8 and BE32 order the instructions differently
		return !c.Class64 && !c.BigEndian
	case safeelf.MachineAArch64:
		return c.Class64
	case safeelf.MachinePPC64:
		return c.Class64 && c.GlobalPointer != 0
	case safeelf.MachineS390:
		return c.Class64 && c.BigEndian
	case safeelf.MachineMIPS:
		return true
	case safeelf.MachineRISCV:
		return !c.BigEndian
	}
	return false
}

// Find calls yield for each reference of the code to a wanted address, in the
// order of the code. The code lies at addr and should be a whole section: what a
// register holds is not known at its start. One instruction can give two
// references, or the same one twice, where it can be read in two ways.
func (c Code) Find(code []byte, addr uint64, wanted []Range, yield func(Ref)) {
	if !c.Supported() || len(wanted) == 0 {
		return
	}
	s := &scan{Code: c, code: code, addr: addr, wanted: newTargets(wanted, c.Class64), yield: yield}
	switch c.Machine {
	case safeelf.Machine386, safeelf.MachineAMD64:
		s.x86()
	case safeelf.MachineARM:
		if isA32(code, addr) {
			s.arm()
		} else {
			s.thumb()
		}
		s.words(4)
	case safeelf.MachineAArch64:
		s.arm64()
		s.words(8)
	case safeelf.MachinePPC64:
		s.ppc64()
	case safeelf.MachineS390:
		s.s390()
	case safeelf.MachineMIPS:
		s.mips()
	case safeelf.MachineRISCV:
		s.riscv()
	}
}

// Words calls yield for each aligned pointer in data that holds a wanted
// address. Relocations must have been applied.
func (c Code) Words(data []byte, addr uint64, wanted []Range, yield func(Ref)) {
	if len(wanted) == 0 {
		return
	}
	s := &scan{Code: c, code: data, addr: addr, wanted: newTargets(wanted, c.Class64), yield: yield}
	if c.Class64 {
		s.words(8)
	} else {
		s.words(4)
	}
}

// Entry returns the addresses at which a direct branch may enter a function,
// given its symbol's value and the bytes there. In ELFv2 PowerPC code those that
// know r2 already enter past the two instructions that set it; Thumb functions have
// odd addresses.
func (c Code) Entry(function uint64, code []byte) Range {
	switch c.Machine {
	case safeelf.MachinePPC64:
		if len(code) >= 8 && setsTOC(c.order().Uint32(code), c.order().Uint32(code[4:])) {
			return Range{function, function + 8}
		}
	case safeelf.MachineARM:
		return Range{function &^ 1, function | 1}
	}
	return Range{function, function}
}

func (c Code) order() binary.ByteOrder {
	if c.BigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// scan is one pass over code.
type scan struct {
	Code
	code   []byte
	addr   uint64
	wanted targets
	yield  func(Ref)
}

// found reports a reference by the bytes at offset at, if it is wanted.
func (s *scan) found(kind Kind, at int, target uint64) {
	if s.wanted.has(target) {
		s.yield(Ref{At: s.addr + uint64(at), Target: target & s.wanted.mask, Kind: kind})
	}
}

// words reports the aligned pointers.
func (s *scan) words(size int) {
	order := s.order()
	for at := int(-s.addr & uint64(size-1)); at+size <= len(s.code); at += size {
		if size == 8 {
			s.found(Address, at, order.Uint64(s.code[at:]))
		} else {
			s.found(Address, at, uint64(order.Uint32(s.code[at:])))
		}
	}
}

// targets are the wanted addresses. Nearly every address that is asked for lies
// outside of what encloses them all.
type targets struct {
	low, span uint64 // the enclosing range
	mask      uint64 // of an address of this class
	ranges    []Range
}

func newTargets(ranges []Range, class64 bool) targets {
	t := targets{low: ranges[0].Start, mask: 1<<32 - 1, ranges: ranges}
	if class64 {
		t.mask = 1<<64 - 1
	}
	high := ranges[0].End
	for _, r := range ranges {
		t.low, high = min(t.low, r.Start), max(high, r.End)
	}
	t.span = high - t.low
	return t
}

func (t *targets) has(address uint64) bool {
	address &= t.mask
	if address-t.low > t.span {
		return false
	}
	for _, r := range t.ranges {
		if address-r.Start <= r.End-r.Start {
			return true
		}
	}
	return false
}

// signed extends the sign of the low bits of v.
func signed(v uint32, bits int) uint64 {
	return uint64(int64(int32(v<<(32-bits)) >> (32 - bits)))
}
