package insn

// maxReach is how far a forward branch may go, in bytes, for the registers to be
// followed along it. Few functions are longer.
const maxReach = 1 << 14

// never is the time of death of a value that is in its register.
const never = int(^uint(0) >> 1)

// registers are the addresses that are known to be in registers, at one place of
// the code. The code is passed over once, so what a branch skips is seen before
// the place it leads to. A value that was overwritten in between is therefore
// kept with the offset where that happened: it is back at a place to which a branch
// leads from before the overwriting.
type registers struct {
	value [32]uint64
	born  [32]int // offset of the instruction that wrote it
	dead  [32]int // offset of the one that overwrote it

	// sources holds, for a place ahead, the last branch that leads there.
	sources [maxReach / 2]source
}

type source struct{ from, to int }

// newRegisters returns registers of which none is known.
func newRegisters() *registers {
	r := new(registers)
	for i := range r.born {
		r.born[i], r.dead[i] = 0, -1
	}
	return r
}

// arrive tells that the instruction at an offset is next.
func (r *registers) arrive(at int) {
	s := &r.sources[at/2%len(r.sources)]
	if s.to != at { // of no branch, or of one far behind
		return
	}
	for i := range r.value {
		if r.born[i] <= s.from && s.from < r.dead[i] {
			r.dead[i] = never
		}
	}
}

// branch notes a branch from an offset to another, which may lie outside.
func (r *registers) branch(from, to int) {
	if near(from, to) {
		r.sources[to/2%len(r.sources)] = source{from, to}
	}
}

// near reports whether a branch leads forward within a function, as far as one
// can tell.
func near(from, to int) bool { return to > from && to-from < maxReach }

// jump notes an unconditional branch. Behind one to a loop's condition lies the
// loop's body; behind all others, nothing is known but what branches bring.
func (r *registers) jump(from, to int) {
	r.branch(from, to)
	if !near(from, to) {
		r.leave(from)
	}
}

// leave tells that the code behind an offset is not reached from it.
func (r *registers) leave(at int) {
	for i := range r.dead {
		r.kill(uint32(i), at)
	}
}

func (r *registers) set(register uint32, value uint64, at int) {
	r.value[register], r.born[register], r.dead[register] = value, at, never
}

// kill tells that a register was overwritten with something unknown.
func (r *registers) kill(register uint32, at int) {
	if r.dead[register] == never {
		r.dead[register] = at
	}
}

// known returns the address in a register.
func (r *registers) known(register uint32) (uint64, bool) {
	return r.value[register], r.dead[register] == never
}
