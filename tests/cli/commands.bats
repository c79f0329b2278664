# What each command prints and leaves behind.
load common

setup_file() {
    export models=$BATS_FILE_TMPDIR
    for model in knn svm cnn; do
        on 1 2 train configs/$model.ini --data "$data" --run "$models/$model" --set run.train=3000 --set run.valid=1000 \
            --set cnn.epochs=2
    done
}

@test "--help answers everywhere, without MPI" {
    for command in "" prepare train evaluate predict show digest export import keys scaling report watch bench; do
        # shellcheck disable=SC2086 # no command is a case too
        "$PARDIGITS" $command --help | grep '^.*pardigits'
    done
    for line in 'pardigits [0-9.]*' 'build  *[0-9a-f]{12} ' 'compiler .*ARCH=' 'MPI  ' 'HDF5  *[0-9.]*$' 'dot products  ' 'convolutions  .*direct'; do
        "$PARDIGITS" --version | grep -E "^$line"
    done
    "$PARDIGITS" version | diff - <("$PARDIGITS" --version)
    fails 2 "--version takes no arguments" "$PARDIGITS" --version --json
    "$PARDIGITS" help | diff - <("$PARDIGITS" --help)
    "$PARDIGITS" help train | diff - <("$PARDIGITS" train --help)
}

@test "train leaves model.h5, metrics.h5 and config.ini, which trains the same model again" {
    [[ $(ls -A "$models/cnn") == $'config.ini\nmetrics.h5\nmodel.h5' ]]
    on 1 2 train "$models/cnn/config.ini" --data "$data" --run "$BATS_TEST_TMPDIR/again"
    same_model "$models/cnn/model.h5" "$BATS_TEST_TMPDIR/again/model.h5"
}

@test "config.ini of a run with a long network reads back" {
    local layers="conv:4:3 bn relu conv:4:3 bn relu conv:4:3 bn relu conv:4:3 bn relu conv:4:3 bn relu conv:4:3 bn relu"
    layers="$layers pool:2 dropout:0.1 dense:20 relu dropout:0.1 dense:20 relu dropout:0.1 dense:20 relu dropout:0.1 dense:10"
    on 1 2 train configs/cnn.ini --data "$data" --run "$BATS_TEST_TMPDIR/a" --set run.train=64 --set cnn.epochs=1 \
        --set "cnn.layers=$layers"
    on 1 2 train "$BATS_TEST_TMPDIR/a/config.ini" --data "$data" --run "$BATS_TEST_TMPDIR/b"
    cmp "$BATS_TEST_TMPDIR/a/model.h5" "$BATS_TEST_TMPDIR/b/model.h5"
}

@test "a model file holds no trace of ranks, times or hosts: equal runs give equal files" {
    on 2 1 train "$models/cnn/config.ini" --data "$data" --run "$BATS_TEST_TMPDIR/a"
    on 3 1 train "$models/cnn/config.ini" --data "$data" --run "$BATS_TEST_TMPDIR/b"
    cmp "$BATS_TEST_TMPDIR/a/model.h5" "$BATS_TEST_TMPDIR/b/model.h5"
}

@test "evaluate: a table of several models, and JSON with the promised fields" {
    run on 1 2 evaluate "$models"/{knn,svm,cnn}/model.h5 --data "$data"
    echo "$output"
    [[ $(grep -cE '^(knn|svm|cnn) +10000 ' <<<"$output") -eq 3 ]]
    local result
    result=$(on 1 2 evaluate "$models/svm/model.h5" --data "$data" --split valid --json)
    for name in model split n correct accuracy seconds ranks threads; do grep -q "\"$name\":" <<<"$result"; done
    [[ $(field n <<<"$result") -eq 1000 ]]
    [[ $(on 1 2 evaluate "$models/svm/model.h5" --data "$data" --split train --json | field n) -eq 3000 ]]
    for model in knn cnn; do
        fails_on 2 2 'is not an ensemble' evaluate "$models/$model/model.h5" --data "$data" --members 1
    done
    fails 2 'say the same' "$PARDIGITS" evaluate "$models/cnn" --data "$data" --members 1 --set cnn.use_members=1
}

@test "evaluate --predictions: what the model says about each image, as CSV, HDF5 and NumPy arrays, on any number of ranks" {
    cd "$BATS_TEST_TMPDIR" || return
    for model in knn svm cnn; do
        on 1 1 evaluate "$models/$model" --split valid --predictions $model.csv --json >$model.json
        # rows 59,000 and on; the label counts; the label has the largest probability, or most votes of
        # the decision values; the confidence is that probability, or 1 / (1 + the sum of exp(6 d) of the decision values d against the label)
        awk -F, -v model=$model -v correct="$(field correct <$model.json)" '
            NR == 1 { for (f = 5; f <= NF; f++) name[f] = $f; next }
            { n++; right += $2 == $3; bad += $1 != 58998 + NR; top = -1; for (c = 0; c < 10; c++) v[c] = 0
              against = 0
              for (f = 5; f <= NF; f++) {
                  split(name[f], p, "_")
                  if (p[1] == "p") { v[p[2]] = $f; continue }
                  v[$f > 0 ? p[2] : p[3]]++
                  if (p[2] == $3) against += exp(-6 * $f)
                  if (p[3] == $3) against += exp(6 * $f) }
              best = 0; for (c = 1; c < 10; c++) if (v[c] > v[best] + 1e-9) best = c
              sure = model == "svm" ? 1 / (1 + against) : v[best]
              bad += best != $3 || sure - $4 > 1e-6 || $4 - sure > 1e-6 }
            END { print n, right, bad; exit !(n == 1000 && right == correct && bad == 0 && NF == (model == "svm" ? 49 : 14)) }' $model.csv
    done
    on 3 1 evaluate "$models/svm" --split valid --predictions three.csv
    cmp three.csv svm.csv
    on 2 1 evaluate "$models/cnn" --split valid --predictions cnn.h5
    on 2 1 evaluate "$models/cnn" --split valid --predictions cnn.npz
    on 1 1 evaluate "$models/svm" --split valid --predictions svm.npz
    "$PARDIGITS" show cnn.h5 --json | grep -F "\"images\":1000,\"correct\":$(field correct <cnn.json)}"
    /usr/bin/python3 -c 'import h5py, numpy as np, pandas as pd
f, t = h5py.File("cnn.h5"), pd.read_csv("cnn.csv")
assert (t["index"] == f["index"][:]).all() and (t.label == f["label"][:]).all() and (t.prediction == f["prediction"][:]).all()
assert abs(t.filter(like="p_").to_numpy() - f["probabilities"][:]).max() < 1e-7
z, s, t = np.load("cnn.npz"), np.load("svm.npz"), pd.read_csv("svm.csv", float_precision="round_trip")
assert all((z[name] == f[name][:]).all() and z[name].dtype == f[name].dtype for name in f)
assert all(z["@" + name] == (value.decode() if isinstance(value, bytes) else value) for name, value in f.attrs.items())
assert [f"d_{a}_{b}" for a, b in s["pairs"]] == list(t.columns[4:]) and (s["decisions"] == t.iloc[:, 4:].to_numpy()).all()'
    fails_on 2 2 'must end in .csv, .npz, .h5 or .hdf5' evaluate "$models/cnn" --predictions cnn.txt
    fails_on 1 2 'of one model, not of 2' evaluate "$models/cnn" "$models/knn" --predictions cnn.csv
    fails_on 1 2 'is the input' evaluate "$models/cnn" --predictions "$models/cnn/model.h5"
}

@test "no output replaces a model, a dataset, metrics or the configuration" {
    cd "$BATS_TEST_TMPDIR" || return
    cp -r "$models/cnn" run
    cp "$BATS_TEST_DIRNAME/../../configs/knn.ini" .
    sha256sum run/* "$data" knn.ini >sums
    fails_on 2 2 'is a file of a run' report run --out run/model.h5
    fails 2 'is a file of a run' "$PARDIGITS" show run/model.h5 --out run/metrics.h5
    fails 2 'is a file of a run' "$PARDIGITS" evaluate run --predictions run/metrics.h5
    fails 2 'is a pardigits dataset file' "$PARDIGITS" export run --format onnx --out "$data"
    fails 2 'is a file of a run' "$PARDIGITS" prepare --idx "$MNIST_DIR" --out run/model.h5
    fails 2 'is the input' "$PARDIGITS" train knn.ini --run knn --data "$data" --trace knn.ini
    sha256sum --quiet -c sums
}

@test "train --dry-run: what a training would be, on any number of ranks, and nothing is written" {
    cd "$BATS_TEST_TMPDIR" || return
    on 2 1 train "$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --dry-run --json --data "$data" --set run.train=600 \
        --set run.valid=50 --set cnn.batch=64 --set cnn.epochs=2 >dry.json
    [[ $(field train_images <dry.json) -eq 600 && $(field steps_per_epoch <dry.json) -eq 10 && $(field ranks <dry.json) -eq 2 ]]
    grep -E '"step_s":[0-9.e-]+,.*"rank_memory_mib":[0-9.]+,.*"key":"cnn.epochs","value":"2"' dry.json
    on 2 1 train "$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --dry-run --json --data "$data" --set run.train=600 --set cnn.members=3 >dry.json
    [[ $(field members <dry.json) -eq 3 && $(field groups <dry.json) -eq 2 ]]
    for model in knn svm; do
        "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/$model.ini" --dry-run --data "$data" --set run.train=600 |
            awk '/^images to train on  *600$/ || /^MiB of memory a rank  *[1-9]/ { n++ } END { exit n != 2 }'
    done
    # what a search compares counts, and of a cache no more than the kernel's values
    local memory=()
    for options in 'knn --set knn.metric=l2' 'knn --set knn.metric=idm' 'svm --set svm.c=1'; do
        # shellcheck disable=SC2086
        "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/"${options/ /.ini } --dry-run --json --data "$data" --set run.train=20000 --set run.valid=10 >dry.json
        memory+=("$(field rank_memory_mib <dry.json)")
    done
    awk -v l2="${memory[0]}" -v idm="${memory[1]}" -v svm="${memory[2]}" 'BEGIN { exit !(idm > l2 + 10 && svm < 500) }'
    # a hint for each thing that can't work well, and none otherwise
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --dry-run --data "$data" --set run.train=1 \
        --set cnn.shift=8 --set cnn.rotate=80 --set svm.c=9 >/dev/null 2>hints
    cat hints
    [[ $(grep -c '^hint: ' hints) -eq 5 ]]
    for text in '--set svm.c=9 has no effect' 'every training image (1) is of class 5' 'cnn.batch = 128 is more than the 1 training image,' 'cnn.shift = 8 is strong' 'cnn.rotate = 80'; do
        grep -e "$text" hints
    done
    OMP_NUM_THREADS=$(($(getconf _NPROCESSORS_ONLN) + 1)) "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --dry-run \
        --data "$data" --set run.train=20 --set knn.k=1 2>&1 | grep 'threads, but its node has [0-9]* CPU.*lower OMP_NUM_THREADS'
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --dry-run --data "$data" --set run.train=12 --set cnn.lr=0 \
        --set cnn.micro_batch=1 --set "cnn.layers=dense:30 bn relu dense:classes" >/dev/null 2>hints
    grep '^hint: with cnn.micro_batch = 1 bn1 is the same for every image' hints
    grep '^hint: 3 of the 10 classes have no training image' hints
    grep '^hint: cnn.lr = 0 leaves the weights' hints
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --dry-run --data "$data" --set run.train=50 --set svm.folds=3 --set svm.grid_c=1 2>hints
    grep '^hint: svm.grid_c = 1 has no effect without svm.search=grid.' hints
    grep '^hint: svm.folds = 3 has no effect without svm.search=grid or svm.probability=yes.' hints
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --dry-run --data "$data" --set run.train=50 --set svm.search=grid --set svm.gamma=0.05 2>&1 |
        grep '^hint: svm.gamma = 0.05 has no effect without svm.search=none.'
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --dry-run --data "$data" --set run.train=50 --set svm.gamma=0.5 2>&1 |
        grep -E '^hint: svm.gamma = 0.5 is large for these images, .*; try svm.gamma = 0.0[12][0-9]*\.$'
    [[ $("$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --dry-run --data "$data" --set run.train=50 2>&1 | grep -c 'is large') -eq 0 ]]
    for text in 'k = 11 is more than half of' 'k = 5 is more than the training images of class'; do
        "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --dry-run --data "$data" --set run.train=20 --set knn.k="${text:4:2}" 2>&1 | grep "hint: knn.$text"
    done
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --dry-run --data "$data" --set cnn.batch=60000 --set run.train=70000 >/dev/null 2>hints
    grep 'whole run is 3 steps' hints
    grep 'hint: run.train = 70000, but there are only 60000' hints
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --dry-run --data "$data" >/dev/null 2>hints
    if grep '^hint' hints; then false; fi
    rm hints
    [[ $(ls) == dry.json ]]
    local option
    for option in "--run x" --resume --overwrite "--trace x" --allow-other-build; do
        # shellcheck disable=SC2086 # words
        fails 2 "omit ${option% x}." "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --dry-run --data "$data" $option
    done
    [[ ! -e x ]]
    fails_on 1 2 'are for --dry-run' train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --run x --json
}

@test "predict: labels of real digits, as text and as JSON, on any number of ranks" {
    for i in 0 1 2 3; do picture $i "$BATS_TEST_TMPDIR/$i.pgm"; done
    for model in knn svm cnn; do
        for ranks in 1 3; do
            run --separate-stderr on $ranks 1 predict "$models/$model/model.h5" "$BATS_TEST_TMPDIR"/{0,1,2,3}.pgm
            echo "$output"
            [[ $(cut -c1 <<<"$output" | tr -d '\n') == "$(label 0)$(label 1)$(label 2)$(label 3)" ]]
        done
    done
    result=$(on 1 1 predict "$models/knn/model.h5" "$BATS_TEST_TMPDIR/0.pgm" --json)
    [[ $(field label <<<"$result") -eq 7 ]]
    [[ $(field picture <<<"$result") == "$BATS_TEST_TMPDIR/0.pgm" ]]
}

@test "predict --neighbours: a sheet of the training images that a KNN rests on; other models have none" {
    for i in 0 1; do picture $i "$BATS_TEST_TMPDIR/$i.pgm"; done
    for ranks in 1 3; do
        on $ranks 1 predict "$models/knn/model.h5" "$BATS_TEST_TMPDIR"/{0,1}.pgm --neighbours "$BATS_TEST_TMPDIR/$ranks.png"
        [[ $(head -c 4 "$BATS_TEST_TMPDIR/$ranks.png" | tail -c 3) == PNG ]]
    done
    cmp "$BATS_TEST_TMPDIR/1.png" "$BATS_TEST_TMPDIR/3.png"
    fails_on 2 2 'keeps no training images' predict "$models/svm/model.h5" "$BATS_TEST_TMPDIR/0.pgm" --neighbours x.png
    [[ ! -s $BATS_TEST_TMPDIR/out ]]
    fails_on 2 1 '/nowhere/x.png' predict "$models/knn/model.h5" "$BATS_TEST_TMPDIR/0.pgm" --neighbours /nowhere/x.png
}

@test "train: k = auto tells which k it took, and keeps what each reached" {
    on 2 1 train configs/knn.ini --data "$data" --run "$BATS_TEST_TMPDIR/auto" --set run.train=1000 --set knn.k=auto \
        2>"$BATS_TEST_TMPDIR/log"
    k=$(sed -nE 's/.*leave-one-out over k = 1 to 25: k = ([0-9]+) is the best.*/\1/p' "$BATS_TEST_TMPDIR/log")
    "$PARDIGITS" show "$BATS_TEST_TMPDIR/auto/model.h5" | grep "1000 reference images, k = $k\$"
    "$PARDIGITS" show "$BATS_TEST_TMPDIR/auto/metrics.h5" | grep '^/leave_one_out: 25 rows'
    on 1 1 evaluate "$BATS_TEST_TMPDIR/auto/model.h5" --data "$data" --split train --set knn.search=pruned
}

@test "predict: what can't be read is named, the others are answered, the exit code is 1" {
    picture 0 "$BATS_TEST_TMPDIR/0.pgm"
    echo 'no picture' >"$BATS_TEST_TMPDIR/text.png"
    fails_on 2 1 'text.png' predict "$models/knn/model.h5" "$BATS_TEST_TMPDIR/text.png" "$BATS_TEST_TMPDIR/0.pgm"
    grep -q '^7 .*0.pgm' "$BATS_TEST_TMPDIR/out"
}

@test "show: of a model with many arrays people see the first ones, programs all" {
    needs h5py
    cd "$BATS_TEST_TMPDIR" || return
    /usr/bin/python3 -c '
import h5py, numpy as np
with h5py.File("many.h5", "w") as f:
    f.attrs.update(format="pardigits dataset", version=1, classes=24)
    f["train/labels"] = np.arange(48, dtype="u1") % 24
    f["train/images"] = np.random.default_rng(1).integers(0, 256, (48, 8, 8), "u1")'
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --data many.h5 --run many --set run.train=0 --set run.valid=0
    [[ $("$PARDIGITS" show many | grep -c '^/model/') -eq 200 ]]
    "$PARDIGITS" show many | grep '^arrays, the first 200 of 5[0-9][0-9] (--json has all)$'
    [[ $("$PARDIGITS" show many --json | grep -o '"array":' | wc -l) -gt 500 ]]
}

@test "show: dataset, models and metrics; sheets are PNG files" {
    "$PARDIGITS" show "$data" --out "$BATS_TEST_TMPDIR/data.png" | grep 'training images *60000$'
    for model in knn svm cnn; do
        "$PARDIGITS" show "$models/$model/model.h5" --out "$BATS_TEST_TMPDIR/$model.png" | grep "$model model"
        "$PARDIGITS" show "$models/$model/metrics.h5" | grep 'metrics of a run'
    done
    for sheet in data knn svm cnn; do
        [[ $(head -c 4 "$BATS_TEST_TMPDIR/$sheet.png" | tail -c 3) == PNG ]]
    done
    mpirun -n 2 "$PARDIGITS" show "$models/cnn/model.h5" | grep 'cnn model'
}

@test "prepare: the same dataset from plain files and from .gz" {
    mkdir "$BATS_TEST_TMPDIR/gz"
    for file in "$MNIST_DIR"/*ubyte; do gzip -1 <"$file" >"$BATS_TEST_TMPDIR/gz/${file##*/}.gz"; done
    "$PARDIGITS" prepare --idx "$BATS_TEST_TMPDIR/gz" --out "$BATS_TEST_TMPDIR/gz.h5" | tee "$BATS_TEST_TMPDIR/out"
    grep -q ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db "$BATS_TEST_TMPDIR/out"
    "$PARDIGITS" prepare --idx "$MNIST_DIR" --out "$BATS_TEST_TMPDIR/plain.h5"
    cmp "$BATS_TEST_TMPDIR/gz.h5" "$BATS_TEST_TMPDIR/plain.h5"
}

@test "an output that can't be written is an error" {
    fails 1 'Standard output' sh -c '"$0" digest "$1" >/dev/full' "$PARDIGITS" "$models/cnn/model.h5"
    fails 1 'Standard output' sh -c '"$0" train configs/knn.ini --dry-run --data "$1" >/dev/full' "$PARDIGITS" "$data"
}

@test "an output that is a folder, a pipe, or the input is refused and left as it is" {
    local before dir=$BATS_TEST_TMPDIR
    mkdir "$dir/folder"
    mkfifo "$dir/pipe"
    cp "$models/cnn/model.h5" "$dir/model.h5"
    cp "$models/svm/model.h5" "$dir/svm.h5"
    picture 0 "$dir/seven.pgm"
    before=$(cd "$dir" && sha256sum model.h5 svm.h5 seven.pgm)
    "$PARDIGITS" export "$dir/svm.h5" --out "$dir/svm.libsvm"
    fails 2 'is a folder' "$PARDIGITS" import "$dir/svm.libsvm" --out "$dir/folder"
    fails 2 'is a folder' "$PARDIGITS" export "$dir/svm.h5" --out "$dir/folder"
    fails 2 'a device or a pipe' "$PARDIGITS" import "$dir/svm.libsvm" --out "$dir/pipe"
    fails 2 'a device or a pipe' "$PARDIGITS" show "$dir/model.h5" --out "$dir/pipe"
    fails 2 'the input' "$PARDIGITS" show "$dir/model.h5" --out "$dir/model.h5"
    fails 2 'the input' "$PARDIGITS" export "$dir/svm.h5" --out "$dir/../$(basename "$dir")/svm.h5"
    fails 2 'the input' "$PARDIGITS" predict "$models/knn/model.h5" "$dir/seven.pgm" --neighbours "$dir/seven.pgm"
    [[ $(cd "$dir" && sha256sum model.h5 svm.h5 seven.pgm) == "$before" && -d $dir/folder && -p $dir/pipe ]]
}

# requeues CODE [JOB]: whether jobs/train.sbatch requeues itself when srun ends with CODE, having saved under the lock of JOB.
requeues() {
    local bin=$BATS_TEST_TMPDIR/bin run=$BATS_TEST_TMPDIR/run code=0
    mkdir -p "$bin"
    rm -rf "$run"
    printf '#!/bin/sh\n%s\nexit %d\n' "${2:+sleep 0.05; touch $run/model.h5; echo 'job $2' >$run/.lock}" "$1" >"$bin/srun"
    printf '#!/bin/sh\necho "$@"\n' >"$bin/scontrol"
    chmod +x "$bin"/*
    PATH=$bin:$PATH SLURM_JOB_ID=17 SLURM_NTASKS=2 SLURM_JOB_NODELIST=n1 SLURM_CPUS_ON_NODE=2 SLURM_NTASKS_PER_NODE=1 \
        bash jobs/train.sbatch configs/cnn.ini "$run" >"$BATS_TEST_TMPDIR/job" 2>&1 || code=$?
    cat "$BATS_TEST_TMPDIR/job"
    [[ $code -eq $1 ]] && grep '^requeue 17$' "$BATS_TEST_TMPDIR/job"
}

# refuses TEXT COMMAND...: a job's script ends with 2 and says TEXT.
refuses() {
    local text=$1 code=0
    shift
    "$@" 2>"$BATS_TEST_TMPDIR/err" || code=$?
    cat "$BATS_TEST_TMPDIR/err"
    [[ $code -eq 2 && $(wc -l <"$BATS_TEST_TMPDIR/err") -eq 1 ]] && grep -qF "$text" "$BATS_TEST_TMPDIR/err"
}

@test "in a shell that srun started, commands and a training run as anywhere else" {
    local shell=(env SLURM_JOB_ID=7 SLURM_NODELIST="$(hostname)" SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1)
    "${shell[@]}" "$PARDIGITS" show "$data" | grep '^train '
    "${shell[@]}" "$PARDIGITS" train configs/cnn.ini --data "$data" --set run.train=200 --set run.valid=0 --set cnn.epochs=1 \
        --set "cnn.layers=pool:4 dense:10" --run "$BATS_TEST_TMPDIR/run" 2>&1 | grep '1 rank, 1 on this node'
}

# only_tools TOOL...: a folder that has these alone.
only_tools() {
    local tool bin=$BATS_TEST_TMPDIR/tools
    mkdir -p "$bin"
    for tool; do ln -sf "$(type -P "$tool")" "$bin"; done
    echo "$bin"
}

@test "a job's script without Slurm, or without its configuration, says so" {
    local script run=$BATS_TEST_TMPDIR/none
    for script in train evaluate predict prepare scaling array; do
        refuses 'submit it with sbatch' env SLURM_ARRAY_TASK_ID=1 bash jobs/$script.sbatch configs/knn.ini "$run"
    done
    refuses 'without Slurm use LAUNCH="mpirun -n"' bash jobs/scaling.sbatch configs/knn.ini "1 2"
    refuses 'RESULTS, the folder to be written, is missing' env LAUNCH="mpirun -n" bash jobs/scaling.sbatch configs/knn.ini "1 2"
    refuses "'0 2' aren't numbers of ranks" env LAUNCH="mpirun -n" bash jobs/scaling.sbatch configs/knn.ini "0 2"
    # as many threads as the most ranks leave each
    env -u OMP_NUM_THREADS LAUNCH=false RESULTS="$run-study" bash jobs/scaling.sbatch configs/knn.ini "1 $(nproc)" 2>"$BATS_TEST_TMPDIR/err" || [[ $? -eq 1 ]]
    grep 'threads a rank: 1 (' "$BATS_TEST_TMPDIR/err"
    refuses "nope.ini isn't in $PWD." bash jobs/train.sbatch nope.ini "$run"
    refuses 'CONFIG.ini is missing' env SLURM_JOB_ID=7 bash jobs/train.sbatch
    refuses 'there is no sbatch here' env PATH="$(only_tools bash dirname)" bash jobs/chain.sh configs/knn.ini "$run"
    # a chain says at once what its jobs would say after their wait
    local bin=$BATS_TEST_TMPDIR/stub own=$BATS_TEST_TMPDIR/own.ini
    mkdir "$bin"
    printf '#!/bin/sh\necho 1\n' >"$bin/sbatch"
    chmod +x "$bin/sbatch"
    printf '[run]\nmodel = knn\ndata: some.h5\n' >"$own"
    local chain=(env PATH="$bin:$PATH" bash jobs/chain.sh)
    refuses 'the configuration nope.ini is neither in' "${chain[@]}" nope.ini "$run"
    refuses 'the configuration 4 is neither in' "${chain[@]}" --nodes 4 configs/knn.ini "$run"
    refuses 'data comes after RUN_FOLDER' "${chain[@]}" --data some.h5 configs/knn.ini "$run"
    refuses 'idx comes before CONFIG.ini' "${chain[@]}" configs/knn.ini "$run" --idx some
    refuses 'to be written by --data' "${chain[@]}" --idx some configs/knn.ini "$run" --set=run.data=some.h5
    refuses 'to be written by --data' "${chain[@]}" --idx some "$own" "$run"
    [[ $("${chain[@]}" --idx some "$own" "$run" --data other.h5 | wc -l) -eq 3 ]]
    refuses 'RUN_FOLDER is missing: ' "${chain[@]}" configs/knn.ini --set knn.k=1
    refuses 'the word run2 is too many' "${chain[@]}" configs/knn.ini "$run" --set knn.k=1 run2
    refuses 'the value of --set is missing' "${chain[@]}" configs/knn.ini "$run" --set
    refuses 'nowhere.sh, which PARDIGITS_SITE names' env PARDIGITS_SITE=nowhere.sh "${chain[@]}" configs/knn.ini "$run"
    for script in train array; do
        refuses 'RUN_FOLDER is missing: ' env SLURM_JOB_ID=7 SLURM_ARRAY_TASK_ID=1 bash jobs/$script.sbatch configs/knn.ini --set knn.k=1
    done
    refuses 'CONFIG.ini is missing: ' env SLURM_JOB_ID=7 bash jobs/scaling.sbatch --set knn.k=1
    refuses 'nowhere.sh, which PARDIGITS_SITE names' env PARDIGITS_SITE=nowhere.sh SLURM_JOB_ID=7 bash jobs/train.sbatch configs/knn.ini "$run"
    # Slurm's copy of a script, where nothing tells where the script was
    cp jobs/train.sbatch "$BATS_TEST_TMPDIR/slurm_script"
    cd "$BATS_TEST_TMPDIR"
    refuses "slurm_script: jobs/common.sh isn't found" env SLURM_JOB_ID=7 SLURM_SUBMIT_DIR="$BATS_TEST_TMPDIR" bash slurm_script
    [[ ! -e $run ]]
}

@test "a job's script trains on the dataset that its user names, and is found in a folder with a blank" {
    local bin=$BATS_TEST_TMPDIR/bin away="$BATS_TEST_TMPDIR/my jobs" here=$PWD
    mkdir -p "$bin" "$away/jobs" "$away/data" "$away/build"
    cp jobs/* "$away/jobs"
    cp jobs/train.sbatch "$bin/slurm_script"
    cp "$PARDIGITS" "$away/build/pardigits"
    touch "$away/data/mnist.h5" "$bin/mine.h5"
    printf '#!/bin/sh\nprintf "<%%s>" "$@"\n' >"$bin/srun" # prints its words
    # as of the last task of an array: for each task; a word of the command may look like a script
    printf '#!/bin/sh\nprintf "   Command=%%s\\n" "%s/jobs/train.sbatch one.ini a.sbatch-b" another\n' "$away" >"$bin/scontrol"
    chmod +x "$bin/srun" "$bin/scontrol"
    cd "$bin"
    printf '[run]\nmodel = knn\n' >none.ini
    printf '[run]\nmodel = knn\ndata: mine.h5\n' >own.ini
    local job=(env -u BUILD PATH="$bin:$PATH" SLURM_JOB_ID=17 SLURM_NTASKS=1 SLURM_JOB_NODELIST=n1 SLURM_CPUS_ON_NODE=1 SLURM_NTASKS_PER_NODE=1
        SLURM_SUBMIT_DIR="$bin" bash slurm_script)
    "${job[@]}" none.ini run | grep -F "<--data><$away/data/mnist.h5>"
    [[ $("${job[@]}" own.ini run) != *--data* ]]
    [[ $("${job[@]}" none.ini run --set=run.data=mine.h5) != *--data* ]]
    [[ $("${job[@]}" none.ini run --set run.data=mine.h5) != *--data* ]]
    # a folder whose name begins with a dash; a rehearsal needs none
    "${job[@]}" none.ini -j | grep -F '<--run><-j><--resume>'
    [[ -d ./-j ]]
    "${job[@]}" none.ini unused --dry-run | grep -F '<train><none.ini><--data>'
    [[ ! -e unused ]]
    printf 'echo site\n' >mysite.sh
    PARDIGITS_SITE=mysite.sh "${job[@]}" none.ini run | grep -x site
    printf 'export SITE=$NOT_SET:site\n' >unset.sh # as site scripts do
    PARDIGITS_SITE=unset.sh "${job[@]}" none.ini run | grep -F '<--run><run>'
    # as many threads as the smallest node has CPUs
    [[ $(SLURM_JOB_CPUS_PER_NODE='4(x3),3,16' PARDIGITS_HYPERTHREADS=yes "${job[@]}" none.ini run 2>&1) == *' 1 ranks x 3 threads on n1'*'<--cpus-per-task=3>'* ]]
    # one thread a core, of two hardware threads; a job that asks for one has all its CPUs
    printf '#!/bin/sh\necho "Thread(s) per core:  2"\n' >lscpu
    chmod +x lscpu
    [[ $(SLURM_CPUS_PER_TASK=8 "${job[@]}" none.ini run 2>&1) == *' 1 ranks x 4 threads'* ]]
    [[ $(SLURM_CPUS_PER_TASK=8 SLURM_HINT=nomultithread "${job[@]}" none.ini run 2>&1) == *' 1 ranks x 8 threads'* ]]
    # standard output has the program's alone
    [[ $("${job[@]}" none.ini run 2>/dev/null) == '<--mpi='* ]]
    # what an earlier start trained isn't here
    refuses 'new is empty, though this isn' env SLURM_RESTART_COUNT=1 "${job[@]}" none.ini new
    touch run/config.ini
    SLURM_RESTART_COUNT=1 "${job[@]}" none.ini run | grep -F '<--run><run>'
    cp "$away/jobs/scaling.sbatch" slurm_script
    refuses "8 ranks are more than this job's 1: submit it" "${job[@]}" none.ini "1 8"
    printf '#!/bin/sh\necho "$*" >>words; echo 1\n' >sbatch
    chmod +x sbatch
    PATH=$bin:$PATH bash "$away/jobs/chain.sh" none.ini -j
    grep 'evaluate.sbatch ./-j' words
    PATH=$bin:$PATH bash "$away/jobs/chain.sh" --idx some none.ini run --data there/new.h5
    [[ -d there ]]
    cd "$here"
}

@test "array.sbatch: a line of --settings may have blanks in quotes" {
    local bin=$BATS_TEST_TMPDIR/bin settings=$BATS_TEST_TMPDIR/settings
    local job=(env PATH="$bin:$PATH" SLURM_JOB_ID=17 SLURM_NTASKS=1 SLURM_JOB_NODELIST=n1 SLURM_CPUS_ON_NODE=1 SLURM_NTASKS_PER_NODE=1 bash
        jobs/array.sbatch configs/cnn.ini "$BATS_TEST_TMPDIR/run" --settings "$settings")
    mkdir "$bin"
    printf '#!/bin/sh\nprintf "<%%s>" "$@"\n' >"$bin/srun" # prints its words
    chmod +x "$bin/srun"
    printf '%s\n' '--set cnn.lr=0.1' '--set "cnn.layers=pool:4 dense:10"  --set run.seed=3' "--set 'run.data=a b" >"$settings"
    SLURM_ARRAY_TASK_ID=1 "${job[@]}" | grep -F '<--set><cnn.lr=0.1>'
    SLURM_ARRAY_TASK_ID=2 "${job[@]}" | grep -F '<--set><cnn.layers=pool:4 dense:10><--set><run.seed=3>'
    refuses 'line 3 of' env SLURM_ARRAY_TASK_ID=3 "${job[@]}"
    refuses 'line 4 of' env SLURM_ARRAY_TASK_ID=4 "${job[@]}"
    echo '--set cnn.lr=0.1 # slower' >"$settings"
    refuses 'has a #: comments' env SLURM_ARRAY_TASK_ID=1 "${job[@]}"
}

@test "train.sbatch: a run that was stopped is requeued, one that failed isn't" {
    requeues 75 17
    grep 'stopped after saving; requeueing' "$BATS_TEST_TMPDIR/job"
    # in vain, as where the time limit is shorter than reading the images takes
    requeues 75
    grep 'stopped before anything was saved, .* (exit code 75), 1 of at most 5 times; requeueing' "$BATS_TEST_TMPDIR/job"
    if PARDIGITS_LOSSES=0 requeues 75; then return 1; fi
    grep 'stopped before anything was saved, .* (exit code 75), for the 1. time: submit the job again' "$BATS_TEST_TMPDIR/job"
    for code in 0 1 2 137; do
        if requeues $code; then return 1; fi
        grep '17, start 1: 2 ranks' "$BATS_TEST_TMPDIR/job"
    done
    # it ended without removing the run's lock, as it does when a rank stood still; or the lock is that of another job
    requeues 1 17
    if requeues 1 170; then return 1; fi
}

@test "evaluate: the dataset of the run and the folder of a run by themselves; another dataset is warned of; a summary over seeds" {
    local dir=$BATS_TEST_TMPDIR
    cp "$data" "$dir/own.h5"
    for seed in 1 2; do
        on 1 2 train configs/svm.ini --run "$dir/$seed" --data "$dir/own.h5" --set run.train=300 --set run.seed=$seed
    done
    "$PARDIGITS" show "$dir/1" --json | grep -F "\"value\":\"$dir/own.h5\""
    (cd "$dir" && "$PARDIGITS" evaluate 1 2 --split train --summary --csv) | tee "$dir/summary"
    fails 2 'are the same file' "$PARDIGITS" evaluate "$dir/1" "$dir/2" "$dir/1/model.h5" --summary
    [[ $(wc -l <"$dir/summary") -eq 2 && $(sed 1d "$dir/summary") == 2,* ]]
    sed -E 's/.*/&/' "$dir/summary" | grep '^runs,accuracy_mean_percent,accuracy_deviation_percent,'
    # one network that is used in two ways is two rows
    for shifts in 0 1; do
        "$PARDIGITS" train configs/cnn-fast.ini --data "$dir/own.h5" --run "$dir/cnn$shifts" --set run.train=300 --set cnn.epochs=1 \
            --set "cnn.layers=pool:4 dense:10" --set cnn.test_shifts=$shifts
    done
    # of models of several kinds each row has the same columns
    [[ $("$PARDIGITS" evaluate "$dir/1" "$dir/cnn0" --split train --csv | sed 's/"[^"]*"//g' | awk -F, '{ print NF }' | sort -u | wc -l) -eq 1 ]]
    [[ $("$PARDIGITS" digest "$dir/cnn0") == $("$PARDIGITS" digest "$dir/cnn1") ]]
    [[ $("$PARDIGITS" evaluate "$dir"/cnn? --split train --summary --csv | cut -d, -f1) == $'runs\n1\n1' ]]
    "$PARDIGITS" evaluate "$dir/cnn0" --split train --set cnn.test_shifts=1 --predictions "$dir/p.h5" --json | grep -F '"test_shifts":1,"use_members":0'
    /usr/bin/python3 -c 'import h5py, sys; assert h5py.File(sys.argv[1]).attrs["cnn.test_shifts"] == b"1"' "$dir/p.h5"
    mkdir "$dir/replaced"
    cp "$dir/1/model.h5" "$dir/replaced/.model.h5.old"
    for command in evaluate digest show report scaling; do
        fails 1 'the model before it is' "$PARDIGITS" $command "$dir/replaced"
    done
    "$PARDIGITS" evaluate "$dir/replaced/.model.h5.old" | grep svm
    mkdir "$dir/idx"
    cp "$MNIST_DIR"/{train,t10k}-* "$dir/idx"
    for part in images-idx3 labels-idx1; do cp "$MNIST_DIR/t10k-$part-ubyte" "$dir/idx/train-$part-ubyte"; done
    "$PARDIGITS" prepare --idx "$dir/idx" --out "$dir/other.h5"
    "$PARDIGITS" evaluate "$dir/1" --data "$dir/other.h5" 2>&1 >/dev/null | grep "warning: $dir/other.h5 isn't the dataset that"
    [[ -z $("$PARDIGITS" evaluate "$dir/1" 2>&1 >/dev/null) ]]
}

@test "keys: every key of a section or one, for people and for programs; a name that others use is understood" {
    "$PARDIGITS" keys knn | grep -E '^knn.k +3 +auto or 1 to 1000 neighbours '
    [[ $("$PARDIGITS" keys --csv | wc -l) -gt 60 && $("$PARDIGITS" keys | grep -c '^svm\.') -gt 10 ]]
    [[ $("$PARDIGITS" keys cnn.lr --json | field default) == 0.1 ]]
    fails 2 'nothing' "$PARDIGITS" keys nothing
    fails 2 'did you mean cnn.lr' "$PARDIGITS" keys lr
    fails 2 'cnn.lr' "$PARDIGITS" train configs/cnn.ini --run "$BATS_TEST_TMPDIR/x" --set cnn.learning_rate=1
    fails 2 'dropout:0.4' "$PARDIGITS" train configs/cnn.ini --run "$BATS_TEST_TMPDIR/x" --set cnn.Dropout=1
    fails 2 'knn.k' "$PARDIGITS" train configs/knn.ini --run "$BATS_TEST_TMPDIR/x" --set knn.n_neighbors=1
    "$PARDIGITS" train configs/cnn.ini --run "$BATS_TEST_TMPDIR/y" --data "$data" --set cnn.leaf=16 --set run.train=16 \
        --set cnn.epochs=1 --set cnn.layers=dense:10 2>&1 | grep 'cnn.leaf is the old name of cnn.micro_batch'
}

@test "JSON is valid for any file name, CSV for commas; show, digest and predict print the same for programs" {
    local odd=$BATS_TEST_TMPDIR/$'a,"b\xff'
    cp "$models/knn/model.h5" "$odd.h5"
    picture 0 "$odd.pgm"
    for command in show digest; do
        "$PARDIGITS" $command "$odd.h5" --json | python3 -c 'import json, sys; json.loads(sys.stdin.buffer.read().decode("utf-8"))'
    done
    "$PARDIGITS" predict "$odd.h5" "$odd.pgm" --json |
        python3 -c 'import json, sys; assert json.loads(sys.stdin.buffer.read().decode("utf-8"))["label"] == 7'
    "$PARDIGITS" evaluate "$odd.h5" --data "$data" --csv |
        python3 -c 'import csv, io, sys
rows = list(csv.DictReader(io.TextIOWrapper(sys.stdin.buffer, encoding="latin-1")))
assert len(rows) == 1 and rows[0]["n"] == "10000" and "a,\"b" in rows[0]["model"]'
    "$PARDIGITS" show "$models/cnn/metrics.h5" --csv | grep '^epoch,train_loss,'
}

# sets OPTIONS...: the instruction sets that the compiler may use, by its macros.
sets() {
    gcc "$@" -dM -E - </dev/null | sed -nE 's/^#define __([A-Z0-9_]+)__ 1$/\1/p' | sort
}

@test "the processor check knows every instruction set of the compiler" {
    local name known
    [[ $(uname -m) == x86_64 ]] || skip "for x86-64 processors"
    known=$(sed -E 's/__([A-Z0-9_]+)__/\1/g' src/core/cpu_features.h)
    for name in $(gcc -march=? -E - </dev/null 2>&1 | sed -n 's/.*valid arguments to .* switch are: //p' | tr ' ;' '\n\n' | grep -E 'lake|rapids|znver|bdver|knm|v4'); do
        comm -13 <(sets -march=x86-64) <(sets -march="$name")
    done | sort -u >"$BATS_TEST_TMPDIR/sets"
    [[ -s $BATS_TEST_TMPDIR/sets ]]
    while read -r name; do grep -qw "$name" <<<"$known" || { echo "unknown: $name"; return 1; }; done <"$BATS_TEST_TMPDIR/sets"
}
