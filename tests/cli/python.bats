# The manual's programs in Python, run as they stand there: models, metrics and predictions without this program.
load common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    mkdir -p results data
    ln -s "$data" data/mnist.h5
    on 1 2 train "$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --data "$data" --run results/cnn --set run.train=1000 --set cnn.epochs=1 \
        --set run.valid=100 --set "cnn.layers=conv:8:5:s2:p1 bn relu pool:3:s2 conv:12:3 relu dropout:0.2 avgpool:2 dense:20 bn relu dense:classes"
}

# program FIRST_LINE: the manual's block of code that begins so, up to the next text.
program() {
    awk -v first="    $1" '$0 == first { on = 1 } on && /^[^ ]/ { exit } on { print substr($0, 5) }' "$BATS_TEST_DIRNAME/../../MANUAL.md"
}

@test "the manual's h5py and pandas: a model, its layers and its metrics" {
    needs h5py pandas
    program 'import h5py, pandas as pd' >read.py
    /usr/bin/python3 read.py >printed
    cat printed
    grep -x 'conv1 weight (5, 5, 1, 8) kernel row, kernel column, input channel, filter' printed
    grep -x 'dense1 weight (48, 20) input value (row, then column, then channel), unit' printed
    grep -E '^0 +1 +[0-9.]+ +[0-9.]+ +[0-9.]+' printed
    # evaluate's file, in pandas
    "$PARDIGITS" evaluate results/cnn --split valid --predictions valid.csv --json >valid.json
    [[ $(/usr/bin/python3 -c 'import pandas as pd; t = pd.read_csv("valid.csv"); print((t.label == t.prediction).sum())') == "$(field correct <valid.json)" ]]
}

@test "the manual's PyTorch module has the model's probabilities" {
    needs h5py torch
    program 'import h5py, torch' >network.py
    "$PARDIGITS" evaluate results/cnn --predictions ours.h5
    /usr/bin/python3 -c '
import h5py, torch
from network import Network
images = torch.from_numpy(h5py.File("data/mnist.h5")["test/images"][:1000])[:, None] / 255
with torch.no_grad():
    theirs = Network("results/cnn/model.h5")(images).numpy()
print(abs(theirs - h5py.File("ours.h5")["probabilities"][:1000]).max())
assert abs(theirs - h5py.File("ours.h5")["probabilities"][:1000]).max() < 1e-5'
}
