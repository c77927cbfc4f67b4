package kimage

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// The flattened device tree (Devicetree Specification 0.4, chapter 5).
const (
	dtbMagic      = 0xd00dfeed
	dtbTotalSize  = 4
	dtbStructs    = 8
	dtbStrings    = 12
	dtbBeginNode  = 1
	dtbEndNode    = 2
	dtbProperty   = 3
	dtbNop        = 4
	dtbEnd        = 9
	dtbMaxDepth   = 16   // an image tree is four deep
	dtbMaxEntries = 4096 // nodes and properties; an image tree has dozens
)

// treeNode is a node with what it holds.
type treeNode struct {
	name       string
	properties map[string]property
	children   []*treeNode
	blob       data
}

// property is a value's place in the blob.
type property struct{ offset, size int }

var errTree = errors.New("its tree is malformed or truncated")

// readTree reads the nodes of a blob, and returns the root.
func readTree(b data) (*treeNode, error) {
	at := int(b.be32(dtbStructs))
	stack := []*treeNode{{blob: b}}
	for range dtbMaxEntries {
		if at < 0 || at > len(b)-4 {
			return nil, errTree
		}
		token := b.be32(at)
		at += 4
		top := stack[len(stack)-1]
		switch token {
		case dtbNop:
		case dtbBeginNode:
			name, ok := b.cstring(at)
			if !ok || len(stack) > dtbMaxDepth {
				return nil, errTree
			}
			at = (at + len(name) + 1 + 3) &^ 3
			node := &treeNode{name: name, properties: map[string]property{}, blob: b}
			top.children = append(top.children, node)
			stack = append(stack, node)
		case dtbEndNode:
			if len(stack) == 1 {
				return nil, errTree
			}
			stack = stack[:len(stack)-1]
		case dtbProperty:
			size := int(b.be32(at))
			name, ok := b.cstring(int(b.be32(dtbStrings)) + int(b.be32(at+4)))
			if !ok || len(stack) == 1 || size < 0 || size > len(b)-at-8 {
				return nil, errTree
			}
			top.properties[name] = property{at + 8, size}
			at = (at + 8 + size + 3) &^ 3
		case dtbEnd:
			if len(stack) != 1 || len(top.children) != 1 {
				return nil, errTree
			}
			return top.children[0], nil
		default:
			return nil, errTree
		}
	}
	return nil, errTree
}

// maxName bounds the name of a node or a property.
const maxName = 256

func (b data) cstring(at int) (string, bool) {
	if at < 0 || at >= len(b) {
		return "", false
	}
	s, _, ok := bytes.Cut(b[at:min(len(b), at+maxName)], []byte{0})
	return string(s), ok
}

func (n *treeNode) child(name string) *treeNode {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// bytes returns a property's value, nil if there is none.
func (n *treeNode) bytes(name string) []byte {
	p, ok := n.properties[name]
	if !ok {
		return nil
	}
	return n.blob.at(p.offset, p.size)
}

// text returns a property's value as a string, "" if there is none.
func (n *treeNode) text(name string) string {
	s, _, _ := bytes.Cut(n.bytes(name), []byte{0})
	return string(s)
}

// word returns a property of one cell.
func (n *treeNode) word(name string) (int, bool) {
	v := n.bytes(name)
	if len(v) != 4 {
		return 0, false
	}
	return int(binary.BigEndian.Uint32(v)), true
}

// address returns a property of one cell or two, nil if there is none.
func (n *treeNode) address(name string) *uint64 {
	v := n.bytes(name)
	if len(v) != 4 && len(v) != 8 {
		return nil
	}
	a := binary.BigEndian.Uint64(append(make([]byte, 8-len(v)), v...))
	return &a
}
