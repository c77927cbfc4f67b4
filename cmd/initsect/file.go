package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// file is what is to be written where.
type file struct {
	path string
	data []byte
}

// notInputs refuses to write over what was read.
func notInputs(files []file, inputs ...string) error {
	for _, in := range inputs {
		read, err := os.Stat(in)
		if err != nil {
			continue // standard input, or none
		}
		for _, f := range files {
			if at, err := os.Stat(f.path); err == nil && at.Mode().IsRegular() && os.SameFile(at, read) {
				return fmt.Errorf("%s: is what is read, and would be written over", f.path)
			}
		}
	}
	return nil
}

// writeAll writes files as a whole or not at all: none is changed before the
// bytes of all of them are on the disk.
func writeAll(files []file) (err error) {
	var pending []pendingFile
	defer func() {
		for _, p := range pending {
			_ = os.Remove(p.temp) // there is none any more if all went well
		}
	}()
	for _, f := range files {
		p, err := prepare(f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.path, reason(err))
		}
		pending = append(pending, p)
	}
	for i, p := range pending {
		if err := p.finish(); err != nil {
			return fmt.Errorf("%s: %w", files[i].path, reason(err))
		}
	}
	return nil
}

// reason is an error without the name of a temporary file.
func reason(err error) error {
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		return pathErr.Err
	case errors.As(err, &linkErr):
		return linkErr.Err
	}
	return err
}

// pendingFile is a file beside the one that it will replace.
type pendingFile struct {
	temp   string // "" for what cannot be replaced: a device or a pipe
	target string
	data   []byte // of what cannot be replaced
}

// prepare writes a file beside its target, with the permissions of the target
// if there is one, and those of any new file if not.
func prepare(f file) (pendingFile, error) {
	target := f.path
	if resolved, err := filepath.EvalSymlinks(target); err == nil {
		target = resolved
	}
	old, err := os.Stat(target)
	switch {
	case err == nil && old.IsDir():
		return pendingFile{}, errors.New("is a directory")
	case err == nil && !old.Mode().IsRegular():
		return pendingFile{target: target, data: f.data}, nil
	}
	dir, base := filepath.Split(target)
	temp := filepath.Join(dir, fmt.Sprintf(".%s.%08x", base, rand.Uint32()))
	w, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return pendingFile{}, err
	}
	_, err = w.Write(f.data)
	if err == nil && old != nil {
		err = w.Chmod(old.Mode().Perm())
	}
	if err := errors.Join(err, w.Close()); err != nil {
		_ = os.Remove(temp)
		return pendingFile{}, err
	}
	return pendingFile{temp: temp, target: target}, nil
}

// finish puts the file in its place.
func (p pendingFile) finish() error {
	if p.temp == "" {
		return os.WriteFile(p.target, p.data, 0)
	}
	return os.Rename(p.temp, p.target)
}
