# The whole way on all of MNIST.
load common

@test "KNN on 60,000 images: 9705 of 10,000 at k = 3, exactly, on two ranks" {
    on 2 1 train configs/knn.ini --data "$data" --run "$BATS_TEST_TMPDIR/knn"
    local result
    result=$(on 2 1 evaluate "$BATS_TEST_TMPDIR/knn/model.h5" --data "$data" --json)
    echo "$result"
    [[ $(field n <<<"$result") -eq 10000 ]]
    [[ $(field correct <<<"$result") -eq 9705 ]]
    [[ $(field ranks <<<"$result") -eq 2 ]]
    [[ $(field threads <<<"$result") -eq 1 ]]
}

@test "CNN: two epochs reach 98 % on held-out images" {
    on 2 1 train configs/cnn.ini --data "$data" --run "$BATS_TEST_TMPDIR/cnn" --set run.valid=5000 --set cnn.epochs=2
    local result
    result=$(on 2 1 evaluate "$BATS_TEST_TMPDIR/cnn/model.h5" --data "$data" --split valid --json)
    echo "$result"
    [[ $(field n <<<"$result") -eq 5000 ]]
    [[ $(field correct <<<"$result") -ge 4900 ]]
}
