# Where the time goes: the trace of a training, and the phases in its metrics.
load common

# of 10 steps an epoch
net=(configs/cnn.ini --set run.train=1200 --set run.valid=200 --set cnn.epochs=2 --set cnn.checkpoint_steps=4 --set cnn.micro_batch=16 --set "cnn.layers=conv:8:3 bn relu pool:2 dense:10")

# seconds_of RUN: as its metrics say.
seconds_of() {
    "$PARDIGITS" show "$1/metrics.h5" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["seconds"])'
}

@test "a trace of 2 ranks, each a node of its own, with 2 threads; the phases of its epochs; the same model as without" {
    local run=$BATS_TEST_TMPDIR/run
    PARDIGITS_NODE_RANKS=1 on 2 2 train "${net[@]}" --run "$run" --trace "$run/trace.json"
    python3 tests/cli/trace_check.py "$run/trace.json" 2 2 "$(seconds_of "$run")" 0.5 \
        "read images" epoch "fetch images" step micro-batch load forward loss backward reduce wait update validate checkpoint
    "$PARDIGITS" show "$run/metrics.h5" --json | python3 -c '
import json, sys
metrics = json.load(sys.stdin)
for epoch in metrics["epochs"]:
    rows = {row["phase"]: row for row in metrics["phases"] if row["epoch"] == epoch["epoch"]}
    assert set(rows) >= {"compute", "wait", "input", "reduce_exposed", "validate", "checkpoint"}, rows
    for row in rows.values():
        assert 0 <= row["min_s"] <= row["median_s"] <= row["max_s"], row
        assert {row["min_rank"], row["max_rank"]} == {0, 1}, row
        assert abs(row["median_s"] - (row["min_s"] + row["max_s"]) / 2) < 1e-6, row
    for phase in "compute", "wait", "input":
        of_rank_0 = rows[phase]["min_s" if rows[phase]["min_rank"] == 0 else "max_s"]
        assert abs(of_rank_0 - epoch[phase + "_s"]) < 1e-6, (phase, rows[phase], epoch)'
    "$PARDIGITS" train "${net[@]}" --run "$BATS_TEST_TMPDIR/plain"
    same_model "$run/model.h5" "$BATS_TEST_TMPDIR/plain/model.h5"
}

# rounds_fit RUN RANKS: the phases of its only round make up its training, on any rank.
rounds_fit() {
    /usr/bin/python3 -c '
import h5py, sys
metrics, ranks = h5py.File(sys.argv[1] + "/metrics.h5"), int(sys.argv[2])
rows = {row["phase"].decode(): row for row in metrics["phases"][:]}
assert set(rows) == {"compute", "input"} | ({"wait"} if ranks > 1 else set()), rows
assert all(row["round"] == 1 and {row["min_rank"], row["max_rank"]} == set(range(ranks)) for row in rows.values()), rows
total, trained = sum(row["median_s"] for row in rows.values()), metrics["run"].attrs["train_s"]
assert ranks > 1 or abs(total - trained) < 1e-6, (total, trained)
assert 0.5 * trained < total < 1.5 * trained, (total, trained)' "$@"
}

@test "a trace of an SVM and of a KNN; the phases of their rounds" {
    local run=$BATS_TEST_TMPDIR/svm
    on 2 2 train configs/svm.ini --set run.train=4000 --run "$run" --trace "$BATS_TEST_TMPDIR/svm.json"
    python3 tests/cli/trace_check.py "$BATS_TEST_TMPDIR/svm.json" 2 2 "$(seconds_of "$run")" 0.2 "read images" "fetch images" pair wait share checkpoint
    rounds_fit "$run" 2
    run=$BATS_TEST_TMPDIR/knn
    on 1 1 train configs/knn.ini --set run.train=8000 --set knn.k=auto --run "$run" --trace "$BATS_TEST_TMPDIR/knn.json"
    python3 tests/cli/trace_check.py "$BATS_TEST_TMPDIR/knn.json" 1 1 "$(seconds_of "$run")" 0.2 "read images" "build index" "fetch images" "nearest images" checkpoint
    rounds_fit "$run" 1
}

@test "a training that a signal stops leaves its trace" {
    local run=$BATS_TEST_TMPDIR/run code=0 pid
    "$PARDIGITS" train "${net[@]}" --set cnn.epochs=1000 --run "$run" --trace "$run/trace.json" 2>"$BATS_TEST_TMPDIR/err" &
    pid=$!
    for ((i = 0; i < 600; i++)); do
        grep -q 'epoch 2/' "$BATS_TEST_TMPDIR/err" && break
        sleep 0.05
    done
    kill -USR1 "$pid"
    wait "$pid" || code=$?
    cat "$BATS_TEST_TMPDIR/err"
    [[ $code -eq 75 ]]
    python3 tests/cli/trace_check.py "$run/trace.json" 1 1 "$(seconds_of "$run")" 0.5 epoch step update checkpoint
}

@test "a trace that can't be written is refused before anything is trained, and before the old run is replaced" {
    local run=$BATS_TEST_TMPDIR/run
    mkdir "$run"
    echo old >"$run/model.h5"
    fails 2 "The trace $run/none/trace.json can't be written: No such file or directory" \
        "$PARDIGITS" train "${net[@]}" --run "$run" --overwrite --trace "$run/none/trace.json"
    fails 2 "$run is a folder" "$PARDIGITS" train "${net[@]}" --run "$run" --overwrite --trace "$run"
    fails 2 "--trace needs a file" "$PARDIGITS" train "${net[@]}" --run "$run" --overwrite --trace ""
    [[ $(cat "$run/model.h5") == old && ! -e $run/metrics.h5 ]]
}
