# Models to and from LIBSVM, held against its own svm-train and svm-predict.
load common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

# train NAME SETTINGS...: an SVM of 1,500 images with 1,000 held out, as NAME.h5 and NAME.libsvm; the held-out ones as valid.svm.
train() {
    local name=$1
    shift
    on 2 1 train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --data "$data" --run "$name" --set run.train=1500 \
        --set run.valid=1000 "$@"
    mv "$name/model.h5" "$name.h5"
    "$PARDIGITS" export "$name.h5" --out "$name.libsvm"
    "$PARDIGITS" export "$name.h5" --split valid --data "$data" --out valid.svm
}

# same_predictions MODEL.h5 MODEL.libsvm: svm-predict gets the confusion matrix that evaluate gets.
same_predictions() {
    svm-predict valid.svm "$2" predicted
    awk 'NR == FNR { label[FNR] = $1; next } { n[label[FNR] "," $1]++ }
        END { for (a = 0; a < 10; a++) for (b = 0; b < 10; b++) printf "%s%d%s", b ? "," : "[", n[a "," b], b < 9 ? "" : a < 9 ? "]," : "]" }' \
        valid.svm predicted >theirs
    "$PARDIGITS" evaluate "$1" --split valid --data "$data" --json | sed -E 's/.*"confusion":\[(.*)\]\}/\1/' | tr -d '\n' >ours
    [[ $(wc -c <ours) -gt 200 ]]
    diff ours theirs
}

@test "export: svm-predict reads each kernel and predicts the same" {
    train rbf
    same_predictions rbf.h5 rbf.libsvm
    train poly --set svm.kernel=poly --set svm.coef0=1 --set svm.degree=4 --set run.preprocess=deskew
    same_predictions poly.h5 poly.libsvm
    train linear --set svm.kernel=linear --set svm.c=0.1
    same_predictions linear.h5 linear.libsvm
    train unit --set svm.kernel=poly --set svm.coef0=0.5 --set svm.gamma=0.5 --set svm.degree=9 --set svm.normalize=yes
    same_predictions unit.h5 unit.libsvm
    train features --set svm.features=gradient --set run.preprocess=deskew-centre --set svm.gamma=0.05
    same_predictions features.h5 features.libsvm
    # both see what the model was trained on: pixels here would be far from it
    "$PARDIGITS" evaluate features.h5 --split valid --data "$data" --json | field correct |
        awk '{ print; exit !($1 > 970) }'
    "$PARDIGITS" export features.h5 --out features.libsvm 2>&1 |
        grep -e '--set run.preprocess=deskew-centre --set svm.features=gradient'
    fails_on 1 2 "can't be drawn" show features.h5 --out no.png
    on 2 1 import features.libsvm --out back.h5 --set run.valid=1000 --set svm.features=gradient \
        --set run.preprocess=deskew-centre
    same_predictions back.h5 features.libsvm
}

@test "import: models of svm-train predict the same, and come back as they were" {
    train rbf
    "$PARDIGITS" export rbf.h5 --split train --data "$data" --out train.svm
    for options in "-t 2 -c 10 -g 0.02" "-t 1 -c 1 -g 0.02 -r 1 -d 3" "-t 0 -c 0.1"; do
        # shellcheck disable=SC2086 # several words
        svm-train -q $options train.svm theirs.libsvm
        on 2 1 import theirs.libsvm --out theirs.h5 --set run.valid=1000
        same_predictions theirs.h5 theirs.libsvm
        "$PARDIGITS" export theirs.h5 --out again.libsvm
        same_predictions theirs.h5 again.libsvm
        "$PARDIGITS" import again.libsvm --out again.h5 --set run.valid=1000
        [[ $("$PARDIGITS" digest again.h5) == "$("$PARDIGITS" digest theirs.h5)" ]]
    done
    grep '^label' theirs.libsvm | grep -vq 'label 0 1 2'
    "$PARDIGITS" import rbf.libsvm --out back.h5 --set run.valid=1000
    "$PARDIGITS" export back.h5 --out back.libsvm
    cmp rbf.libsvm back.libsvm
    # tabs, and features from 0: with a feature 0 they are recognised, otherwise asked for
    awk '/^SV/ { sv = 1 } sv && /:/ { for (f = 1; f <= NF; f++) if ((at = index($f, ":"))) $f = substr($f, 1, at - 1) - 1 substr($f, at) } { print }' \
        rbf.libsvm | tr ' ' '\t' >zero.libsvm
    "$PARDIGITS" import zero.libsvm --out zero.h5 --set run.valid=1000 --features-from 0
    same_model zero.h5 back.h5
    "$PARDIGITS" import zero.libsvm --out off.h5 2>&1 | grep 'add --features-from 0'
    awk '/:/ && !done { sub(/[0-9]+:/, "0:0 &"); done = 1 } { print }' zero.libsvm >seen.libsvm
    "$PARDIGITS" import seen.libsvm --out seen.h5 --set run.valid=1000
    same_model seen.h5 back.h5
    fails_on 1 2 'expected a whole number, 0 to 1' import zero.libsvm --out no.h5 --features-from 2
}

@test "import and export: what can't be is refused" {
    train rbf
    "$PARDIGITS" export rbf.h5 --split train --data "$data" --out train.svm
    head -n 200 train.svm >few.svm
    svm-train -q -t 3 few.svm sigmoid
    fails_on 2 1 'sigmoid:2: expected kernel_type' import sigmoid --out no.h5
    svm-train -q -s 1 few.svm nu
    fails_on 2 1 'nu:1: expected svm_type c_svc' import nu --out no.h5
    head -n 100 rbf.libsvm >cut
    : >empty
    fails_on 2 1 'cut ends after line 100, before as many support vectors as nr_sv says' import cut --out no.h5
    # within the header, a support vector, and the last one, whose rest could be another number
    for bytes in 300 30000 $(($(wc -c <rbf.libsvm) - 3)); do
        head -c "$bytes" rbf.libsvm >cut
        fails_on 1 1 "cut ends within line $(($(wc -l <cut) + 1)), which has no newline" import cut --out no.h5
    done
    fails_on 1 1 'empty is empty.' import empty --out no.h5
    sed 's/^nr_sv .*/&\n&/' rbf.libsvm >twice
    fails_on 1 1 'one line nr_sv' import twice --out no.h5
    sed 's/^nr_sv .*/nr_sv 900000000 1 1 1 1 1 1 1 1 1/' rbf.libsvm >many
    fails_on 1 1 'for which the file is too short' import many --out no.h5
    sed 's/^nr_class .*/nr_class 3/' rbf.libsvm >classes
    fails_on 1 1 'as many labels as nr_class says' import classes --out no.h5
    sed 's/^label 0/label 256/' rbf.libsvm >labels
    fails_on 1 1 'different labels' import labels --out no.h5
    fails_on 1 2 'has the label 5, but --classes, or the dataset of --data, says 5 classes, 0 to 4' import rbf.libsvm --out no.h5 --classes 5
    sed '20s/ [0-9]*:[^ ]*/ 785:1/' rbf.libsvm >wide
    fails_on 1 1 'features from 1 to 784' import wide --out no.h5
    sed '20s/:[^ ]*/:0.3333/' rbf.libsvm >grey
    fails_on 1 1 'divided by 255' import grey --out no.h5
    sed '20s/ \([0-9]*\):/ \1.7:/' rbf.libsvm >fraction
    fails_on 1 1 'fraction:20: expected whole features from 1 to 784' import fraction --out no.h5
    # support vectors that are left over
    awk '/^nr_sv/ { $NF -= 2 } 1' rbf.libsvm >over
    fails_on 1 1 'nr_sv that make up total_sv' import over --out no.h5
    sed /^gamma/d rbf.libsvm >bare
    fails_on 1 1 'expected a line gamma' import bare --out no.h5
    sed -E '20s/ ([0-9]+):([^ ]+) / \1:\2 \1:\2 /' rbf.libsvm >doubled
    fails_on 1 1 'doubled:20: expected features in ascending order' import doubled --out no.h5
    grep -v '^total_sv' over >unsaid
    fails_on 1 1 'no more support vectors than nr_sv says' import unsaid --out no.h5
    # C isn't in a file; what stands in for it is one that svm.c may be
    svm-train -q -c 1e-8 few.svm small
    sed -i 's/^kernel_type /&  /' small
    "$PARDIGITS" import small --out small.h5
    head -c 1000 /dev/urandom >noise
    fails_on 1 1 'expected' import noise --out no.h5
    fails_on 2 1 "can't be read" import nowhere --out no.h5
    fails_on 2 2 '--out' import rbf.libsvm
    mkdir imported
    "$PARDIGITS" import rbf.libsvm --out imported/model.h5
    fails_on 1 2 'was imported from another program' train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --data "$data" --run imported --resume
    fails_on 2 2 'svm.c=3: import takes' import rbf.libsvm --out no.h5 --set svm.c=3
    fails_on 2 2 'did you mean svm.features' import rbf.libsvm --out no.h5 --set svm.feature=gradient
    fails_on 1 2 'there is npz, libsvm, onnx' export rbf.h5 --format keras --out no
    fails_on 2 1 "can't be written" export rbf.h5 --out nowhere/no
    on 1 1 train "$BATS_TEST_DIRNAME/../../configs/knn.ini" --data "$data" --run knn --set run.train=100
    fails_on 2 2 'is for models of: svm' export knn/model.h5 --out no
    "$PARDIGITS" import rbf.libsvm --out assumed.h5 >log 2>&1
    grep 'note: .* 28 x 28 pixels are assumed.*add --shape HxW' log
    [[ $(grep -c 'note: no --set run.preprocess=... or svm.features=... is given' log) -eq 1 ]]
    # of larger images without a hint that they are others; what is said isn't noted
    "$PARDIGITS" import rbf.libsvm --out large.h5 --shape 40x44 --set svm.features=gradient >log 2>&1
    grep 'warning: the largest feature of rbf.libsvm, 7.*, lies in the first half of 40 x 44 pixels' log
    if grep 'note: no --set' log; then false; fi
    # blanks around "=" are as in a configuration's file
    "$PARDIGITS" import rbf.libsvm --out blanks.h5 --set "run.preprocess = deskew" >log 2>&1
    if grep 'note: no --set' log; then false; fi
    "$PARDIGITS" import rbf.libsvm --out plain.h5 --set run.preprocess=deskew
    [[ $("$PARDIGITS" digest blanks.h5) == "$("$PARDIGITS" digest plain.h5)" ]]
    [[ ! -e no && ! -e no.h5 ]]
}

@test "probabilities: svm-predict -b 1 makes the same confidences of an exported model; off, nothing is fitted" {
    train fitted --set svm.probability=yes --set svm.folds=3
    grep -q '^probA ' fitted.libsvm
    svm-predict -b 1 valid.svm fitted.libsvm predicted
    local theirs ours
    theirs=$(awk 'NR > 1 { most = 0; for (k = 2; k <= NF; k++) if ($k > most) most = $k; sum += most } END { print sum / (NR - 1) }' predicted)
    ours=$("$PARDIGITS" evaluate fitted.h5 --split valid --data "$data" --json | field mean_confidence)
    echo "$theirs $ours"
    awk -v a="$theirs" -v b="$ours" 'BEGIN { d = a - b; exit !(a > 0.7 && a < 1 && d > -0.003 && d < 0.003) }'
    same_predictions fitted.h5 fitted.libsvm
    "$PARDIGITS" import fitted.libsvm --out back.h5
    "$PARDIGITS" export back.h5 --out back.libsvm
    cmp fitted.libsvm back.libsvm
    train plain
    [[ -z $(grep '^prob' plain.libsvm) ]]
}

@test "class weights: the model of svm-train -wi; balanced; a CNN's weights; refused" {
    # C is so small that many samples reach it; elsewhere weights would change nothing
    train weighted --set svm.class_weights="1 4 1 1 0.25 1 1 1 1 2.5" --set svm.c=0.5 --set run.train=400
    "$PARDIGITS" export weighted.h5 --split train --data "$data" --out rows.svm
    sort -s -n -k1,1 rows.svm >train.svm # svm-train takes the classes in their order there
    svm-train -q -t 2 -c 0.5 -g 0.02 -w1 4 -w4 0.25 -w9 2.5 train.svm theirs.libsvm
    same_predictions weighted.h5 theirs.libsvm
    for file in weighted theirs; do awk '/^rho/ { for (f = 2; f <= NF; f++) printf "%.2f\n", $f + 0.0001 }' $file.libsvm >$file.rho; done
    diff weighted.rho theirs.rho
    train even --set svm.c=0.5 --set run.train=400
    if cmp -s even.libsvm weighted.libsvm; then false; fi
    on 2 1 train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --data "$data" --run balanced --set run.train=400 --set svm.class_weights=balanced
    on 1 1 train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --data "$data" --run again --set run.train=400 --set svm.class_weights=balanced
    same_model balanced/model.h5 again/model.h5
    # a CNN: one digest on any ranks, and a class that counts a hundred times more is recognised more often
    local cnn=("$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --data "$data" --set run.train=320 --set run.valid=1000 --set cnn.epochs=2 --set cnn.batch=32 --set cnn.lr=0.05)
    on 1 2 train "${cnn[@]}" --run c1 --set cnn.class_weights="1 1 1 100 1 1 1 1 1 1"
    on 3 1 train "${cnn[@]}" --run c3 --set cnn.class_weights="1 1 1 100 1 1 1 1 1 1"
    on 1 1 train "${cnn[@]}" --run plain
    on 1 1 train "${cnn[@]}" --run ones --set cnn.class_weights="1 1 1 1 1 1 1 1 1 1"
    same_model c1/model.h5 c3/model.h5
    for run in c1 plain ones; do
        "$PARDIGITS" evaluate $run --split valid --predictions $run.csv --data "$data"
    done
    cmp plain.csv ones.csv
    [[ $(cut -d, -f3 c1.csv | grep -c 3) -gt 500 && $(cut -d, -f3 plain.csv | grep -c 3) -lt 500 ]]
    fails_on 1 1 'or raise cnn.micro_batch' train "${cnn[@]}" --run no --set cnn.class_weights="1e6 1 1 1 1 1 1 1 1 1"
    fails_on 1 2 'from 1e-06 to 1e' train "${cnn[@]}" --run no --set cnn.class_weights="1e-13 1 1 1 1 1 1 1 1 1"
    fails_on 2 2 'has 3 numbers, but there are 10 classes' train "${cnn[@]}" --run no --set cnn.class_weights="1 2 3"
    fails_on 1 2 'expected `balanced`' train "$BATS_TEST_DIRNAME/../../configs/svm.ini" --data "$data" --run no --set svm.class_weights=-1
}
