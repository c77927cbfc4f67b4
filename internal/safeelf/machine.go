package safeelf

import (
	"debug/elf"
	"strings"
)

// machineNames are the names that uname -m and the kernel's arch folders use,
// where the ELF constant's own would not be recognised.
var machineNames = map[elf.Machine]string{
	elf.EM_386:       "i386",
	elf.EM_68K:       "m68k",
	elf.EM_AARCH64:   "aarch64",
	elf.EM_ARM:       "arm",
	elf.EM_IA_64:     "ia64",
	elf.EM_LOONGARCH: "loongarch",
	elf.EM_PARISC:    "parisc",
	elf.EM_PPC:       "ppc",
	elf.EM_PPC64:     "ppc64",
	elf.EM_S390:      "s390",
	elf.EM_SPARCV9:   "sparc64",
	elf.EM_X86_64:    "x86_64",
}

// MachineName names the machine for people, with its usual suffix for the
// class and byte order.
func (f *File) MachineName() string {
	name, ok := machineNames[f.Machine]
	if !ok {
		name = strings.ToLower(strings.TrimPrefix(f.Machine.String(), "EM_"))
	}
	switch f.Machine {
	case elf.EM_MIPS, elf.EM_RISCV, elf.EM_LOONGARCH, elf.EM_PARISC:
		if f.Class64 {
			name += "64"
		}
	case elf.EM_S390:
		if f.Class64 {
			name += "x"
		}
	}
	switch f.Machine {
	case elf.EM_MIPS:
		if !f.BigEndian {
			name += "el"
		}
	case elf.EM_PPC64:
		if !f.BigEndian {
			name += "le"
		}
	case elf.EM_ARM, elf.EM_AARCH64:
		if f.BigEndian {
			name += "eb"
		}
	}
	return name
}

// namedMachines are those whose kernels are booted as raw images, with the class
// and byte order that their names imply.
var namedMachines = []File{
	{Machine: elf.EM_AARCH64, Class64: true},
	{Machine: elf.EM_AARCH64, Class64: true, BigEndian: true},
	{Machine: elf.EM_ARM},
	{Machine: elf.EM_ARM, BigEndian: true},
	{Machine: elf.EM_LOONGARCH, Class64: true},
	{Machine: elf.EM_MIPS},
	{Machine: elf.EM_MIPS, BigEndian: true},
	{Machine: elf.EM_MIPS, Class64: true},
	{Machine: elf.EM_MIPS, Class64: true, BigEndian: true},
	{Machine: elf.EM_PPC, BigEndian: true},
	{Machine: elf.EM_PPC64, Class64: true},
	{Machine: elf.EM_PPC64, Class64: true, BigEndian: true},
	{Machine: elf.EM_RISCV},
	{Machine: elf.EM_RISCV, Class64: true},
	{Machine: elf.EM_S390, Class64: true, BigEndian: true},
	{Machine: elf.EM_386},
	{Machine: elf.EM_X86_64, Class64: true},
}
