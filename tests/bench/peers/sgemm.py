#!/usr/bin/python3
"""Multiply-adds a second of NumPy's single-precision matrix product on one thread, for `pardigits bench pixdot`.
Usage: sgemm.py"""

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import time

import numpy as np

ROWS, COLUMNS, REPEATS = 512, 784, 50

rows = (np.arange(ROWS * COLUMNS) * 31 % 251).astype(np.float32).reshape(ROWS, COLUMNS)
columns = rows.T.copy()
best = 1e9
for _ in range(REPEATS):
    start = time.perf_counter()
    rows @ columns
    best = min(best, time.perf_counter() - start)
with open("/proc/self/maps") as maps:
    libraries = {os.path.basename(line.split()[-1]) for line in maps if "blas" in line}
print(f"one thread; sgemm of {', '.join(sorted(libraries))}: {ROWS * ROWS * COLUMNS / best / 1e9:.1f} G multiply-adds/s")
