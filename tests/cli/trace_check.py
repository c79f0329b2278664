"""Fails unless a trace is sound: trace_check.py TRACE RANKS THREADS SECONDS SHARE KIND... What Chrome's trace event format asks for; a
name for every rank and track; spans of a track apart or one in the other; every KIND on some track of every rank; and the outer spans
of each rank's first thread last about SECONDS, of which those within explain more than SHARE."""
import collections
import json
import math
import sys

path, ranks, threads, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
share, kinds = float(sys.argv[5]), sys.argv[6:]


def refuse(constant):
    raise ValueError(f"{constant} is no number of JSON")


with open(path, encoding="utf-8") as file:
    trace = json.load(file, parse_constant=refuse)
tracks, names, kinds_of, indices = collections.defaultdict(list), {}, collections.defaultdict(set), set()
for event in trace["traceEvents"]:
    assert isinstance(event["name"], str) and event["name"], event
    assert type(event["pid"]) is int and event["pid"] >= 1 and type(event["tid"]) is int and event["tid"] >= 1, event
    track = event["pid"], event["tid"]
    if event["ph"] == "M":
        assert event["name"] in ("process_name", "process_sort_index", "thread_name", "thread_sort_index"), event
        if event["name"].endswith("_name"):
            names[event["name"], track if event["name"][0] == "t" else event["pid"]] = event["args"]["name"]
        continue
    assert event["ph"] == "X" and isinstance(event["cat"], str), event
    for key in "ts", "dur":
        assert isinstance(event[key], (int, float)) and math.isfinite(event[key]), event
    assert event["dur"] >= 0 and -1000 < event["ts"] < 1e6 * seconds + 1e6, event
    tracks[track].append((event["ts"], event["ts"] + event["dur"], event["name"]))  # added as viewers do
    kinds_of[event["pid"]].add(event["cat"])

assert {pid for pid, _ in tracks} == set(range(1, ranks + 1)), sorted(tracks)
inside = {}
for track, spans in tracks.items():
    assert spans == sorted(spans, key=lambda span: (span[0], -span[1])), f"{track}: not in order"
    open_spans, within = [], 0
    for begin, end, name in spans:
        while open_spans and open_spans[-1][1] <= begin:
            open_spans.pop()
        assert not open_spans or end <= open_spans[-1][1], f"{track}: {name} overlaps {open_spans[-1]}"
        if len(open_spans) == 1:
            within += end - begin
        open_spans.append((begin, end, name))
    inside[track] = within
    assert ("thread_name", track) in names, f"{track} has no name"
for rank in range(ranks):
    pid = rank + 1
    assert names["process_name", pid].startswith(f"rank {rank} on "), names
    for thread in range(threads):
        assert names["thread_name", (pid, thread + 1)] == f"thread {thread}", names
        assert (pid, thread + 1) in tracks, f"rank {rank}: thread {thread} did nothing"
    whole = tracks[pid, 1][0]
    assert whole[2] == "train" and len([span for span in tracks[pid, 1] if span[0] >= whole[1]]) == 0, whole
    lasted = (whole[1] - whole[0]) / 1e6
    assert 0.5 * seconds < lasted < seconds + 0.5, f"rank {rank}: {lasted} s of {seconds} s"
    assert inside[pid, 1] > 1e6 * share * lasted, f"rank {rank}: {inside[pid, 1] / 1e6} s of {lasted} s are explained"
    for kind in kinds:
        assert kind in kinds_of[pid], f"rank {rank}: no span of {kind}"
