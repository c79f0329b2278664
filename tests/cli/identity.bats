# The same bits on any number of ranks and threads.
load common

# same_digest CONFIG ARGUMENTS...: training gives one digest for all (ranks, threads, ranks of a node; 0: all).
same_digest() {
    local config=$1 layout ranks threads node digests=()
    shift
    for layout in "1 1 0" "1 2 0" "2 1 0" "3 1 0" "4 2 0" "3 1 2"; do
        read -r ranks threads node <<<"$layout"
        PARDIGITS_NODE_RANKS=$node on "$ranks" "$threads" train "$config" --data "$data" --run "$BATS_TEST_TMPDIR/run" --overwrite "$@"
        digests+=("$("$PARDIGITS" digest "$BATS_TEST_TMPDIR/run/model.h5")")
    done
    printf '%s\n' "${digests[@]}"
    [[ ${digests[0]} =~ ^[0-9a-f]{64}$ ]]
    [[ $(printf '%s\n' "${digests[@]}" | sort -u | wc -l) -eq 1 ]]
}

@test "KNN: one digest for all ranks x threads" {
    same_digest configs/knn.ini --set run.train=20001
}

@test "KNN with k = auto: the same k, and one digest, for all ranks x threads" {
    same_digest configs/knn.ini --set run.train=3001 --set knn.k=auto --set knn.votes=distance
    same_digest configs/knn-idm.ini --set run.train=301 --set knn.k=auto --set knn.candidates=40
}

@test "gradients of strokes: one digest for all ranks x threads, of KNN and SVM" {
    same_digest configs/knn-gradient.ini --set run.train=3001 --set run.valid=500 --set knn.k=auto
    same_digest configs/svm-virtual.ini --set run.train=251 --set run.valid=100 --set svm.checkpoint_s=0
}

@test "SVM: one digest for all ranks x threads" {
    same_digest configs/svm.ini --set run.train=1501
    same_digest configs/svm.ini --set run.train=301 --set run.valid=100 --set svm.virtual=1 --set svm.normalize=yes \
        --set svm.kernel=poly --set svm.gamma=0.5 --set svm.coef0=0.5 --set svm.degree=9 --set svm.probability=yes \
        --set svm.checkpoint_s=0
}

@test "SVM: the same digest on 64 ranks, which share pairs, as on one" {
    # 45 pairs: 19 of them are solved by two ranks each
    on 1 2 train configs/svm.ini --data "$data" --run "$BATS_TEST_TMPDIR/run" --set run.train=601 --set svm.probability=yes
    OMP_NUM_THREADS=1 timeout -k 5 200 mpirun --oversubscribe -n 64 "$PARDIGITS" train configs/svm.ini --data "$data" \
        --run "$BATS_TEST_TMPDIR/many" --set run.train=601 --set svm.probability=yes --set svm.shard=1
    same_model "$BATS_TEST_TMPDIR/run/model.h5" "$BATS_TEST_TMPDIR/many/model.h5"
}

@test "SVM: a search finds the same table and model on all ranks x threads" {
    same_digest configs/svm.ini --set run.train=301 --set svm.search=grid --set svm.folds=3 --set "svm.grid_c=0.1, 2 5" \
        --set "svm.grid_gamma=0.005 0.02"
    "$PARDIGITS" train configs/svm.ini --data "$data" --run "$BATS_TEST_TMPDIR/a" --set run.train=301 --set svm.search=grid \
        --set svm.folds=3 --set "svm.grid_c=0.1, 2 5" --set "svm.grid_gamma=0.005 0.02" 2>"$BATS_TEST_TMPDIR/log"
    grep 'search: C' "$BATS_TEST_TMPDIR/log"
    [[ $(grep -c 'search: C = .* images correct' "$BATS_TEST_TMPDIR/log") -eq 6 ]]
    local best
    best=$(grep 'images correct' "$BATS_TEST_TMPDIR/log" | sed -E 's/.*C = ([^,]*), gamma = ([^:]*): ([0-9.]*) .*/\3 \1 \2/' |
        sort -s -k 1,1 -rn | head -n 1)
    grep -q "search: C = $(cut -d ' ' -f 2 <<<"$best") and gamma = $(cut -d ' ' -f 3 <<<"$best") are best" "$BATS_TEST_TMPDIR/log"
    # the cell alone, without the others
    "$PARDIGITS" train configs/svm.ini --data "$data" --run "$BATS_TEST_TMPDIR/b" --set run.train=301 \
        --set "svm.c=$(cut -d ' ' -f 2 <<<"$best")" --set "svm.gamma=$(cut -d ' ' -f 3 <<<"$best")"
    for run in a b; do
        "$PARDIGITS" evaluate "$BATS_TEST_TMPDIR/$run/model.h5" --data "$data" --json | sed -E 's/.*("confusion".*)/\1/' >"$BATS_TEST_TMPDIR/$run.json"
    done
    cmp "$BATS_TEST_TMPDIR/a.json" "$BATS_TEST_TMPDIR/b.json"
    fails_on 2 2 'svm.grid_c' train configs/svm.ini --data "$data" --run "$BATS_TEST_TMPDIR/c" --set "svm.grid_c=1 x"
}

@test "CNN: one digest for all ranks x threads, with everything random in it" {
    same_digest configs/cnn.ini --set run.train=3001 --set run.valid=500 --set cnn.epochs=2 --set cnn.batch=100 \
        --set cnn.micro_batch=16 --set cnn.shift=2 --set cnn.rotate=10 --set cnn.zoom=0.1 --set cnn.shear=5 --set cnn.elastic=1 \
        --set cnn.stretch=0.2 --set cnn.thickness=0.5 --set cnn.ema=0.9 --set cnn.label_smoothing=0.1 \
        --set "cnn.layers=conv:16:3 bn relu conv:16:3 bn relu pool:2 dropout:0.2 conv:12:3:s2:p1 bn relu dense:32 relu dropout:0.3 dense:10"
}

@test "CNN: one digest for all ranks x threads, of a network with residual connections and average pooling" {
    same_digest configs/cnn.ini --set run.train=1001 --set run.valid=100 --set cnn.epochs=1 --set cnn.batch=100 \
        --set cnn.micro_batch=16 --set "cnn.layers=conv:12:3:s2 bn relu@a conv:12:3:p1 bn relu conv:12:3:p1 bn add:a relu@b \
avgpool:3:s2 relu@c conv:12:3:p1@d relu dropout:0.2 add:c add:d avgpool:all dense:classes"
}

@test "CNN: one digest for all ranks x threads and nodes, with sums of 32 and of 16 bits" {
    local bits
    for bits in 32 16; do
        same_digest configs/cnn.ini --set run.train=801 --set cnn.epochs=1 --set cnn.batch=100 --set cnn.micro_batch=16 \
            --set cnn.sum_bits=$bits --set "cnn.layers=conv:8:3 bn relu pool:2 dense:64 relu dense:classes"
    done
}

@test "CNN and SVM: the same digest where OpenMP gives fewer threads than OMP_NUM_THREADS" {
    local limit model digests
    for model in "cnn.ini --set cnn.epochs=1 --set cnn.layers=dense:10" svm.ini; do
        digests=()
        for limit in OMP_SCHEDULE=static OMP_THREAD_LIMIT=1 OMP_DYNAMIC=true OMP_MAX_ACTIVE_LEVELS=0; do
            # shellcheck disable=SC2086
            env "$limit" OMP_NUM_THREADS=2 timeout -k 5 60 "$PARDIGITS" train configs/$model --data "$data" \
                --run "$BATS_TEST_TMPDIR/run" --overwrite --set run.train=500
            digests+=("$("$PARDIGITS" digest "$BATS_TEST_TMPDIR/run/model.h5")")
        done
        printf '%s\n' "${digests[@]}"
        [[ ${#digests[@]} -eq 4 && ${digests[0]} =~ ^[0-9a-f]{64}$ ]]
        [[ $(printf '%s\n' "${digests[@]}" | sort -u | wc -l) -eq 1 ]]
    done
}

@test "CNN ensemble: one digest for all ranks x threads, more or fewer ranks than members" {
    same_digest configs/cnn.ini --set run.train=1001 --set cnn.epochs=2 --set cnn.members=3 --set cnn.ema=0.9 \
        --set "cnn.layers=conv:8:3 bn relu pool:2 dense:10"
    local evaluate=(evaluate "$BATS_TEST_TMPDIR/run/model.h5" --data "$data" --split train) one two three # of 1001 images
    one=$(on 1 1 "${evaluate[@]}" --json --members 1 | field correct)
    two=$(on 2 1 "${evaluate[@]}" --json --members 2 | field correct)
    three=$(on 3 1 "${evaluate[@]}" --json --members 3 | field correct)
    [[ $one != "$two" || $two != "$three" ]]
    on 2 2 "${evaluate[@]}" --json | tee "$BATS_TEST_TMPDIR/out"
    grep -F "\"correct\":$three," "$BATS_TEST_TMPDIR/out"
    grep -F "\"correct_by_members\":[$one,$two,$three]" "$BATS_TEST_TMPDIR/out"
    on 1 2 "${evaluate[@]}" | tee "$BATS_TEST_TMPDIR/out"
    diff <(grep -A 3 '^members' "$BATS_TEST_TMPDIR/out" | awk '{ print $1, $2 }') \
        <(printf '%s\n' 'members correct' "1 $one" "2 $two" "3 $three")
    [[ -z $(find "$BATS_TEST_TMPDIR/run" -name '*member*') ]]
    fails_on 2 2 'that many at most' evaluate "$BATS_TEST_TMPDIR/run/model.h5" --data "$data" --members 4
}

@test "CNN ensemble: members that see images in ways of their own; the first is the plain network that sees them so" {
    local net=(--set run.train=1001 --set cnn.epochs=2 --set "cnn.layers=conv:8:3 bn relu pool:2 dense:10")
    same_digest configs/cnn-fast.ini "${net[@]}" --set cnn.members=3 --set "cnn.member_preprocess=width none deskew"
    on 1 2 train configs/cnn-fast.ini --data "$data" --run "$BATS_TEST_TMPDIR/plain" "${net[@]}" --set run.preprocess=width
    local plain first
    plain=$(on 1 2 evaluate "$BATS_TEST_TMPDIR/plain/model.h5" --data "$data" --json | field mean_confidence)
    first=$(on 2 1 evaluate "$BATS_TEST_TMPDIR/run/model.h5" --data "$data" --json --members 1 | field mean_confidence)
    [[ -n $first && $first == "$plain" ]]
    [[ $(on 2 1 evaluate "$BATS_TEST_TMPDIR/run/model.h5" --data "$data" --json | field mean_confidence) != "$first" ]]
    # the second is the plain network of its seed, which `show` tells
    needs h5py
    local seed
    seed=$("$PARDIGITS" show "$BATS_TEST_TMPDIR/run/model.h5" --json | grep -oE '"member":2,"seed":[0-9]+' | grep -oE '[0-9]+$')
    on 1 2 train configs/cnn-fast.ini --data "$data" --run "$BATS_TEST_TMPDIR/plain" --overwrite "${net[@]}" --set "run.seed=$seed"
    /usr/bin/python3 - "$BATS_TEST_TMPDIR/run/model.h5" "$BATS_TEST_TMPDIR/plain/model.h5" <<'PY'
import h5py, sys
member, plain = h5py.File(sys.argv[1])["model/members/1"], h5py.File(sys.argv[2])["model"]
names = []
plain.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
assert len(names) > 4 and all((member[name][:] == plain[name][:]).all() for name in names)
PY
}

@test "CNN ensemble: members that take long and short are dealt to the ranks evenly, and are the same" {
    local net=(configs/cnn-fast.ini --set run.train=1001 --set "cnn.layers=conv:4:3 bn relu pool:2 dense:10" --set cnn.members=4
        --set "cnn.member_settings=epochs=1 | epochs=1 | epochs=1 | epochs=4")
    same_digest "${net[@]}"
    on 2 1 train "${net[@]}" --data "$data" --run "$BATS_TEST_TMPDIR/dealt" 2>&1 | tee "$BATS_TEST_TMPDIR/log"
    [[ $(grep -o '^member [0-9]' "$BATS_TEST_TMPDIR/log") == "member 4" ]] # rank 0's; the other rank has the three others
}

@test "CNN ensemble: members with networks of their own; the first is the plain network" {
    local small="conv:4:3 bn relu pool:2 dense:10" large="conv:16:3 bn relu conv:16:3 bn relu pool:2 dense:10"
    local net=(--set run.train=1001 --set cnn.epochs=2 --set cnn.members=3)
    same_digest configs/cnn-fast.ini "${net[@]}" --set "cnn.member_layers=$small | $large"
    local model=$BATS_TEST_TMPDIR/run/model.h5 plain first
    "$PARDIGITS" show "$model" | tee "$BATS_TEST_TMPDIR/show"
    grep 'members/0/conv1/weight *3 x 3 x 1 x 4$' "$BATS_TEST_TMPDIR/show"
    grep 'members/1/conv2/weight *3 x 3 x 16 x 16$' "$BATS_TEST_TMPDIR/show"
    grep 'members/2/conv1/weight *3 x 3 x 1 x 4$' "$BATS_TEST_TMPDIR/show"
    on 1 2 train configs/cnn-fast.ini --data "$data" --run "$BATS_TEST_TMPDIR/plain" "${net[@]}" --set cnn.members=1 --set "cnn.layers=$small"
    plain=$(on 1 2 evaluate "$BATS_TEST_TMPDIR/plain/model.h5" --data "$data" --json | field mean_confidence)
    first=$(on 2 1 evaluate "$model" --data "$data" --json --members 1 | field mean_confidence)
    [[ -n $first && $first == "$plain" ]]
    [[ $(on 2 1 evaluate "$model" --data "$data" --json | field mean_confidence) == \
        "$(on 1 2 evaluate "$model" --data "$data" --json | field mean_confidence)" ]]
    [[ $(on 2 1 evaluate "$model" --data "$data" --json | field mean_confidence) != "$first" ]]
}

@test "what few images show is found alike on any ranks" {
    /usr/bin/python3 - "$data" "$BATS_TEST_TMPDIR/few.h5" <<'PYTHON'
import h5py, numpy as np, sys
source, out = h5py.File(sys.argv[1]), h5py.File(sys.argv[2], "w")
images = source["train/images"][:20]
images[:5] = np.random.default_rng(1).integers(0, 255, (5, 28, 28), dtype=np.uint8) # no digits
for part in "train", "test":
    out[part + "/images"], out[part + "/labels"] = images, source["train/labels"][:20]
out.attrs["format"], out.attrs["version"], out.attrs["classes"] = "pardigits dataset", 1, 10
PYTHON
    for ranks in 1 4; do
        on $ranks 1 train configs/knn.ini --data "$BATS_TEST_TMPDIR/few.h5" --run "$BATS_TEST_TMPDIR/$ranks"
    done
    same_model "$BATS_TEST_TMPDIR/1/model.h5" "$BATS_TEST_TMPDIR/4/model.h5"
}

@test "CNN: another seed gives another digest" {
    for seed in 1 2; do
        on 1 2 train configs/cnn.ini --data "$data" --run "$BATS_TEST_TMPDIR/$seed" --set run.train=500 \
            --set cnn.epochs=1 --set run.seed=$seed
    done
    if same_model "$BATS_TEST_TMPDIR/1/model.h5" "$BATS_TEST_TMPDIR/2/model.h5" >"$BATS_TEST_TMPDIR/digests"; then return 1; fi
    [[ $(grep -cE '^[0-9a-f]{64} ' "$BATS_TEST_TMPDIR/digests") -eq 2 ]]
}

@test "evaluate: the same predictions on any ranks x threads" {
    local layout results=() held=(--set run.valid=1000)
    on 1 2 train configs/svm.ini --data "$data" --run "$BATS_TEST_TMPDIR/svm" "${held[@]}" --set run.train=2000
    on 1 2 train configs/cnn.ini --data "$data" --run "$BATS_TEST_TMPDIR/cnn" "${held[@]}" --set run.train=2000 --set cnn.epochs=1
    on 1 2 train configs/knn.ini --data "$data" --run "$BATS_TEST_TMPDIR/knn" "${held[@]}" --set run.train=2000
    on 1 2 train configs/knn-idm.ini --data "$data" --run "$BATS_TEST_TMPDIR/knn-idm" "${held[@]}" --set run.train=500 \
        --set knn.candidates=4
    on 1 2 train configs/knn-gradient.ini --data "$data" --run "$BATS_TEST_TMPDIR/knn-gradient" "${held[@]}" --set run.train=2000
    on 1 2 train configs/svm-virtual.ini --data "$data" --run "$BATS_TEST_TMPDIR/svm-virtual" "${held[@]}" --set run.train=500
    for model in knn knn-idm knn-gradient svm svm-virtual cnn; do
        results=()
        for layout in "1 1" "1 2" "2 1" "3 1" "4 2"; do
            # shellcheck disable=SC2086 # two words
            results+=("$(on $layout evaluate "$BATS_TEST_TMPDIR/$model/model.h5" --data "$data" --split valid --json \
                --set cnn.test_shifts=1 |
                sed -E 's/.*("confusion".*)/\1/')")
        done
        printf '%s\n' "${results[@]}"
        [[ ${results[0]} == '"confusion":[['* ]]
        [[ $(printf '%s\n' "${results[@]}" | sort -u | wc -l) -eq 1 ]]
    done
}
