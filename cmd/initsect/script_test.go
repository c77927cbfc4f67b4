package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/initsect/initsect/internal/fixture"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"initsect": main})
}

// TestScripts runs what users type. $FIXTURES is the folder of fixtures, $IMAGES
// that of boot images; sound and lost are kernels without and with a defect.
func TestScripts(t *testing.T) {
	dir, err := filepath.Abs(fixtureDir)
	if err != nil {
		t.Fatal(err)
	}
	images, err := filepath.Abs("../../internal/unpack/testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("FIXTURES", dir)
			env.Setenv("IMAGES", images)
			env.Setenv("NO_COLOR", os.Getenv("NO_COLOR"))
			for name, im := range map[string]*fixture.Image{"sound": fixture.Sound(), "lost": fixture.Lost()} {
				if err := os.WriteFile(env.Getenv("WORK")+"/"+name, im.Bytes(), 0o600); err != nil {
					return err
				}
			}
			return nil
		},
	})
}
