# pardigits scaling: tables, figures and sentences. The numbers of a study are checked by tests/unit/test_scaling.c.
load common

# made NAME THREADS ARGUMENT...: a run, on one rank.
made() {
    local name=$1 threads=$2
    shift 2
    OMP_NUM_THREADS=$threads timeout "$((60 * slower))" "$PARDIGITS" train "$@" --run "$runs/$name"
}

setup_file() {
    export runs=$BATS_FILE_TMPDIR
    small=(--data "$data" --set run.train=600 --set run.valid=200)
    for i in 1 2; do made knn-1-$i 1 configs/knn.ini "${small[@]}"; done
    made knn-2-1 2 configs/knn.ini "${small[@]}"
    made half 1 configs/knn.ini "${small[@]}" --set run.train=300
    made svm 2 configs/svm.ini "${small[@]}"
    LAUNCH="mpirun -n" REPEATS=1 ACCURACY=0.01 RESULTS=$runs/job OMP_NUM_THREADS=1 \
        bash jobs/scaling.sbatch configs/cnn.ini "1 2" "${small[@]}" --set cnn.epochs=3 >"$runs/job.txt"
}

# with_pandas PROGRAM: Python with the output of `scaling` on standard input.
with_pandas() {
    /usr/bin/python3 -c "import io, json, sys, pandas as pd
$1"
}

@test "pandas reads CSV and JSON, whose numbers fit together" {
    "$PARDIGITS" scaling "$runs"/knn-* "$runs/half" --csv | with_pandas '
t = pd.read_csv(sys.stdin)
assert list(t.study) == ["strong"] * 2 + ["weak"] * 2, t.study
assert list(t.repeats) == [2, 1, 1, 1] and list(t.threads) == [1, 2, 1, 2]
assert list(t.images) == [600, 600, 300, 600] and set(t.measure) == {"evaluation"}
assert abs(t.speedup[1] - t.seconds[0] / t.seconds[1]) < 1e-6 and t.base[0] and not t.base[1]
assert abs(t.efficiency[3] - t.seconds[2] / t.seconds[3]) < 1e-6
assert t.seconds_least[0] <= t.seconds[0] <= t.seconds_most[0]
assert t.build.str.startswith("pardigits ").all() and t.binding.notna().all()'
    "$PARDIGITS" scaling "$runs"/job/runs/strong-* --accuracy 0.01 --json | with_pandas '
study = json.load(sys.stdin)
t = pd.DataFrame(study["points"])
assert study["model"] == "cnn" and study["runs"] == 2 and study["accuracy"] == 0.01
assert list(t.measure) == ["training"] * 2 + ["evaluation"] * 2 and list(t.ranks) == [1, 2, 1, 2]
assert (t.images_per_s * t.seconds - [600, 600, 200, 200]).abs().max() < 1e-3
assert t.accuracy_s[:2].gt(0).all() and t.wait_share[1] >= t.exposed_share[1] >= 0'
}

@test "--out has tables and figures; without gnuplot a sentence and the tables" {
    "$PARDIGITS" scaling "$runs"/job/runs/strong-* --out "$BATS_TEST_TMPDIR/it's"
    cd "$BATS_TEST_TMPDIR/it's"
    [[ -z $(find . -name '.*.*') ]]
    grep 'strong scaling of training, 600 training images; speed-up over 1 rank x 1 thread on 1 host' scaling.txt
    with_pandas 'assert len(pd.read_csv("scaling.csv")) == len(json.load(open("scaling.json"))["points"]) == 4'
    for figure in strong-training strong-evaluation; do
        grep -q '<svg' $figure.svg
        [[ $(head -c 4 $figure.png) == $'\x89PNG' ]]
    done
    PATH=$BATS_TEST_TMPDIR "$PARDIGITS" scaling "$runs"/job/runs/strong-* --out "$BATS_TEST_TMPDIR/plain" 2>"$BATS_TEST_TMPDIR/err"
    [[ $(cat "$BATS_TEST_TMPDIR/err") == "no figures are drawn, as gnuplot isn't installed (\`make deps\` installs it)" ]]
    [[ $(ls "$BATS_TEST_TMPDIR/plain") == $'scaling.csv\nscaling.json\nscaling.txt' ]]
}

@test "a figure that can't be drawn whole leaves the old one" {
    cd "$BATS_TEST_TMPDIR"
    mkdir bin drawn
    echo old | tee drawn/strong-training.svg >drawn/strong-training.png
    printf '%s\n' '#!/bin/sh' "sed -n \"s/^set output '\\(.*\\)'\$/\\1/p\" | while read -r out; do echo half >\"\$out\"; done" >bin/gnuplot
    chmod +x bin/gnuplot
    PATH=$PWD/bin:$PATH fails 1 "drawn/strong-training.svg couldn't be written whole" "$PARDIGITS" scaling "$runs"/job/runs/strong-* --out drawn
    [[ $(cat drawn/strong-training.svg drawn/strong-training.png) == $'old\nold' ]]
    [[ $(ls -A drawn) == $'scaling.csv\nscaling.json\nscaling.txt\nstrong-training.png\nstrong-training.svg' ]]
}

@test "jobs/scaling.sbatch makes strong and weak studies, also without Slurm" {
    [[ $(cut -d ' ' -f 1 "$runs/job/digests") == $'strong\nstrong\nweak-1\nweak-2' ]]
    cmp "$runs/job.txt" "$runs/job/scaling.txt"
    with_pandas '
t = pd.read_csv(sys.stdin)
t = t[t.measure == "training"]
assert list(t.study) == ["strong"] * 2 + ["weak"] * 2 and list(t.images) == [600, 600, 300, 600]
assert list(t.batch) == [128, 128, 128, 256]' <"$runs/job/scaling.csv"
    # weak scaling alone, of a model without a batch; blanks around the numbers
    LAUNCH="mpirun -n" REPEATS=1 STUDIES=weak RESULTS=$BATS_TEST_TMPDIR/weak OMP_NUM_THREADS=1 \
        bash jobs/scaling.sbatch configs/knn.ini " 1  2 " --data "$data" --set run.train=600 --set run.valid=200 --set knn.k=3 2>"$BATS_TEST_TMPDIR/err"
    [[ $(cut -d ' ' -f 1 "$BATS_TEST_TMPDIR/weak/digests") == $'strong\nweak-1' ]]
    ! grep -F cnn.batch "$BATS_TEST_TMPDIR/err"
}

@test "each kind of bad input has its sentence" {
    cd "$runs"
    fails 2 'different configurations: knn-1-1 has run.model = knn, svm has svm' "$PARDIGITS" scaling knn-1-1 svm
    made pruned 2 knn-1-1/config.ini --data "$data" --set knn.search=pruned
    fails 2 'knn-1-1 has knn.search = auto, pruned has pruned' "$PARDIGITS" scaling knn-1-1 pruned
    fails 2 '--out needs a value, but --json, which looks like an option, follows' "$PARDIGITS" scaling knn-1-1 knn-2-1 --out --json
    fails 2 'at least two sizes, but all of these are on 1 rank x 1 thread' "$PARDIGITS" scaling knn-1-1 knn-1-2
    fails 2 'knn-1-1 and ./knn-1-1 are the same run' "$PARDIGITS" scaling knn-1-1 knn-2-1 ./knn-1-1
    fails 2 'knn-1-1/metrics.h5 and knn-1-1 are the same run' "$PARDIGITS" scaling knn-1-1/metrics.h5 knn-2-1 knn-1-1
    fails 2 'RUN is missing' "$PARDIGITS" scaling
    fails 2 '--accuracy 99: expected a number, 0 to 1' "$PARDIGITS" scaling knn-1-1 knn-2-1 --accuracy 99
    fails 2 "--out knn-1-1/config.ini isn't a folder" "$PARDIGITS" scaling knn-1-1 nowhere --out knn-1-1/config.ini
    fails 1 "nowhere can't be read" "$PARDIGITS" scaling knn-1-1 nowhere
    mkdir empty
    fails 1 "empty isn't a run" "$PARDIGITS" scaling knn-1-1 empty
    fails 1 "knn-2-1/model.h5 isn't a file of metrics" "$PARDIGITS" scaling knn-1-1 knn-2-1/model.h5
    cp -r knn-2-1 bare && rm bare/metrics.h5
    fails 1 'The run bare has no metrics.h5' "$PARDIGITS" scaling knn-1-1 bare
    cp -r knn-2-1 cut && truncate -s 3000 cut/metrics.h5
    fails 1 'damaged' "$PARDIGITS" scaling knn-1-1 cut
    made untimed 2 knn-1-1/config.ini --data "$data" --set run.valid=0
    fails 2 'The run untimed times nothing' "$PARDIGITS" scaling knn-1-1 untimed
    timeout --preserve-status -s USR1 2 "$PARDIGITS" train job/runs/strong-1-1/config.ini --data "$data" --set cnn.epochs=100 --set run.train=6000 \
        --run long || [[ $? -eq 75 ]]
    fails 2 "The run long isn't finished" "$PARDIGITS" scaling job/runs/strong-1-1 long
    fails_on 2 2 'at least two sizes' scaling knn-1-1
}
