// Command initsect tells, from a built Linux kernel, which functions the
// kernel will call at boot, in which order, from which linker-built table.
//
//	initsect list     [--map FILE] [IMAGE]       every initcall, in run order
//	initsect sections [--map FILE] [IMAGE]       the tables
//	initsect show     [--map FILE] IMAGE NAME    everything about one initcall
//	initsect check    [--map FILE] [IMAGE]       what is wrong with the tables
//	initsect diff     OLD NEW                    what changed between two kernels
//	initsect unpack   IMAGE [-o FILE]            the kernel inside a boot image
//	initsect symbols  [--map FILE] [IMAGE]       the symbol table, as a System.map
//	initsect boot     LOG [IMAGE]                what each initcall cost in a boot
//
// IMAGE is a kernel (vmlinux), a boot image (bzImage, zImage, Image and others,
// compressed or not), an object file, a loadable module or an archive of objects;
// "-" is standard input. Without IMAGE the running kernel is looked for where
// distributions put it.
//
// The exit status is 0 if the question was answered, 1 if the answer is that
// there are findings or differences, and 2 if it could not be answered: then
// standard output is empty and standard error says why, in one line.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Exit statuses.
const (
	exitOK      = 0
	exitFound   = 1
	exitTrouble = 2
)

// errFound is what a command returns that has printed its answer, and whose
// answer is that there are findings or differences.
var errFound = errors.New("findings or differences")

// streams are the standard streams of one run.
type streams struct {
	in       io.Reader
	out, err io.Writer
	color    bool // out is a terminal that wants colour
}

func main() {
	os.Exit(run(os.Args[1:], streams{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, color: wantsColor(os.Stdout),
	}))
}

func run(args []string, s streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	switch err := root.Execute(); {
	case errors.Is(err, errFound):
		return exitFound
	case err != nil:
		fmt.Fprintf(s.err, "initsect: %s\n", oneLine(err))
		return exitTrouble
	}
	return exitOK
}
