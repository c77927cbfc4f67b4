package kimage

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// fitCodecs are the values of the property compression (U-Boot's
// doc/usage/fit/source_file_format.rst).
var fitCodecs = map[string]string{
	"": None, "none": None, "gzip": "gzip", "bzip2": "bzip2", "lzma": "lzma", "lzo": "lzo", "lz4": "lz4", "zstd": "zstd",
}

// fitMachines are values of the property arch, as in [uMachines].
var fitMachines = map[string]string{
	"arm": "arm", "arm64": "aarch64", "x86": "i386", "x86_64": "x86_64", "m68k": "m68k",
}

// fit finds the kernel of the default configuration in a flattened image tree,
// which is a device tree blob with the node /images.
func fit(b data) (Image, error) {
	if b.be32(0) != dtbMagic {
		return Image{}, ErrUnknown
	}
	root, err := readTree(b)
	if err != nil {
		return Image{}, err
	}
	images := root.child("images")
	if images == nil {
		return Image{}, ErrUnknown // a device tree
	}
	node, err := fitKernel(root, images)
	if err != nil {
		return Image{}, err
	}
	codec, ok := fitCodecs[node.text("compression")]
	if !ok {
		return Image{}, fmt.Errorf("image %s: unknown compression %q", node.name, node.text("compression"))
	}
	im := Image{Machine: fitMachines[node.text("arch")], Load: node.address("load")}
	im.Payload, err = fitData(b, node)
	if err != nil {
		return Image{}, fmt.Errorf("image %s: %w", node.name, err)
	}
	im.Payload.Compression = codec
	return im, nil
}

// fitKernel returns the node of the kernel: the one that the default
// configuration names, or the only one.
func fitKernel(root, images *treeNode) (*treeNode, error) {
	if configurations := root.child("configurations"); configurations != nil && configurations.text("default") != "" {
		name := configurations.text("default")
		configuration := configurations.child(name)
		if configuration == nil {
			return nil, fmt.Errorf("there is no configuration %q, which is the default", name)
		}
		node := images.child(configuration.text("kernel"))
		if node == nil {
			return nil, fmt.Errorf("configuration %s names the kernel %q, which is not there", name, configuration.text("kernel"))
		}
		return node, nil
	}
	var kernels []*treeNode
	for _, node := range images.children {
		if t := node.text("type"); t == "kernel" || t == "kernel_noload" {
			kernels = append(kernels, node)
		}
	}
	switch len(kernels) {
	case 0:
		return nil, errors.New("it holds no kernel")
	case 1:
		return kernels[0], nil
	}
	return nil, errors.New("it holds several kernels, and no default configuration")
}

// fitData returns where an image's data lies: in the tree, or behind it, and
// compares it with its hashes.
func fitData(b data, node *treeNode) (Payload, error) {
	var p Payload
	if inTree, ok := node.properties["data"]; ok {
		p = Payload{Offset: inTree.offset, Size: inTree.size}
	} else {
		at, outside := node.word("data-position")
		if !outside {
			if at, outside = node.word("data-offset"); !outside {
				return p, errors.New("it has no data")
			}
			at += (int(b.be32(dtbTotalSize)) + 3) &^ 3
		}
		size, _ := node.word("data-size")
		p = Payload{Offset: at, Size: size}
	}
	if err := b.check(p); err != nil {
		return p, err
	}
	return p, checkHashes(node, b[p.Offset:p.Offset+p.Size])
}

// checkHashes compares the data with those of its hashes that are known here.
func checkHashes(node *treeNode, content []byte) error {
	for _, h := range node.children {
		if !strings.HasPrefix(h.name, "hash") {
			continue
		}
		var sum []byte
		switch h.text("algo") {
		case "crc32":
			c := crc32.ChecksumIEEE(content)
			sum = []byte{byte(c >> 24), byte(c >> 16), byte(c >> 8), byte(c)}
		case "sha1":
			s := sha1.Sum(content)
			sum = s[:]
		case "sha256":
			s := sha256.Sum256(content)
			sum = s[:]
		default:
			continue
		}
		if !bytes.Equal(sum, h.bytes("value")) {
			return fmt.Errorf("%s: %w", h.text("algo"), errCRC)
		}
	}
	return nil
}
