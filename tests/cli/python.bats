# The manual's programs in Python, run as they stand there: models, metrics and predictions without this program.
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    mkdir -p results data
    ln -s "$data" data/mnist.h5
    on 1 2 train "$BATS_TEST_DIRNAME/../../configs/cnn-fast.ini" --data "$data" --run results/cnn --set run.train=1000 --set cnn.epochs=1 \
        --set run.valid=100 --set "cnn.layers=conv:8:5:s2:p1 bn relu pool:3:s2 conv:12:3 relu dropout:0.2 avgpool:2 dense:20 bn relu dense:classes"
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return
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

@test "the manual's numpy: a model's arrays and attributes, as h5py has them" {
    needs h5py
    "$PARDIGITS" export results/cnn --out model.npz --json | grep -F '"format":"npz"'
    program 'import numpy as np' >read.py
    cat >>read.py <<'END'
import h5py
file = h5py.File("results/cnn/model.h5")
arrays, attributes = {}, {"@" + name: value for name, value in file.attrs.items()}
def visit(path, item):
    if path.split("/")[0] in ("optimizer", "state"):
        return
    if isinstance(item, h5py.Dataset):
        arrays[path] = item[:]
    attributes.update({path + "@" + name: value for name, value in item.attrs.items()})
file.visititems(visit)
assert arrays and arrays.keys() == weights.keys() and arrays.keys() | attributes.keys() == set(model)
assert all((arrays[name] == weights[name]).all() and arrays[name].dtype == weights[name].dtype for name in arrays)
assert all(model[name] == (value.decode() if isinstance(value, bytes) else value) for name, value in attributes.items())
END
    /usr/bin/python3 read.py | grep -F 'cnn conv1 bn1 relu pool:3:s2 '
    "$PARDIGITS" export results/cnn --out again.npz
    cmp model.npz again.npz
    # texts as h5py writes them leave the model as it is; other texts, those that aren't ASCII, empty ones
    /usr/bin/python3 -c 'import h5py, shutil
shutil.copy("results/cnn/model.h5", "own.h5")
file = h5py.File("own.h5", "a")
file["config/cnn"].attrs["layers"] = file["config/cnn"].attrs["layers"].decode()
file["config/cnn"].attrs["class_weights"] = ""
file.attrs.update({"note": "Größe \u2713 \U0001f600", "empty": ""})'
    [[ $("$PARDIGITS" digest own.h5) == $("$PARDIGITS" digest results/cnn) ]]
    "$PARDIGITS" export own.h5 --out own.npz
    /usr/bin/python3 -c 'import numpy as np
own = np.load("own.npz")
assert str(own["@note"]) == "Größe \u2713 \U0001f600" and str(own["@empty"]) == ""'
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
