# Numbers that go bad stop a training, which says where; what was saved before stays good.
load common

faulty=$BUILD/tests/faults/pardigits
cnn=(configs/cnn.ini --data "$data" --set run.train=1000 --set run.valid=0 --set cnn.epochs=3 --set cnn.checkpoint_s=0
    --set "cnn.layers=conv:8:3 bn relu pool:2 conv:8:3 bn relu dense:10") # 8 steps an epoch

setup() {
    run_dir=$BATS_TEST_TMPDIR/run
}

# stops_with FAULT RANKS SENTENCE ARGUMENTS...: a training with a fault (tests/faults/faults.c) ends with 1 and the sentence; the checkpoint
# of the epoch before can be used. Ranks share no memory: each has weights of its own.
stops_with() {
    local fault=$1 ranks=$2 sentence=$3
    shift 3
    PARDIGITS_NODE_RANKS=1 PARDIGITS_FAULT=$fault OMP_NUM_THREADS=1 fails 1 "$sentence" mpirun -n "$ranks" "$faulty" \
        train "${cnn[@]}" "$@" --run "$run_dir" --overwrite
    [[ $("$PARDIGITS" show "$run_dir/model.h5") == *' 1 of 3 epochs trained'* ]]
    "$PARDIGITS" evaluate "$run_dir/model.h5" --data "$data" | grep correct
}

@test "a bit that flips in one rank's weights is named by rank and array" {
    on 1 2 train "${cnn[@]}" --run "$BATS_TEST_TMPDIR/whole"
    stops_with flip:1:conv2/weight:10 3 "Rank 1 (host $(hostname)) has other weights than the other ranks after step 8 of epoch 2, first in conv2/weight"
    stops_with flip:0:dense1/bias:16 2 "Ranks 0 (host $(hostname)) and 1 (host $(hostname)) have different weights after step 8 of epoch 2, first in dense1/bias"
    PARDIGITS=$faulty # which is another build to --resume
    on 2 1 train "${cnn[@]}" --run "$run_dir" --resume
    same_model "$run_dir/model.h5" "$BATS_TEST_TMPDIR/whole/model.h5"
}

@test "NaN is named by the step and the layer in which it came up" {
    # a step takes the weights as the step before left them, so these show one step later
    stops_with nan:1:conv2/weight:10 2 "diverged in step 3/8 of epoch 2/3: the batch norm statistic bn2/mean is not finite or too large; lower cnn.lr"
    stops_with nan:0:dense1/weight:11 1 "diverged in step 4/8 of epoch 2/3: the loss, of what dense1 gives, is not finite" --set cnn.sum_bits=16
    # who watches it isn't sent to where it would happen again
    "$PARDIGITS" watch "$run_dir" --once | grep 'state *diverged: begin it anew with a lower cnn.lr'
    fails 1 'diverged, as it would again with --resume' "$PARDIGITS" watch "$run_dir"
}
