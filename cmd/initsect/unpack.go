package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/initsect/initsect/internal/filemap"
	"github.com/initsect/initsect/internal/render"
	"github.com/initsect/initsect/internal/report"
	"github.com/initsect/initsect/internal/unpack"
)

type unpackOptions struct {
	image  string
	output string
	format render.Format
}

func newUnpack(s streams) *cobra.Command {
	var opt unpackOptions
	cmd := &cobra.Command{
		Use:   "unpack IMAGE [-o FILE]",
		Short: "Write the kernel inside a boot image",
		Long: `Find the kernel in a boot image, write it to FILE, and show what led to it: the
containers, where in each the payload lies, and how it is compressed.

Containers: bzImage, arm zImage, arm64, riscv and loongarch Image, compressed
Image, EFI zboot, s390, mips and powerpc boot images, uImage, FIT, Android
boot.img, unified kernel image; one within the other, too. Compressions: gzip,
bzip2, lzma, xz, lzo, lz4, zstd.

What is written is an ELF file, or the raw bytes of the kernel's memory where
the boot image holds no more. x86 keeps relocations behind the ELF file; they
are not written. Without -o nothing is. With -o - the kernel is on standard
output, and nothing else.`,
		Example: `  initsect unpack /boot/vmlinuz -o vmlinux
  initsect unpack --format json boot.img
  initsect unpack vmlinuz -o - | readelf -lW /dev/stdin`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			opt.image = args[0]
			return runUnpack(opt, s)
		},
	}
	cmd.Flags().StringVarP(&opt.output, "output", "o", "", "write the kernel to `FILE`; - is standard output")
	registerFormat(cmd, &opt.format, render.Common)
	return cmd
}

func runUnpack(opt unpackOptions, s streams) error {
	path := opt.image
	if path == "-" {
		path = "standard input"
	}
	f, err := openFile(opt.image, s.in)
	if err != nil {
		return withHint(path, err)
	}
	defer f.Close()
	k, err := unpack.Open(f)
	if err != nil {
		return withHint(path, err)
	}
	switch opt.output {
	case "":
	case "-":
		return writeKernel(s.out, f, k)
	default:
		err = writeWhole(opt.output, opt.image, func(w io.Writer) error { return writeKernel(w, f, k) })
		if err != nil {
			return err
		}
	}
	return show(s, report.NewUnpack(opt.image, opt.output, k), opt.format, render.Unpack)
}

func openFile(path string, in io.Reader) (*filemap.File, error) {
	if path == "-" {
		return filemap.Read(in)
	}
	return filemap.Open(path)
}

// writeKernel copies the kernel from the file in which it was found.
func writeKernel(w io.Writer, f *filemap.File, k *unpack.Kernel) (err error) {
	defer filemap.Guard(&err)()
	b, err := k.File.Bytes(0, k.File.Size())
	if err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("writing the kernel: %w", err)
	}
	return f.CheckUnchanged()
}

// writeWhole writes a file in full or not at all: under another name first. A
// device or a pipe is written to as it is.
func writeWhole(path, source string, write func(io.Writer) error) error {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	if old, err := os.Stat(path); err == nil {
		if in, err := os.Stat(source); err == nil && os.SameFile(old, in) {
			return errors.New(path + ": is the image itself")
		}
		if !old.Mode().IsRegular() {
			return writeInto(path, os.O_WRONLY, write)
		}
	}
	partial := fmt.Sprintf("%s.%d.partial", path, os.Getpid())
	err := writeInto(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, write)
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		_ = os.Remove(partial) // the error that led here is the one to tell
	}
	if pathErr := (*os.PathError)(nil); errors.As(err, &pathErr) && pathErr.Path == partial {
		err = fmt.Errorf("%s: %w", path, pathErr.Err)
	}
	return err
}

func writeInto(path string, flag int, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, flag, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
