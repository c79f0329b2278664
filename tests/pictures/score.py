#!/usr/bin/env python3
"""Compares what `predict --json` said with truth.csv. Usage: score.py FOLDER PREDICTIONS.json [--worst]

A digit counts as read where it is right and not doubtful; of several digits as many count as the longest common subsequence
has. A picture without digits is invented upon where a digit that isn't doubtful is found.
"""

import collections
import csv
import json
import os
import sys


def common(a, b):
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b):
            before, row[j + 1] = row[j + 1], before + 1 if x == y else max(row[j], row[j + 1])
    return row[-1]


def main():
    folder, answers = sys.argv[1:3]
    read = collections.defaultdict(str)
    for line in open(answers, encoding="utf-8"):
        page = json.loads(line)
        read[os.path.basename(page["picture"])] += "".join(
            str(d["label"]) for d in page["digits"] if not d["doubtful"])
    counts = collections.OrderedDict()
    for row in csv.DictReader(open(os.path.join(folder, "truth.csv"))):
        got, truth = read[row["picture"]], row["digits"]
        of, good = (len(truth), common(truth, got)) if truth else (1, int(not got))
        if row["set"] == "several" or truth == got:
            pass
        elif truth and len(got) > 1:
            good = 0
        for key in ((row["set"], row["kind"]), (row["set"], "all")):
            counts.setdefault(key, [0, 0])
            counts[key][0] += good
            counts[key][1] += of
        if good < of and "--worst" in sys.argv:
            print(f"{row['picture']}: {truth or 'no digit'}, read as {got or 'nothing'}", file=sys.stderr)
    print("| set | kind | right | of | % |\n|---|---|---|---|---|")
    for (name, kind), (good, of) in counts.items():
        print(f"| {name} | {kind} | {good} | {of} | {100 * good / of:.1f} |")


main()
