#!/usr/bin/env bash
# Trains one configuration with several seeds and evaluates each model once on the test images: accuracy and seconds of
# the whole process, start to written model, with mean and standard deviation. Runs that are finished in FOLDER aren't
# trained again, runs that were stopped go on (their seconds are then of the last part only).
# Usage: cnn_seeds.sh NAME [SEEDS] [FOLDER]    (configs/NAME.ini; 5 seeds; results/seeds; THREADS=2 in the environment)
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1 seeds=${2:-5} folder=${3:-results/seeds}
program=${BUILD:-build}/pardigits
export OMP_NUM_THREADS=${THREADS:-2}
mkdir -p "$folder"
for ((seed = 1; seed <= seeds; seed++)); do
    run=$folder/$name-$seed
    if [[ ! -f $run.seconds ]]; then
        started=$(date +%s.%N)
        "$program" train "configs/$name.ini" --run "$run" --resume --set run.seed="$seed" 2>"$run.log" >&2 ||
            { cat "$run.log" >&2; exit 1; }
        awk -v a="$started" -v b="$(date +%s.%N)" 'BEGIN { printf "%.2f\n", b - a }' >"$run.seconds"
    fi
    correct=$("$program" evaluate "$run/model.h5" --json | sed -E 's/.*"correct":([^,}]*).*/\1/')
    echo "seed $seed: $correct of 10000 correct, $(<"$run.seconds") s"
done | tee "$folder/$name.txt"
awk '{ n++; a = $3 / 100; s += a; q += a * a; t += $(NF - 1); if ($(NF - 1) > most) most = $(NF - 1) }
    END { printf "mean %.3f %%, standard deviation %.3f, seconds: mean %.1f, most %.1f\n", s / n,
        (n > 1 ? sqrt((q - s * s / n) / (n - 1)) : 0), t / n, most }' "$folder/$name.txt"
