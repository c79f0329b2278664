#!/usr/bin/env python3
"""Prints how many of the digits that a gate wasn't trained on it loses, and how many other shapes it takes for digits, at several
limits of the log odds of the right digit and of the likeliest one against its last class. Usage: gate_limit.py PREDICTIONS.csv
"""

import csv
import sys

import numpy as np

OTHER = 10
rows = list(csv.DictReader(open(sys.argv[1])))
labels = np.array([int(row["label"]) for row in rows])
logs = np.log(np.maximum([[float(row[f"p_{k}"]) for k in range(OTHER + 1)] for row in rows], 1e-30))
odds = logs[:, :OTHER] - logs[:, OTHER:]
own, best = odds[labels != OTHER, labels[labels != OTHER]], odds[labels == OTHER].max(1)
for share in (0.1, 0.2, 0.3, 0.5, 1, 2):
    limit = np.percentile(own, share)
    print(f"{share} % of digits lost below {limit:.2f}; {100 * np.mean(best >= limit):.1f} % of other shapes taken")
