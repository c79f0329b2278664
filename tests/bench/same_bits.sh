#!/usr/bin/env bash
# Whether another build of the program makes the same models: weights, support vectors, neighbours and predictions on MNIST, bit
# for bit. Usage: same_bits.sh record FOLDER   with the old build, then   same_bits.sh compare FOLDER   with the new one.
# PROGRAM is the program (build/pardigits); CASES may name some of the cases. Needs python3-h5py and data/mnist.h5.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
mode=$1 folder=$2
program=${PROGRAM:-build/pardigits}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}
# how builds before --single read a picture
single=$("$program" predict --help | grep -o -m 1 -- --single | head -n 1)
mkdir -p "$folder"

settings() {
    case $1 in
    knn-idm) echo --set run.train=2000 ;;
    svm-virtual) echo --set run.train=10000 ;;
    lenet | deotte | cnn-large-batch) echo --set cnn.epochs=1 ;;
    esac
}

# Evaluating by idm takes minutes on all test images: its neighbours are compared on pictures instead.
use() {
    local run=$1 case=$2
    if [[ $case == knn* ]]; then
        "$program" predict "$run/model.h5" "$folder"/pictures/*.ppm ${single:+"$single"} --json --neighbours "$run/neighbours.png" >"$run/predict.json" || return 1
    fi
    if [[ $case != knn-idm ]]; then
        "$program" evaluate "$run/model.h5" --data data/mnist.h5 --json |
            sed -nE 's/.*"correct":([0-9]+),.*"mean_confidence":([0-9.e+-]+),.*"confusion":(\[\[[^]]*\](,\[[^]]*\])*\]).*/\1 \2 \3/p' \
                >"$run/evaluate.txt"
        [[ -s $run/evaluate.txt ]] || return 1
    fi
}

# same_arrays OLD.h5 NEW.h5: /model has the same arrays, byte for byte, and every attribute that it had.
same_arrays() {
    /usr/bin/python3 - "$@" <<'PYTHON'
import sys, h5py
def content(path):
    found = {}
    def add(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = (item.shape, item.dtype.str, item[()].tobytes())
        for key, value in item.attrs.items():
            found[name, key] = repr(value)
    with h5py.File(path) as file:
        add("", file["model"])
        file["model"].visititems(add)
    return found
old, new = map(content, sys.argv[1:])
wrong = [name for name in old if new.get(name) != old[name]]
wrong += [name for name in new if name not in old and isinstance(name, str)]
sys.exit(f"differ: {wrong}" if wrong or not old else 0)
PYTHON
}

differ=0
for case in ${CASES:-knn knn-gradient knn-idm svm svm-virtual cnn lenet deotte cnn-large-batch}; do
    run=$folder/$mode/$case
    [[ $mode == record ]] && { [[ -e $folder/pictures ]] || bash src/setup/draw_digits.sh data/mnist "$folder/pictures"; }
    # shellcheck disable=SC2046
    "$program" train "configs/$case.ini" --data data/mnist.h5 --run "$run" --overwrite $(settings "$case") 2>"$folder/$mode-$case.log" &&
        use "$run" "$case" || { echo "FAILED $case"; differ=1; continue; }
    [[ $mode == record ]] && { echo "recorded $case"; continue; }
    old=$folder/record/$case
    if same_arrays "$old/model.h5" "$run/model.h5" &&
        { [[ $case == knn-idm ]] || cmp "$old/evaluate.txt" "$run/evaluate.txt"; } &&
        { [[ $case != knn* ]] || cmp "$old/neighbours.png" "$run/neighbours.png"; }; then
        echo "same     $case"
    else
        echo "DIFFERS  $case"
        differ=1
    fi
done
exit $differ
