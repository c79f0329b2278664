# `make install` and what a program can do with the installed files alone.
load ../cli/common

setup_file() {
    [[ -z ${SANITIZER:-} ]] || return 0
    export prefix=$BATS_FILE_TMPDIR/prefix models=$BATS_FILE_TMPDIR/models
    make_here install
    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH} LD_LIBRARY_PATH=$prefix/lib
    export recognise=$BATS_FILE_TMPDIR/recognise test_images=$MNIST_DIR/t10k-images-idx3-ubyte
    # shellcheck disable=SC2046 # words
    (cd "$BATS_FILE_TMPDIR" && cc -Wall -Wextra -Werror -o recognise "$OLDPWD/tests/install/recognise.c" $(pkg-config --cflags --libs pardigits))
    for model in knn svm cnn; do # pruned: loading such a KNN makes an index
        on 1 2 train configs/$model.ini --data "$data" --run "$models/$model" --set run.train=500 --set cnn.epochs=2 \
            --set svm.probability=yes --set knn.search=pruned
    done
    on 1 2 train configs/cnn.ini --data "$data" --run "$models/ensemble" --set run.train=300 --set cnn.epochs=2 --set cnn.members=2
}

setup() {
    [[ -z ${SANITIZER:-} ]] || skip "a program that isn't instrumented can't load a library that is"
}

make_here() {
    make -s -j2 BUILD="$BUILD" PREFIX="$prefix" "$@"
}

# correct_of LINES: how many labels are right; and the mean confidence.
correct_of() {
    od -An -v -tu1 -w1 -j 8 "$MNIST_DIR/t10k-labels-idx1-ubyte" | paste -d' ' - "$1" |
        awk '{ n++; correct += $1 == $2; sum += $3 } END { printf "%d %.4f\n", correct, sum / n }'
}

@test "a program recognises images with each family and an ensemble as evaluate does, without mpirun" {
    for model in knn svm cnn ensemble; do
        "$recognise" "$models/$model" "$test_images" 10000 >"$BATS_TEST_TMPDIR/lines" 2>"$BATS_TEST_TMPDIR/err"
        [[ ! -s $BATS_TEST_TMPDIR/err ]] # the library prints nothing
        expected=$("$PARDIGITS" evaluate "$models/$model" --data "$data" --json)
        read -r correct confidence < <(correct_of "$BATS_TEST_TMPDIR/lines")
        echo "$model: $correct $confidence; $expected"
        [[ $correct == "$(field correct <<<"$expected")" ]]
        [[ $confidence == "$(printf '%.4f' "$(field mean_confidence <<<"$expected")")" ]]
        # probabilities add up to 1, and the label's is its confidence
        awk '$3 < 0.9998 || $3 > 1.0002 || $2 != $4 { print; bad = 1 } END { exit bad }' "$BATS_TEST_TMPDIR/lines"
    done
}

@test "it digitises a picture as predict does" {
    picture 4 "$BATS_TEST_TMPDIR/four.pgm"
    for model in knn svm cnn; do
        read -r label confidence _ < <("$recognise" "$models/$model" "$test_images" 0 "$BATS_TEST_TMPDIR/four.pgm")
        expected=$("$PARDIGITS" predict "$models/$model" "$BATS_TEST_TMPDIR/four.pgm" --json)
        echo "$model: $label $confidence; $expected"
        [[ $label == "$(field label <<<"$expected")" ]]
        [[ $(printf '%.5f' "$confidence") == "$(printf '%.5f' "$(field confidence <<<"$expected")")" ]]
    done
}

@test "the same labels with any number of threads" {
    for model in knn svm cnn ensemble; do
        for threads in 1 3; do
            OMP_NUM_THREADS=$threads "$recognise" "$models/$model" "$test_images" 1000 >"$BATS_TEST_TMPDIR/$threads"
        done
        cmp "$BATS_TEST_TMPDIR/1" "$BATS_TEST_TMPDIR/3"
    done
}

@test "what can't be opened or read is told in a sentence, and the program goes on to its own end" {
    says() {
        local text=$1
        shift
        run "$recognise" "$@"
        echo "$output"
        [[ $status -eq 1 && $output == "recognise: "*"$text"* && ${#lines[@]} -eq 1 ]]
    }
    says "No such file" "$BATS_TEST_TMPDIR/absent.h5" "$test_images" 1
    says "isn't an HDF5 file" "$test_images" "$test_images" 1
    says "README.md" "$models/knn" "$test_images" 1 "$PWD/README.md"
    # what isn't an error isn't told: no checksum
    head -c -64 "$models/knn/model.h5" >"$BATS_TEST_TMPDIR/model.h5"
    says "README.md" "$BATS_TEST_TMPDIR/model.h5" "$test_images" 1 "$PWD/README.md"
}

@test "the static library serves the same program; its other names are hidden" {
    # the library by its path, lest the linker prefers the shared one
    # shellcheck disable=SC2046 # words
    cc -o "$BATS_TEST_TMPDIR/static" tests/install/recognise.c $(pkg-config --cflags pardigits) "$prefix/lib/libpardigits.a" \
        $(pkg-config --static --libs pardigits | sed 's/-lpardigits\b//')
    env -u LD_LIBRARY_PATH "$BATS_TEST_TMPDIR/static" "$models/cnn" "$test_images" 100 >"$BATS_TEST_TMPDIR/lines"
    "$recognise" "$models/cnn" "$test_images" 100 | cmp - "$BATS_TEST_TMPDIR/lines"
    declared=$(grep -oE '\bpardigits_[a-z_]+\(' include/pardigits/pardigits.h | tr -d '(' | sort -u)
    [[ $(nm -g --defined-only "$prefix/lib/libpardigits.a" | awk 'NF == 3 { print $3 }' | sort) == "$declared" ]]
    [[ $(nm -D --defined-only "$prefix/lib/libpardigits.so" | awk 'NF == 3 { print $3 }' | sort) == "$declared" ]]
}

@test "the header is C++ too" {
    # shellcheck disable=SC2046 # words
    c++ -Wall -Wextra -Werror -o "$BATS_TEST_TMPDIR/header" tests/install/header.cc $(pkg-config --cflags --libs pardigits)
    "$BATS_TEST_TMPDIR/header"
}

@test "the installed program works, says its version, and job scripts start it" {
    "$prefix/bin/pardigits" --version | grep -x "pardigits $(pkg-config --modversion pardigits)"
    LAUNCH=none BUILD= run bash "$prefix/share/pardigits/jobs/scaling.sbatch"
    [[ $status == 2 && $output == "scaling.sbatch: CONFIG.ini is missing"* ]]
    grep -x "program=$prefix/bin/pardigits" "$prefix/share/pardigits/jobs/common.sh"
    [[ -e $prefix/share/pardigits/setup/mpi_env.sh && -e $prefix/share/pardigits/configs/knn.ini && -e $prefix/share/doc/pardigits/LICENSE ]]
}

@test "uninstall leaves other files alone and nothing of its own" {
    local root=$BATS_TEST_TMPDIR/root
    prefix=/usr make_here DESTDIR="$root" install
    [[ $(find "$root" -type f | wc -l) -gt 10 ]]
    ! grep -rlF "$root" "$root" # DESTDIR is nowhere written into a file
    touch "$root/usr/bin/other"
    prefix=/usr make_here DESTDIR="$root" uninstall
    [[ $(find "$root" ! -type d) == "$root/usr/bin/other" && ! -e $root/usr/share/pardigits && ! -e $root/usr/include/pardigits ]]
}
