#!/usr/bin/env python3
"""Compares what `predict --json` said with truth.csv. Usage: score.py FOLDER PREDICTIONS.json [--worst] [--sheet PNG]

A digit counts as read where it is right and not doubtful; of several digits as many count as the longest common subsequence
has. "doubted" are those that are right but doubtful, "wrong" all others that aren't doubtful. A picture without digits is
invented upon where a digit that isn't doubtful is found. --worst lists the pictures that were read wrongly, --sheet draws
twenty of them: those with the most wrong digits, then by kind in turn.
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


def right(truth, got):
    """How many of a picture's digits were read; a single digit only where nothing else was."""
    if not truth:
        return int(not got)
    return common(truth, got) if len(truth) > 1 else int(truth == got)


def shortened(digits):
    return digits[:9] + "..." if len(digits) > 12 else digits or "none"


def draw_sheet(path, folder, worst):
    """worst: (wrong digits, place within its kind, picture, what it shows, what was read)."""
    from PIL import Image, ImageDraw
    side, text, columns = 150, 24, 5
    sheet = Image.new("RGB", (columns * side, 4 * (side + text)), "white")
    draw = ImageDraw.Draw(sheet)
    for k, (_, _, name, truth, got) in enumerate(sorted(worst, key=lambda w: (-w[0], w[1]))[:4 * columns]):
        x, y = k % columns * side, k // columns * (side + text)
        picture = Image.open(os.path.join(folder, name)).convert("RGB")
        picture.thumbnail((side - 6, side - 6))
        sheet.paste(picture, (x, y + text))
        draw.text((x, y), f"{os.path.splitext(name)[0]}\n{shortened(truth)}, read {shortened(got)}", "black")
    sheet.quantize(32).save(path)


def main():
    folder, answers = sys.argv[1:3]
    worst, wrong = [], collections.Counter()
    sure, found = collections.defaultdict(str), collections.defaultdict(str)
    for line in open(answers, encoding="utf-8"):
        page = json.loads(line)
        for digit in page["digits"]:
            found[os.path.basename(page["picture"])] += str(digit["label"])
            if not digit["doubtful"]:
                sure[os.path.basename(page["picture"])] += str(digit["label"])
    counts = collections.OrderedDict()
    for row in csv.DictReader(open(os.path.join(folder, "truth.csv"))):
        got, truth = sure[row["picture"]], row["digits"]
        of, good = max(1, len(truth)), right(truth, got)
        doubted = max(0, right(truth, found[row["picture"]]) - good) if truth else 0
        wrong_digits = len(got) - common(truth, got)
        for key in ((row["set"], row["kind"]), (row["set"], "all")):
            counts.setdefault(key, [0, 0, 0, 0])
            for k, value in enumerate((good, doubted, wrong_digits, of)):
                counts[key][k] += value
        if good < of:
            worst.append((of - good, wrong[row["kind"]], row["picture"], truth, got))
            wrong[row["kind"]] += 1
        if good < of and "--worst" in sys.argv:
            print(f"{row['picture']}: {truth or 'no digit'}, read as {got or 'nothing'}", file=sys.stderr)
    if "--sheet" in sys.argv:
        draw_sheet(sys.argv[sys.argv.index("--sheet") + 1], folder, worst)
    print("| set | kind | right | doubted | wrong | of | right, % |\n|---|---|---|---|---|---|---|")
    for (name, kind), (good, doubted, wrong_digits, of) in counts.items():
        print(f"| {name} | {kind} | {good} | {doubted} | {wrong_digits} | {of} | {100 * good / of:.1f} |")


main()
