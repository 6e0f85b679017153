# Everything that one does with this source tree. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Recipes run one after the other: two compilations at once would write the same files.
.NOTPARALLEL:

BIN := node_modules/.bin
# Directories too: they change when a file is taken away.
SOURCES := $(shell find src test bench -mindepth 1 -type d -o -name '*.ts' 2>/dev/null)
BUNDLER := packaging/bundle.js packaging/notice.js packaging/libsodium-licence
# What the interoperation tests need: a real bootstrap node, and libtoxcore with a compiler for our C peer;
DEBIAN_PACKAGES := toxcore-utils libtoxcore-dev gcc libc6-dev pkg-config
# and what the network lab does (test/lab): namespaces, NATs, captures, probes, and a gateway that opens ports.
DEBIAN_PACKAGES += iproute2 nftables procps python3 iputils-ping tcpdump miniupnpd-nftables
# In these shells, the completions of tuntoxctl are tested.
DEBIAN_PACKAGES += zsh fish
# ssh runs through our ProxyCommand, against an sshd of the test's own.
DEBIAN_PACKAGES += openssh-client openssh-server
# Both of the first show man pages, and find mistakes in them; readelf says what the native parts of our packages are made for.
DEBIAN_PACKAGES += mandoc groff-base binutils
# It reads QR codes back.
DEBIAN_PACKAGES += zbar-tools
# Real programs that use -D, and forwards of UDP and to sshd.
DEBIAN_PACKAGES += curl python3-socks bind9-dnsutils rsync git
# Servers that people reach by forwards, sockets that systemd opens, and the devices of a VPN.
DEBIAN_PACKAGES += nginx postgresql postgresql-client postgresql-contrib systemd socat
# A guard against hanging, in seconds for each test file; the slowest take a fraction of it.
TEST_TIMEOUT := 300
# Test files at a time.
TEST_JOBS := 2
# make test FILES=dist/test/tox/savedata.test.js runs some tests only.
FILES :=

# Where `make install` puts it. DESTDIR goes before all of it, for those who make packages.
PREFIX := /usr/local
DESTDIR :=
VERSION := $(shell sed -n 's/^ *"version": "\(.*\)",/\1/p' package.json)
# make deb DEB_VERSION=0.2.0-2; DEBFULLNAME and DEBEMAIL in the environment say who answers for it
DEB_VERSION := $(VERSION)
# What is made for others goes there; the same sources make the same bytes.
RELEASE := release
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || date +%s)

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

build: dist/.built native ## compile, and bundle the commands, so that they run in place (dist/bin)

dist/.built: node_modules/.package-lock.json package.json tsconfig.json $(BUNDLER) $(SOURCES)
	@$(BIN)/tsc
	@# What was compiled from a file that is gone must not be run by the tests.
	@cd dist && find src test bench -name '*.js' | while read -r file; do \
	  [ -e "../$${file%.js}.ts" ] || rm -f "$$file" "$$file.map"; done
	@# dist/src is what tests import, dist/bin what they run, as users do.
	@node packaging/bundle.js
	@touch $@

# Batches of datagrams (native/udp.c) and boxes of a session (native/box.c): left out, with a word, where there is no compiler, no C
# library to build with, or no Linux, since everything works without it. It is moved to its place when it is whole: a program may start
# meanwhile.
# Node loads it by the name of its own architecture. `make deb` makes both, where Debian's compiler for arm64 is there.
NATIVE_FLAGS := -std=c11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -fstack-protector-strong -fno-ident -Wl,-z,now -Wl,-z,relro -Wl,--build-id=none -s
NATIVE_FLAGS += -Inode_modules/node-api-headers/include
NATIVE_HERE := $(if $(shell cc -include linux/if.h -include stdio.h -E -x c - </dev/null >/dev/null 2>&1 && echo yes),dist/native/linux-$(patsubst x86_64,x64,$(patsubst aarch64,arm64,$(shell uname -m))).node)
NATIVE_BOTH := $(if $(shell command -v x86_64-linux-gnu-gcc),dist/native/linux-x64.node)
NATIVE_BOTH += $(if $(shell command -v aarch64-linux-gnu-gcc),dist/native/linux-arm64.node)

native: $(NATIVE_HERE)
	@[ -n '$(NATIVE_HERE)' ] || echo 'There is no C compiler for Linux (cc, with the headers of its C library): UDP goes by Node alone, which is slower.'

native-both: $(NATIVE_BOTH)
	@for architecture in x64 arm64; do [ -e dist/native/linux-$$architecture.node ] || \
	  echo "There is no compiler for $$architecture: its package goes without the native UDP part."; done

dist/native/linux-%.node: native/udp.c native/box.c node_modules/.package-lock.json
	@mkdir -p dist/native
	@compiler=$$(command -v $(patsubst x64,x86_64,$(patsubst arm64,aarch64,$*))-linux-gnu-gcc || echo cc); \
	  $$compiler $(NATIVE_FLAGS) $(filter %.c,$^) -o $@.new && mv $@.new $@

# Its arguments are fuzzed with it, by native/fuzz.js, while native/faults.c has the kernel fail.
NATIVE_CHECKED := -std=c11 -g -O1 -Wall -Wextra -Werror -fPIC -shared
dist/native-checked/udp.node: native/udp.c native/box.c node_modules/.package-lock.json
	@mkdir -p dist/native-checked
	@cc $(NATIVE_CHECKED) -fsanitize=address,undefined -fno-sanitize-recover=undefined -Inode_modules/node-api-headers/include $(filter %.c,$^) -o $@

dist/native-checked/faults.so: native/faults.c
	@mkdir -p dist/native-checked
	@cc $(NATIVE_CHECKED) $< -o $@

fuzz-native: dist/native-checked/udp.node dist/native-checked/faults.so ## give the native part nonsense, under ASan and UBSan
	@LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libubsan.so) $(abspath dist/native-checked/faults.so)" \
	  ASAN_OPTIONS=detect_leaks=0 FAULT_SEED=1 node --expose-gc native/fuzz.js $(abspath $<) $(FUZZ_ROUNDS)

# npm writes this file last, so it is older than package-lock.json when the dependencies are out of date.
node_modules/.package-lock.json: package-lock.json
	@echo 'Installing the dependencies (npm ci)'
	@npm ci --loglevel=error --update-notifier=false
	@touch $@

# tap is compiled for the plugins that package.json names, a few of many: each test file loads them.
.tap/.built: node_modules/.package-lock.json package.json
	@$(BIN)/tap build
	@mkdir -p .tap && touch $@

test: packages build .tap/.built ## run all tests, and say what had to be left out
	@node dist/test/support/run.js $(TEST_JOBS) $(TEST_TIMEOUT) $(FILES) | node dist/test/support/report.js

# Only root can install packages; without them the tests that need them name what is missing.
packages:
	@missing=$$(for name in $(DEBIAN_PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$name 2>/dev/null | grep -q '^install ok' || echo $$name; done); \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing for the tests:" $$missing; \
	  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing; } \
	    >/dev/null || echo "That failed; the tests that need them will say so." >&2; \
	fi

demo: build ## show it: a service carried through a private Tox network on this machine
	@node dist/bench/demo.js

recording: build ## record the quick start of README.md in a private network, as root, and draw docs/recording
	@node dist/bench/recording.js docs/recording

screens: build ## write what the commands show at 80 columns into docs/screens, from real runs in a private network
	@node dist/bench/screens.js docs/screens

# Each file of bench/ is a benchmark that runs by itself; what they share is in its subfolders.
BENCHMARKS := $(filter-out demo soak page recording screens,$(basename $(notdir $(wildcard bench/*.ts))))
# make bench BENCH='links connect' runs some only; LINKS='40 ms' those of bench/links alone that begin so. Then the page is not that of
# docs/, unless PERFORMANCE says so: there the results of all others stay as they are.
LINKS :=
BENCH := $(if $(LINKS),links,$(BENCHMARKS))
PERFORMANCE := $(if $(filter-out $(BENCH),$(BENCHMARKS))$(LINKS),dist/performance,docs/performance)

bench: DEBIAN_PACKAGES += wireguard-go wireguard-tools iperf3 socat
bench: packages build ## measure, beside what others reach, and write docs/performance
	@mkdir -p $(PERFORMANCE)/results
	@failed=; trap 'exit 130' INT; for name in $(BENCH); do \
	  echo "== bench/$$name"; rm -f $(PERFORMANCE)/results/$$name.json; options=(); \
	  [ $$name != links ] || [ -z '$(LINKS)' ] || options=('$(LINKS)'); \
	  node dist/bench/$$name.js "$${options[@]}" --json $(PERFORMANCE)/results/$$name.json || failed+=" $$name"; done; \
	node dist/bench/page.js $(PERFORMANCE) && { [ -z "$$failed" ] || { echo "Failed:$$failed" >&2; exit 1; }; }

soak: build ## let it run for long, with churn, and watch memory and descriptors
	@node dist/bench/soak.js
	@# A daemon at rest, when all is compiled that will be; and one that gets many orders beside its tunnels.
	@node dist/bench/idle.js 60 4 300
	@node dist/bench/control.js 10 50 1000
	@$(MAKE) --no-print-directory boot
	@$(MAKE) --no-print-directory emulate

manual: build ## write the manual pages and completions that are made from the tables of options
	@node dist/test/support/write-manual.js

boot: build ## the Debian package on a booted Debian 13, as root: systemd, watchdog, upgrade, supervisord, daemons of users
	@test/boot/boot.sh
	@test/boot/user-daemon.sh

first-minutes: build ## write docs/first-minutes.md: a new user's commands on two new Debian 13 machines, as root
	@test/boot/first-minutes.sh

emulate: build ## the package for arm64 in a Debian 13 that qemu runs, as root: tunnels and files beside those of amd64
	@test/boot/emulate.sh

lint: node_modules/.package-lock.json ## check the style and the words, without changing anything
	@$(BIN)/biome check --error-on-warnings
	@node packaging/check-words.js

format: node_modules/.package-lock.json ## format all files and sort their imports
	@$(BIN)/biome check --write --linter-enabled=false

types: node_modules/.package-lock.json ## check the types, without compiling
	@$(BIN)/tsc --noEmit --incremental false

install: build ## install it below PREFIX (/usr/local) for all users, as root; settings stay
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/install.sh

uninstall: ## take away what make install has put there; /etc/tuntox, with the identity, stays
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/uninstall.sh

deb: build native-both ## build the Debian packages, for amd64 and arm64, into release/
	@mkdir -p $(RELEASE)
	@for architecture in amd64 arm64; do \
	  packaging/deb.sh $$architecture $(DEB_VERSION) $(RELEASE)/tuntox_$(DEB_VERSION)_$$architecture.deb || exit; \
	  echo $(RELEASE)/tuntox_$(DEB_VERSION)_$$architecture.deb; done

dist: deb ## the sources and the packages in release/, with SHA256SUMS, signed where SIGN_KEY names a key of GPG
	@git diff --quiet HEAD || { echo 'Commit your changes first: the tarball has what is committed.' >&2; exit 1; }
	@git archive --format=tar --prefix=tuntox-$(VERSION)/ HEAD | gzip -9n >$(RELEASE)/tuntox-$(VERSION).tar.gz
	@cd $(RELEASE) && sha256sum tuntox-$(VERSION).tar.gz tuntox_$(DEB_VERSION)_*.deb >SHA256SUMS && rm -f SHA256SUMS.asc
	@if [ -n "$(SIGN_KEY)" ]; then gpg --batch --yes --local-user "$(SIGN_KEY)" --armor --detach-sign $(RELEASE)/SHA256SUMS; fi
	@cd $(RELEASE) && ls SHA256SUMS* && cat SHA256SUMS

schemas: build ## write docs/schema anew from the map of methods
	@node dist/test/support/write-schemas.js

clean: ## remove all that was made here, but the dependencies
	@rm -rf dist .tap coverage $(RELEASE)

FUZZ_ROUNDS := 20000

.PHONY: help build native native-both fuzz-native test packages demo recording screens bench soak lint format types install uninstall deb dist schemas manual boot first-minutes emulate clean
