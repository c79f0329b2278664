# Exported ONNX models: OpenCV reads CNNs; an SVM's numbers are read from the file and computed as ONNX says. `make bench-onnx` has
# onnxruntime.
load common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    configs=$BATS_TEST_DIRNAME/../../configs
}

@test "export: OpenCV's dnn gives an ensemble's probabilities, with shifts and without; all kinds of layers" {
    needs h5py cv2
    local layers="conv:8:3:p1 bn relu@a conv:8:3:p1 bn relu conv:8:3:p1:s1 bn add:a relu pool:3:s2 conv:8:3 avgpool:2 dropout:0.2 dense:16 bn relu@b dense:16 relu add:b dense:classes"
    on 1 2 train "$configs/cnn-fast.ini" --data "$data" --run two --set run.train=500 --set cnn.epochs=1 --set cnn.members=3 \
        --set "cnn.member_layers=$layers | conv:8:5:s2 relu conv:12:3:p1 avgpool:all dense:classes | conv:8:3 relu avgpool:all@a dense:8 relu add:a conv:8:1 relu dense:8 relu add:a dense:classes"
    fails 2 "; add --format onnx." "$PARDIGITS" export two --out no
    for shifts in 0 1; do
        "$PARDIGITS" export two --out two.onnx --set cnn.test_shifts=$shifts # the format follows the ending
        "$PARDIGITS" evaluate two --predictions two$shifts.h5 --set cnn.test_shifts=$shifts --data "$data" --split train
        /usr/bin/python3 - "$data" two$shifts.h5 <<'PY'
import cv2, h5py, numpy as np, sys
net, ours = cv2.dnn.readNetFromONNX("two.onnx"), h5py.File(sys.argv[2])
images = h5py.File(sys.argv[1])["train/images"][:500]
net.setInput(images[:, None].astype(np.float32), "image")
theirs = net.forward()
print(np.abs(theirs - ours["probabilities"][:500]).max())
assert theirs.shape == (500, 10) and np.abs(theirs - ours["probabilities"][:500]).max() < 1e-5
PY
    done
}

@test "export --format onnx: an SVM's classifier gives its decision values and probabilities" {
    needs h5py onnx
    for kind in "" imported "--set svm.normalize=yes --set svm.kernel=poly --set svm.gamma=0.5 --set svm.coef0=1 --set svm.probability=yes --set svm.folds=2"; do
        local model=svm
        if [[ $kind == imported ]]; then # LIBSVM's classes are in the order in which they come first
            "$PARDIGITS" export svm --split train --data "$data" --out train.svm
            tac train.svm >turned.svm
            svm-train -q -g 0.02 turned.svm turned.libsvm
            if grep -x 'label 0 1 2 3 4 5 6 7 8 9' turned.libsvm; then return 1; fi
            model=turned.h5
            "$PARDIGITS" import turned.libsvm --out $model --data "$data"
        else
            # shellcheck disable=SC2086 # several words
            on 1 2 train "$configs/svm.ini" --data "$data" --run svm --overwrite --set run.train=300 $kind
        fi
        "$PARDIGITS" export $model --format onnx --out svm.onnx
        "$PARDIGITS" export $model --out svm.libsvm
        "$PARDIGITS" export $model --split test --data "$data" --out test.svm
        svm-predict $([[ $kind != --* ]] || echo -b 1) test.svm svm.libsvm predicted >log
        "$PARDIGITS" evaluate $model --data "$data" --predictions svm.h5
        /usr/bin/python3 - "$data" <<'PY'
import h5py, numpy as np, onnx, onnx.numpy_helper, sys
model = onnx.load("svm.onnx")
onnx.checker.check_model(model)
a = {x.name: onnx.helper.get_attribute_value(x) for n in model.graph.node for x in n.attribute if n.op_type == "SVMClassifier"}
pixels = h5py.File(sys.argv[1])["test/images"][:200].reshape(200, -1).astype(np.float64)
normalized = any(n.op_type == "ReduceL2" for n in model.graph.node)
seen = pixels / (np.linalg.norm(pixels, axis=1, keepdims=True) if normalized else 255)
vectors = np.array(a["support_vectors"]).reshape(-1, seen.shape[1])
gamma, coef0, degree = a["kernel_params"]
if a["kernel_type"] == b"RBF":
    k = np.exp(-gamma * ((seen ** 2).sum(1)[:, None] + (vectors ** 2).sum(1) - 2 * seen @ vectors.T))
else:
    k = (gamma * seen @ vectors.T + coef0) ** degree
dual = np.array(a["coefficients"]).reshape(-1, len(vectors))
ends = np.cumsum(a["vectors_per_class"])
of = lambda c: slice(ends[c] - a["vectors_per_class"][c], ends[c])
classes, pairs = len(ends), 0
votes = np.zeros((200, classes), int)
decisions = []
for i in range(classes):
    for j in range(i + 1, classes):
        d = k[:, of(i)] @ dual[j - 1, of(i)] + k[:, of(j)] @ dual[i, of(j)] + a["rho"][len(decisions)]
        decisions.append(d)
        votes[np.arange(200), np.where(d > 0, i, j)] += 1
ours = h5py.File("svm.h5")
labels = np.array(a["classlabels_ints"])[votes.argmax(1)]
assert (labels == ours["prediction"][:200]).all()
constants = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
assert ("order" in constants) == (list(a["classlabels_ints"]) != sorted(a["classlabels_ints"]))
if "decisions" in ours:
    decisions = np.array(decisions).T
    if "order" in constants: # scores are in the order of classes, whatever that of the labels is
        decisions = decisions[:, constants["order"]] * constants["signs"]
    assert np.abs(decisions - ours["decisions"][:200]).max() < 1e-4
else: # as LIBSVM's: 1 / (1 + exp(A d + B)) of its first class
    assert len(a["prob_a"]) == len(a["prob_b"]) == len(decisions)
    lines = open("svm.libsvm").read().split("\n")
    theirs = {w[0]: np.array(w[1:], float) for w in map(str.split, lines[:14]) if w and w[0] in ("probA", "probB")}
    assert np.abs(theirs["probA"] - a["prob_a"]).max() < 1e-5 and np.abs(theirs["probB"] - a["prob_b"]).max() < 1e-5
PY
    done
}

@test "export --format onnx: an SVM of two classes has two columns of scores, as SVMClassifier gives them" {
    needs h5py onnx
    /usr/bin/python3 - "$data" <<'PY'
import h5py, sys
of = h5py.File(sys.argv[1])
with h5py.File("two.h5", "w") as two:
    two.attrs.update(format="pardigits dataset", version=1, classes=2)
    labels = of["train/labels"][:300]
    for part in "train", "test":
        two[part + "/images"], two[part + "/labels"] = of["train/images"][:300][labels < 2], labels[labels < 2]
PY
    "$PARDIGITS" train "$configs/svm.ini" --data two.h5 --run two --set run.train=0 --set run.valid=0 --set svm.c=0.02
    "$PARDIGITS" export two --out two.onnx
    /usr/bin/python3 -c 'import onnx; of = onnx.load("two.onnx").graph.output[1].type.tensor_type; print(of); assert of.shape.dim[1].dim_value == 2'
    "$PARDIGITS" evaluate two --data two.h5 --predictions decisions.h5
    # their probabilities are the sigmoid of the decision value, as in LIBSVM and in the graph
    "$PARDIGITS" train "$configs/svm.ini" --data two.h5 --run fitted --set run.train=0 --set run.valid=0 --set svm.c=0.02 --set svm.probability=yes
    "$PARDIGITS" export fitted --out fitted.onnx
    "$PARDIGITS" export fitted --out fitted.libsvm
    "$PARDIGITS" export fitted --split test --data two.h5 --out test.svm
    "$PARDIGITS" evaluate fitted --data two.h5 --predictions fitted.h5
    svm-predict -b 1 test.svm fitted.libsvm predicted
    /usr/bin/python3 - <<'PY'
import h5py, numpy as np, onnx, onnx.numpy_helper
ours = h5py.File("fitted.h5")["probabilities"][:]
lines = [line.split() for line in open("predicted")]
theirs = np.array([[line[1 + lines[0][1:].index(c)] for c in "01"] for line in lines[1:]], float)
graph = onnx.load("fitted.onnx").graph
given = {x.name: onnx.numpy_helper.to_array(x) for x in graph.initializer}
assert [n.op_type for n in graph.node[-4:]] == ["SVMClassifier", "Mul", "Add", "Sigmoid"]
d = h5py.File("decisions.h5")["decisions"][:]  # SVMClassifier gives minus the decision value, and that
exported = 1 / (1 + np.exp(-(np.hstack([-d, d]) * given["A"] + given["B"])))
print(np.abs(ours - theirs).max(), np.abs(ours - exported).max(), np.minimum(ours[:, 0], ours[:, 1]).max())
assert ours.min(1).max() > 0.1 and np.abs(ours - theirs).max() < 1e-6 and np.abs(ours - exported).max() < 1e-6
PY
}

@test "export --format onnx: what the file doesn't do is said; what can't be is refused" {
    on 1 2 train "$configs/cnn-fast.ini" --data "$data" --run deskewed --set run.train=128 --set cnn.epochs=1 --set run.preprocess=deskew
    "$PARDIGITS" export deskewed --format onnx --out deskewed.onnx 2>&1 | grep 'went through run.preprocess = deskew'
    grep -q deskew deskewed.onnx
    on 1 2 train "$configs/svm.ini" --data "$data" --run edges --set run.train=200 --set svm.features=gradient
    fails_on 1 2 'svm.features = gradient' export edges --format onnx --out no
    fails_on 1 2 "the format libsvm is for models of: svm" export deskewed --out no
    [[ ! -e no ]]
}
