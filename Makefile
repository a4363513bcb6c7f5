# What a newcomer needs: `make demo` and `make check`. What a packager needs: build, install, uninstall.

CARGO      ?= cargo
PREFIX     ?= /usr/local
DESTDIR    ?=
INSTALL    ?= install
# Line tables make the module eight times as large; `make install STRIP=` keeps them.
STRIP      ?= -s

LIBDIR     ?= $(PREFIX)/lib
BINDIR     ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
# p11-kit reads its own share directory, and /etc for what an administrator added.
ifeq ($(PREFIX),/usr/local)
P11KITDIR  ?= /etc/pkcs11/modules
else
P11KITDIR  ?= $(PREFIX)/share/p11-kit/modules
endif

target     := $(or $(CARGO_TARGET_DIR),target)
module     := $(LIBDIR)/pkcs11/libclaviger.so
modulefile := $(P11KITDIR)/claviger.module

# rustup puts cargo here, and a fresh shell may not know it yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help build demo check format lint test interop conformance stress tamper bench install uninstall clean

help:
	@echo 'make demo       build, then show tokens at work with stock tools, on one screen'
	@echo 'make check      everything that must hold: format, lints, tests, neighbours, demo'
	@echo 'make build      target/release/libclaviger.so and target/release/claviger'
	@echo 'make install    DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)   (and: make uninstall)'
	@echo 'make conformance   what pkcs11-check says, which needs Python 3.12 or later; long'
	@echo 'make stress     the tests that take long      make bench   how fast it is'
	@echo 'make tamper     change every byte of a token, one after the other (root; long)'

build:
	$(CARGO) build --release --locked

demo:
	@interop/demo.sh

# One after the other also under `make -j`: they share two cores and the build directory.
check:
	@interop/install.sh check
	$(MAKE) format
	$(MAKE) lint
	$(MAKE) test
	$(MAKE) interop
	$(MAKE) demo
	@echo 'make check: all passed'

format:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --all-targets --locked -- -D warnings
	$(CARGO) clippy --locked --no-default-features --features witness,failpoints -- -D warnings

# The library first: tests load the built .so. Failpoints are never in what is shipped, so that the
# tests of the store that end the process at one run in a build of their own.
test:
	$(CARGO) build --locked
	$(CARGO) test --locked
	$(CARGO) test --locked --features failpoints --lib store
	$(CARGO) test --locked --features failpoints --test cryptoki failpoints::

interop: build
	interop/run

# Other people's suites against a fresh token: docs/conformance.md. One that cannot be run here is
# said so, and is no failure.
conformance: build
	@status=0; interop/pkcs11-check/check.sh || status=$$?; [ $$status = 0 ] || [ $$status = 77 ]

# Tests that are marked as slow, and more processes on one token than a check has time for.
stress: build
	$(CARGO) test --locked --release -- --include-ignored --skip every_changed_byte \
	    --skip on_another_machine
	PROCESSES=32 EACH=50 interop/run concurrency

# Attacks on a token's files, with those that take long or need root.
tamper: build
	$(CARGO) test --locked --release --test tamper -- --include-ignored

SOFTHSM ?= $(firstword $(wildcard /usr/lib/softhsm/libsofthsm2.so /usr/lib*/softhsm/libsofthsm2.so \
             /usr/lib/*/softhsm/libsofthsm2.so))
bench: build
	$(CARGO) bench --locked --bench recording
	$(CARGO) bench --locked --bench many_keys
	$(CARGO) bench --locked --bench audit_log
	$(CARGO) bench --locked --bench primitives
	$(CARGO) bench --locked --bench modules -- --module claviger=$(target)/release/libclaviger.so \
	    $(if $(SOFTHSM),--module softhsm2=$(SOFTHSM))

# Builds nothing, so that `sudo make install` needs no toolchain for root.
install:
	@test -e $(target)/release/libclaviger.so || { echo 'run `make build` first' >&2; exit 1; }
	$(INSTALL) -d $(DESTDIR)$(LIBDIR)/pkcs11 $(DESTDIR)$(BINDIR) $(DESTDIR)$(INCLUDEDIR) \
	    $(DESTDIR)$(P11KITDIR)
	$(INSTALL) $(STRIP) -m 755 $(target)/release/libclaviger.so $(DESTDIR)$(module)
	$(INSTALL) $(STRIP) -m 755 $(target)/release/claviger $(DESTDIR)$(BINDIR)/claviger
	$(INSTALL) -m 644 include/claviger.h $(DESTDIR)$(INCLUDEDIR)/claviger.h
	printf '# Claviger for everything that finds its PKCS#11 modules through p11-kit.\nmodule: %s\n' \
	    $(module) >$(DESTDIR)$(modulefile)
	chmod 644 $(DESTDIR)$(modulefile)

# Tokens are never touched: they belong to their users.
uninstall:
	rm -f $(DESTDIR)$(module) $(DESTDIR)$(BINDIR)/claviger $(DESTDIR)$(INCLUDEDIR)/claviger.h \
	    $(DESTDIR)$(modulefile)

clean:
	$(CARGO) clean
