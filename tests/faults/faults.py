#!/usr/bin/env python3
"""What `make check-faults` runs: trainings that are killed, files that are damaged, writes that fail. Each case has its own random
numbers, from SEED, its kind and its number, so it can be repeated alone. Fails if any case does.

Usage: faults.py [kills-CNN|kills-SVM|kills-KNN|kills-ensemble|flips|truncations|writes]... (all without arguments), with PARDIGITS, BUILD and
MNIST_DIR in the environment as tests/run.sh has them, and
  SEED=1     of all random numbers
  COUNT=N    cases of each kind, instead of the full count
  FIRST=N    number of the first case"""
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

import damage
import kills
import writes
from runs import FAMILIES, Family, Fault, make_dataset

FULL = {**{f"kills-{family}": 200 for family in FAMILIES}, "flips": 1000, "truncations": 200, "writes": 100}


def cases(kinds, families, folder):
    """For each kind the function of a case: (rng, scratch) -> a number, which is 0 if it was no case."""
    material = damage.Material(families, folder) if {"flips", "truncations"} & set(kinds) else None
    table = {f"kills-{family.name}": lambda rng, scratch, family=family: kills.case(rng, family, scratch) for family in families}
    table["flips"] = lambda rng, scratch: damage.case(rng, material, damage.flip, scratch)
    table["truncations"] = lambda rng, scratch: damage.case(rng, material, damage.truncate, scratch)
    table["writes"] = lambda rng, scratch: writes.case(rng, families, scratch)
    return table


def run_kind(kind, case, folder, seed, first, count):
    """Prints a line for each broken promise and one for the kind; returns how many were broken."""
    broken, most, number, done, begin = 0, 0, first, 0, time.monotonic()
    while done < count:
        scratch = folder / "case"
        scratch.mkdir()
        try:
            value = case(random.Random(f"{seed} {kind} {number}"), scratch)
            done, most = done + (value > 0), max(most, value)
            shutil.rmtree(scratch)
        except Fault as fault:
            done, broken = done + 1, broken + 1
            kept = folder / f"{kind}-{number}"
            scratch.rename(kept)
            print(f"FAIL {kind} SEED={seed} FIRST={number}: {fault}\n     its files: {kept}", flush=True)
        number += 1
    unit = "times killed" if kind.startswith("kills") else "s"
    print(f"{'ok  ' if not broken else 'FAIL'} {kind}: {done - broken} of {done} good, cases {first} to {number - 1}, at most {most:.3g} {unit}, "
          f"{time.monotonic() - begin:.0f} s", flush=True)
    return broken


def main(kinds):
    kinds = kinds or list(FULL)
    for kind in kinds:
        if kind not in FULL:
            sys.exit(f"faults.py: no kind of faults is called '{kind}'; there are: {' '.join(FULL)}")
    seed, first = os.environ.get("SEED") or "1", int(os.environ.get("FIRST") or 0)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="faults."))
    os.environ["TMPDIR"] = str(folder / "mpi")  # what a killed mpirun leaves there disturbs nobody else's
    (folder / "mpi").mkdir()
    data = make_dataset(folder)
    wanted = [name for name in FAMILIES if f"kills-{name}" in kinds or not all(kind.startswith("kills") for kind in kinds)]
    families = [Family(name, data, folder / name) for name in wanted]
    for family in families:
        family.learn()
    table = cases(kinds, families, folder)
    broken = sum(run_kind(kind, table[kind], folder, seed, first, int(os.environ.get("COUNT") or FULL[kind])) for kind in kinds)
    if not broken:
        shutil.rmtree(folder)
    return 1 if broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Fault as undisturbed:
        sys.exit(f"faults.py: {undisturbed}")
