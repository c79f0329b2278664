#!/usr/bin/env bats
# Sets of other images than MNIST's: made here from its own, as pictures.

load common

# images FIRST COUNT: pixels of test images, one after the other, 28 rows of 28 each.
images() {
    dd if="$MNIST_DIR/t10k-images-idx3-ubyte" iflag=skip_bytes skip=$((16 + 784 * $1)) bs=784 count="$2" status=none
}

# digits of the first COUNT test images, one a line.
digits() {
    od -An -v -tu1 -w1 -j 8 -N "$1" "$MNIST_DIR/t10k-labels-idx1-ubyte" | tr -d ' '
}

# idx PREFIX FIRST COUNT: IDX files of COUNT pairs of digits, one above the other, in 47 classes of no meaning.
idx() {
    local n
    n=$(printf '\\x%02x\\x%02x' $(($3 / 256)) $(($3 % 256)))
    # shellcheck disable=SC2059 # the bytes of a number
    { printf "\0\0\x08\x03\0\0$n\0\0\0\x38\0\0\0\x1c" && images "$2" $((2 * $3)); } >"$dir/idx/$1-images-idx3-ubyte"
    # shellcheck disable=SC2059
    {
        printf "\0\0\x08\x01\0\0$n"
        digits $(($2 + 2 * $3)) | tail -n $((2 * $3)) | paste -d ' ' - - |
            while read -r above below; do printf "\\x$(printf %02x $(((10 * above + below) % 47)))"; done
    } >"$dir/idx/$1-labels-idx1-ubyte"
}

# Folders of classes: train/ and test/ of single digits, and of pairs of digits, one above the other.
setup_file() {
    export dir=$BATS_FILE_TMPDIR
    local i=0 part last=
    while read -r digit; do
        part=$([[ $i -lt 240 ]] && echo train || echo test)
        mkdir -p "$dir/single/$part/digit $digit"
        { printf 'P5\n28 28\n255\n' && images $i 1; } >"$dir/single/$part/digit $digit/$i.pgm"
        if [[ $((i % 2)) -eq 1 ]]; then
            mkdir -p "$dir/pairs/$last$digit"
            { printf 'P5\n28 56\n255\n' && images $((i - 1)) 2; } >"$dir/pairs/$last$digit/$i.pgm"
        fi
        last=$digit i=$((i + 1))
    done < <(digits 300)
    "$PARDIGITS" prepare --pictures "$dir/single" --shape 16x16 --out "$dir/single.h5" >"$dir/single.txt"
    "$PARDIGITS" prepare --pictures "$dir/pairs" --out "$dir/pairs.h5" --json >"$dir/pairs.json"
    mkdir "$dir/idx"
    idx train 0 300
    idx t10k 600 60
    { printf '\xef\xbb\xbf' && seq -f 'kind %g' 47; } >"$dir/names.txt" # begins with a byte order mark, as Windows writes it
    "$PARDIGITS" prepare --idx "$dir/idx" --class-names "$dir/names.txt" --out "$dir/idx.h5" --json >"$dir/idx.json"
}

# same_on_all NAME TRAIN-ARGUMENTS...: one digest on 1x2, 2x1 and 3x1 ranks x threads; it classifies and predicts.
same_on_all() {
    local name=$1 set=$2 split=$3 ranks threads digest=
    shift 3
    for ranks in 1 2 3; do
        threads=$([[ $ranks -eq 1 ]] && echo 2 || echo 1)
        OMP_NUM_THREADS=$threads mpirun -n $ranks "$PARDIGITS" train "$@" --data "$dir/$set.h5" --run "$dir/$name$ranks" 2>"$dir/log" ||
            { cat "$dir/log"; return 1; }
        digest+=$("$PARDIGITS" digest "$dir/$name$ranks/model.h5" | cut -c 1-64)$'\n'
    done
    [[ $(sort -u <<<"${digest%$'\n'}" | wc -l) -eq 1 ]]
    "$PARDIGITS" evaluate "$dir/${name}1/model.h5" --data "$dir/$set.h5" --split "$split" --json >"$dir/result"
    "$PARDIGITS" predict "$dir/${name}1/model.h5" "$dir/single/test"/*/*1.pgm >"$dir/predictions"
    [[ -s $dir/predictions ]]
}

correct() {
    sed -nE 's/.*"correct":([0-9]+).*/\1/p' "$dir/result"
}

@test "prepare --pictures: shape, classes and their names" {
    grep -q '^images *16x16, 10 classes$' "$dir/single.txt"
    grep -q '^training images *240$' "$dir/single.txt"
    grep -q '^test images *60$' "$dir/single.txt"
    grep -q '^digit 0 ' "$dir/single.txt"
    grep -q '"height":56,"width":28,"classes":' "$dir/pairs.json"
    grep -q '"test":0,' "$dir/pairs.json"
    if grep '"test_images_sha256"' "$dir/pairs.json"; then false; fi
    grep -q '"class":"kind 1"' "$dir/idx.json"
}

@test "prepare says what it doesn't read" {
    local own=$BATS_TEST_TMPDIR
    mkdir -p "$own/pictures/train" "$own/pictures/valid" "$own/idx"
    cp -r "$dir/single/train/digit 1" "$dir/single/train/digit 2" "$own/pictures/train"
    # a TIFF of two pages: 8x8 pixels, grey
    /usr/bin/python3 - "$own/pictures/train/digit 1/two.tif" <<'PY'
import struct, sys
def page(next_at):
    tags = [(256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 8), (279, 64)]
    return struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, 4, 1, v) for t, v in tags) + struct.pack("<I", next_at)
first = 72
second = first + len(page(0))
open(sys.argv[1], "wb").write(b"II*\0" + struct.pack("<I", first) + bytes(range(64)) + page(second) + page(0))
PY
    "$PARDIGITS" prepare --pictures "$own/pictures" --shape 16x16 --out "$own/a.h5" 2>"$own/err"
    grep "note: only the first page is taken of 1 picture of several pages, such as .*two.tif" "$own/err"
    grep "note: .*pictures/valid isn't read: only train/ and test/ are" "$own/err"
    cp "$dir/idx"/* "$own/idx"
    gzip -k "$own/idx/train-images-idx3-ubyte" # the same once more
    gzip <"$own/idx/t10k-labels-idx1-ubyte" >"$own/idx/train-labels-idx1-ubyte.gz"
    cp "$own/idx/t10k-labels-idx1-ubyte" "$own/idx/test-labels-idx1-ubyte"
    "$PARDIGITS" prepare --idx "$own/idx" --class-names "$dir/names.txt" --out "$own/b.h5" 2>"$own/err"
    [[ $(grep -c 'note: ' "$own/err") -eq 2 ]]
    grep 'train-labels-idx1-ubyte is read; .*train-labels-idx1-ubyte.gz beside it holds something else' "$own/err"
    grep 'the test part is read from the t10k-\* files; test-\*' "$own/err"
}

@test "KNN of 16x16 images, by pixels, gradients and distortions" {
    for metric in l2 gradient idm; do
        same_on_all "knn-$metric" single test configs/knn.ini --set knn.metric=$metric
        [[ $(correct) -gt 40 ]]
    done
    # pictures are taken as prepare took them
    "$PARDIGITS" predict "$dir/knn-idm1" "$dir/single/test" --json >"$dir/predictions"
    [[ $(grep -cE '"picture":"[^"]*/(digit [0-9])/[^"]*",.*"class":"\1","page"' "$dir/predictions") -eq $(correct) ]]
}

@test "classes of MNIST's shape and number that aren't digits: the model alone reads pictures" {
    mkdir "$dir/others"
    { printf '\0\0\x08\x03\0\0\x01\x2c\0\0\0\x1c\0\0\0\x1c' && images 0 300; } >"$dir/others/train-images-idx3-ubyte"
    {
        printf '\0\0\x08\x01\0\0\x01\x2c'
        # shellcheck disable=SC2059
        digits 300 | while read -r digit; do printf "\\x0$(((digit + 3) % 10))"; done
    } >"$dir/others/train-labels-idx1-ubyte"
    "$PARDIGITS" prepare --idx "$dir/others" --out "$dir/others.h5"
    "$PARDIGITS" train configs/knn.ini --data "$dir/others.h5" --run "$dir/others-run" --set knn.k=1
    picture 12 "$dir/digit.pgm"
    "$PARDIGITS" predict "$dir/others-run" "$dir/digit.pgm" --json | tee "$dir/predictions"
    grep -E "\"label\":$((($(digits 13 | tail -n 1) + 3) % 10)),.*\"doubtful\":false,\"digits\"" "$dir/predictions"
}

@test "predict --whole: pictures that are images as the model was trained on; a line tells of it" {
    "$PARDIGITS" train configs/knn.ini --data "$dir/pairs.h5" --run "$dir/whole" --set knn.k=1
    "$PARDIGITS" predict "$dir/whole" "$dir/pairs" --whole --csv >"$dir/predictions" 2>"$dir/log"
    grep 'taken whole' "$dir/log"
    # all are training images: the label is the folder's name
    grep -cE '/pairs/([0-9]+)/[0-9]+\.pgm.*,\1,' "$dir/predictions" | grep -x 150
    # a model of an inverted dataset inverts them
    "$PARDIGITS" prepare --pictures "$dir/pairs" --invert --out "$dir/inverted.h5"
    "$PARDIGITS" train configs/knn.ini --data "$dir/inverted.h5" --run "$dir/inverted" --set knn.k=1
    "$PARDIGITS" predict "$dir/inverted" "$dir/pairs" --whole --csv 2>"$dir/log" | grep -cE '/pairs/([0-9]+)/[0-9]+\.pgm.*,\1,' | grep -x 150
    grep 'taken whole and inverted' "$dir/log"
    # so they are without --whole, as they aren't normalised; MNIST's images are, and so are pictures for them
    "$PARDIGITS" predict "$dir/whole" "$dir/pairs" --single --csv 2>"$dir/log" | grep -cE '/pairs/([0-9]+)/[0-9]+\.pgm.*,\1,' | grep -x 150
    grep 'hint: --single has no effect' "$dir/log"
    "$PARDIGITS" prepare --pictures "$dir/single" --out "$dir/single28.h5"
    "$PARDIGITS" train configs/knn.ini --data "$dir/single28.h5" --run "$dir/single28" --set knn.k=1
    "$PARDIGITS" predict "$dir/single28" "$dir/single/test" --single 2>&1 >"$dir/predictions" | grep 'cut out, scaled and centred.* --whole'
    # what isn't a digit is doubtful as a whole, too
    "$PARDIGITS" train configs/knn.ini --data "$data" --run "$dir/digits" --set run.train=1000
    { printf 'P5\n90 90\n255\n' && head -c 8100 /dev/zero | tr '\0' '\377'; } >"$dir/white.pgm"
    "$PARDIGITS" predict "$dir/digits" "$dir/white.pgm" --whole | grep doubtful
    picture 0 "$dir/seven.pgm"
    "$PARDIGITS" predict "$dir/digits" "$dir/seven.pgm" --whole | grep '^7 '
    fails 2 'choose one' "$PARDIGITS" predict "$dir/whole" "$dir/pairs" --single --whole
}

@test "KNN of many classes, without a test part" {
    same_on_all knn-pairs pairs valid configs/knn.ini --set run.valid=20 --set run.preprocess=deskew
    fails 2 'no test part' "$PARDIGITS" evaluate "$dir/knn-pairs1/model.h5" --data "$dir/pairs.h5"
    same_on_all knn-idx idx test configs/knn.ini
}

@test "CNN of 16x16 images and of 47 classes in IDX files" {
    local cnn=(configs/cnn.ini --set "cnn.layers=conv:8:3 bn relu pool:2 dense:classes" --set cnn.batch=16 --set cnn.micro_batch=8)
    same_on_all cnn single test "${cnn[@]}" --set cnn.epochs=4
    [[ $(correct) -gt 30 ]]
    same_on_all cnn-idx idx test "${cnn[@]}" --set cnn.epochs=1 --set cnn.stretch=0.1
    grep -q 'kind [0-9]' "$dir/predictions"
    same_on_all cnn-last idx test "${cnn[@]}" --set cnn.epochs=1 --set cnn.layers=dense:47
    fails 2 'one output a class, 47 of them' "$PARDIGITS" train configs/cnn-fast.ini --set cnn.layers=dense:10 --data "$dir/idx.h5" --run "$dir/no"
}

@test "a model refuses images of another shape" {
    "$PARDIGITS" train configs/knn.ini --data "$dir/single.h5" --run "$dir/knn-shape"
    fails 2 'idx.h5 holds images of 56x28 pixels, but' "$PARDIGITS" evaluate "$dir/knn-shape/model.h5" --data "$dir/idx.h5"
}

@test "prepare --grow: one file on 1 to 3 ranks; it trains; the first images and the test part are the originals" {
    local ranks grow=(prepare --pictures "$dir/single" --shape 16x16 --grow 70000 --json)
    for ranks in 1 2 3; do # more than one block of images
        mpirun -n $ranks "$PARDIGITS" "${grow[@]}" --out "$dir/grown.h5" >"$dir/grown$ranks.json"
        mv "$dir/grown.h5" "$dir/grown$ranks.h5"
        cmp "$dir/grown1.h5" "$dir/grown$ranks.h5"
    done
    grep -q '"train":70000,"test":60,' "$dir/grown1.json"
    [[ $("$PARDIGITS" show "$dir/grown1.h5" --json) == "$(sed 's/grown.h5/grown1.h5/; s/}$//' "$dir/grown1.json")"* ]] # and more
    "$PARDIGITS" "${grow[@]}" --set run.seed=2 --out "$dir/grown2.h5" >"$dir/seed2.json"
    if cmp -s "$dir/grown1.h5" "$dir/grown2.h5"; then return 1; fi
    train=(train configs/knn.ini --set knn.k=1 --set run.train=240)
    "$PARDIGITS" "${train[@]}" --data "$dir/single.h5" --run "$dir/first"
    "$PARDIGITS" "${train[@]}" --data "$dir/grown1.h5" --run "$dir/first-grown"
    [[ $("$PARDIGITS" digest "$dir/first") == "$("$PARDIGITS" digest "$dir/first-grown")" ]]
    fails 2 '240 training images already' "$PARDIGITS" "${grow[@]}" --grow 100 --out "$dir/bad.h5"
    fails 2 'expected a whole number' "$PARDIGITS" "${grow[@]}" --grow 1e6 --out "$dir/bad.h5"
    fails 2 'cnn.lr' "$PARDIGITS" "${grow[@]}" --set cnn.lr=1 --out "$dir/bad.h5"
    fails 2 'belongs to --grow' "$PARDIGITS" prepare --pictures "$dir/single" --set run.seed=1 --out "$dir/bad.h5"
    fails 1 "can't be written: File too large" bash -c 'ulimit -f 10000; exec "$@"' - "$PARDIGITS" "${grow[@]}" --out "$dir/bad.h5"
    [[ -z $(find "$dir" -name '*bad.h5*') ]]
}

@test "prepare --pictures: what can't be" {
    cp -r "$dir/single" "$dir/bad"
    echo text >"$dir/bad/train/digit 3/notes.txt"
    fails 1 'notes.txt' "$PARDIGITS" prepare --pictures "$dir/bad" --out "$dir/bad.h5"
    [[ ! -e $dir/bad.h5 ]]
    rm "$dir/bad/train/digit 3/notes.txt"
    mkdir "$dir/bad/train/$(printf 'x%.0s' {1..200})"
    fails 1 'xxx: the name of this folder, which is that of a class, has 200 bytes' "$PARDIGITS" prepare --pictures "$dir/bad" --out "$dir/bad.h5"
    rmdir "$dir/bad/train"/xxx*
    mkdir "$dir/bad/train/hollow" # no picture of a class isn't wrong, but said
    "$PARDIGITS" prepare --pictures "$dir/bad" --shape 16x16 --out "$dir/hollow.h5" 2>&1 |
        grep 'hint: classes without training images: 1 of 11 (the first one is hollow); add some'
    mkdir "$dir/bad/train/hollow/deep"
    fails 1 'hollow/deep is a folder within the folder of a class' "$PARDIGITS" prepare --pictures "$dir/bad" --out "$dir/bad.h5"
    mkdir -p "$dir/one/train/a" "$dir/empty/a" "$dir/empty/b"
    cp "$dir/single/train/digit 1/"*.pgm "$dir/one/train/a/"
    fails 1 'holds 1 folder, expected one for each class, 2 to 256' "$PARDIGITS" prepare --pictures "$dir/one" --out "$dir/bad.h5"
    fails 1 'holds no picture' "$PARDIGITS" prepare --pictures "$dir/empty" --out "$dir/bad.h5"
    mkdir -p "$dir/many"
    for i in $(seq 257); do mkdir "$dir/many/$i"; done
    fails 1 '257 folders' "$PARDIGITS" prepare --pictures "$dir/many" --out "$dir/bad.h5"
    for shape in 7x7 65x65 28 28x28x1 4294967324x28 28x4294967324; do
        fails 2 'HEIGHTxWIDTH' "$PARDIGITS" prepare --pictures "$dir/single" --shape $shape --out "$dir/bad.h5"
    done
    [[ ! -e $dir/bad.h5 ]]
}

@test "SVM of 16x16 images: one digest; LIBSVM says the same of the exported model" {
    same_on_all svm single test configs/svm.ini --set svm.probability=yes
    "$PARDIGITS" predict "$dir/svm1" "$dir/single/test" --csv --probabilities 2>/dev/null | grep -x "picture,label,confidence,class,.*,p_0,p_1,.*,p_9"
    [[ $(correct) -gt 40 ]]
    same_on_all svm-gradient single test configs/svm.ini --set svm.features=gradient --set svm.virtual=1
    same_on_all svm-plain single test configs/svm.ini --set run.preprocess=none
    "$PARDIGITS" export "$dir/svm-plain1/model.h5" --out "$dir/model.libsvm"
    "$PARDIGITS" export "$dir/svm-plain1/model.h5" --split test --data "$dir/single.h5" --out "$dir/test.libsvm"
    for how in "--shape 16x16" "--data $dir/single.h5"; do
        # shellcheck disable=SC2086 # two words
        "$PARDIGITS" import "$dir/model.libsvm" --out "$dir/back.h5" $how
        for model in svm-plain1/model back; do
            "$PARDIGITS" evaluate "$dir/$model.h5" --data "$dir/single.h5" --json | grep -o '"confusion":\[\[[^a-z]*\]\]' >"$dir/$model.txt"
        done
        cmp "$dir/svm-plain1/model.txt" "$dir/back.txt"
    done
    "$PARDIGITS" predict "$dir/back.h5" "$dir/single/test"/*/*1.pgm | grep -q 'digit [0-9]'
    # --data is also the dataset that it is used with; what its file doesn't say isn't made up
    [[ $("$PARDIGITS" evaluate "$dir/back.h5" --json | field n) -eq 60 ]]
    "$PARDIGITS" show "$dir/back.h5" >"$dir/back.txt"
    grep 'C unknown' "$dir/back.txt"
    [[ $(grep -cE '^svm\.(c|gamma) ' "$dir/back.txt") -eq 1 ]]
    fails 2 "doesn't say with which svm.c" "$PARDIGITS" evaluate "$dir/back.h5" --set svm.c=3
    fails 2 'lies in the first half of 28 x 28 pixels' "$PARDIGITS" import "$dir/model.libsvm" --out "$dir/no.h5"
    fails 2 'but the shape of --shape, or of the dataset of --data, is 8 x 8 pixels, features 1 to 64' "$PARDIGITS" import "$dir/model.libsvm" --out "$dir/no.h5" --shape 8x8
    fails 2 'has the label 9, but --classes' "$PARDIGITS" import "$dir/model.libsvm" --out "$dir/no.h5" --shape 16x16 --classes 9
    fails 2 '--classes 4294967306: expected a whole number, 2 to 256' "$PARDIGITS" import "$dir/model.libsvm" --out "$dir/no.h5" --shape 16x16 --classes 4294967306
    fails 2 'omit --shape' "$PARDIGITS" import "$dir/model.libsvm" --out "$dir/no.h5" --shape 16x16 --data "$dir/single.h5"
    command -v svm-predict || skip "LIBSVM's svm-predict isn't installed"
    svm-predict "$dir/test.libsvm" "$dir/model.libsvm" "$dir/libsvm.out" | tee "$dir/libsvm.txt"
    grep -q "($(correct)/60)" "$dir/libsvm.txt"
}

@test "SVM of many classes, without a test part; a search for C and gamma" {
    same_on_all svm-pairs pairs valid configs/svm.ini --set run.valid=20 --set run.train=40
    same_on_all svm-search pairs valid configs/svm.ini --set run.valid=20 --set run.train=30 --set svm.search=grid \
        --set svm.folds=2 --set svm.grid_c=1,10 --set svm.grid_gamma=0.02
}

@test "make data MNIST_DIR: MNIST's other usual names, plain and .gz; what isn't there or isn't MNIST is named" {
    cd "$BATS_TEST_TMPDIR" || return
    mkdir -p theirs ours/data
    cp "$BATS_TEST_DIRNAME/../../data/fetch_mnist.sh" ours/data
    for file in "$MNIST_DIR"/*-idx*-ubyte; do
        name=${file##*/}
        ln -s "$file" "theirs/${name/-idx/.idx}"
    done
    rm theirs/t10k-images.idx3-ubyte
    MNIST_DIR=$PWD/theirs run bash ours/data/fetch_mnist.sh
    [[ $status -ne 0 && $output == *'neither t10k-images-idx3-ubyte nor t10k-images.idx3-ubyte'* ]]
    gzip -c1 "$MNIST_DIR/t10k-images-idx3-ubyte" >theirs/t10k-images.idx3-ubyte.gz
    MNIST_DIR=$PWD/theirs bash ours/data/fetch_mnist.sh
    [[ $(ls ours/data/mnist | wc -l) -eq 4 ]]
    MNIST_DIR=$PWD/none bash ours/data/fetch_mnist.sh 2>&1 | grep "MNIST_DIR isn't needed"
    "$PARDIGITS" prepare --idx theirs --out theirs.h5 --json | grep '"train_images":60000\|60000'
}

@test "SVM with svm.normalize: images without ink are the kernel's zero vector; svm-predict agrees on every image" {
    cd "$BATS_TEST_TMPDIR" || return
    /usr/bin/python3 - "$data" <<'PY'
import h5py, sys
source = h5py.File(sys.argv[1])
with h5py.File("blank.h5", "w") as f:
    f.attrs["format"], f.attrs["version"], f.attrs["classes"] = "pardigits dataset", 1, 10
    for part, n in ("train", 500), ("test", 200):
        images = source[part + "/images"][:n]
        images[::10] = 0
        f[part + "/images"], f[part + "/labels"] = images, source[part + "/labels"][:n]
PY
    on 2 1 train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --data blank.h5 --run svm --set svm.normalize=yes --set svm.gamma=0.5
    "$PARDIGITS" evaluate svm --predictions ours.csv
    "$PARDIGITS" export svm/model.h5 --out theirs.libsvm
    "$PARDIGITS" export svm/model.h5 --split test --out test.svm
    svm-predict test.svm theirs.libsvm theirs
    cut -d, -f3 ours.csv | tail -n +2 | diff - theirs
}

@test "show and prepare notice blank, inverted, repeated and shared images" {
    mkdir "$dir/strange"
    /usr/bin/python3 - "$dir/strange" <<'EOF'
import struct, sys
def part(name, images, labels):
    with open(f"{sys.argv[1]}/{name}-images-idx3-ubyte", "wb") as f:
        f.write(struct.pack(">4i", 2051, len(images), 8, 8) + b"".join(images))
    with open(f"{sys.argv[1]}/{name}-labels-idx1-ubyte", "wb") as f:
        f.write(struct.pack(">2i", 2049, len(labels)) + bytes(labels))
def drawn(*ink):
    return bytes(255 if i in ink else 0 for i in range(64))
bar, dot = drawn(20, 28, 36), drawn(27)
inverted = bytes(255 - pixel for pixel in bar)
part("train", [bar, dot, bytes(64), bar, inverted, bytes([3] * 64), bytes([255] * 64)], [0, 1, 1, 0, 0, 1, 1])
part("t10k", [bar, drawn(44), dot, dot], [0, 1, 1, 1])
EOF
    "$PARDIGITS" prepare --idx "$dir/strange" --out "$dir/strange.h5" 2>"$dir/err"
    grep '3 of 7 training images are blank (the first one is image 2)' "$dir/err"
    grep '1 of 7 training images have a bright ground (the first one is image 4).*: subtract the pixels' "$dir/err"
    "$PARDIGITS" show "$dir/strange.h5" --out "$dir/strange.png" --json >"$dir/shown"
    grep -F '"part":"train","smallest_class":3,"largest_class":4,"brightest":255,"blank":3,"inverted":1,"repeated":1,"shared":3}' "$dir/shown"
    grep -F '"part":"test","smallest_class":1,"largest_class":3,"brightest":255,"blank":0,"inverted":0,"repeated":1,"shared":3}' "$dir/shown"
}

@test "images in 0 to 16 are noticed before anything is trained on them; --invert is advised where it helps" {
    cd "$BATS_TEST_TMPDIR" || return
    /usr/bin/python3 - "$data" <<'PY'
import h5py, os, sys
source = h5py.File(sys.argv[1])["train"]
images, labels = source["images"][:60], source["labels"][:60]
def write(name, images):
    with h5py.File(name, "w") as f:
        f.attrs.update(format="pardigits dataset", version=1, classes=10)
        f["train/images"], f["train/labels"] = images, labels
write("faint.h5", images // 16 + (images == 255))
write("grey.h5", images // 3)
write("black.h5", images * 0)
for name in "format", "version", "classes":
    write(f"no-{name}.h5", images)
    del h5py.File(f"no-{name}.h5", "r+").attrs[name]
for c in 0, 1:
    os.makedirs(f"dark/{c}"), os.makedirs(f"faint/{c}")
    for i in 0, 1, 2:
        open(f"dark/{c}/{i}.pgm", "wb").write(b"P5 28 28 255\n" + images[labels == c][i].tobytes())
        open(f"faint/{c}/{i}.pgm", "wb").write(b"P5 28 28 255\n" + (images[labels == c][i] // 17).tobytes())
PY
    for name in format version; do
        fails_on 2 1 "no-$name.h5 has no attribute \`$name\` of /, which is the " train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --data no-$name.h5 --run bare
    done
    fails 1 'its attribute `format` of / is missing' "$PARDIGITS" show no-format.h5
    "$PARDIGITS" show no-classes.h5 2>&1 | grep 'no-classes.h5 has no attribute `classes` of /: it is taken for one of 10 classes'
    local hint='hint: the brightest pixel of the training images is 16 of 255, .* multiply the pixels by 15 '
    on 2 1 train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --data faint.h5 --set run.train=50 --set run.valid=0 --dry-run 2>&1 | grep "$hint"
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --data faint.h5 --run knn --set run.train=50 --set run.valid=0 2>&1 | grep "$hint"
    "$PARDIGITS" show faint.h5 2>&1 | grep "$hint"
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --data grey.h5 --run grey --set run.train=50 --set run.valid=0 >log 2>&1
    if grep hint: log; then false; fi
    "$PARDIGITS" prepare --pictures faint --out no.h5 2>&1 | grep 'is 15 of 255, .* multiply the pixels by 17 '
    "$PARDIGITS" prepare --pictures dark --invert --out no.h5 2>&1 | grep '6 of 6 training images have a bright ground (the first one is dark/[01]/[012].pgm).*: omit --invert'
    # black ones, of which nothing is learned; faint ones for a model of others; a single one
    "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/cnn.ini" --data black.h5 --run black --set run.valid=0 --set cnn.layers=dense:classes \
        --set cnn.batch=8 --set cnn.epochs=8 >log 2>&1
    grep 'hint: every pixel of the training images is 0' log
    grep 'hint: the network has learned nothing: its loss in training' log
    "$PARDIGITS" evaluate grey --data faint.h5 --split train 2>&1 | grep 'hint: few images are recognised; the brightest pixel of the train images is 16 of 255'
    if "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --data grey.h5 --set run.train=1 --set run.valid=0 --dry-run >log 2>&1; then false; fi
    grep 'training images hold 1 class' log
    "$PARDIGITS" prepare --pictures dark --out no.h5 >log 2>&1
    if grep -e warning -e hint: log; then false; fi
}

@test "class names that aren't UTF-8 are refused wherever they come from" {
    cd "$BATS_TEST_TMPDIR" || return
    printf 'z\351ro\nun\n' >latin1
    fails 1 "latin1: the name of class 0 isn't in UTF-8: save" "$PARDIGITS" prepare --idx "$MNIST_DIR" --class-names latin1 --out no.h5
    printf 'z\0e\0' >utf16
    fails 1 "utf16 isn't text in UTF-8: save" "$PARDIGITS" prepare --idx "$MNIST_DIR" --class-names utf16 --out no.h5
    mkdir -p "pictures/$(printf 'z\351ro')" pictures/un
    picture 3 "pictures/un/a.pgm"
    fails 1 "of a class, isn't in UTF-8: rename it" "$PARDIGITS" prepare --pictures pictures --out no.h5
    /usr/bin/python3 - "$data" <<'PY'
import h5py, sys, numpy as np
source = h5py.File(sys.argv[1])["train"]
images, labels = source["images"][:100], source["labels"][:100]
images, labels = images[labels < 2], labels[labels < 2]
for name, names in ("utf8", "z\u00e9ro\n\u65e5\u672c\u8a9e"), ("latin1", np.bytes_(b"z\xe9ro\nz\xe8ro")), ("plain", None):
    with h5py.File(name + ".h5", "w") as f:
        f.attrs.update(format="pardigits dataset", version=1, classes=2)
        if names: f.attrs["class_names"] = names
        f["train/images"], f["train/labels"] = images, labels
PY
    refused 1 "latin1.h5: the name of class 0 isn't in UTF-8" "$PARDIGITS" show latin1.h5
    "$PARDIGITS" show utf8.h5 | grep zéro

    # what is drawn calls them by their numbers
    picture 3 zero.pgm
    for name in utf8 plain; do
        "$PARDIGITS" train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --data $name.h5 --set run.valid=0 --set knn.k=1 --run $name
        "$PARDIGITS" show $name.h5 --out $name.png 2>$name.err
        "$PARDIGITS" predict $name zero.pgm --seen $name.seen.png --annotate $name.boxes.png --neighbours $name.near.png 2>>$name.err
    done
    [[ $(grep -cF 'captions call classes such as 0 (zéro) by their numbers' utf8.err) -eq 2 ]]
    if grep captions plain.err; then false; fi
    for drawn in png seen.png boxes.png near.png; do cmp utf8.$drawn plain.$drawn; done
    # columns stand below each other: 日本語 takes six
    "$PARDIGITS" evaluate utf8 --split train | grep -E '^(zéro  |日本語) '
}

@test "5,000,000,000 images, most of them holes in the file: the last ones are found, and too many to train on are refused" {
    /usr/bin/python3 - "$BATS_TEST_TMPDIR/large.h5" "$data" <<'PYTHON'
import sys, h5py, numpy as np
from h5py import h5d, h5p, h5s, h5t
with h5py.File(sys.argv[1], "w") as file, h5py.File(sys.argv[2]) as mnist:
    file.attrs.update(mnist.attrs)
    plain = h5p.create(h5p.DATASET_CREATE)
    plain.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    plain.set_fill_time(h5d.FILL_TIME_NEVER)
    group, n = file.create_group("train"), 5_000_000_000
    for name, shape in ("images", (n, 8, 8)), ("labels", (n,)):
        h5d.create(group.id, name.encode(), h5t.STD_U8LE, h5s.create_simple(shape), plain)
    for first in 0, n - 200:
        group["labels"][first : first + 200] = np.arange(200) % 10
        group["images"][first : first + 200] = (20 * (np.arange(200) % 10)[:, None, None] + np.arange(64).reshape(8, 8) % 7).astype("u1")
PYTHON
    local folder=$BATS_TEST_TMPDIR/run
    run "$PARDIGITS" train configs/knn.ini --data "$BATS_TEST_TMPDIR/large.h5" --run "$folder"
    [[ $status -eq 2 && $output == *'large.h5 holds 5000000000 images to train on, but the index of one has 32 bits'* ]]
    "$PARDIGITS" train configs/knn.ini --data "$BATS_TEST_TMPDIR/large.h5" --run "$folder" --overwrite --set run.train=200 --set run.valid=200 \
        --set run.preprocess=none 2>&1 | grep 'validation: 200 of 200 correct'
}

@test "datasets of other programs: numbers that don't fit are refused, not cut off" {
    cd "$BATS_TEST_TMPDIR" || return
    /usr/bin/python3 - "$data" <<'PY'
import h5py, sys
source = h5py.File(sys.argv[1])["train"]
images, labels = source["images"][:60].astype("i4"), source["labels"][:60].astype("i2")
with h5py.File("lzf.h5", "w") as f:
    f.attrs["format"], f.attrs["version"], f.attrs["classes"] = "pardigits dataset", 1, 10
    f.create_dataset("train/images", data=images.astype("u1"), compression="lzf")
    f["train/labels"] = labels
for name, factor, shift in ("wide", 257, 0), ("signed", 1, -1), ("whole", 1, 0):
    with h5py.File(name + ".h5", "w") as f:
        f.attrs["format"], f.attrs["version"], f.attrs["classes"] = "pardigits dataset", 1, 10
        f["train/images"], f["train/labels"] = images * factor, labels + shift
PY
    knn=("$BATS_TEST_DIRNAME/../../configs/knn.ini" --set run.train=0 --set knn.k=1)
    local code=0
    on 2 1 train "${knn[@]}" --data lzf.h5 --run a 2>err || code=$?
    [[ $code -eq 1 ]]
    grep "lzf.h5: /train/images is compressed by lzf (HDF5 filter 32000), which isn't supported here: write it with gzip" err
    code=0
    on 2 1 train "${knn[@]}" --data wide.h5 --run a 2>err || code=$?
    [[ $code -eq 1 ]]
    grep 'wide.h5: /train/images holds numbers out of the range that is expected there, 0 to 255: convert' err
    code=0
    "$PARDIGITS" train "${knn[@]}" --data signed.h5 --run a 2>err || code=$?
    [[ $code -eq 1 ]]
    grep 'signed.h5: /train/labels holds numbers out of the range' err
    "$PARDIGITS" train "${knn[@]}" --data whole.h5 --run a
    "$PARDIGITS" evaluate a --split train | grep -E '^knn +60 +60 '
}

# refused CODE TEXT COMMAND...: the same as fails, of a dataset without a checksum, about which there is a sentence before.
refused() {
    local code=$1 text=$2 seen=0
    shift 2
    "$@" >out 2>err || seen=$?
    cat err
    [[ $seen -eq $code ]] && grep -qF -- "$text" err
}

@test "a dataset of another program is known by what it holds, and its classes by their names" {
    cd "$BATS_TEST_TMPDIR" || return
    /usr/bin/python3 - "$data" <<'PY'
import h5py, sys, numpy as np
source = h5py.File(sys.argv[1])["train"]
x, y = source["images"][:300], source["labels"][:300]
x, y = x[y < 3], y[y < 3]
t, u = x[60:], y[60:]
def write(name, x, y, t, u, names, classes=None):
    with h5py.File(name + ".h5", "w") as f:
        f.attrs.update(format="pardigits dataset", version=1, classes=classes or len(names))
        if names: f.attrs["class_names"] = "\n".join(names)
        f["train/images"], f["train/labels"], f["test/images"], f["test/labels"] = x, y, t, u
names = ["null", "one", "two"]
x, y = x[:60], y[:60]
order = np.argsort(y, kind="stable")
write("own", x, y, t, u, names)
write("reversed", x[::-1], y[::-1], t, u, names)
write("sorted", x[order], y[order], t, u, names)
write("turned", x, (y + 1) % 3, t, (u + 1) % 3, names[2:] + names[:2])
write("relabelled", x, (y + 1) % 3, t, u, names)
write("fewer", x[y > 0], y[y > 0] - 1, t[u > 0], u[u > 0] - 1, names[1:])
write("unknown", x, y, t, u, ["null", "eins", "zwei"])
write("more", x, y, t, u, names, 4)
write("less", x, y + 1, t, u, names)
write("unnamed", x, y, t, u, [], 3)
write("five", x[::-1], y[::-1], t, u, [], 5)
with h5py.File("list.h5", "w") as f:
    f.attrs.update(format="pardigits dataset", version=1, classes=3, class_names=names)
with h5py.File("test.h5", "w") as f:
    f.attrs.update(format="pardigits dataset", version=1, classes=3)
    f["test/images"], f["test/labels"] = t, u
PY
    local svm=("$BATS_TEST_DIRNAME/../../configs/svm.ini" --set run.train=0 --set run.valid=10 --run run) name
    "$PARDIGITS" train "${svm[@]}" --data own.h5 2>err
    if grep 'held-out image' err; then false; fi
    "$PARDIGITS" train "${svm[@]}" --data sorted.h5 --run sorted 2>&1 | grep 'hint: every held-out image (10, run.valid) is of class two'

    # the same images, the same answers, whatever the number of a class
    "$PARDIGITS" evaluate run --predictions own.csv --json | field correct >correct
    "$PARDIGITS" evaluate run --split valid 2>err
    if grep "isn't the dataset" err; then false; fi
    "$PARDIGITS" export run --split test --out own.libsvm
    on 2 1 evaluate run --data turned.h5 --predictions turned.csv --json 2>err | field correct | diff - correct
    if grep "isn't the dataset" err; then false; fi
    diff own.csv turned.csv
    "$PARDIGITS" export run --split test --data turned.h5 --out turned.libsvm
    cmp own.libsvm turned.libsvm
    "$PARDIGITS" report run --data turned.h5 --out report.html
    grep -qF "\"correct\":$(cat correct)," report.html
    # models that number the classes otherwise are compared on the same images
    "$PARDIGITS" train "${svm[@]}" --data turned.h5 --run turned
    "$PARDIGITS" report run turned --data own.h5 --out report.html
    grep -qF '"pairs":[{"a":0,"b":1,"only_a":0,"only_b":0,"p":1}]' report.html

    # others
    "$PARDIGITS" evaluate run --data reversed.h5 --split valid 2>&1 | grep 'its training images are others'
    "$PARDIGITS" evaluate run --data relabelled.h5 2>&1 | grep 'its training images are the same, but not their labels'
    [[ $("$PARDIGITS" evaluate run --split train --json | field n) -eq 50 ]]
    [[ $("$PARDIGITS" evaluate run --data reversed.h5 --split train --json | field n) -eq 60 ]]
    "$PARDIGITS" evaluate run --data fewer.h5 --predictions fewer.csv
    diff <(cut -d , -f 2- own.csv | grep -v '^0,') <(cut -d , -f 2- fewer.csv)
    refused 1 "unknown.h5 has a class eins, which run/model.h5 doesn't know" "$PARDIGITS" evaluate run --data unknown.h5
    refused 1 'lacks the predictions of 2 of 2 runs' on 2 1 report run turned --data unknown.h5 --out unknown.html
    refused 1 'has a class eins' "$PARDIGITS" export run --split test --data unknown.h5 --out unknown.libsvm
    for name in reversed relabelled turned; do
        refused 2 'other training images or labels' "$PARDIGITS" train "${svm[@]}" --resume --data $name.h5
    done
    refused 2 'The run was begun with other classes' "$PARDIGITS" train "${svm[@]}" --resume --data unknown.h5
    "$PARDIGITS" train "${svm[@]}" --resume --data own.h5 2>&1 | grep 'complete already'

    # numbers that may mean something else
    "$PARDIGITS" evaluate run --data unnamed.h5 2>err
    if grep warning err; then false; fi
    "$PARDIGITS" evaluate run --data five.h5 2>&1 | grep 'warning: class 0 is called 0 in five.h5 and null in run/model.h5, and the dataset has no names'
    "$PARDIGITS" train "${svm[@]}" --data unnamed.h5 --run plain
    "$PARDIGITS" evaluate plain --data reversed.h5 2>&1 | grep 'class 0 is called null in reversed.h5 and 0 in plain/model.h5, and the model has no names'
    "$PARDIGITS" evaluate plain --data five.h5 2>&1 | grep 'warning: five.h5 has 5 classes, but plain/model.h5 has 3: they are taken by their numbers'

    # models of other images are no runs of one kind; what they were evaluated on is said
    "$PARDIGITS" evaluate run sorted --data own.h5 --summary --json | tee out
    [[ $(grep -o '"runs":1' out | wc -l) -eq 2 && $(grep -o '"data":"own.h5"' out | wc -l) -eq 2 ]]
    "$PARDIGITS" evaluate run --data own.h5 --predictions own.hdf5 | grep '^dataset: own.h5, test'
    "$PARDIGITS" show own.hdf5 --json | grep '"data":"own.h5","split":"test"'

    # a run that goes on keeps the names that it was begun with
    local cnn=("$BATS_TEST_DIRNAME/../../configs/cnn.ini" --set run.valid=0 --set cnn.layers=dense:classes --set cnn.schedule=constant --run cnn)
    "$PARDIGITS" train "${cnn[@]}" --data own.h5 --set cnn.epochs=1
    "$PARDIGITS" evaluate cnn run --summary --csv | tee out
    [[ $(sed 1d out | cut -d , -f 1) == $'1\n1' ]]
    "$PARDIGITS" train "${cnn[@]}" --data unnamed.h5 --set cnn.epochs=2 --resume
    "$PARDIGITS" evaluate cnn --data own.h5 | grep null

    # a mistake in a file is named, and not called damage
    refused 1 'class_names has 3 names, one a line, but its attribute classes is 4' "$PARDIGITS" evaluate run --data more.h5
    refused 1 'less.h5: /train/labels[' "$PARDIGITS" evaluate run --data less.h5 --split train
    grep 'is 3, but its attribute classes is 3, so that labels are 0 to 2' err
    refused 1 'less.h5: /train/labels[' "$PARDIGITS" show less.h5
    refused 1 "attribute class_names of / isn't a single text" "$PARDIGITS" show list.h5
    refused 1 'test.h5 has no /train/images: a dataset needs' "$PARDIGITS" evaluate run --data test.h5
    grep 'write them to both parts, /train and /test' err

    # arrays of other shapes
    /usr/bin/python3 - <<'PY'
import h5py, numpy as np
def write(name, images, labels):
    with h5py.File(name + ".h5", "w") as f:
        f.attrs.update(format="pardigits dataset", version=1, classes=3)
        f["train/images"], f["train/labels"] = np.zeros(images, "u1"), np.zeros(labels, "u1")
write("channels", (13, 28, 28, 1), 13)
write("flat", (13, 784), 13)
write("high", (13, 66, 28), 13)
write("missing", (13, 28, 28), 12)
write("columns", (13, 28, 28), (13, 1))
def stored(name, images, **options):
    with h5py.File(name + ".h5", "w", **options) as f:
        f.attrs.update(format="pardigits dataset", version=1, classes=3)
        f["train/labels"] = np.zeros(13, "u1")
        if isinstance(images, h5py.VirtualLayout): f.create_virtual_dataset("train/images", images)
        elif images is None: f.create_dataset("train/images", data=np.zeros((13, 28, 28), "u1"), external=[("raw", 0, h5py.h5f.UNLIMITED)])
        else: f["train/images"] = images
        f["valid/images"] = f["Test"] = np.zeros(3)
layout = h5py.VirtualLayout((13, 28, 28), "u1")
layout[:] = h5py.VirtualSource("missing.h5", "train/images", (13, 28, 28))
stored("virtual", layout)
stored("raw-file", None)
stored("linked", h5py.ExternalLink("missing.h5", "/train/images"))
stored("dangling", h5py.SoftLink("/nothing"))
stored("block", np.zeros((13, 28, 28), "u1"), userblock_size=512)
PY
    refused 1 'channels.h5: /train/images is 13 x 28 x 28 x 1, expected n x height x width.' "$PARDIGITS" show channels.h5
    refused 1 'flat.h5: /train/images is 13 x 784, expected' "$PARDIGITS" show flat.h5
    refused 1 'high.h5: /train/images is 13 x 66 x 28, n x height x width: a height and width of 8 to 64' "$PARDIGITS" show high.h5
    refused 1 'missing.h5: /train/labels holds 12 labels for 13 images' "$PARDIGITS" show missing.h5
    refused 1 'columns.h5: /train/labels is 13 x 1, expected n, a label for each' "$PARDIGITS" show columns.h5

    # nor is what isn't supported
    refused 1 "virtual.h5: /train/images is a virtual dataset, which isn't supported: copy" "$PARDIGITS" show virtual.h5
    refused 1 "raw-file.h5: /train/images is an array whose data are in another file" "$PARDIGITS" show raw-file.h5
    refused 1 "linked.h5: /train/images is a link to another file" "$PARDIGITS" show linked.h5
    refused 1 "dangling.h5: /train/images is a link to something that isn't in the file" "$PARDIGITS" show dangling.h5
    "$PARDIGITS" show block.h5 2>&1 | grep "block.h5: /Test, /valid won't be read, only /train and /test"
    # or what another program writes
    /usr/bin/python3 -c 'import h5py, sys
with h5py.File("block.h5", "r+"), h5py.File("run/model.h5", "r+"):
    print("open", flush=True)
    sys.stdin.read()' < <(until [[ -e seen ]]; do sleep 0.1; done) >opened &
    until [[ -s opened ]]; do sleep 0.1; done
    for name in block.h5 run/model.h5; do
        fails 1 'another program has it open for writing' "$PARDIGITS" show $name
    done
    touch seen
    wait $!
    "$PARDIGITS" show run >out
}
