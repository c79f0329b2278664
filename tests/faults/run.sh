#!/usr/bin/env bash
# What `make check-faults` runs, on one machine: faults.py with the environment of the other tests. BUILD names the build's folder.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build} MNIST_DIR=${MNIST_DIR:-data/mnist} PYTHONDONTWRITEBYTECODE=1 LC_ALL=C
export PARDIGITS=$BUILD/pardigits
# shellcheck source=src/setup/mpi_env.sh
. src/setup/mpi_env.sh
exec python3 tests/faults/faults.py "$@"
