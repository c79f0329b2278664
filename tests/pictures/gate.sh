#!/usr/bin/env bash
# Trains the small network that tells digits from other shapes, and writes src/data/gate_weights.h; prints what the limit in
# src/cli/readings.c is chosen by. Usage: gate.sh (half an hour)
set -euo pipefail
program=${BUILD:-build}/pardigits
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
src/setup/deps.sh gate
/usr/bin/python3 tests/pictures/draw_gate.py data/mnist "$folder/idx"
"$program" prepare --idx "$folder/idx" --out "$folder/gate.h5"
"$program" train tests/pictures/gate.ini --data "$folder/gate.h5" --run "$folder/run"
"$program" evaluate "$folder/run" --data "$folder/gate.h5" --predictions "$folder/predictions.csv"
/usr/bin/python3 tests/pictures/gate_limit.py "$folder/predictions.csv"
/usr/bin/python3 tests/pictures/export_gate.py "$folder/run/model.h5" >src/data/gate_weights.h
