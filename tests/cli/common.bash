# What the command tests share. PARDIGITS is the program, MNIST_DIR the folder of the IDX files (tests/run.sh sets both).

set -o pipefail # a program that fails in front of a pipe fails the test

data=$PWD/data/mnist.h5
slower=${SLOWER:-1} # how many times as long everything may take

# on RANKS THREADS COMMAND...: pardigits under mpirun; standard error is in $BATS_TEST_TMPDIR/err too.
on() {
    local ranks=$1 threads=$2
    shift 2
    OMP_NUM_THREADS=$threads timeout -k 5 "$((120 * slower))" mpirun -n "$ranks" "$PARDIGITS" "$@"
}

# needs MODULE...: of Debian's Python; without them the test is skipped.
needs() {
    local module
    for module; do
        /usr/bin/python3 -c "import $module" 2>/dev/null || skip "python3-${module/cv2/opencv} is missing"
    done
}

# same_model A.h5 B.h5: both have a digest, and it is the same.
same_model() {
    local a b
    a=$("$PARDIGITS" digest "$1")
    b=$("$PARDIGITS" digest "$2")
    printf '%s\n' "$a $1" "$b $2"
    [[ $a =~ ^[0-9a-f]{64}$ && $a == "$b" ]]
}

# Skips a test that preloads a library where a sanitizer has to be loaded first.
needs_preloading() {
    [[ -z ${SANITIZER:-} ]] || skip "a sanitizer has to be loaded first"
}

# fails CODE TEXT COMMAND...: the command ends with CODE, and one line of standard error, "pardigits: ...", holds TEXT.
fails() {
    local code=$1 text=$2 seen=0
    shift 2
    timeout -k 5 "$((60 * slower))" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || seen=$?
    if [[ $seen -ne $code ]]; then
        echo "exit code $seen, expected $code: $*"
        cat "$BATS_TEST_TMPDIR/err"
        return 1
    fi
    if [[ $(grep -ac '^pardigits: ' "$BATS_TEST_TMPDIR/err") -ne 1 ]]; then
        echo "expected one sentence of pardigits:"
        cat "$BATS_TEST_TMPDIR/err"
        return 1
    fi
    grep -a '^pardigits: ' "$BATS_TEST_TMPDIR/err" | grep -aqF -- "$text" || {
        echo "expected '$text' in:"
        cat "$BATS_TEST_TMPDIR/err"
        return 1
    }
}

# fails_on RANKS CODE TEXT ARGUMENTS...: the same for pardigits on so many ranks; one starts alone, which is sooner.
fails_on() {
    local ranks=$1 code=$2 text=$3 launcher=()
    shift 3
    # when the first rank ends, mpirun would wait a second before it kills those that don't end by themselves
    [[ $ranks -eq 1 ]] || launcher=(env OMPI_MCA_odls_base_sigkill_timeout=0 mpirun -n "$ranks")
    fails "$code" "$text" "${launcher[@]}" "$PARDIGITS" "$@"
}

# field NAME: that field of the JSON object on standard input.
field() {
    sed -E "s/.*\"$1\":\"?([^\",}]*).*/\1/"
}

# picture INDEX FILE.pgm: test image INDEX as a picture.
picture() {
    {
        printf 'P5\n28 28\n255\n'
        dd if="$MNIST_DIR/t10k-images-idx3-ubyte" iflag=skip_bytes skip=$((16 + 784 * $1)) bs=784 count=1 status=none
    } >"$2"
}

# label INDEX: the label of test image INDEX.
label() {
    od -An -tu1 -j $((8 + $1)) -N 1 "$MNIST_DIR/t10k-labels-idx1-ubyte" | tr -d ' '
}
