# `make help` lists the targets. CC, CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS belong to the user: what the sources need is
# added beside them. WERROR=1 turns warnings into errors.

VERSION = 0.1.0
BUILD = build
PREFIX ?= /usr/local
RUNS = 10000
SEED = 1
CFLAGS ?= -O2 -g

MAKEFLAGS += -r --no-print-directory

# Behind the user's flags, because the result is not the same to the bit with any other value of -ffp-contract.
# Nor is it with fast math, which worker/kernels_lanes.h refuses.
LANGUAGE = -std=c11 -D_POSIX_C_SOURCE=200809L -I. -ffp-contract=off
WARNINGS = -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wvla -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef \
	$(if $(WERROR),-Werror)
# Criterion's assertion macros narrow to a bit-field and keep text in char *, in the file that uses them.
TEST_WARNINGS = $(WARNINGS) -Wno-conversion -Wno-sign-conversion -Wno-write-strings
COMPILE = $(CC) $(1) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) $(LANGUAGE) -MMD -MP -c
LINK = $(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS)

PROGRAM_SOURCES = $(sort $(wildcard common/*.c worker/*.c coordinator/*.c))
UNIT_SOURCES = $(sort $(wildcard tests/unit/*.c))
# Not linked into the tests, but loaded into the program that they run, or started in its place.
SHIM_SOURCES = $(sort $(wildcard tests/end_to_end/*_shim.c))
CALL_DRIVER_SOURCE = tests/end_to_end/call_driver_linux.c
END_TO_END_SOURCES = $(filter-out $(SHIM_SOURCES) $(CALL_DRIVER_SOURCE),$(sort $(wildcard tests/end_to_end/*.c)))
BENCH_SOURCES = $(sort $(wildcard tests/bench/*.c))
SOURCES = $(PROGRAM_SOURCES) $(UNIT_SOURCES) $(END_TO_END_SOURCES) $(BENCH_SOURCES)
FORMATTED = $(SOURCES) $(SHIM_SOURCES) $(CALL_DRIVER_SOURCE) $(sort $(wildcard common/*.h worker/*.h coordinator/*.h tests/*/*.h))
# Without memleak, which loses sight of a pointer that memcpy stores (`make sanitize` finds leaks), and without
# ctuuninitvar, which takes a pointer that is stored for a value that is read.
CPPCHECK = cppcheck --quiet --std=c11 --platform=unix64 --error-exitcode=1 --enable=warning,performance \
	--suppress=memleak --suppress=ctuuninitvar
# What the AVX-512 clones are compiled for; without it an analyser sees nothing of them.
AVX512 = -mavx512f -mavx512vl -mavx512dq -mfma
ANALYSED_AS = -D_POSIX_C_SOURCE=200809L -I. -DFORKFIT_VERSION='""'
SCRIPTS = .ci/require .ci/run $(wildcard tests/*.sh)

# Where manuals and completions go, below $(PREFIX).
MANUAL_PLACES = share/man/man1/coordinator.1 share/man/man5/run.json.5 share/bash-completion/completions/coordinator \
	share/zsh/site-functions/_coordinator share/fish/vendor_completions.d/coordinator.fish

# libseccomp only names the system call that a worker was refused (coordinator/system_call_linux.c): the filter is
# written by hand. A table of names of our own would be longer, and out of date with the next kernel.
LIBRARIES = -ljansson -lseccomp -lm

objects = $(patsubst %.c,$(BUILD)/objects/%.o,$(1))
TEST_PROGRAMS = $(BUILD)/tests/unit $(BUILD)/tests/end_to_end
SHIMS = $(patsubst tests/end_to_end/%.c,$(BUILD)/tests/%.so,$(SHIM_SOURCES))
CALL_DRIVER = $(BUILD)/tests/call_driver
PROBE = $(BUILD)/tests/probe

# Commands or Debian packages, as .ci/require takes them.
BUILD_NEEDS = $(firstword $(CC)) libc6-dev libjansson-dev libseccomp-dev
TEST_NEEDS = $(BUILD_NEEDS) libcriterion-dev patch procps strace tmux python3 python3-jsonschema
BENCH_NEEDS = $(BUILD_NEEDS) python3
PEER_NEEDS = python3-numpy python3-sklearn libopenblas0-pthread r-base-core nodejs npm
REPORT_NEEDS = $(BUILD_NEEDS) chromium python3
LINT_NEEDS = $(TEST_NEEDS) gcc clang clang-format clang-tidy cppcheck shellcheck

.PHONY: all run test test-programs test-report mutations soak fuzz campaign sanitize bench bench-peers lint format install uninstall clean help FORCE
.DELETE_ON_ERROR:

all: $(BUILD)/coordinator ## build the program (the default)

run: ## install what the build needs where it is missing, build, and train the example
	@.ci/require $(BUILD_NEEDS)
	@$(MAKE) all
	$(BUILD)/coordinator --config configs/quickstart.json

test: ## install what the tests need where it is missing, build, and run all tests (FILTER='suite/test' for some)
	@.ci/require $(TEST_NEEDS)
	@$(MAKE) test-programs
	@FORKFIT_COORDINATOR='$(BUILD)/coordinator' SANITIZER_REPORTS='$(if $(SANITIZE),$(BUILD)/reports)' \
		FILTER='$(FILTER)' PER_PROGRAM='$(PER_PROGRAM)' tests/run_tests.sh $(TEST_PROGRAMS)

test-programs: $(BUILD)/coordinator $(TEST_PROGRAMS) $(SHIMS) $(CALL_DRIVER)

test-report: ## open reports of runs in a headless Chromium, which is installed where it is missing
	@.ci/require $(REPORT_NEEDS)
	@$(MAKE) all
	python3 -B tests/report/report_test.py $(BUILD)/coordinator

mutations: ## put classic mistakes into copies of the tree, and see that the tests catch each
	@.ci/require $(TEST_NEEDS)
	@$(MAKE) test-programs
	@BUILD='$(BUILD)' tests/mutations.sh

soak: ## run the mutations, the tests that take very long, a fuzz, and a campaign of 10,000 schedules of faults
	@$(MAKE) mutations
	@$(MAKE) test FILTER='soak_*/*' PER_PROGRAM=14400
	@$(MAKE) fuzz
	@$(MAKE) campaign

fuzz: all ## have RUNS=10000 odd CSV files read (SEED=1) and compare with a slow reader
	@.ci/require $(BUILD_NEEDS) python3
	python3 tests/fuzz/csv_fuzz.py --runs $(RUNS) --seed $(SEED) $(BUILD)/coordinator

campaign: all ## run RUNS=10000 schedules of faults (SEED=1) and show how each ended
	$(BUILD)/coordinator campaign --config configs/campaign.json --runs $(RUNS) --seed $(SEED)

sanitize: ## run all tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) test BUILD='$(BUILD)/sanitize' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'

bench: ## measure against what the machine can do and against other programs (ROWS='f8-* csv-2' for some, ROWS=list)
	@.ci/require $(BENCH_NEEDS)
	@$(MAKE) all $(PROBE)
	@set -f; python3 -B tests/bench/bench.py '$(BUILD)' $(ROWS)

bench-peers: ## install the programs that bench compares with
	@.ci/require $(PEER_NEEDS)
	install -d $(BUILD)/bench/peers
	cp tests/bench/package.json $(BUILD)/bench/peers
	npm install --prefix $(BUILD)/bench/peers --no-package-lock --no-audit --no-fund

lint: ## check layout, the walls between the rooms, and the warnings of compilers and analysers
	@.ci/require $(LINT_NEEDS)
	clang-format --dry-run -Werror $(FORMATTED)
	python3 .ci/walls
	python3 -B tests/bench/bench.py '$(BUILD)' list >/dev/null
	tests/lint_selftest.sh
	@$(MAKE) test-programs $(BUILD)/lint-gcc/tests/probe BUILD='$(BUILD)/lint-gcc' CC=gcc WERROR=1
	@$(MAKE) test-programs $(BUILD)/lint-clang/tests/probe BUILD='$(BUILD)/lint-clang' CC=clang WERROR=1
	$(CPPCHECK) $(ANALYSED_AS) $(PROGRAM_SOURCES)
	@echo 'clang-tidy, with the checks in .clang-tidy'
	@printf '%s\n' $(PROGRAM_SOURCES) | \
		xargs -P "$$(nproc)" -I '{}' clang-tidy --quiet '{}' -- -std=c11 $(ANALYSED_AS) $(AVX512)
	shellcheck $(SCRIPTS)

format: ## lay out the sources with clang-format
	clang-format -i $(FORMATTED)

install: all ## copy the program and the examples below $(DESTDIR)$(PREFIX)
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/forkfit/data'
	install '$(BUILD)/coordinator' '$(DESTDIR)$(PREFIX)/bin/coordinator'
	install -m 644 $(wildcard configs/*.json) '$(DESTDIR)$(PREFIX)/share/forkfit'
	install -m 644 $(wildcard configs/data/*) '$(DESTDIR)$(PREFIX)/share/forkfit/data'
	install -d '$(DESTDIR)$(PREFIX)/share/forkfit/lessons'
	install -m 644 $(wildcard configs/lessons/*.md configs/lessons/*-*.json) '$(DESTDIR)$(PREFIX)/share/forkfit/lessons'
	install configs/lessons/check '$(DESTDIR)$(PREFIX)/share/forkfit/lessons'
	install -d $(foreach place,$(MANUAL_PLACES),'$(DESTDIR)$(PREFIX)/$(dir $(place))')
	install -m 644 share/man/coordinator.1 '$(DESTDIR)$(PREFIX)/share/man/man1/coordinator.1'
	install -m 644 share/man/run.json.5 '$(DESTDIR)$(PREFIX)/share/man/man5/run.json.5'
	install -m 644 share/completions/coordinator.bash '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/coordinator'
	install -m 644 share/completions/_coordinator '$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_coordinator'
	install -m 644 share/completions/coordinator.fish \
		'$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/coordinator.fish'

uninstall: ## remove what install copied
	rm -f '$(DESTDIR)$(PREFIX)/bin/coordinator'
	rm -f $(foreach place,$(MANUAL_PLACES),'$(DESTDIR)$(PREFIX)/$(place)')
	rm -rf '$(DESTDIR)$(PREFIX)/share/forkfit'

clean: ## remove everything that was built
	rm -rf '$(BUILD)'

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 14

$(BUILD)/coordinator: $(call objects,$(PROGRAM_SOURCES)) $(BUILD)/sources
	$(LINK) -o $@ $(filter %.o,$^) $(LDLIBS) $(LIBRARIES)

$(BUILD)/tests/unit: $(call objects,$(UNIT_SOURCES) $(filter-out coordinator/main.c,$(PROGRAM_SOURCES)))
$(BUILD)/tests/end_to_end: $(call objects,$(END_TO_END_SOURCES))
$(TEST_PROGRAMS): $(BUILD)/sources
	@mkdir -p $(@D)
	$(LINK) -o $@ $(filter %.o,$^) $(LDLIBS) -lcriterion $(LIBRARIES)

$(PROBE): $(call objects,$(BENCH_SOURCES)) $(BUILD)/sources
	@mkdir -p $(@D)
	$(LINK) -o $@ $(filter %.o,$^) $(LDLIBS)

# Without the sanitizers, which want to be loaded before anything else, and which keep processes from being traced.
$(SHIMS): $(BUILD)/tests/%.so: tests/end_to_end/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(LANGUAGE) -shared -fPIC $(LDFLAGS) -o $@ $<

$(CALL_DRIVER): $(CALL_DRIVER_SOURCE) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(LANGUAGE) $(LDFLAGS) -o $@ $<

$(BUILD)/objects/tests/%.o: tests/%.c $(BUILD)/prerequisites
	@mkdir -p $(@D)
	$(call COMPILE,$(TEST_WARNINGS)) $(DEFINE) -o $@ $<

$(BUILD)/objects/%.o: %.c $(BUILD)/prerequisites
	@mkdir -p $(@D)
	$(call COMPILE,$(WARNINGS)) $(DEFINE) -o $@ $<

# The files that only run where it was asked whether the processor has these.
$(call objects,common/csv_records_avx2.c tests/unit/decimal_plain_avx2.c): DEFINE = -mavx2 -mbmi
$(call objects,worker/kernels_avx2.c): DEFINE = -mavx2 -mfma
$(call objects,$(wildcard worker/*_avx512.c)): DEFINE = $(AVX512)

# The one file that carries others.
$(call objects,coordinator/report_page.c): $(wildcard coordinator/report/* third_party/uplot/*)

# The one file that tells the version.
$(call objects,coordinator/version.c): DEFINE = -DFORKFIT_VERSION='"$(VERSION)"'
$(call objects,coordinator/version.c): $(BUILD)/version

# Three texts on which files depend. Each is rewritten only when it differs, so that a change of compiler, flags,
# version or list of sources rebuilds what it concerns, and nothing else.
TEXTS = $(BUILD)/flags $(BUILD)/sources $(BUILD)/version
$(BUILD)/flags: text = $(call COMPILE,$(WARNINGS)) | $(LINK) $(LDLIBS)
$(BUILD)/sources: text = $(SOURCES)
$(BUILD)/version: text = $(VERSION)
$(TEXTS): quoted = '$(subst ','\'',$(text))'
$(TEXTS): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(quoted) | cmp -s - $@ || printf '%s\n' $(quoted) >$@

# One line that says what to do, instead of a page of errors, where the compiler or a library is not there.
$(BUILD)/prerequisites: $(BUILD)/flags
	@command -v $(firstword $(CC)) >/dev/null || \
		{ echo 'forkfit: no compiler $(firstword $(CC)): install it, or let `make run` do so' >&2; exit 1; }
	@for library in jansson seccomp; do \
		echo "#include <$$library.h>" | $(CC) $(CPPFLAGS) $(CFLAGS) -x c -E - >/dev/null 2>&1 || \
		{ echo "forkfit: no $$library.h: install lib$$library-dev, or let \`make run\` do so" >&2; exit 1; }; \
	done
	@touch $@

-include $(patsubst %.o,%.d,$(call objects,$(SOURCES)))
