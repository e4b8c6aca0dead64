#!/usr/bin/env python3
"""Checks event logs (output.events) against configs/events.schema.json, and what no schema can say.

usage: tests/end_to_end/check_events.py LOG...

Prints the types of event that were seen, and exits 1 if something is wrong.
"""

import json
import pathlib
import sys

from jsonschema import validators

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "configs/events.schema.json"


def validators_by_event(schema):
    """One for each type: an error of oneOf would only say that none fits."""
    standard = validators.validator_for(schema)
    standard.check_schema(schema)
    return {
        name: standard({**definition, "definitions": schema["definitions"]})
        for name, definition in schema["definitions"].items()
        if "event" in definition.get("properties", {})
    }


def check_times(event, before):
    """What happened is told when it has happened, and a worker's times are in order."""
    if event["t"] < before:
        yield "t goes back"
    times = [event[key] for key in ("waiting_t", "received_t", "finished_t") if key in event] + [event["t"]]
    if times != sorted(times):
        yield f"times out of order: {times}"
    if "took_ms" in event and event["took_ms"] / 1e3 > event["t"] + 1e-6:
        yield "it took longer than the run has lasted"


def check_log(path, checks, seen):
    before = 0.0
    lines = pathlib.Path(path).read_text(encoding="utf-8").split("\n")
    if lines.pop() != "":
        yield f"{path}: the last line is cut off"
    events = [json.loads(line) for line in lines]
    for number, event in enumerate(events, 1):
        seen.add(event.get("event"))
        check = checks.get(event.get("event"))
        if check is None:
            yield f"{path}:{number}: no such type of event: {event.get('event')}"
            continue
        for problem in check.iter_errors(event):
            yield f"{path}:{number}: {event['event']}: {problem.json_path}: {problem.message}"
        for problem in check_times(event, before):
            yield f"{path}:{number}: {event['event']}: {problem}"
        before = event["t"]
    if not events or events[0]["event"] != "run_started" or events[-1]["event"] != "run_ended":
        yield f"{path}: not from run_started to run_ended"


def main(paths):
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    checks = validators_by_event(schema)
    seen = set()
    failures = [failure for path in paths for failure in check_log(path, checks, seen)]
    failures += [f"{SCHEMA}: oneOf lacks {name}" for name in checks if {"$ref": f"#/definitions/{name}"} not in schema["oneOf"]]
    print(" ".join(sorted(name for name in checks if name in seen)))
    missing = sorted(set(checks) - seen)
    if missing:
        print("never seen: " + " ".join(missing), file=sys.stderr)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures or missing else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
