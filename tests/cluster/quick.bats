# Training and evaluation over hosts of their own: the same bits as on one host; a lost link; nothing left behind.
load ../cli/common
load cluster

setup_file() {
    CLUSTER_WHY_NOT=$(cluster_why_not)
    export CLUSTER_WHY_NOT
    [[ -n $CLUSTER_WHY_NOT ]] || cluster_start 4
}

teardown_file() {
    cluster_stop
}

setup() {
    [[ -z $CLUSTER_WHY_NOT ]] || skip "no cluster on this machine: $CLUSTER_WHY_NOT"
    export OMP_NUM_THREADS=1
    run_dir=/run/shared/$BATS_TEST_NUMBER
}

# train HOSTS RANKS RUN ARGUMENTS...: over that many hosts with that many ranks each.
train() {
    local hosts=$1 ranks=$2 run=$3
    shift 3
    timeout -k 5 "$([[ -n ${SANITIZER:-} ]] && echo 300 || echo 60)" bash -c '. "$0/cluster.bash"; cluster_run "$@"' "$cluster_scripts" "$hosts" "$ranks" \
        "$PARDIGITS" train "$@" --data "$data" --run "$run"
}

# digest RUN: of a model that lies on the cluster.
digest() {
    "$PARDIGITS" digest "$(cluster_path "$1/model.h5")"
}

# same_over_hosts "LAYOUTS" CONFIG ARGUMENTS...: one digest for this machine alone and for each layout, HOSTSxRANKS.
same_over_hosts() {
    local layouts=$1 layout hosts ranks digests=()
    shift
    on 1 2 train "$@" --data "$data" --run "$BATS_TEST_TMPDIR/alone"
    digests+=("$("$PARDIGITS" digest "$BATS_TEST_TMPDIR/alone/model.h5")")
    for layout in $layouts; do
        hosts=${layout%x*} ranks=${layout#*x}
        train "$hosts" "$ranks" "$run_dir" "$@" --overwrite 2>&1 | tee "$BATS_TEST_TMPDIR/log"
        grep "^$((hosts * ranks)) ranks, $ranks on this node" "$BATS_TEST_TMPDIR/log"
        digests+=("$(digest "$run_dir")")
    done
    printf '%s\n' "${digests[@]}"
    [[ ${#digests[@]} -ge 3 && ${digests[0]} =~ ^[0-9a-f]{64}$ ]]
    [[ $(printf '%s\n' "${digests[@]}" | sort -u | wc -l) -eq 1 ]]
}

@test "hosts have names, processes, /tmp and a link of their own" {
    [[ $(cluster_on c3 hostname) == c3 ]]
    cluster_on c1 touch /tmp/mine
    [[ $(cluster_on c2 ls /tmp) != *mine* ]]
    cluster_on c1 touch /run/shared/ours
    [[ $(cluster_on c2 ls /run/shared/ours) == /run/shared/ours ]]
    [[ $(cluster_processes c2 bash) -eq 1 ]]
    [[ $(cluster_run 4 1 hostname | sort | tr '\n' ' ') == "c1 c2 c3 c4 " ]]
}

@test "a shaped link sends no faster than it should, and its bytes are counted" {
    local before after sent
    cluster_shape 100mbit
    read -r before _ < <(cluster_bytes 1)
    # 2.5 MB at 100 Mbit/s: 0.2 s, less what the burst holds
    seconds=$(cluster_each 2 perl "$cluster_scripts/transfer.pl" 2500000)
    read -r after _ < <(cluster_bytes 1)
    cluster_shape none
    sent=$((after - before))
    echo "$sent bytes in $seconds s"
    ((sent >= 2500000 && sent < 2700000))
    awk -v s="$seconds" 'BEGIN { exit !(s > 0.17 && s < 2) }'
}

@test "CNN: one digest on one host and over 2 and 4 hosts" {
    same_over_hosts "2x1 4x1 2x2" configs/cnn.ini --set run.train=1001 --set cnn.epochs=1 --set cnn.micro_batch=16 \
        --set cnn.sum_bits=16 --set "cnn.layers=conv:8:3 bn relu pool:2 dropout:0.2 dense:32 relu dense:10"
    "$PARDIGITS" show "$(cluster_path "$run_dir/metrics.h5")" --json | python3 -c '
import json, sys
steps = json.load(sys.stdin)["steps"]
assert steps and all(0 <= s["exposed_s"] <= min(s["reduce_s"], s["wait_s"]) and 0 < s["reduce_s"] < s["seconds"] for s in steps), steps'
}

@test "SVM: one digest on one host and over 2 and 4 hosts" {
    same_over_hosts "4x1 2x2" configs/svm.ini --set run.train=1001
}

@test "KNN: one digest on one host and over 2 and 4 hosts, and the same evaluation" {
    same_over_hosts "2x1 2x2" configs/knn.ini --set run.train=3001 --set knn.k=auto
    local alone hosts
    alone=$(on 1 2 evaluate "$BATS_TEST_TMPDIR/alone/model.h5" --data "$data" --json | sed -E 's/.*("confusion".*)/\1/')
    hosts=$(cluster_run 4 1 "$PARDIGITS" evaluate "$run_dir/model.h5" --data "$data" --json | sed -E 's/.*("confusion".*)/\1/')
    printf '%s\n' "$alone" "$hosts"
    [[ $alone == '"confusion":[['* && $alone == "$hosts" ]]
}

@test "copies of a dataset on the hosts' own disks are as good as one; another file there is refused, and a missing one told" {
    local net=(configs/cnn.ini --set run.train=500 --set cnn.epochs=1 --set "cnn.layers=conv:4:5:s2 relu dense:10") host
    local over=(bash -c '. "$0/cluster.bash"; cluster_run 2 1 "$@"' "$cluster_scripts" "$PARDIGITS")
    on 1 2 train "${net[@]}" --data "$data" --run "$BATS_TEST_TMPDIR/alone"
    for host in c1 c2; do cluster_on $host cp "$data" /tmp/own.h5; done
    timeout 60 "${over[@]}" train "${net[@]}" --data /tmp/own.h5 --run "$run_dir"
    same_model "$(cluster_path "$run_dir/model.h5")" "$BATS_TEST_TMPDIR/alone/model.h5"
    timeout 60 "${over[@]}" evaluate "$run_dir" --data /tmp/own.h5
    cluster_on c2 rm /tmp/own.h5
    cluster_on c2 "$PARDIGITS" prepare --idx "$MNIST_DIR" --transpose --out /tmp/own.h5
    fails 1 'On host c2: /tmp/own.h5 is another file than where rank 0 runs' "${over[@]}" train "${net[@]}" --data /tmp/own.h5 --run "$run_dir" --overwrite
    cluster_on c2 rm /tmp/own.h5
    fails 1 'On host c2: There is no dataset /tmp/own.h5' "${over[@]}" train "${net[@]}" --data /tmp/own.h5 --run "$run_dir" --overwrite
}

@test "a link cut in mid-step: every host is free within 10 s, a sentence names the host, and --resume gives the same digest" {
    local net=(configs/cnn.ini --set run.train=2000 --set cnn.checkpoint_s=0 --set cnn.epochs=20 --set "cnn.layers=conv:8:3 bn relu pool:2 dense:10")
    local log=$BATS_TEST_TMPDIR/log pid code=0 host i
    on 1 2 train "${net[@]}" --data "$data" --run "$BATS_TEST_TMPDIR/whole"
    train 4 1 "$run_dir" "${net[@]}" >"$log" 2>&1 3>&- &
    pid=$!
    for ((i = 0; i < 600; i++)); do
        grep -q 'epoch 2/' "$log" 2>/dev/null && break
        sleep 0.05
    done
    cluster_link c3 down
    SECONDS=0
    wait "$pid" || code=$?
    for ((i = 0; i < 100 && SECONDS <= 10; i++)); do
        [[ $(cluster_programs) -eq 0 ]] && break
        sleep 0.1
    done
    cluster_link c3 up
    cat "$log"
    echo "ended with $code after $SECONDS s; still running: $(cluster_programs)"
    ((code != 0 && code != 75 && code != 124 && SECONDS <= 10))
    [[ $(cluster_programs) -eq 0 ]]
    grep -q 'epoch 2/' "$log"
    [[ $(grep -c '^hint: gradients travel .* cnn.sum_bits' "$log") -eq 1 ]]
    [[ $(grep -c "epoch 20/" "$log") -eq 0 ]]
    grep 'lost communication with a remote daemon' "$log"
    grep 'Remote daemon.* on node c3' "$log"
    [[ $(grep -cE '^pardigits: rank [013]: rank 2 \(host c3, PID [0-9]+\) is behind: silent for [0-9.]+ s, last in ' "$log") -eq 3 ]]
    train 2 1 "$run_dir" "${net[@]}" --resume
    [[ $(digest "$run_dir") == "$("$PARDIGITS" digest "$BATS_TEST_TMPDIR/whole/model.h5")" ]]
}

@test "a host that dies can be started again" {
    cluster_kill c4
    [[ $(cluster_run 3 1 hostname | sort | tr '\n' ' ') == "c1 c2 c3 " ]]
    if cluster_on c4 hostname; then return 1; fi
    cluster_restart c4
    [[ $(cluster_run 4 1 hostname | sort | tr '\n' ' ') == "c1 c2 c3 c4 " ]]
}

@test "kill -9 of the shell that started a cluster, or of its outermost process, leaves nothing behind" {
    local victim namespaces before shell
    export TMPDIR=$BATS_TEST_TMPDIR/tmp
    mkdir "$TMPDIR"
    before=$(cluster_traces)
    for victim in shell outer; do
        # shellcheck disable=SC2016 # for the other shell
        bash -c '. "$0/cluster.bash"; cluster_start 2; cluster_run 2 1 sleep 100 & echo "$CLUSTER_OUTER $CLUSTER_PID" >"$1"; wait "$CLUSTER_OUTER"' \
            "$cluster_scripts" "$BATS_TEST_TMPDIR/started" >/dev/null 2>&1 3>&- &
        shell=$!
        until [[ -s $BATS_TEST_TMPDIR/started ]]; do sleep 0.05; done
        read -r outer first <"$BATS_TEST_TMPDIR/started"
        rm "$BATS_TEST_TMPDIR/started"
        for ((i = 0; i < 100; i++)); do
            [[ $(CLUSTER_PID=$first cluster_processes c2 sleep) -ge 2 ]] && break # the host's own, and the job's
            sleep 0.1
        done
        ((i < 100))
        namespaces=$(cluster_namespaces "$first")
        [[ $(wc -w <<<"$namespaces") -ge 12 ]] # 3 hosts x at least pid, net, mnt, uts
        if [[ $victim == shell ]]; then kill -KILL "$shell"; else kill -KILL "$outer"; fi
        for ((i = 0; i < 100; i++)); do # commands that had entered a host end just after it
            [[ $(cluster_namespaces_in_use "$namespaces") -eq 0 ]] && break
            sleep 0.05
        done
        wait "$shell" || true
        echo "killed the $victim; namespaces left after $i waits: $(cluster_namespaces_in_use "$namespaces")"
        ((i < 100))
        diff <(echo "$before") <(cluster_traces)
        ls -A "$TMPDIR"
        [[ -z $(ls -A "$TMPDIR") ]]
    done
}
