# pardigits. `make help` lists the targets.

ARCH ?= native
SANITIZER ?=
WERROR ?=
JOBS ?= $(shell nproc)
MPICC ?= mpicc
Q := $(if $(V),,@)
BUILD := build$(if $(SANITIZER),/$(SANITIZER))
PROGRAM := $(BUILD)/pardigits
PREFIX ?= /usr/local
DESTDIR ?=
VERSION := $(shell sed -n 's/^.define PARDIGITS_VERSION "\(.*\)"/\1/p' include/pardigits/pardigits.h)
SONAME := libpardigits.so.$(firstword $(subst ., ,$(VERSION)))

# HDF5 for MPI: a folder (HDF5_DIR, or what CMake, modules and EasyBuild call it), or what pkg-config has, or the folder above h5pcc's.
HDF5_DIR ?= $(or $(HDF5_ROOT),$(HDF5_HOME),$(EBROOTHDF5))
ifeq ($(HDF5_DIR),)
HDF5_PACKAGE := $(firstword $(foreach name,hdf5-openmpi hdf5-mpich hdf5-mpi hdf5,$(shell pkg-config --exists $(name) 2>/dev/null && echo $(name))))
ifeq ($(HDF5_PACKAGE),)
HDF5_DIR := $(patsubst %/bin/,%,$(dir $(shell command -v h5pcc 2>/dev/null)))
endif
endif
PACKAGES := $(HDF5_PACKAGE) inih lept libpng libtiff-4 libexif libcjson libcrypto zlib libzip libprotobuf-c
CFLAGS ?= $(if $(filter fuzz coverage,$(SANITIZER)),-O1,-O3) -g
# -fPIC -fvisibility=hidden: the same objects serve the program and the shared library, which shows only what its header
# declares; the kernels' code is that of a build without. -ffp-contract=fast: products and sums may fuse, but only in ways fixed when compiling. No -ffast-math: it would let
# the order of additions depend on alignment.
override CFLAGS += -std=gnu11 -march=$(ARCH) -fPIC -fvisibility=hidden -fopenmp -ffp-contract=fast -fno-math-errno -fno-trapping-math \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
ifneq ($(WERROR),)
override CFLAGS += -Werror
endif
ifeq ($(SANITIZER),fuzz)
# what `make fuzz` builds with: coverage is clang's
export OMPI_CC := clang
override CFLAGS += -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all
else ifeq ($(SANITIZER),coverage)
# what `make coverage` builds with
override CFLAGS += --coverage -fprofile-update=atomic
else ifneq ($(SANITIZER),)
override CFLAGS += -fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=all
endif
ifeq ($(SANITIZER),thread)
# gcc's OpenMP library isn't instrumented: its barriers look like races.
export OMPI_CC := clang
endif
ifeq ($(OMPI_CC),clang)
# where the sanitizers keep a loop from being vectorised
override CFLAGS += -Wno-pass-failed
endif
# On AMD's Zen gcc parts the fused multiply-adds of some loops, not of others that sum the same: then a result
# depends on which of them took it. Other compilers don't know the parameter.
ONE_FUSION := --param=avoid-fma-max-bits=0
FUSION_FLAG := $(shell $(if $(OMPI_CC),OMPI_CC='$(OMPI_CC)') $(MPICC) -Werror $(ONE_FUSION) -E -x c /dev/null \
	>/dev/null 2>&1 && echo $(ONE_FUSION))
override CFLAGS += $(FUSION_FLAG)
CPPFLAGS := -Iinclude -Isrc -I$(BUILD)/generated $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)$(if $(HDF5_DIR), -I$(HDF5_DIR)/include)
HDF5_LIB := $(firstword $(wildcard $(HDF5_DIR:%=%/lib/) $(HDF5_DIR:%=%/lib64/)))
HDF5_LIBS := -L$(HDF5_LIB) -Wl,-rpath,$(HDF5_LIB) -lhdf5
LDLIBS := $(if $(HDF5_LIB),$(HDF5_LIBS)) $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm

SOURCES := $(filter-out src/cli/main.c,$(wildcard src/*/*.c))
# What protobuf-c makes of ONNX's description of its files.
ONNX_PROTO ?= /usr/include/onnx/onnx.proto
ONNX_C := $(BUILD)/generated/onnx.pb-c.c
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(ONNX_C:.c=.o)
LIBRARY := $(BUILD)/libpardigits.a
# What is installed: without the commands.
PUBLIC_OBJECTS := $(filter-out $(BUILD)/src/cli/% $(BUILD)/src/report/%,$(OBJECTS))
PUBLIC_LIBRARIES := $(BUILD)/lib/libpardigits.a $(BUILD)/lib/$(SONAME)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
MPI_TESTS := $(patsubst tests/mpi/%.c,$(BUILD)/tests/mpi/%,$(wildcard tests/mpi/test_*.c))
FUZZ_PROGRAMS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
REFERENCES := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/ref/*.c))
IDX := $(addprefix data/mnist/,train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte \
	t10k-labels-idx1-ubyte)

C_FILES := $(wildcard src/*/*.[ch] include/*/*.h tests/*/*.[ch])
SCRIPTS := $(wildcard src/*/*.sh data/*.sh jobs/*.sbatch jobs/*.sh tests/*.sh tests/*/*.sh tests/*/*/*.sh) .ci/run

# A step of its own, so that packages installed by one are seen by the next; on all cores unless -j says otherwise.
STEP = @$(MAKE) --no-print-directory $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(JOBS))

.PHONY: all
all: $(PROGRAM) ## build build/pardigits (this is plain `make`)

.PHONY: deps
deps: ## install the missing Debian or Ubuntu packages
	@src/setup/deps.sh build $(filter thread,$(SANITIZER))

.PHONY: data
data: deps ## put MNIST into data/mnist/ and data/mnist.h5
	@data/fetch_mnist.sh
	$(STEP) data/mnist.h5

.PHONY: demo
demo: data ## train KNN, SVM and CNN on all of MNIST and show what they reach (half a minute on two fast cores)
	$(STEP) $(PROGRAM)
	@BUILD=$(BUILD) src/setup/demo.sh

.PHONY: demo-figure
demo-figure: demo ## make results/demo.svg, the figure in README.md, anew
	cp results/figures/accuracy.svg results/demo.svg

.PHONY: check check-unit check-mpi check-cli check-install check-cluster check-lint check-report cluster-deps report-deps
check: data cluster-deps ## build and run all tests (check-unit, check-mpi, check-cli, check-install, check-cluster, check-lint: one kind of them)
	$(STEP) $(PROGRAM) tests
	$(if $(SANITIZER),,@! src/setup/deps.sh fuzz || $(MAKE) --no-print-directory fuzz-build)
	@BUILD=$(BUILD) SANITIZER=$(SANITIZER) FULL=$(FULL) tests/run.sh
check-cluster: cluster-deps
check-report: report-deps ## try the page of `pardigits report` in headless Chromium (not a part of check: it installs a browser)
check-unit check-mpi check-cli check-install check-cluster check-lint check-report: check-%: data
	$(STEP) $(PROGRAM) tests
	@BUILD=$(BUILD) SANITIZER=$(SANITIZER) FULL=$(FULL) tests/run.sh $*
# Where they can't be installed the tests over hosts, or in a browser, are skipped, and say why.
cluster-deps: data
	@src/setup/deps.sh cluster $(if $(FULL),slurm) || true
report-deps: data
	@src/setup/deps.sh report || true

.PHONY: check-sanitized check-memcheck coverage
check-sanitized: data cluster-deps ## all tests under sanitizers (address with undefined, thread) and some under valgrind: hours
	@failed=; for kind in address,undefined thread; do $(MAKE) --no-print-directory check SANITIZER=$$kind || failed="$$failed $$kind"; done; \
	$(MAKE) --no-print-directory check-memcheck || failed="$$failed memcheck"; \
	[ -z "$$failed" ] || { echo "failed:$$failed"; exit 1; }
# valgrind doesn't know AVX-512.
check-memcheck: data
	@src/setup/deps.sh memcheck
	$(STEP) BUILD=build/memcheck ARCH=x86-64-v3 all tests
	@BUILD=build/memcheck SLOWER=30 tests/run.sh memcheck

COVERED := unit mpi cli cluster
coverage: data cluster-deps ## which lines of src the tests run, by file (gcovr)
	@src/setup/deps.sh coverage
	$(STEP) SANITIZER=coverage all tests
	@find build/coverage -name '*.gcda' -delete
	@BUILD=build/coverage SLOWER=4 tests/run.sh $(COVERED); failed=$$?; \
	gcovr --root . --filter src/ --object-directory build/coverage --sort-uncovered --exclude-unreachable-branches build/coverage && exit $$failed

.PHONY: check-faults
check-faults: data $(BUILD)/tests/faults/file_faults.so ## kill trainings, damage files, let writes fail: hours (COUNT=5 cases of each KINDS=, SEED=1)
	$(STEP) $(PROGRAM)
	@BUILD=$(BUILD) tests/faults/run.sh $(KINDS)

.PHONY: fuzz fuzz-build
fuzz: data ## give each reader of files what it doesn't expect, for a minute (FUZZ_SECONDS=60 FUZZERS="fuzz_idx ...")
	@$(MAKE) --no-print-directory fuzz-build
	@tests/fuzz/run.sh build/fuzz/tests/fuzz $(or $(FUZZ_SECONDS),60) $(if $(filter command line,$(origin FUZZERS)),$(FUZZERS))
# Where clang's packages can't be installed `make check` skips the fuzzers, and says why.
fuzz-build:
	@src/setup/deps.sh fuzz
	$(STEP) $(PROGRAM)
	$(STEP) SANITIZER=fuzz fuzzers
	@tests/fuzz/seeds.sh $(PROGRAM) build/fuzz/tests/fuzz/seeds

.PHONY: bench bench-peers bench-onnx bench-cluster bench-scaling bench-pictures
bench: data ## time the training and use of each model (THREADS=2 REPEATS=3)
	@BUILD=$(BUILD) tests/bench/bench.sh
bench-peers: data ## time what others offer for the same; PEERS=install first installs their packages
	@tests/bench/peers.sh $(PEERS)
bench-onnx: data ## exported ONNX models in onnxruntime-node and OpenCV, on all test images (installs both)
	$(STEP) $(PROGRAM)
	@BUILD=$(BUILD) tests/bench/onnx.sh
bench-cluster: data ## as root: hosts on this machine, beside PyTorch DDP (PAIRS=5 NETS= HOSTS= LINKS= CSV=; installs PyTorch)
	@src/setup/deps.sh cluster peers
	$(STEP) $(PROGRAM)
	@BUILD=$(BUILD) tests/cluster/bench.sh
bench-scaling: cluster-deps ## as root: scaling studies of each family over hosts on this machine (MODELS= HOSTS="1 2 4" REPEATS=3 LINK=)
	$(STEP) $(PROGRAM)
	@BUILD=$(BUILD) tests/bench/scaling.sh

.PHONY: simulate
simulate: ## foresee training on up to 1,024 nodes with SimGrid (10 minutes; PLATFORMS= RANKS= STUDIES=)
	@command -v smpicc >/dev/null || { echo "make simulate needs SimGrid, Debian's libsimgrid-dev: \`src/setup/deps.sh simulate\` installs it." >&2; exit 1; }
	$(STEP) $(SIMULATE)
	@BUILD=$(BUILD) tests/simulate/run.sh

bench-pictures: data ## draw pictures with and without digits, and count what a model reads (MODEL=RUN PART=test|valid EACH=20 SEED=1 KINDS= SHIFTS=0 WORST=1 SHEET=FILE.png)
	@src/setup/deps.sh pictures
	$(STEP) $(PROGRAM)
	@BUILD=$(BUILD) MODEL=$(MODEL) PART=$(PART) EACH=$(EACH) SEED=$(SEED) KINDS="$(KINDS)" SHIFTS=$(SHIFTS) WORST=$(WORST) SHEET=$(SHEET) tests/bench/pictures.sh

.PHONY: lint
lint: deps ## clang-tidy, cppcheck, shellcheck, layout and include directions
	$(STEP) $(ONNX_C:.c=.h)
	@src/setup/deps.sh lint
	@CPPFLAGS='$(CPPFLAGS) -Itests' tests/lint/lint.sh '$(C_FILES)' '$(SCRIPTS)'

.PHONY: format
format: ## lay out all C files as .clang-format says
	@src/setup/deps.sh lint
	clang-format -i $(C_FILES)

.PHONY: install uninstall
INSTALL = @PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' BUILD='$(BUILD)' VERSION='$(VERSION)' LIBS='-fopenmp $(LDLIBS)' src/setup/install.sh
install: $(PROGRAM) $(PUBLIC_LIBRARIES) ## program, libraries, header, pkg-config file, configurations, job scripts (PREFIX=/usr/local DESTDIR=)
	$(INSTALL) install
	@echo "  installed pardigits $(VERSION) below $(DESTDIR)$(PREFIX)"
uninstall: ## remove what `make install` put there, with the same PREFIX and DESTDIR
	$(INSTALL) uninstall

.PHONY: clean distclean
clean: ## remove what was built
	rm -rf build $(BUILD)
distclean: clean ## also the datasets that were fetched or prepared, and ALL RUNS in results/, trained models included
	rm -rf data/mnist data/*.h5
	find results -mindepth 1 -maxdepth 1 ! -name '*.md' ! -name demo.svg -exec rm -rf {} +

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z -]*:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo "Variables: ARCH=native (x86-64-v3 for mixed clusters)  SANITIZER=address|undefined|thread  WERROR=1  V=1 (show commands)"
	@echo "           FULL=1 (check-cluster: with a Slurm of its own, and NFS where it is installed; minutes)"
	@echo "           MNIST_DIR=FOLDER (that holds the IDX files)  BUILD=build  JOBS=$(JOBS)"

$(PROGRAM): $(BUILD)/src/cli/main.o $(LIBRARY)
	@echo "  LD $@"
	$(Q)$(MPICC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# The same with faults: the functions that tests/faults wraps.
FAULTS := progress_enter train_step_run checkpoint_init
tests: $(BUILD)/tests/faults/pardigits
$(BUILD)/tests/faults/pardigits: $(BUILD)/tests/faults/rank_faults.o $(BUILD)/src/cli/main.o $(LIBRARY)
	@echo "  LD $@"
	$(Q)$(MPICC) $(CFLAGS) $(LDFLAGS) $(FAULTS:%=-Wl,--wrap=%) -o $@ $^ $(LDLIBS)

$(LIBRARY): $(OBJECTS) $(BUILD)/objects
	@echo "  AR $@"
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(OBJECTS)

# One object in which only the public names are global: the rest can't collide with a program's own.
$(BUILD)/lib/libpardigits.a: $(PUBLIC_OBJECTS) $(BUILD)/objects
	@echo "  AR $@"
	@mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(LD) -r -o $(@D)/pardigits.o $(PUBLIC_OBJECTS)
	$(Q)objcopy --wildcard --keep-global-symbol='pardigits_*' $(@D)/pardigits.o
	$(Q)ar rcs $@ $(@D)/pardigits.o

$(BUILD)/lib/$(SONAME): $(PUBLIC_OBJECTS) $(BUILD)/objects
	@echo "  LD $@"
	@mkdir -p $(@D)
	$(Q)$(MPICC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) $(if $(SANITIZER),,-Wl,-z,defs) -o $@ $(PUBLIC_OBJECTS) $(LDLIBS)

$(ONNX_C) $(ONNX_C:.c=.h) &: $(BUILD)/flags
	@echo "  PROTOC-C $(ONNX_PROTO)"
	@mkdir -p $(@D)
	$(Q)protoc-c --proto_path=$(dir $(ONNX_PROTO)) --c_out=$(BUILD)/generated $(notdir $(ONNX_PROTO))

$(ONNX_C:.c=.o): $(ONNX_C) $(BUILD)/flags
	@echo "  CC $<"
	$(Q)$(MPICC) $(CPPFLAGS) $(CFLAGS) -w -c -o $@ $<

$(BUILD)/src/model/onnx.o: $(ONNX_C:.c=.h)
$(BUILD)/src/api/build_info.o: CPPFLAGS += -DBUILD_ARCH='"$(ARCH)"' -DBUILD_FLAGS='"$(CFLAGS)"'
$(BUILD)/src/report/page_files.o: $(addprefix src/report/page.,html css js)
$(BUILD)/tests/%.o: private CPPFLAGS += -Itests
ifeq ($(SANITIZER),fuzz)
# Kernels read nothing, and take clang's sanitizers many minutes: those of the plain build serve.
$(BUILD)/src/conv/%.o: build/src/conv/%.o
	@mkdir -p $(@D) && cp $< $@
$(BUILD)/src/kernels/%.o: build/src/kernels/%.o
	@mkdir -p $(@D) && cp $< $@
endif
$(BUILD)/%.o: %.c $(BUILD)/flags
	@echo "  CC $<"
	@mkdir -p $(@D)
	$(Q)$(MPICC) $(CPPFLAGS) -MMD -MP $(CFLAGS) -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(REFERENCES) $(LIBRARY)
	@echo "  LD $@"
	$(Q)$(MPICC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

tests: $(BUILD)/tests/faults/file_faults.so
$(BUILD)/tests/faults/file_faults.so: tests/faults/file_faults.c
	@echo "  LD $@"
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -Wall -Wextra $(if $(WERROR),-Werror) -shared -fPIC -std=gnu11 -o $@ $< -ldl

# The real step loop and messages for SimGrid's MPI: what calls MPI, OpenMP or a clock is compiled anew, the rest is the
# library's, and tests/simulate stands in for the computing.
SIMULATE := $(BUILD)/simulate/simulate
SIMULATE_SOURCES := src/core/timer.c $(addprefix src/parallel/,allreduce.c allreduce_bench.c comm.c node_memory.c stop.c) \
	$(addprefix src/cnn/,train_step.c train_step_plan.c train_update.c) $(wildcard tests/simulate/*.c)
$(BUILD)/simulate/%.o: %.c $(BUILD)/flags
	@echo "  SMPICC $<"
	@mkdir -p $(@D)
	$(Q)smpicc -Iinclude -Isrc -Itests -DMPI_Init_thread=simulate_init_thread -MMD -MP \
		$(filter-out -fopenmp -fvisibility=hidden,$(CFLAGS)) -Wno-unknown-pragmas -c -o $@ $<
$(SIMULATE): $(SIMULATE_SOURCES:%.c=$(BUILD)/simulate/%.o) $(LIBRARY)
	@echo "  LD $@"
	$(Q)smpicc -Wl,--as-needed -o $@ $^ $(shell pkg-config --libs $(filter-out hdf5%,$(PACKAGES))) -lm -lgomp

# A fuzzer, and what it shares with the others.
$(BUILD)/tests/fuzz/fuzz_h5_%: $(BUILD)/tests/fuzz/fuzz_h5_%.o $(BUILD)/tests/fuzz/fuzz.o $(BUILD)/tests/fuzz/h5_mutator.o $(LIBRARY)
	@echo "  LD $@"
	$(Q)$(MPICC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/fuzz.o $(LIBRARY)
	@echo "  LD $@"
	$(Q)$(MPICC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(LDLIBS)

.PHONY: tests fuzzers
fuzzers: $(FUZZ_PROGRAMS)
tests: $(UNIT_TESTS) $(MPI_TESTS) $(PUBLIC_LIBRARIES) $(if $(SANITIZER),,$(if $(shell command -v smpicc),$(SIMULATE)))

$(IDX) &:
	@data/fetch_mnist.sh

data/mnist.h5: $(IDX) | $(PROGRAM)
	$(PROGRAM) prepare --idx data/mnist --out $@

BUILT_BY = $(MPICC) $(OMPI_CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS)
MISSING = pardigits needs $(MPICC) and the packages of HDF5 (for Open MPI), inih, leptonica, libpng, libtiff, libexif, cJSON, OpenSSL, zlib, libzip, \
	protobuf-c, ONNX (ONNX_PROTO=$(ONNX_PROTO)) and Random123: run \`make deps\`.
# Files that change only when the flags, or the set of objects, do: what depends on them is then made again.
.PHONY: FORCE
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@if ! echo '$(BUILT_BY)' | cmp -s - $@; then \
		pkg-config --exists $(PACKAGES) 2>/dev/null && \
		command -v protoc-c >/dev/null && [ -r '$(ONNX_PROTO)' ] && \
		printf '#include <Random123/philox.h>\n#include <hdf5.h>\n#ifndef H5_HAVE_PARALLEL\n#error\n#endif\n' | \
			$(MPICC) $(CPPFLAGS) -E -o /dev/null - 2>/dev/null || \
			{ echo "$(MISSING)" >&2; exit 1; }; \
		echo '$(BUILT_BY)' >$@; \
	fi
$(BUILD)/objects: FORCE
	@mkdir -p $(@D)
	@echo '$(OBJECTS)' | cmp -s - $@ || echo '$(OBJECTS)' >$@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY:
