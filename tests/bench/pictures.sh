#!/usr/bin/env bash
# Draws pictures with known digits and prints how many a model reads: `make bench-pictures` (MODEL=, PART=test|valid, EACH=20, SEED=1, KINDS="thin_pen ruled" for some kinds alone, hand for digits of other hands,
# SHIFTS=0 for another cnn.test_shifts than the model's, WORST=1 lists what was read wrongly, SHEET=FILE.png draws twenty of it).
# Without MODEL it trains configs/cnn-best.ini first.
set -euo pipefail
program=${BUILD:-build}/pardigits
model=${MODEL:-results/bench-pictures}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
[[ -n ${MODEL:-} ]] || "$program" train configs/cnn-best.ini --run "$model" --resume
/usr/bin/python3 tests/pictures/draw.py "$folder" --part "${PART:-test}" --each "${EACH:-20}" --seed "${SEED:-1}" ${KINDS:+--kinds $KINDS}
"$program" predict "$model" "$folder" --json ${SHIFTS:+--set "cnn.test_shifts=$SHIFTS"} >"$folder/predictions"
/usr/bin/python3 tests/pictures/score.py "$folder" "$folder/predictions" ${WORST:+--worst} ${SHEET:+--sheet "$SHEET"}
