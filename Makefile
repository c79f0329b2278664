# pardigits. `make help` lists the targets.

ARCH ?= native
SANITIZER ?=
JOBS ?= $(shell nproc)
MPICC ?= mpicc
BUILD := build$(if $(SANITIZER),/$(SANITIZER))
PROGRAM := $(BUILD)/pardigits

PACKAGES := hdf5-openmpi inih lept libcjson libmd zlib
CFLAGS ?= -O3 -g
# -ffp-contract=fast: products and sums may fuse, but only in ways fixed when compiling. No -ffast-math: it would let
# the order of additions depend on alignment.
override CFLAGS += -std=gnu11 -march=$(ARCH) -fopenmp -ffp-contract=fast -fno-math-errno -fno-trapping-math \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
ifneq ($(SANITIZER),)
override CFLAGS += -fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=all
endif
CPPFLAGS = -Iinclude -MMD -MP $(shell pkg-config --cflags $(PACKAGES))
LDLIBS = $(shell pkg-config --libs $(PACKAGES)) -lm

SOURCES := $(filter-out src/cli/main.c,$(wildcard src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libpardigits.a
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
MPI_TESTS := $(patsubst tests/mpi/%.c,$(BUILD)/tests/mpi/%,$(wildcard tests/mpi/test_*.c))
REFERENCES := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/ref/*.c))

.PHONY: all
all: $(PROGRAM)

$(PROGRAM): $(BUILD)/src/cli/main.o $(LIBRARY)
	$(MPICC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIBRARY): $(OBJECTS)
	rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(MPICC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(REFERENCES) $(LIBRARY)
	$(MPICC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

.PHONY: tests
tests: $(UNIT_TESTS) $(MPI_TESTS)

.PHONY: clean
clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
.SECONDARY:
