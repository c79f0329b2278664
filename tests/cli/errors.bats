# Bad input ends on every rank within seconds, with one clear sentence, the right exit code, and no half-written file.
load common

setup() {
    dir=$BATS_TEST_TMPDIR
    train=(train configs/knn.ini --data "$data" --run "$dir/run")
}

# idx_copy: MNIST's IDX files in $dir/idx, to be damaged.
idx_copy() {
    mkdir "$dir/idx"
    cp "$MNIST_DIR"/*ubyte "$dir/idx"
    chmod u+w "$dir/idx"/*
}

# patch FILE OFFSET BYTES: overwrites bytes, given as printf takes them.
patch() {
    printf "$3" | dd of="$dir/idx/$1" bs=1 seek="$2" conv=notrunc status=none
}

# prepare_fails TEXT: on 1 and on 3 ranks, and no file stays behind.
prepare_fails() {
    for ranks in 1 3; do
        fails_on $ranks 1 "$1" prepare --idx "$dir/idx" --out "$dir/out.h5"
    done
    [[ -z $(find "$dir" -name '*out.h5*') ]]
}

@test "prepare: a missing file" {
    idx_copy
    rm "$dir/idx/t10k-labels-idx1-ubyte"
    prepare_fails t10k-labels-idx1-ubyte
}

@test "prepare: the input isn't written over" {
    idx_copy
    gzip -k "$dir/idx/t10k-labels-idx1-ubyte"
    seq 10 >"$dir/names"
    ln -s "$dir/names" "$dir/link"
    for file in "$dir"/idx/* "$dir/link"; do
        fails_on 2 2 'is the input' prepare --idx "$dir/idx" --class-names "$dir/names" --out "$file"
    done
    [[ $(cat "$dir/names") == "$(seq 10)" ]]
    echo mine >"$dir/text"
    fails 2 "text isn't a file of pardigits, or it is damaged, and would be lost" "$PARDIGITS" prepare --idx "$dir/idx" --out "$dir/text"
}

@test "what a run keeps, and the user's own files, aren't written over by train and the others" {
    mkdir "$dir/run"
    printf '; mine\n[run]\nmodel = knn\n' >"$dir/run/config.ini"
    for name in model.h5 metrics.h5 config.ini .lock model.member-00.h5; do
        fails 2 'file' "$PARDIGITS" train "$dir/run/config.ini" --data "$data" --run "$dir/run" --set run.train=50 --trace "$dir/run/$name"
    done
    fails 2 'has the name of a file of the run' "$PARDIGITS" "${train[@]}" --set run.train=50 --trace "$dir/run/../run/model.h5"
    [[ $(ls "$dir/run") == config.ini ]]
    # a configuration that a person wrote is kept, that of an earlier run is written again
    echo old >"$dir/run/model.h5.old"
    on 1 1 train "$dir/run/config.ini" --data "$data" --run "$dir/run" --set run.train=50 --trace "$dir/run/trace.json" 2>&1 |
        grep "config.ini isn't as train writes it: it is kept as $dir/run/config.kept.ini"
    [[ $(head -n 1 "$dir/run/config.kept.ini") == '; mine' && $(cat "$dir/run/model.h5.old") == old ]]
    on 1 1 train "$dir/run/config.ini" --run "$dir/run" --resume
    on 1 1 train "$dir/run/config.ini" --run "$dir/run" --overwrite
    echo '# mine' >>"$dir/run/config.ini"
    on 1 1 train "$dir/run/config.ini" --run "$dir/run" --overwrite
    [[ $(tail -n 1 "$dir/run/config.kept-2.ini") == '# mine' && ! -e $dir/run/config.kept-3.ini ]]
    # nor do the other commands write over a run's files
    "$PARDIGITS" evaluate "$dir/run" --predictions "$dir/p.h5"
    local before
    before=$(sha256sum "$dir/run"/*)
    fails 2 'a file of a run' "$PARDIGITS" report "$dir/run" --out "$dir/run/config.ini"
    fails 2 'a file of a run' "$PARDIGITS" evaluate "$dir/run" --predictions "$dir/run/metrics.h5"
    for name in model.prev.h5 model.member-01.h5; do # also where there is none now
        fails 2 'has the name of a file of the run in that folder' "$PARDIGITS" evaluate "$dir/run" --predictions "$dir/run/$name"
    done
    mkdir "$dir/none"
    fails 2 'a training in that folder would take it for one' "$PARDIGITS" evaluate "$dir/run" --predictions "$dir/none/model.h5"
    fails 2 'a training in that folder would take it for one' "$PARDIGITS" prepare --idx "$MNIST_DIR" --out "$dir/none/metrics.h5"
    [[ -z $(ls -A "$dir/none") ]]
    fails 2 'pardigits predictions file, which would be lost' "$PARDIGITS" prepare --idx "$MNIST_DIR" --out "$dir/p.h5"
    [[ $(sha256sum "$dir/run"/*) == "$before" ]]
    # and no run takes the place of a dataset that has such a name
    mkdir "$dir/data"
    cp "$data" "$dir/data/model.h5"
    fails 2 'pardigits dataset file, which would be lost' \
        "$PARDIGITS" train configs/knn.ini --data "$dir/data/model.h5" --run "$dir/data" --overwrite --set run.train=50
    # what a file is that isn't expected
    fails 1 'is a pardigits predictions file, expected a model' "$PARDIGITS" evaluate "$dir/p.h5"
    cp configs/knn.ini "$dir/own.ini"
    fails 2 'own.ini is a configuration, which would be lost' "$PARDIGITS" export "$dir/run" --format npz --out "$dir/own.ini"
    cmp configs/knn.ini "$dir/own.ini"
    "$PARDIGITS" evaluate "$dir/run" --predictions "$dir/p.h5" 2>"$dir/err"
    grep 'p.h5 is there, and is replaced' "$dir/err"
    "$PARDIGITS" evaluate "$dir/run" --predictions "$dir/p.csv"
    fails 2 'p.csv holds predictions as CSV' "$PARDIGITS" show "$dir/p.csv"
    fails 1 "p.csv isn't an HDF5 file" "$PARDIGITS" evaluate "$dir/p.csv"
    # two files of one name, and a picture of a folder that is read
    mkdir "$dir/pictures"
    picture 0 "$dir/pictures/0.png"
    fails 2 'to be written twice' "$PARDIGITS" predict "$dir/run" "$dir/pictures" --seen "$dir/new.png" --annotate "$dir/pictures/../new.png"
    fails 2 'is the input' "$PARDIGITS" predict "$dir/run" "$dir/pictures" --seen "$dir/pictures/0.png"
}

@test "options and words without effect are refused" {
    on 1 1 "${train[@]}" --set run.train=50
    fails 2 '--data says where the images of --split are' "$PARDIGITS" export "$dir/run" --data none.h5 --out "$dir/x"
    fails 2 'is a knn: --split writes images as an SVM sees them' "$PARDIGITS" export "$dir/run" --split test --out "$dir/x"
    fails 2 '--allow-other-build is for --resume' "$PARDIGITS" "${train[@]}" --allow-other-build
    fails 2 '--once and --every' "$PARDIGITS" watch "$dir/run" --once --every 3
    fails 2 'bench pixdot needs no network' "$PARDIGITS" bench pixdot configs/cnn.ini
    fails 2 'bench comm takes no images' "$PARDIGITS" bench comm --images 3
}

@test "prepare: a truncated file" {
    idx_copy
    truncate -s 1000000 "$dir/idx/train-images-idx3-ubyte"
    prepare_fails train-images-idx3-ubyte
}

@test "prepare: a wrong magic number" {
    idx_copy
    patch train-images-idx3-ubyte 2 '\x0d'
    prepare_fails 'train-images-idx3-ubyte is an IDX file of 32-bit floating-point numbers, a type that'
    patch train-images-idx3-ubyte 2 '\x07'
    fails 1 "train-images-idx3-ubyte isn't an IDX file" "$PARDIGITS" prepare --idx "$dir/idx" --out "$dir/out.h5"
}

@test "prepare: an oversized header" {
    idx_copy
    patch train-images-idx3-ubyte 4 '\xff\xff\xff\xff'
    prepare_fails train-images-idx3-ubyte
}

@test "prepare: images of another size" {
    idx_copy
    patch t10k-images-idx3-ubyte 11 '\x20'
    prepare_fails t10k-images-idx3-ubyte
}

@test "prepare: labels and images swapped" {
    idx_copy
    cp "$dir/idx/train-labels-idx1-ubyte" "$dir/idx/train-images-idx3-ubyte"
    prepare_fails train-images-idx3-ubyte
}

@test "prepare: a label far above the others" {
    idx_copy
    patch train-labels-idx1-ubyte 108 '\xff'
    prepare_fails 'labels up to 255'
}

@test "prepare: labels of fewer images" {
    idx_copy
    cp "$dir/idx/t10k-labels-idx1-ubyte" "$dir/idx/train-labels-idx1-ubyte"
    prepare_fails '10000 labels'
}

@test "prepare: trailing bytes" {
    idx_copy
    printf 'xx' >>"$dir/idx/t10k-labels-idx1-ubyte"
    prepare_fails t10k-labels-idx1-ubyte
}

@test "train: a dataset that is no HDF5, or another HDF5 file, or missing" {
    echo 'no HDF5' >"$dir/bad.h5"
    for ranks in 1 3; do
        fails_on $ranks 1 bad.h5 "${train[@]}" --data "$dir/bad.h5"
        fails_on $ranks 1 missing.h5 "${train[@]}" --data "$dir/missing.h5"
    done
    on 1 1 "${train[@]}" --set run.train=100
    fails_on 2 1 'pardigits model' "${train[@]}" --data "$dir/run/model.h5" --overwrite
    [[ -e $dir/run/model.h5 ]] # --overwrite took nothing away
}

@test "train: a truncated dataset" {
    head -c 20000000 "$data" >"$dir/short.h5"
    for ranks in 1 3; do fails_on $ranks 1 short.h5 "${train[@]}" --data "$dir/short.h5"; done
    [[ ! -e $dir/run/model.h5 ]]
}

@test "train: unknown keys and values out of range name the line, the range and the nearest key" {
    printf '[run]\nmodel = knn\n\n[knn]\nneighbors = 3\n' >"$dir/c.ini"
    printf 'model = cnn\n' >"$dir/bare.ini"
    fails 2 "such as [run], above it" "$PARDIGITS" train "$dir/bare.ini" --dry-run
    for ranks in 1 3; do fails_on $ranks 2 'c.ini:5' train "$dir/c.ini" --run "$dir/run" --data "$data"; done
    printf '[run]\nmodel = knn\n[knn]\nk = 0\n' >"$dir/c.ini"
    fails_on 2 2 'from 1 to 1000' train "$dir/c.ini" --run "$dir/run" --data "$data"
    printf '[run]\nmodel = mlp\n' >"$dir/c.ini"
    fails_on 2 2 'knn|svm|cnn' train "$dir/c.ini" --run "$dir/run" --data "$data"
    printf '[cnn]\nepoch = 4\n' >"$dir/c.ini"
    fails_on 1 2 'did you mean cnn.epochs' train "$dir/c.ini" --run "$dir/run" --data "$data"
    fails_on 2 2 '--set' "${train[@]}" --set knn.k=1.5
    fails 2 "knn.k = 0x3 isn't " "$PARDIGITS" train configs/knn.ini --data "$data" --dry-run --set knn.k=0x3
    fails 2 'cnn.use_members = 3, but cnn.members = 2' "$PARDIGITS" train configs/cnn.ini --data "$data" --dry-run --set cnn.members=2 --set cnn.use_members=3
    fails_on 2 2 'missing.ini' train "$dir/missing.ini" --run "$dir/run"
    [[ ! -e $dir/run ]]
}

@test "train: a network whose shapes don't fit, that doesn't end in 10 outputs, or with an unknown layer" {
    local cnn=(train configs/cnn.ini --data "$data" --run "$dir/run" --set run.train=100)
    for layers in 'conv:8:31 dense:10' 'conv:8:3 dense:9' 'konv:8:3 dense:10' 'conv:8 dense:10' ''; do
        fails_on 2 2 'layer' "${cnn[@]}" --set "cnn.layers=$layers"
    done
}

@test "train: a learning rate that explodes stops everywhere with a sentence" {
    fails_on 2 1 'cnn.lr' train configs/cnn.ini --data "$data" --run "$dir/run" --set run.train=2000 --set cnn.epochs=20 \
        --set cnn.lr=1000 --set cnn.schedule=constant --set "cnn.layers=conv:8:3 relu dense:64 relu dense:10"
}

@test "train: run.valid that leaves nothing to train on" {
    fails_on 2 2 'holds 60000 training images' "${train[@]}" --set run.valid=60000
}

@test "train: an unwritable run folder" {
    touch "$dir/file"
    for ranks in 1 3; do fails_on $ranks 1 "$dir/file/run" train configs/knn.ini --data "$data" --run "$dir/file/run"; done
    if [[ $EUID -ne 0 ]]; then
        mkdir -m 555 "$dir/locked"
        fails_on 2 1 locked train configs/knn.ini --data "$data" --run "$dir/locked"
    fi
}

@test "train: a disk that takes no more ends with a sentence; with room again the run goes on" {
    local limited=(bash -c 'ulimit -f 20000; exec "$@"' -) # KiB; the model has 47 MB
    # a limit on the size of a file is to write(2) what a full disk is
    fails 1 'can'"'"'t be written: ' "${limited[@]}" "$PARDIGITS" "${train[@]}"
    [[ -z $(find "$dir/run" -name 'model*' -o -name '.*tmp') ]]
    fails 1 'can'"'"'t be written: ' "${limited[@]}" "$PARDIGITS" "${train[@]}" --resume
    on 1 1 "${train[@]}" --resume
    "$PARDIGITS" digest "$dir/run/model.h5"
}

@test "train: a checkpoint that can't be saved doesn't end the training; another folder takes the last one" {
    local net=(train configs/cnn-fast.ini --data "$data" --set run.train=600 --set cnn.checkpoint_s=1)
    mkdir -p "$dir/run/.model.h5.tmp" # nothing can be written under that name, whoever the user is
    OMP_NUM_THREADS=1 "$PARDIGITS" "${net[@]}" --set cnn.epochs=500 --run "$dir/run" 2>"$dir/log" 3>&- &
    local pid=$! code=0
    until grep -q 'There is no new checkpoint; training goes on' "$dir/log"; do kill -0 $pid; sleep 0.05; done
    rmdir "$dir/run/.model.h5.tmp"
    rm "$dir/run/config.ini"
    kill -TERM $pid
    wait $pid || code=$?
    [[ $code -eq 75 ]]
    "$PARDIGITS" digest "$dir/run/model.h5"
    grep 'config.ini was removed while the training went on' "$dir/log"
    [[ -e $dir/run/config.ini ]]

    fails 1 "choose another with run.fallback_dir" "$PARDIGITS" "${net[@]}" --run "$dir/full" --set run.fallback_dir="$dir/log/spare"
    mkdir -p "$dir/full/.model.h5.tmp" # and spare is made
    fails 1 "It was saved as $dir/spare/full-" "$PARDIGITS" "${net[@]}" --set cnn.epochs=1 --set cnn.checkpoint_steps=1 --run "$dir/full" \
        --set run.fallback_dir="$dir/spare"
    [[ $(grep -c 'There is no new checkpoint' "$dir/err") -le 3 ]] # not at each step: later and later
    grep "model.h5 instead: move the files of that folder to $dir/full, and run it again with --resume" "$dir/err"
    "$PARDIGITS" "${net[@]}" --set cnn.epochs=1 --run "$dir/whole"
    same_model "$dir"/spare/full-*/model.h5 "$dir/whole/model.h5"

    # another run of that name, of members that are trained apart, doesn't take its place
    mkdir -p "$dir/two/full/.model.member-00.h5.tmp" "$dir/two/full/.model.member-01.h5.tmp"
    local two=("${net[@]}" --set cnn.epochs=1 --set cnn.members=2)
    fails_on 2 1 "model.member-0" "${two[@]}" --run "$dir/two/full" --set run.fallback_dir="$dir/spare"
    same_model "$dir"/spare/full-*/model.h5 "$dir/whole/model.h5"
    rmdir "$dir"/two/full/.model.*.tmp
    mv "$dir"/spare/full-*/model.member-0* "$dir/two/full"
    "$PARDIGITS" "${two[@]}" --run "$dir/two/full" --resume
    "$PARDIGITS" "${two[@]}" --run "$dir/two/whole"
    same_model "$dir/two/full/model.h5" "$dir/two/whole/model.h5"

    # whatever starts next doesn't lose it; moved, it is the run's, with what it measured
    local full=("${net[@]}" --set cnn.epochs=1 --run "$dir/full" --set run.fallback_dir="$dir/spare")
    fails_on 2 2 "saved there (metrics.h5, model.h5): move these files to $dir/full and run again with --resume" "${full[@]}" --resume
    fails 2 "or remove these" "$PARDIGITS" "${full[@]}" --overwrite
    # one of that name on another host isn't refused, and is named
    mkdir "$dir/spare/full-0123abcd" && touch "$dir/spare/full-0123abcd/model.h5"
    fails 2 "or remove these" "$PARDIGITS" "${full[@]}" --resume
    grep "note: $dir/spare/full-0123abcd holds what a run of this name saved" "$dir/err"
    rm -r "$dir/spare/full-0123abcd"
    rm -r "$dir/full"
    fails 2 "move these files to $dir/full" "$PARDIGITS" "${full[@]}"
    mv "$dir"/spare/full-*/{model,metrics}.h5 "$dir/full"
    "$PARDIGITS" "${full[@]}" --resume 2>&1 | grep 'is complete already'
    /usr/bin/python3 -c '
import h5py, sys
metrics = h5py.File(sys.argv[1])
assert list(metrics["epochs"]["epoch"]) == [1] and metrics["run"].attrs["complete"] == 1' "$dir/full/metrics.h5"

    # the run that was to be replaced comes back, and isn't mixed with what is saved of the new one
    mkdir "$dir"/whole/.model.member-0{0,1}.h5.tmp
    local over=("${two[@]}" --run "$dir/whole" --set run.fallback_dir="$dir/spare")
    fails 1 "move the files of $dir/whole away: the run that this one was to replace is there again" "$PARDIGITS" "${over[@]}" --overwrite
    fails 2 "move the run folder's own files away first, as they are another run's; then move these files" "$PARDIGITS" "${over[@]}" --resume

    # nor in a folder that has the name of the run's, which was renamed: it may be another run's
    : >"$dir/log" # or what an earlier start wrote would be taken for this one's
    OMP_NUM_THREADS=1 "$PARDIGITS" "${net[@]}" --set cnn.epochs=5000 --run "$dir/moved" --set run.fallback_dir="$dir/spare" 2>"$dir/log" 3>&- &
    pid=$! code=0
    until grep -q '^epoch 1/' "$dir/log"; do kill -0 $pid; sleep 0.05; done
    mv "$dir/moved" "$dir/other"
    mkdir "$dir/moved"
    kill -TERM $pid
    wait $pid || code=$?
    [[ $code -eq 1 && ! -e $dir/moved/model.h5 ]]
    grep "moved was renamed to .*/other while this run went on.* It was saved as $dir/spare/moved-[0-9a-f]*/model.h5 instead: move the files of that folder to .*/other, and" "$dir/log"

    # a run whose folder is renamed ends by itself, with its last checkpoint, and says where that is
    OMP_NUM_THREADS=1 "$PARDIGITS" "${net[@]}" --set cnn.epochs=50000 --run "$dir/before" 2>"$dir/log" 3>&- &
    pid=$! code=0
    until [[ -e $dir/before/model.h5 ]]; do kill -0 $pid; sleep 0.05; done
    mv "$dir/before" "$dir/after"
    wait $pid || code=$?
    [[ $code -eq 1 && ! -e $dir/before && -z $(find "$dir/after" -name '.*' -type f) ]]
    grep "^pardigits: .*before was renamed to .*/after while this run went on. To go on from its last checkpoint, name that folder by --run" "$dir/log"
    "$PARDIGITS" digest "$dir/after"
    # nor does one touch another run that has the folder's name before the training begins
    local before early=(train configs/cnn-fast.ini --data "$data" --run "$dir/early")
    for ((attempt = 0; attempt < 20; attempt++)); do
        : >"$dir/log"
        OMP_NUM_THREADS=1 "$PARDIGITS" "${early[@]}" 2>"$dir/log" 3>&- &
        pid=$! code=0
        until grep -q '^1 rank' "$dir/log"; do kill -0 $pid; done # it has the folder
        kill -STOP $pid
        [[ -e $dir/early/config.ini ]] || break
        kill -KILL $pid # it was too fast
        wait $pid || true
        rm -r "$dir/early"
    done
    [[ ! -e $dir/early/config.ini ]]
    mv "$dir/early" "$dir/late"
    cp -r "$dir/after" "$dir/early"
    before=$(cd "$dir/early" && sha256sum .[!.]* * 2>/dev/null || true)
    kill -CONT $pid
    wait $pid || code=$?
    [[ $code -eq 1 && $(cd "$dir/early" && sha256sum .[!.]* * 2>/dev/null || true) == "$before" ]]
    grep "early was renamed to .*/late while this run went on" "$dir/log"
    # one whose file system is away for a while goes on, and saves when it is back (only root can take one away)
    mkdir "$dir/store" "$dir/disk"
    if mount --bind "$dir/store" "$dir/disk"; then
        OMP_NUM_THREADS=1 "$PARDIGITS" "${net[@]}" --set cnn.epochs=50000 --run "$dir/disk/run" 2>"$dir/log" 3>&- &
        pid=$! code=0
        until [[ -e $dir/disk/run/model.h5 ]]; do kill -0 $pid; sleep 0.05; done
        umount -l "$dir/disk"
        until grep -q 'There is no new checkpoint; training goes on' "$dir/log"; do kill -0 $pid; sleep 0.05; done
        mount --bind "$dir/store" "$dir/disk"
        kill -USR1 $pid
        wait $pid || code=$?
        umount -l "$dir/disk"
        [[ $code -eq 75 ]]
        "$PARDIGITS" digest "$dir/store/run"
    fi

    # nor do ranks that train a member of their own, nor is what another run has begun to write there touched
    OMP_NUM_THREADS=1 mpirun -n 2 "$PARDIGITS" "${two[@]}" --set cnn.epochs=5000 --run "$dir/away/" --set run.fallback_dir="$dir/spare" 2>"$dir/log" 3>&- &
    pid=$! code=0
    until [[ -e $dir/away/model.member-00.h5 && -e $dir/away/model.member-01.h5 ]]; do kill -0 $pid; sleep 0.05; done
    mv "$dir/away" "$dir/there"
    mkdir "$dir/away"
    touch "$dir"/away/.{model,model.member-00,model.member-01}.h5.tmp
    kill -TERM $pid
    wait $pid || code=$?
    [[ $code -eq 1 && $(ls -A "$dir/away") == $'.model.h5.tmp\n.model.member-00.h5.tmp\n.model.member-01.h5.tmp' ]]
    [[ -e $(echo "$dir"/spare/away-*/model.member-00.h5) && -e $(echo "$dir"/spare/away-*/model.member-01.h5) ]]
}

@test "train: goes on while a checkpoint is written, and ends when the last one is" {
    local net=(train configs/cnn-fast.ini --data "$data" --set run.train=1000 --set cnn.epochs=1) # 8 steps
    needs_preloading
    gcc -shared -fPIC -x c -o "$dir/slow.so" - <<<'#include <unistd.h>
int fsync(int file) { (void)file; sleep(1); return 0; }'
    LD_PRELOAD=$dir/slow.so "$PARDIGITS" "${net[@]}" --set cnn.checkpoint_steps=6 --run "$dir/slow"
    "$PARDIGITS" show "$dir/slow/metrics.h5" --json | python3 -c '
import json, sys
metrics = json.load(sys.stdin)
saved_s = [row["max_s"] for row in metrics["phases"] if row["phase"] == "checkpoint"]
assert len(saved_s) == 1 and saved_s[0] < 1 and metrics["seconds"] > 3, (saved_s, metrics["seconds"])'
    "$PARDIGITS" "${net[@]}" --run "$dir/run"
    same_model "$dir/slow/model.h5" "$dir/run/model.h5"
}

@test "train: a second run in the folder of one that is under way is refused" {
    mpirun -n 2 "$PARDIGITS" train configs/cnn.ini --data "$data" --run "$dir/run" 2>"$dir/log" 3>&- &
    local first=$! i
    for i in $(seq $((200 * slower))); do if [[ -e $dir/run/config.ini ]]; then break; fi; sleep 0.05; done
    fails_on 2 1 "on $(hostname), begun" train configs/cnn.ini --data "$data" --run "$dir/run" --overwrite
    grep 'Another run' "$dir/err"
    kill -USR1 "$first"
    local code=0
    wait "$first" || code=$?
    cat "$dir/log"
    [[ $code -eq 75 ]]
}

@test "train: a run that fails before it has a model leaves the old one where it was" {
    local net=(train configs/cnn-fast.ini --data "$data" --run "$dir/run" --set run.train=600 --set cnn.epochs=1) before
    "$PARDIGITS" "${net[@]}"
    for file in model.h5 metrics.h5; do cp "$dir/run/$file" "$dir/run/model.member-00.${file#model.}"; done # as of an ensemble that was stopped
    before=$(sha256sum "$dir/run"/*)
    fails 1 diverged "$PARDIGITS" "${net[@]}" --overwrite --set cnn.lr=1000 --set cnn.epochs=50
    [[ $(sha256sum "$dir/run"/*) == "$before" ]]
    fails 1 diverged "$PARDIGITS" "${net[@]}" --run "$dir/new" --set cnn.lr=1000 --set cnn.epochs=50
    fails 1 'new has saved nothing, and nobody works on it any more: its log says why' "$PARDIGITS" watch "$dir/new"
    local code=0
    "$PARDIGITS" "${net[@]}" --overwrite --set cnn.members=2 --set cnn.lr=1000 --set cnn.epochs=50 2>"$dir/log" || code=$?
    [[ $code -eq 1 ]]
    grep 'training of all members diverged' "$dir/log"
    [[ $(sha256sum "$dir/run"/*) == "$before" ]]
    # killed before it had a model: the old one comes back, but not where the new one is gone on with
    for file in model.h5 metrics.h5 config.ini; do mv "$dir/run/$file" "$dir/run/.$file.old"; done
    for file in h5 metrics.h5; do mv "$dir/run/model.member-00.$file" "$dir/run/.model.h5.old.member-00.$file"; done
    sed 's/^seed = 1$/seed = 3/' "$dir/run/.config.ini.old" >"$dir/run/config.ini"
    cp -a "$dir/run" "$dir/killed"
    fails 2 'holds a run already' "$PARDIGITS" "${net[@]}"
    [[ $(sha256sum "$dir/run"/*) == "$before" ]]
    "$PARDIGITS" "${net[@]/$dir\/run/$dir/killed}" --resume --set run.seed=3
    [[ $("$PARDIGITS" digest "$dir/killed/model.h5") != "$("$PARDIGITS" digest "$dir/run/model.h5")" && ! -e $dir/killed/.model.h5.old ]]
    "$PARDIGITS" "${net[@]}" --overwrite --set run.seed=2
    [[ $(sha256sum "$dir/run"/*) != "$before" && -z $(find "$dir/run" "$dir/killed" -name '*.old*') ]]
}

@test "train: a folder that can't be locked is refused" {
    needs_preloading
    gcc -shared -fPIC -x c -o "$dir/without.so" - <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>
int fcntl64(int file, int how, ...) {
    va_list rest;
    va_start(rest, how);
    const long argument = va_arg(rest, long);
    va_end(rest);
    if (how != F_OFD_SETLK) return (int)syscall(SYS_fcntl, file, how, argument);
    errno = ENOLCK;
    return -1;
}
int fcntl(int file, int how, ...) __attribute__((alias("fcntl64")));
END
    fails 1 "can't be locked" env LD_PRELOAD="$dir/without.so" "$PARDIGITS" train configs/cnn-fast.ini --data "$data" --run "$dir/run"
}

@test "train: a polynomial kernel beyond all bounds" {
    /usr/bin/python3 - "$data" "$dir/faint.h5" <<'PYTHON'
import h5py, sys
source, out = h5py.File(sys.argv[1]), h5py.File(sys.argv[2], "w")
for part, n in ("train", 300), ("test", 100):
    out[part + "/images"], out[part + "/labels"] = source[part + "/images"][:n] // 8, source[part + "/labels"][:n]
out.attrs["format"], out.attrs["version"], out.attrs["classes"] = "pardigits dataset", 1, 10
PYTHON
    if "$PARDIGITS" train configs/svm.ini --data "$dir/faint.h5" --run "$dir/run" --set svm.kernel=poly --set svm.degree=20 --set svm.gamma=10 2>"$dir/log"; then return 1; fi
    grep 'or with images of brighter pixels' "$dir/log" # which float can't hold
    fails_on 2 2 'svm.gamma' train configs/svm.ini --data "$data" --run "$dir/run" --set run.train=300 \
        --set svm.kernel=poly --set svm.degree=20 --set svm.gamma=10000 --set svm.coef0=-1e6
}

@test "train: more ranks than images" {
    for model in knn svm cnn; do
        on 4 1 train configs/$model.ini --data "$data" --run "$dir/4" --overwrite --set run.train=3 --set cnn.epochs=1
        on 1 1 train configs/$model.ini --data "$data" --run "$dir/1" --overwrite --set run.train=3 --set cnn.epochs=1
        same_model "$dir/4/model.h5" "$dir/1/model.h5"
        on 4 1 evaluate "$dir/4/model.h5" --data "$data" --split train --json | grep '"n":3,'
    done
}

@test "a damaged model, a dataset as a model, a metrics file as a model, no file" {
    on 1 1 "${train[@]}" --set run.train=1000
    printf 'damage' | dd of="$dir/run/model.h5" bs=1 seek=300000 conv=notrunc status=none
    for ranks in 1 3; do
        fails_on $ranks 1 'damaged' evaluate "$dir/run/model.h5" --data "$data"
        fails_on $ranks 1 'dataset' evaluate "$data" --data "$data"
        fails_on $ranks 1 'metrics' predict "$dir/run/metrics.h5" Makefile
        fails_on $ranks 1 'Makefile' digest Makefile
        fails_on $ranks 1 'nothing.h5' digest "$dir/nothing.h5"
        fails_on $ranks 1 'Makefile' show Makefile
    done
}

@test "a model of another kind under the name of this one" {
    on 1 1 train configs/svm.ini --data "$data" --run "$dir/run" --set run.train=500
    fails_on 2 2 'run.model' train configs/knn.ini --data "$data" --run "$dir/run" --set run.train=500 --resume
}

@test "only how a model is used can be changed in using it" {
    on 1 1 train configs/svm.ini --data "$data" --run "$dir/run" --set run.train=500
    fails_on 2 2 'was trained with' evaluate "$dir/run/model.h5" --data "$data" --set svm.c=3
    "$PARDIGITS" evaluate "$dir/run/model.h5" --data "$data" --set knn.search=pruned 2>&1 | grep 'hint: --set knn.search=pruned has no effect'
    fails 2 'kind svm, which has no such key' "$PARDIGITS" evaluate "$dir/run/model.h5" --data "$data" --set knn.k=9
    # nor is it replaced by an imported one, nor tried on other data than it knows
    "$PARDIGITS" export "$dir/run" --out "$dir/libsvm"
    fails 2 'a file of a run, which would be lost' "$PARDIGITS" import "$dir/libsvm" --out "$dir/run/model.h5"
    cp "$data" "$dir/moved.h5"
    "$PARDIGITS" train configs/knn.ini --data "$dir/moved.h5" --run "$dir/moved" --set run.train=99
    rm "$dir/moved.h5"
    (cd "$dir" && fails 1 "isn't there any more: name the dataset" "$PARDIGITS" evaluate moved)
    fails_on 2 2 'whole number' predict "$dir/run/model.h5" x.png --set cnn.test_shifts=9
    fails_on 2 2 'svm.x' evaluate "$dir/run/model.h5" --data "$data" --set svm.x=3
}

@test "a run that fails before it has trained anything leaves its folder free" {
    local run=(configs/cnn.ini --data "$data" --set run.train=2000 --set cnn.epochs=2 --run "$dir/run"
        --set "cnn.layers=conv:8:3 relu dense:64 relu dense:10")
    fails 1 'cnn.lr' "$PARDIGITS" train "${run[@]}" --set cnn.lr=1000 --set cnn.schedule=constant --set cnn.epochs=20
    on 2 1 train "${run[@]}"
    fails 2 'holds a run already' "$PARDIGITS" train "${run[@]}"
}

@test "an ensemble with a member that diverges is finished without it" {
    local run=(configs/cnn-fast.ini --data "$data" --run "$dir/run" --overwrite --set run.train=1000 --set "cnn.layers=conv:4:3 relu dense:10"
        --set cnn.members=2 --set cnn.schedule=constant)
    fails_on 2 0 'Member 2 is left out of the ensemble: Training diverged' train "${run[@]}" --set "cnn.member_settings=epochs=5 | lr=1000 epochs=50"
    "$PARDIGITS" show "$dir/run/model.h5" >"$dir/shown"
    grep '1 of 2 members' "$dir/shown"
    grep -E '^ +1 +[0-9]+ +yes$' "$dir/shown"
    grep -E '^ +2 +[0-9]+ +no$' "$dir/shown"
    "$PARDIGITS" evaluate "$dir/run/model.h5" --data "$data" | grep correct
    [[ -z $(find "$dir/run" -name '*member*') ]]
    local code=0
    on 1 1 train "${run[@]}" --set cnn.lr=1000 --set cnn.epochs=50 2>"$dir/log" || code=$?
    [[ $code -eq 1 ]]
    grep 'pardigits: The training of all members diverged' "$dir/log"
}

@test "show: an ensemble that was stopped before its first member was done" {
    OMP_NUM_THREADS=1 "$PARDIGITS" train configs/cnn.ini --data "$data" --set run.preprocess=none --set cnn.members=3 \
        --run "$dir/run" 2>"$dir/log" 3>&- &
    local pid=$!
    for i in $(seq $((200 * slower))); do if grep -q 'epoch 1' "$dir/log"; then break; fi; sleep 0.05; done
    kill -USR1 "$pid"
    wait "$pid" || true
    "$PARDIGITS" show "$dir/run/model.h5" | grep '0 of 3 members'
}

@test "the command line: unknown commands, options and missing words" {
    fails_on 2 2 'help' frobnicate
    fails 2 'help' "$PARDIGITS"
    fails 2 '--frob' "$PARDIGITS" evaluate model.h5 --frob
    fails_on 2 2 'did you mean --overwrite' "${train[@]}" --over
    fails 2 'isn'"'"'t a whole number' "$PARDIGITS" evaluate model.h5 --members=x
    fails 2 '--members 0: expected 1 or more' "$PARDIGITS" evaluate model.h5 --members 0
    fails 2 'did you mean --members' "$PARDIGITS" evaluate model.h5 --member=2
    fails 2 '--run' "$PARDIGITS" train configs/knn.ini
    fails_on 2 2 'exclude' "${train[@]}" --resume --overwrite
    fails 2 'exclude' "$PARDIGITS" evaluate model.h5 --json --csv
    for picture in -dash.png -d; do fails 2 "$picture isn't an option" "$PARDIGITS" predict model.h5 $picture; done
    grep -qF 'follow --' "$BATS_TEST_TMPDIR/err"
    fails 2 'train, valid, test' "$PARDIGITS" evaluate model.h5 --split all
    fails 2 'missing' "$PARDIGITS" digest
    fails 2 'too many' "$PARDIGITS" digest a b
}

@test "ranks that run different builds are refused" {
    cp "$PARDIGITS" "$dir/other"
    printf 'x' >>"$dir/other"
    fails 1 'another build' mpirun -n 1 "$PARDIGITS" digest x : -n 1 "$dir/other" digest x
}

@test "ranks that are started with different arguments, or that read different configurations, are refused" {
    local net=(--set run.train=200 --set cnn.epochs=1 --set "cnn.layers=dense:10" --data "$data") program
    fails 2 'Rank 1 was started with other arguments than rank 0 (cnn.lr=0.2 instead of cnn.lr=0.1)' \
        mpirun -n 1 "$PARDIGITS" train configs/cnn.ini --run "$dir/run" "${net[@]}" --set cnn.lr=0.1 : -n 1 "$PARDIGITS" train configs/cnn.ini --run "$dir/run" "${net[@]}" --set cnn.lr=0.2
    fails 2 'Rank 1 was started with other arguments than rank 0 (nothing instead of --json)' mpirun -n 1 "$PARDIGITS" digest x --json : -n 1 "$PARDIGITS" digest x
    mkdir "$dir/a" "$dir/b"
    printf '[run]\nmodel = cnn\n[cnn]\nbatch = 64\n' >"$dir/a/net.ini"
    printf '[run]\nmodel = cnn\n' >"$dir/b/net.ini"
    program=$(realpath "$PARDIGITS")
    fails 2 'Rank 1 reads another net.ini than rank 0 (cnn.batch = 128 instead of cnn.batch = 64)' \
        mpirun -n 1 --wdir "$dir/a" "$program" train net.ini --run "$dir/run" "${net[@]}" : -n 1 --wdir "$dir/b" "$program" train net.ini --run "$dir/run" "${net[@]}"
    [[ ! -e $dir/run ]]
}

# Commands that open a file, where FILE stands for it.
opening=("train FILE --run $BATS_TEST_TMPDIR/run" "train configs/knn.ini --run $BATS_TEST_TMPDIR/run --data FILE" "evaluate FILE" "show FILE"
    "digest FILE" "export FILE --out out" "import FILE --out out.h5" "prepare --idx FILE --out out.h5" "prepare --pictures FILE --out out.h5"
    "prepare --idx data/mnist --class-names FILE --out out.h5" "scaling FILE FILE")

@test "files that are none, and odd names, get a sentence from every command" {
    local files=$BATS_TEST_TMPDIR/files command file code word words arguments
    mkdir "$files" "$files/folder"
    mkfifo "$files/pipe"
    ln -s loop "$files/loop"
    for command in "${opening[@]}"; do
        for file in "$files/folder" "$files/pipe" /dev/zero "$files/loop" "$files/$(printf 'x%.0s' {1..300})" "$files/"$'a\nb' -x; do
            arguments=() code=0
            IFS=' ' read -ra words <<<"$command"
            for word in "${words[@]}"; do [[ $word == FILE ]] && arguments+=("$file") || arguments+=("$word"); done
            timeout -k 1 20 "$PARDIGITS" "${arguments[@]}" >/dev/null 2>"$BATS_TEST_TMPDIR/err" </dev/null || code=$?
            if [[ $code -lt 1 || $code -gt 2 || $(grep -c "" "$BATS_TEST_TMPDIR/err") -ne 1 ]] || ! grep -q "^pardigits: " "$BATS_TEST_TMPDIR/err"; then
                echo "code $code of $command with ${file:0:100}:"
                cat "$BATS_TEST_TMPDIR/err"
                return 1
            fi
        done
    done
}
