# SPDX-License-Identifier: MIT
MAKEFLAGS += --no-print-directory
BUILD := $(CURDIR)/build
KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
PREFIX ?= /usr/local

PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)

.PHONY: all help lib cmd kmod install uninstall install-ascend demo test test-kernels test-debug test-arm64 test-matrix test-models test-mutants test-soak test-soak-lib test-inject test-coverage-lib test-coverage table-kernel bench-kernel bench lint api-table check-reports python python-wheel clean

all: lib cmd
	@if [ -e "$(KDIR)/Makefile" ]; then $(MAKE) kmod; else \
	  echo "no headers of kernel $(KVER) here: the module was not built" \
	       "(give KDIR=..., or see make demo)"; fi

help:
	@echo "make            library, and the module if the running kernel's headers are there"
	@echo "make lib        library only"
	@echo "make cmd        the command aclkm"
	@echo "make kmod       module for the running kernel, or KVER=..., or KDIR=..."
	@echo "make install    library, headers, command, pages, module, boot unit (PREFIX=$(PREFIX), DESTDIR=, KMOD=no)"
	@echo "make install-ascend  a folder that programs take for a toolkit of AscendCL: PREFIX=dir,"
	@echo "                SYSTEM=1 for /usr/local/Ascend as well"
	@echo "make uninstall  remove what install put there"
	@echo "make python     the module acl in build/python/lib (PYTHON=$(PYTHON))"
	@echo "make python-wheel  a wheel of it in build/python"
	@echo "make deb        Debian packages in build/deb, checked by lintian"
	@echo "make release    the tarball of this commit in build/release"
	@echo "make demo       build everything, show it in a VM and on this machine"
	@echo "make test       all tests (V=1 shows their output)"
	@echo "make test-kernels  the module's tests on stock 6.1 and 6.12"
	@echo "make test-debug    the module on a kernel that checks itself: tests, faults, fuzzer"
	@echo "make test-matrix   the module on every kernel that Debian has headers of (CELLS='6.12.*' JOBS=, PAGE=1)"
	@echo "make test-models   the library's memory order, by herd7's models of C and of arm64"
	@echo "make test-arm64    the module and the library on stock arm64 kernels"
	@echo "make test-mutants  breaks one promise at a time, wants a test to fail (DRIVER=1, LIBRARY=1, ONLY=regex)"
	@echo "make test-soak     the fuzzer and its racers on stock 6.1 (SECONDS=600)"
	@echo "make test-coverage  which places of the module all suites together never reach"
	@echo "make test-soak-lib  the library for MINUTES=30 without checks, and as long with all"
	@echo "make test-coverage-lib  which branches of the library the unit programs run"
	@echo "make test-inject   each call of the library to the system made to fail, all of them"
	@echo "make table-kernel  what mapping 1 GiB costs in each mode, on both"
	@echo "make bench-kernel  instructions for device memory, beside heaps, udmabuf and hugetlbfs"
	@echo "make bench      comparisons with other allocators and copies (RUNS=5, JSON=file)"
	@echo "make lint       style and static checks"
	@echo "make api-table  Documentation/ascendcl-table.md anew"
	@echo "make check-reports  the reports in Documentation/ascendcl-checks.md anew"
	@echo "make clean      remove build/"

lib:
	@$(MAKE) -C lib B=$(BUILD)/lib

cmd: lib
	@if pkg-config --exists libcjson; then $(MAKE) -C cmd B=$(BUILD)/cmd LIB_B=$(BUILD)/lib; else \
	  echo "libcjson-dev is not installed: the command aclkm was not built (tools/install-deps.sh build)"; fi

kmod:
	@$(MAKE) -C kmod KDIR=$(KDIR) B=$(BUILD)/kmod

install uninstall install-ascend:
	@$(MAKE) -C lib $@ B=$(BUILD)/lib DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) SYSTEM=$(SYSTEM)
ifeq ($(filter install-ascend,$(MAKECMDGOALS)),)
	@if pkg-config --exists libcjson; then \
	  $(MAKE) -C cmd $@ B=$(BUILD)/cmd LIB_B=$(BUILD)/lib DESTDIR=$(DESTDIR) PREFIX=$(PREFIX); fi
	@$(MAKE) -C packaging $@ KDIR=$(KDIR) KVER=$(KVER) KMOD_B=$(BUILD)/kmod DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
endif

.PHONY: deb release
# Against the interpreter's limited interface: one build serves 3.9 and later.
python: lib
	@ACLKM_BUILD=$(BUILD)/lib $(PYTHON) python/build_backend.py $(BUILD)/python/lib

python-wheel: lib
	@ACLKM_BUILD=$(BUILD)/lib $(PYTHON) -m pip -q wheel --no-deps --no-index \
		-w $(BUILD)/python ./python
	@ls $(BUILD)/python/*.whl

deb:
	@tools/make-deb.sh

release:
	@tools/release.sh

demo:
	@tools/demo.sh

test:
	@selftests/run-tests.sh

test-kernels:
	@selftests/run-tests.sh 6.1 6.12

test-debug:
	@selftests/run-tests.sh debug

test-models:
	@selftests/models/run.sh

test-matrix:
	@selftests/matrix/run.py $(if $(JOBS),--jobs $(JOBS)) $(if $(PAGE),--page) $(CELLS)

test-arm64:
	@selftests/run-tests.sh arm64

test-mutants:
	@selftests/mutants/run.py $(if $(DRIVER),driver) $(if $(LIBRARY),library) $(if $(ONLY),--only '$(ONLY)') \
		$(if $(JOBS),--jobs $(JOBS)) $(if $(RESUME),--resume) $(if $(AGAIN),--again)

test-soak:
	@ACLKM_SOAK_SECONDS=$(or $(SECONDS),600) selftests/run-tests.sh soak

test-coverage:
	@selftests/coverage/run.sh

MINUTES ?= 30

test-soak-lib:
	@selftests/soak/run.sh $(MINUTES)

test-coverage-lib:
	@selftests/coverage/library.sh

test-inject:
	@$(MAKE) -s -C selftests/unit B=$(BUILD)/unit-none SAN=none $(BUILD)/unit-none/test_inject
	@INJECT_EVERY=1 INJECT_TIME=100000 $(BUILD)/unit-none/test_inject

table-kernel:
	@selftests/kmod/table.sh

bench-kernel:
	@bench/kernel/run.sh

RUNS ?= 5

bench:
	@tools/install-deps.sh bench
	@$(MAKE) -s -C bench B=$(BUILD)/bench
	@bench/run.py --build $(BUILD)/bench --runs $(RUNS) $(if $(JSON),--json $(JSON))

api-table:
	@tools/api-table.sh

check-reports:
	@tools/check-reports.sh

lint:
	@tools/lint.sh

clean:
	rm -rf $(BUILD)
