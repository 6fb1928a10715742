# What there is to do here. `make help` lists it.

CARGO ?= cargo
# Nothing is built twice where the machine has little memory to spare.
export CARGO_INCREMENTAL ?= 0
SCALE ?= medium

.PHONY: help build demo test e2e lint bench

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build:  ## Build the binary: target/release/cairn
	$(CARGO) build --release --locked -p cairn

demo:  ## Show the main job on a real Linux disk: import, launch, create an image, launch that
	scripts/setup.sh demo
	@scripts/demo

test:  ## Set up what is needed and run everything
	scripts/setup.sh test
	@scripts/test

e2e:  ## Run the end-to-end tests only; TESTS="test_import test_guest.Guest" chooses
	@scripts/test e2e $(TESTS)

lint:  ## Check formatting, lints and generated code
	@scripts/test lint

bench:  ## Measure against the programs of others; ROWS="P9 P10" chooses, SCALE=small|medium|full
	scripts/setup.sh bench
	@bench/run --scale $(SCALE) $(ROWS)
