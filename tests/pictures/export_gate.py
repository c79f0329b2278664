#!/usr/bin/env python3
"""Prints the weights of a trained gate as C: batch norm folded in, 8 bits a weight. Usage: export_gate.py MODEL.h5"""

import sys

import h5py
import numpy as np

EPSILON = 1e-5  # NORM_EPSILON of src/cnn/network.h


def whole(name, values, on_line=26):
    texts = [str(int(v)) for v in values.ravel()]
    lines = ["    " + ", ".join(texts[i:i + on_line]) + "," for i in range(0, len(texts), on_line)]
    print(f"static const int8_t gate_{name}[] = {{\n" + "\n".join(lines) + "\n};")


def real(name, values, on_line=8):
    texts = [f"{v:.7g}" for v in values.ravel()]
    texts = [(t if "." in t or "e" in t else t + ".0") + "f" for t in texts]
    lines = ["    " + ", ".join(texts[i:i + on_line]) + "," for i in range(0, len(texts), on_line)]
    print(f"static const float gate_{name}[] = {{\n" + "\n".join(lines) + "\n};")


def layer(number, weight, offset):
    """weight [...][outputs]"""
    scale = np.abs(weight).reshape(-1, weight.shape[-1]).max(0) / 127
    whole(f"weights_{number}", np.round(weight / scale))
    real(f"scale_{number}", scale)
    real(f"offset_{number}", offset)


print("""/* Written by tests/pictures/export_gate.py: the weights of gate.c, which alone includes them. */
#ifndef PARDIGITS_DATA_GATE_WEIGHTS_H
#define PARDIGITS_DATA_GATE_WEIGHTS_H

#include <stdint.h>

/* clang-format off */""")
model = h5py.File(sys.argv[1])["model"]
for k in (1, 2, 3):
    norm = {name: np.array(value, float) for name, value in model[f"bn{k}"].items()}
    factor = norm["scale"] / np.sqrt(norm["variance"] + EPSILON)
    layer(k, np.array(model[f"conv{k}/weight"], float) * factor, norm["shift"] - norm["mean"] * factor)
layer(4, np.array(model["dense1/weight"], float), np.array(model["dense1/bias"], float))
print("""/* clang-format on */

#endif""")
