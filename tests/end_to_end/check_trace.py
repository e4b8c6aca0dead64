#!/usr/bin/env python3
"""Checks a timeline (output.trace) against configs/trace.schema.json, and against the event log of the same run.

usage: tests/end_to_end/check_trace.py TRACE EVENTS

What no schema can say: slices lie in each other or apart, arrows join slices that are there, every process has its
track, and all that the log tells is drawn, but for the epochs that the timeline says it has left out. Exits 1 if
something is wrong.
"""

import collections
import json
import pathlib
import re
import sys
from decimal import Decimal

from jsonschema import validators

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "configs/trace.schema.json"
EPOCHS_TID = 4194305

# From which slice to which a frame goes.
ARROWS = {
    "ASSIGN": ("write ASSIGN", "load"),
    "READY": ("write", "read READY"),
    "PARAMS": ("write PARAMS", "compute "),
    "GRADIENT": ("write", "read GRADIENT"),
}


def check_schema(events):
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    standard = validators.validator_for(schema)
    standard.check_schema(schema)
    definitions = {}
    for name, definition in schema["definitions"].items():
        kind = definition.get("properties", {}).get("ph", {}).get("const")
        if kind is not None:
            definitions.setdefault(kind, []).append(standard({**definition, "definitions": schema["definitions"]}))
    for place, event in enumerate(events):
        if place > 10000 and place % 50 != 0:
            continue  # they are like those before, and each takes its time
        candidates = definitions.get(event.get("ph"), [])
        if not any(candidate.is_valid(event) for candidate in candidates):
            yield f"event {place} does not fit the schema: {event}"


def tracks_of(events):
    """The slices of each track, as (begin, end, name); a life is one too."""
    tracks = collections.defaultdict(list)
    lives = {}
    for event in events:
        track = (event["pid"], event.get("tid"))
        if event["ph"] == "X":
            tracks[track].append((event["ts"], event["ts"] + event["dur"], event["name"]))
        elif event["ph"] == "B":
            lives[track] = event
        elif event["ph"] == "E":
            begin = lives.pop(track)
            tracks[track].append((begin["ts"], event["ts"], begin["name"]))
    return tracks, lives


def check_nesting(tracks, lives, end):
    for track, life in lives.items():
        yield f"{life['name']} on {track} never ends"
    for track, slices in tracks.items():
        total, stack = 0, []
        for begin, stop, name in sorted(slices, key=lambda piece: (piece[0], -piece[1])):
            while stack and stack[-1][1] <= begin:
                stack.pop()
            if stack and stop > stack[-1][1]:
                yield f"{name} at {begin} overlaps {stack[-1][2]} on {track}"
            if stack and not stack[-1][2].startswith("worker "):
                yield f"{name} at {begin} lies in {stack[-1][2]} on {track}"
            if not name.startswith("worker "):
                total += stop - begin
            stack.append((begin, stop, name))
            if stop > end:
                yield f"{name} on {track} ends at {stop}, after the run"
        if total > end:
            yield f"the slices on {track} take {total}, longer than the run"


def check_arrows(events, tracks):
    begins = {track: collections.defaultdict(list) for track in tracks}
    for track, slices in tracks.items():
        for begin, _, name in slices:
            begins[track][begin].append(name)
    ends = collections.defaultdict(list)
    for event in events:
        if event["ph"] in "sf":
            ends[event["id"]].append(event)
    for number, pair in ends.items():
        if [event["ph"] for event in pair] != ["s", "f"]:
            yield f"arrow {number} is no pair"
            continue
        if pair[0]["ts"] > pair[1]["ts"]:
            yield f"arrow {number} ({pair[0]['name']}) goes back in time"
        for event, wanted in zip(pair, ARROWS[pair[0]["name"]]):
            names = begins.get((event["pid"], event["tid"]), {}).get(event["ts"], [])
            if not any(name.startswith(wanted) for name in names):
                yield f"arrow {number}: no slice {wanted} begins at {event['ts']}, but {names}"


def left_out(events):
    """The epochs that the timeline says it leaves out."""
    missing = set()
    for event in events:
        match = re.fullmatch(r"epochs? (\d+)(?: to (\d+))? \(left out\)", event.get("name", ""))
        if match:
            missing.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return missing


def count(pairs):
    return collections.Counter(pairs)


def check_against_log(events, log):
    names = {event["pid"]: event["args"]["name"] for event in events if event.get("name") == "process_name"}
    missing = left_out(events)

    def logged(kind):
        return [line for line in log if line["event"] == kind and (line["epoch"] not in missing)]

    def drawn(kind, name):
        return [event for event in events if event["ph"] == kind and event["name"].startswith(name)]

    for line in log:
        if line["event"] == "worker_forked":
            incarnation = f", incarnation {line['incarnation']}" if line["incarnation"] else ""
            if names.get(line["pid"]) != f"worker {line['worker']}{incarnation}":
                yield f"no track of {line}"
    if names.get(log[0]["pid"]) != "coordinator":
        yield "no track of the coordinator"
    for kind, name in (("fault_fired", "fault"), ("worker_lost", "lost"), ("worker_replaced", "replaced"),
                       ("worker_late", "late"), ("worker_stopped", "stopped"),
                       ("worker_continued", "continued"), ("checkpoint_written", "checkpoint"), ("note", "note")):
        told = sum(line["event"] == kind for line in log)
        if told != len(drawn("i", name)):
            yield f"{told} × {kind}, but {len(drawn('i', name))} × {name}"
    for kind, name in (("worker_forked", "fork"), ("checkpoint_written", "checkpoint"), ("worker_lost", "bury")):
        told = sum(line["event"] == kind for line in log)
        if told != len(drawn("X", name)):
            yield f"{told} × {kind}, but {len(drawn('X', name))} slices {name}"
    answers = count((line["pid"], line["epoch"]) for line in logged("gradient_received"))
    computed = count((event["pid"], event["args"]["epoch"]) for event in drawn("X", "compute "))
    if answers != computed:
        yield f"answers of (process, epoch) in the log and in the timeline differ: {answers - computed}, {computed - answers}"
    loaded = count((line["pid"],) for line in logged("worker_ready"))
    if loaded != count((event["pid"],) for event in drawn("X", "load") if event["tid"] != EPOCHS_TID):
        yield "chunks loaded in the log and in the timeline differ"
    epochs = {line["epoch"] for line in log if line["event"] == "epoch_done"} - missing
    shown = {int(event["name"][6:]) for event in events if event["ph"] == "X" and re.fullmatch(r"epoch \d+", event["name"])}
    if not epochs <= shown or missing & shown:
        yield f"epochs {sorted(epochs - shown)} are not there, or both there and left out: {sorted(missing & shown)}"


def main(trace, log):
    # Decimal: sums of times are exact.
    events = json.loads(pathlib.Path(trace).read_text(encoding="utf-8"), parse_float=Decimal)
    lines = [json.loads(line) for line in pathlib.Path(log).read_text(encoding="utf-8").splitlines()]
    end = max(event["ts"] for event in events if "ts" in event)
    tracks, lives = tracks_of(events)
    failures = list(check_schema(json.loads(pathlib.Path(trace).read_text(encoding="utf-8"))))
    failures += check_nesting(tracks, lives, end)
    failures += check_arrows(events, tracks)
    failures += check_against_log(events, lines)
    for failure in failures[:40]:
        print(failure, file=sys.stderr)
    print(" ".join(sorted({re.sub(r" ?[0-9]+.*", "", name) for slices in tracks.values() for _, _, name in slices})))
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
