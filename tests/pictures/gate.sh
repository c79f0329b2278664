#!/usr/bin/env bash
# Trains the small network that tells digits from other shapes, and writes src/data/gate_weights.h. Usage: gate.sh (minutes)
set -euo pipefail
program=${BUILD:-build}/pardigits
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
/usr/bin/python3 tests/pictures/draw_gate.py data/mnist "$folder/idx"
"$program" prepare --idx "$folder/idx" --out "$folder/gate.h5"
"$program" train tests/pictures/gate.ini --data "$folder/gate.h5" --run "$folder/run"
"$program" evaluate "$folder/run" --data "$folder/gate.h5"
/usr/bin/python3 tests/pictures/export_gate.py "$folder/run/model.h5" >src/data/gate_weights.h
