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
# What the interoperation tests need: a real bootstrap node, and libtoxcore with a compiler for our C peer;
DEBIAN_PACKAGES := toxcore-utils libtoxcore-dev gcc libc6-dev pkg-config
# and what the network lab does (test/lab): namespaces, NATs, captures, probes, and a gateway that opens ports.
DEBIAN_PACKAGES += iproute2 nftables procps python3 iputils-ping tcpdump miniupnpd-nftables
# In these shells, the completions of tuntoxctl are tested.
DEBIAN_PACKAGES += zsh fish
# A guard against hanging, in seconds for each test file; the slowest take a fraction of it.
TEST_TIMEOUT := 300
# make test FILES=dist/test/tox/savedata.test.js runs some tests only.
FILES :=

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

build: dist/.built ## compile, so that every command runs in place (dist/src/bin)

dist/.built: node_modules/.package-lock.json package.json tsconfig.json $(SOURCES)
	@$(BIN)/tsc
	@# What was compiled from a file that is gone must not be run by the tests.
	@cd dist && find . -name '*.js' | while read -r file; do \
	  [ -e "../$${file%.js}.ts" ] || rm -f "$$file" "$$file.map"; done
	@node -p 'Object.values(require("./package.json").bin).join("\n")' | xargs -r chmod +x
	@touch $@

# npm writes this file last, so it is older than package-lock.json when the dependencies are out of date.
node_modules/.package-lock.json: package-lock.json
	@echo 'Installing the dependencies (npm ci)'
	@npm ci --loglevel=error --update-notifier=false
	@touch $@

# tap is compiled for the plugins that package.json names; without this its runner and its tests disagree about them.
.tap/.built: node_modules/.package-lock.json package.json
	@$(BIN)/tap build
	@mkdir -p .tap && touch $@

test: build packages .tap/.built ## run all tests, and say what had to be left out
	@$(BIN)/tap run --reporter=tap --jobs=2 --timeout=$(TEST_TIMEOUT) $(FILES) | node dist/test/support/report.js

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

# Each file of bench/ is a benchmark that runs by itself; what they share is in its subfolders.
BENCHMARKS := $(filter-out bench/demo.ts bench/soak.ts,$(wildcard bench/*.ts))

bench: build ## measure: time to connect, round trip, throughput, memory
	@for file in $(BENCHMARKS); do echo "== $$file"; node "dist/$${file%.ts}.js" || exit; done

soak: build ## let it run for long, with churn, and watch memory and descriptors
	@node dist/bench/soak.js

lint: node_modules/.package-lock.json ## check the style, without changing anything
	@$(BIN)/biome check --error-on-warnings

format: node_modules/.package-lock.json ## format all files and sort their imports
	@$(BIN)/biome check --write --linter-enabled=false

types: node_modules/.package-lock.json ## check the types, without compiling
	@$(BIN)/tsc --noEmit --incremental false

schemas: build ## write docs/schema anew from the map of methods
	@node dist/test/support/write-schemas.js

clean: ## remove all that was made here, but the dependencies
	@rm -rf dist .tap coverage

.PHONY: help build test packages demo bench soak lint format types schemas clean
