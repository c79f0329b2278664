# A run's folder on NFS, with the kernel's own server and clients (make check-cluster FULL=1): one run at a time, killed and gone on with, and a
# server that goes away.
# shellcheck disable=SC2030,SC2031 # variables of one test
load ../cli/common
load cluster
load nfs

setup_file() {
    NFS_WHY_NOT=$(cluster_why_not)
    [[ -n $NFS_WHY_NOT ]] || NFS_WHY_NOT=$(nfs_why_not)
    export NFS_WHY_NOT OMP_NUM_THREADS=1
    [[ -z $NFS_WHY_NOT ]] || return 0
    make_dataset
    "$PARDIGITS" train "${net[@]}" --data "$BATS_FILE_TMPDIR/set.h5" --run "$BATS_FILE_TMPDIR/alone" 2>/dev/null
    cluster_start 2
    nfs_start
    nfs_mount c1 hard
    nfs_mount c2 hard
    cp "$BATS_FILE_TMPDIR/set.h5" "$(cluster_path /run/nfs/exported/set.h5)"
    chmod 666 "$(cluster_path /run/nfs/exported/set.h5)"
}

teardown_file() {
    [[ -n $NFS_WHY_NOT ]] || nfs_stop
    cluster_stop
}

setup() {
    [[ -z $NFS_WHY_NOT ]] || skip "no NFS on this machine: $NFS_WHY_NOT"
    name=$BATS_TEST_NUMBER log=$BATS_TEST_TMPDIR/log
}

# So little to compute that an emulated machine does it, too.
net=(configs/cnn-fast.ini --set cnn.batch=32 --set cnn.micro_batch=16 --set cnn.epochs=40 --set cnn.shift=0 --set cnn.checkpoint_s=0
    --set cnn.checkpoint_steps=3 --set "cnn.layers=pool:4 dense:10")

# make_dataset: 150 test images of MNIST.
make_dataset() {
    local idx=$BATS_FILE_TMPDIR/idx part
    mkdir "$idx"
    for part in train t10k; do
        { printf '\0\0\x08\x03\0\0\0\x96\0\0\0\x1c\0\0\0\x1c' && head -c $((16 + 150 * 784)) "$MNIST_DIR/t10k-images-idx3-ubyte" | tail -c +17; } \
            >"$idx/$part-images-idx3-ubyte"
        { printf '\0\0\x08\x01\0\0\0\x96' && head -c $((8 + 150)) "$MNIST_DIR/t10k-labels-idx1-ubyte" | tail -c +9; } >"$idx/$part-labels-idx1-ubyte"
    done
    "$PARDIGITS" prepare --idx "$idx" --out "$BATS_FILE_TMPDIR/set.h5" >/dev/null
}

# train HOST FOLDER ARGUMENTS...: the training into FOLDER/$name, with the dataset beside it.
train() {
    cluster_on "$1" "$PARDIGITS" train "${net[@]}" --data "$2/set.h5" --run "$2/$name" "${@:3}"
}

# begin HOST FOLDER: the same in the background, until it has saved once.
begin() {
    local i
    train "$1" "$2" >"$log" 2>&1 &
    training=$!
    for ((i = 0; i < 300; i++)); do
        cluster_on "$1" test ! -e "$2/$name/model.h5" || return 0
        sleep 0.2
    done
    cat "$log"
    return 1
}

same_as_alone() {
    same_model "$(cluster_path "/run/nfs/exported/$name/model.h5")" "$BATS_FILE_TMPDIR/alone/model.h5"
}

# An NFS client names a file that is removed while it is open .nfs..., and doesn't wait until that is removed, too.
nothing_left() {
    local files
    for ((i = 0; i < 25; i++)); do
        files=$(ls -A "$(cluster_path "/run/nfs/exported/$name")")
        [[ $files != $'config.ini\nmetrics.h5\nmodel.h5' ]] || return 0
        echo "$files"
        sleep 0.2
    done
    return 1
}

# refused HOST FOLDER [OPTION]: the training names the run that is under way.
refused() {
    local code=0
    train "$@" 2>"$BATS_TEST_TMPDIR/err" || code=$?
    cat "$BATS_TEST_TMPDIR/err"
    [[ $code -eq 1 ]] && grep -q "^pardigits: Another run is writing to $2/$name: process [0-9]* of root" "$BATS_TEST_TMPDIR/err"
}

# one_at_a_time HOST FOLDER OTHER_HOST ITS_FOLDER: a second run is refused, however it gets there; the first is killed, and the second goes on.
one_at_a_time() {
    begin "$1" "$2"
    for again in "$1 $2" "$3 $4"; do
        for option in '' --overwrite --resume; do
            # shellcheck disable=SC2086 # two words, and perhaps none
            refused $again $option
        done
    done
    cluster_on "$1" pkill -KILL -x pardigits
    wait "$training" || true
    train "$3" "$4" --resume
    same_as_alone
    nothing_left
}

@test "NFS 3: a second run is refused on both mounts; after kill -9 it goes on, with the same digest" {
    one_at_a_time head /run/nfs3/a head /run/nfs3/b
}

@test "NFS 4: a second run is refused on both hosts; after kill -9 the other host goes on, with the same digest" {
    one_at_a_time c1 /run/nfs4 c2 /run/nfs4
}

@test "NFS 4: ranks on two hosts, with the dataset and the run on NFS; saved by a signal; the same digest and accuracy" {
    cluster_run 2 1 "$PARDIGITS" train "${net[@]}" --data /run/nfs4/set.h5 --run "/run/nfs4/$name" >"$log" 2>&1 &
    training=$!
    for ((i = 0; i < 600; i++)); do
        [[ -e $(cluster_path "/run/nfs/exported/$name/model.h5") ]] && break
        sleep 0.2
    done
    cluster_on c2 pkill -USR1 -x pardigits
    code=0
    wait "$training" || code=$?
    cat "$log"
    [[ $code -eq 75 ]]
    cluster_run 2 1 "$PARDIGITS" train "${net[@]}" --data /run/nfs4/set.h5 --run "/run/nfs4/$name" --resume
    same_as_alone
    nothing_left
    cluster_run 2 1 "$PARDIGITS" evaluate "/run/nfs4/$name" --data /run/nfs4/set.h5 --json >"$BATS_TEST_TMPDIR/two"
    "$PARDIGITS" evaluate "$BATS_FILE_TMPDIR/alone" --data "$BATS_FILE_TMPDIR/set.h5" --json >"$BATS_TEST_TMPDIR/one"
    [[ $(field correct <"$BATS_TEST_TMPDIR/one") == "$(field correct <"$BATS_TEST_TMPDIR/two")" ]]
}

# goes_on: the training ends with the right model, and nothing else.
goes_on() {
    wait "$training"
    same_as_alone
    nothing_left
}

@test "NFS 3 and 4: a server that refuses the run for a while costs checkpoints only" {
    for at in "head /run/nfs3/a" "c1 /run/nfs4"; do
        # shellcheck disable=SC2086 # two words
        begin $at
        nfs_withdraw
        until grep -q "can't be written" "$log"; do kill -0 "$training"; sleep 0.2; done
        nfs_serve
        goes_on
        rm -r "$(cluster_path "/run/nfs/exported/$name")"
    done
}

@test "NFS 4: a server that is away for a while is waited for; a soft mount's errors cost checkpoints only" {
    cluster_on c2 umount /run/nfs4
    nfs_mount c2 soft,timeo=20,retrans=1
    for host in c1 c2; do
        begin $host /run/nfs4
        nfs_halt
        sleep 12
        nfs_serve
        goes_on
        rm -r "$(cluster_path "/run/nfs/exported/$name")"
    done
}
