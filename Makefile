# What a developer types. The README tells what each is for.

GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FIXTURES = testdata/vmlinux-fixtures
SCRIPTS  = .ci/run internal/render/deps internal/kerneltest/deps internal/kerneltest/fetch internal/kerneltest/boot \
	internal/kerneltest/own/deps internal/kerneltest/own/build internal/kerneltest/own/boot \
	examples/deferred-initcalls/deps examples/deferred-initcalls/build examples/deferred-initcalls/boot

.PHONY: build test lint fixtures test-kernels test-own test-deferred test-browser bench fuzz

build: # one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o initsect ./cmd/initsect

test:
	go test ./...

lint:
	go run $(GOLANGCI) run
	go run $(GOLANGCI) run --build-tags kernels,own,deferred ./internal/kerneltest ./examples/...
	go run $(GOLANGCI) run --build-tags browser ./internal/render
	shellcheck -x -P SCRIPTDIR $(SCRIPTS)

fixtures: # rebuild the fixtures with cross compilers and compare with the committed ones
	$(MAKE) -C $(FIXTURES) verify

# Boot real kernels and compare; KERNELS is all, ci, or ids of internal/kerneltest/kernels.tsv. With ci all of them are
# booted and their boot images listed, but those of the tier ci alone have their debug packages compared.
KERNELS ?= all
test-kernels:
	internal/kerneltest/deps $(if $(filter-out all ci,$(KERNELS)),$(KERNELS))
	INITSECT_KERNELS='$(KERNELS)' go test -tags kernels -count=1 -v -timeout 80m ./internal/kerneltest

# Build, boot and compare kernels that nobody distributes; OWN is empty for all, or ids of
# internal/kerneltest/own/kernels.tsv. Up to an hour the first time.
test-own:
	internal/kerneltest/own/deps
	INITSECT_OWN='$(OWN)' go test -tags kernels,own -run '^TestOwn$$' -count=1 -v -timeout 80m ./internal/kerneltest

# Build, boot and compare the kernel with deferred initcalls, and its defects: half an hour.
test-deferred:
	examples/deferred-initcalls/deps
	go test -tags deferred -count=1 -v -timeout 80m ./examples/deferred-initcalls

# Click and type in the page of boot --format html, in headless Chromium.
test-browser:
	internal/render/deps
	go test -tags browser -count=1 -v -timeout 10m ./internal/render

bench: # ratios to nm, readelf and the decompressors, each pair in one run
	go test -tags kernels -run "^$$" -bench . -benchtime 1x -timeout 60m ./internal/kerneltest

# Fuzz every target for TIME. go test also fails if the time is up while an input is tried ("context deadline
# exceeded"); it then runs again, where what really failed fails at once: its input is in testdata by then.
TIME ?= 1m
fuzz:
	@set -e; for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			fuzz="go test -run ^$$target$$ -fuzz ^$$target$$ -fuzztime $(TIME) -fuzzminimizetime 10x $$pkg"; \
			$$fuzz || $$fuzz; \
		done; \
	done
