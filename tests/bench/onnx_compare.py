"""Rows of onnx.sh's table for one model. Usage: onnx_compare.py NAME DATA.h5: NAME.onnx, NAME.h5 (pardigits' predictions), NAME.values
and NAME.labels (onnxruntime's, where they are there); OpenCV's are made here. Ends with 1 if they differ."""
import os
import sys

import h5py
import numpy as np

MOST = 1e-4

name, data = sys.argv[1:]
ours = h5py.File(name + ".h5")
kind = "probabilities" if "probabilities" in ours else "decisions"
bad = False


def compare(program, values, labels=None):
    global bad
    labels = values.argmax(1) if labels is None else labels
    differ = int((labels != ours["prediction"][:]).sum())
    largest = np.abs(values - ours[kind][:]).max()
    print(f"| {os.path.basename(name)} | {program} | {differ} | {largest:.1e} ({kind}) |", flush=True)
    bad = bad or differ > 0 or not largest < MOST


if os.path.exists(name + ".values"):
    given = np.loadtxt(name + ".labels", dtype=int) if os.path.exists(name + ".labels") else None
    values = np.fromfile(name + ".values", np.float32).reshape(len(ours["label"]), -1)
    if kind == "decisions" and ours[kind].shape[1] == 1:  # of two classes: minus the decision value, and that
        assert values.shape[1] == 2 and (values[:, 0] == -values[:, 1]).all()
        values = values[:, 1:]
    compare("onnxruntime-node", values, given)
if not os.path.exists(name + ".labels"):  # OpenCV has no SVMs of ONNX
    import cv2
    images = h5py.File(data)["test/images"][:len(ours["label"])]
    net = cv2.dnn.readNetFromONNX(name + ".onnx")
    out = []
    for first in range(0, len(images), 500):
        net.setInput(images[first:first + 500, None].astype(np.float32), "image")
        out.append(net.forward().copy())
    compare(f"OpenCV {cv2.__version__}", np.concatenate(out))
sys.exit(bad)
