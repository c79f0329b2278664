#!/usr/bin/python3
"""Writes knn_neighbours.h: what the nearest neighbours of the MNIST test images are, without this program.

    python3 tests/ref/knn_neighbours.py data/mnist >tests/ref/knn_neighbours.h

Needs numpy and scikit-learn (Debian: python3-sklearn). Distances are exact: integers below 2^53 in doubles. Neighbours
are ordered by (distance, index); scikit-learn's brute force must agree wherever its order is defined, that is but for
the order of equal distances.
"""
import hashlib
import sys

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

K, BLOCK, EVERY = 5, 500, 500


def read(name, header):
    return np.fromfile(sys.argv[1] + "/" + name, dtype=np.uint8)[header:]


train = read("train-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float64)
test = read("t10k-images-idx3-ubyte", 16).reshape(-1, 784).astype(np.float64)
labels = read("train-labels-idx1-ubyte", 8)
truth = read("t10k-labels-idx1-ubyte", 8)

norms = (train * train).sum(1)
keys = []
for first in range(0, len(test), BLOCK):
    block = test[first:first + BLOCK]
    distances = (block * block).sum(1)[:, None] + norms - 2 * block @ train.T
    key = distances.astype(np.int64) << 17 | np.arange(len(train))
    keys.append(np.sort(np.partition(key, K + 1, axis=1)[:, :K + 1], axis=1))
keys = np.concatenate(keys)
distances, indices = keys >> 17, keys & 0x1FFFF

model = KNeighborsClassifier(K, algorithm="brute").fit(train, labels)
their_distances, their_indices = model.kneighbors(test)
assert (np.rint(their_distances ** 2) == distances[:, :K]).all()
equal = distances[:, 1:] == distances[:, :-1]  # neighbour j and j + 1 are as near
tied = equal[:, :K] | np.concatenate([np.zeros((len(test), 1), bool), equal[:, :K - 1]], axis=1)
assert (tied | (their_indices == indices[:, :K])).all()
print("%d of %d neighbours are tied" % (tied.sum(), tied.size), file=sys.stderr)
distances, indices = distances[:, :K], indices[:, :K]
correct = {}
for k in (1, 3, 5):
    votes = np.array([np.bincount(labels[row[:k]], minlength=10).argmax() for row in indices])
    correct[k] = (votes == truth).sum()

pairs = np.stack([distances, indices], axis=2).astype("<u4")
print("/* Made by knn_neighbours.py with numpy and scikit-learn. */")
print("enum { KNOWN_K = %d, KNOWN_EVERY = %d, KNOWN_QUERIES = %d };" % (K, EVERY, len(test) // EVERY))
print("static const int known_correct[][2] = {%s};" % ", ".join("{%d, %d}" % pair for pair in correct.items()))
print("/* SHA-256 of (distance, index), u32 little-endian, of all test images' neighbours in order */")
print('static const char known_sha256[] = "%s";' % hashlib.sha256(pairs.tobytes()).hexdigest())
print("/* The neighbours of every %dth test image */" % EVERY)
print("static const Neighbour known_neighbours[KNOWN_QUERIES][KNOWN_K] = {")
for row in pairs[::EVERY]:
    print("    {%s}," % ", ".join("{%d, %d}" % tuple(pair) for pair in row))
print("};")
