#!/usr/bin/env python3
"""Measures forkfit against what the machine can do and against other programs, and prints a table.

usage: bench.py BUILD [ROW...]    BUILD: the directory in which forkfit and the probes are built

ROW chooses rows and tables by name, with * and ? as in the shell; without any, all are measured; `list` names them.
REPEATS (5) is how often a figure and what it is held against are measured, one after the other. The exit status says
only whether all could be measured.
"""

import collections
import fnmatch
import os
import pathlib
import platform
import signal
import statistics
import sys

import bandwidth  # noqa: F401 (these four fill ROWS)
import peers
import processes  # noqa: F401
import recovery  # noqa: F401
from measure import CPUS, ROWS, Bench, CannotRun, Disturbance, NotInstalled

# Of the machine's time: what others may take before it is said beside the figure.
QUIET = 0.03


def machine():
    """No name, no address: what the figures depend on."""
    info = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "unknown CPU")
    caches = pathlib.Path("/sys/devices/system/cpu/cpu0/cache")
    last = max(caches.glob("index*/size"), default=None)
    cache = f", last cache {last.read_text().strip()}" if last else ""
    return f"{model}, {CPUS} CPUs{cache}, Linux {platform.release().split('-')[0]}"


def number(value, unit):
    return f"{value:.2f}{unit}" if unit in "×%" else f"{value:.2f} {unit}"


DISTURBED = "while others used the machine, and not to be relied on"
HEADINGS = f"{'':17} {'':39} {'measured':>11} {'limit':>11} {'ratio':>9} {'extremes':15} {'required':>9}"


def measure(bench, row):
    """The rest of a row's line, and how that counts."""
    try:
        with Disturbance() as others:
            outcome = row.run(bench)
    except NotInstalled as missing:
        return f"{missing} is not installed (`make bench-peers`)", ["without their peer"]
    middle = statistics.median(outcome.values)
    met = row.is_met_by(middle)
    extremes = f"{min(outcome.values):.2f}–{max(outcome.values):.2f}"
    required = f"{row.relation} {row.bound:g}{row.unit if row.unit in '×%' else ' ' + row.unit}"
    figures = f"{outcome.measured:>11} {outcome.limit:>11} {number(middle, row.unit):>9} {extremes:15}"
    line = f"{figures} {required:>9}  {'met' if met else 'MISSED'}"
    if others.share <= QUIET:
        return line, ["met" if met else "missed"]
    return f"{line}  (others took {others.share:.0%})", ["met" if met else "missed", DISTURBED]


def chosen(names, patterns):
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            sys.exit(f"bench: no row is called {pattern}; `make bench ROWS=list` names them")
    return [name for name in names if not patterns or any(fnmatch.fnmatchcase(name, p) for p in patterns)]


def main(build, *patterns):
    rows = {row.name: row for row in ROWS}
    if patterns == ("list",):
        for name, row in rows.items():
            print(f"{name:20} {row.what}")
        print("\n".join(peers.TABLES))
        return 0
    names = chosen([*rows, *peers.TABLES], patterns)
    bench = Bench(pathlib.Path(build).resolve(), int(os.environ.get("REPEATS", "5")))
    counts = collections.Counter({"met": 0, "missed": 0})
    failed = False
    section = None
    print(f"{machine()}\n{peers.versions(bench)}\nratio: the median of {bench.repeats} pairs, measured in turn")
    for name in names:
        row = rows.get(name)
        try:
            if row is None:
                print()
                for line in peers.TABLES[name](bench):
                    print(line, flush=True)
                continue
            if row.section != section:
                section = row.section
                print(f"\n{section}\n{HEADINGS}")
            print(f"{name:17} {row.what:39} ", end="", flush=True)
            line, kinds = measure(bench, row)
            print(line, flush=True)
            counts.update(kinds)
        except CannotRun as problem:
            print(f"cannot be measured: {problem}", flush=True)
            failed = True
    print("\n" + ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return 1 if failed else 0


def stop(number, _):
    """Ends by way of the blocks that end the programs that are running."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
