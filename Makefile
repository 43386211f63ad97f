# Every target does its own set-up in .venv/ and in the cache folder (${XDG_CACHE_HOME:-~/.cache}/spacetime-py).
# PYTHON=python3.12 picks the interpreter; otherwise the newest of 3.10 to 3.13 that is found.

VENV ?= .venv
PYTHON ?=
BIN = $(VENV)/bin
STAMP = $(VENV)/.built
CORE_SOURCES = $(shell find crates -name '*.rs' -not -path '*/tests/*') Cargo.toml Cargo.lock $(wildcard crates/*/Cargo.toml) pyproject.toml

.PHONY: help demo test test-fast test-soak test-rust lint types bench bench-sim bench-compare format build clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build  ## two Python clients and a real SpacetimeDB server, live
	@$(BIN)/python tools/demo.py

test: build test-rust lint types  ## everything, with the real server
	$(BIN)/python -m pytest

# CPython's own allocators hide what others would fall over; those for debugging look at every piece that comes back.
test-fast: build  ## the Python tests that need no server
	PYTHONMALLOC=debug $(BIN)/python -m pytest -m "not real_server and not runtime and not slow"

test-soak: build  ## long runs: connections cut at random bytes, 100,000 calls of a Python module, its runtime built again
	SPACETIME_TEST_SOAK=1 $(BIN)/python -m pytest tests/adversity tests/cancellation tests/endurance tests/build/test_runtime.py

test-rust:
	cargo test --locked --workspace

# The core has to compile for a Python without a GIL too, of which none needs to be there.
lint: build  ## formatting and lints of Rust and Python
	cargo fmt --check
	PYO3_PYTHON=$(abspath $(BIN)/python) cargo clippy --locked --workspace --all-targets --features spacetime_py_core/python -- -D warnings
	PYO3_CONFIG_FILE=$(CURDIR)/tools/free-threaded.cfg cargo check --locked --package spacetime_py_core --features python --target-dir target/free-threaded
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: build  ## mypy and pyright, both strict, and the stub against the binary
	$(BIN)/mypy
	cd examples/chat && MYPYPATH=../../python $(abspath $(BIN))/mypy --strict main.py
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python -m mypy.stubtest spacetime_py._core --allowlist tests/typing/stubtest-allowlist.txt

bench: build  ## the benchmarks by wall clock: Python and Rust
	COLUMNS=120 $(BIN)/python -m pytest benches/python --codspeed
	cargo bench --locked --package spacetime_py_benches

bench-sim: build  ## the same by counted instructions, as CodSpeed does; two runs that have to agree
	$(BIN)/python -m benches.simulation

# On the system's Python where it is new enough: distributions build theirs with profile-guided optimization, as Node is
# built, and pyenv does not.
BENCH_VENV = .venv-bench
BENCH_PYTHON = $(or $(PYTHON),$(shell PATH=/usr/bin:/usr/local/bin python3 -c \
	'import sys; sys.version_info >= (3, 10) and print(sys.executable)' 2>/dev/null))

bench-compare:  ## beside the official TypeScript SDK (OPTIONS="--only decode --rounds 3")
	@$(MAKE) --no-print-directory $(BENCH_VENV)/.compared VENV=$(BENCH_VENV) PYTHON=$(BENCH_PYTHON)
	$(BENCH_VENV)/bin/python -m benches.compare run $(OPTIONS)

# What is compared is built as the wheels are, and installed as one.
$(BENCH_VENV)/.compared: $(VENV)/.made $(CORE_SOURCES) $(shell find python -name '*.py') benches/training.py tools/build_profiled.sh
	@tools/build_profiled.sh $(BENCH_VENV)
	@touch $@

format: build  ## format everything
	cargo fmt
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

build: $(STAMP)  ## the package, compiled into .venv

$(VENV)/.made: pyproject.toml tools/make_venv.sh
	@tools/make_venv.sh $(VENV) $(PYTHON)
	@touch $@

$(STAMP): $(VENV)/.made $(CORE_SOURCES)
	@echo "compiling the core (about a minute when nothing is there yet)"
	@VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin develop --release --locked > $(VENV)/build.log 2>&1 \
		|| { cat $(VENV)/build.log; exit 1; }
	@touch $@

clean:  ## remove what was built here (the cache stays)
	rm -rf $(VENV) target
