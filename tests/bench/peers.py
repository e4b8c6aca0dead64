"""Other programs on the same data: those that are installed."""

import functools
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

import datasets
from measure import CPUS, CannotRun, NotInstalled, Outcome, ratios, row, seconds_text

NUMPY = "Gradient descent in NumPy, with as many threads as CPUs, over forkfit's"
DUCKDB = "DuckDB's regr_slope with as many threads as CPUs, over forkfit's run from a CSV in the page cache to (w, b)"

HERE = pathlib.Path(__file__).resolve().parent


@functools.cache
def python_with(module):
    """The first Python that has the module: Debian's packages are for Debian's Python, which need not come first."""
    for python in dict.fromkeys((sys.executable, shutil.which("python3"), "/usr/bin/python3")):
        if python and subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0:
            return python
    raise NotInstalled(module)


def duckdb_modules(bench):
    modules = bench.folder / "peers" / "node_modules"
    if shutil.which("node") is None or not (modules / "@duckdb" / "node-api").is_dir():
        raise NotInstalled("DuckDB")
    return modules


def version_of(bench, peer):
    """A line about it; NotInstalled if it is not there."""
    match peer:
        case "NumPy" | "scikit-learn":
            module = {"NumPy": "numpy", "scikit-learn": "sklearn"}[peer]
            return output_of((python_with(module), HERE / "peer_version.py", module))
        case "DuckDB":
            package = duckdb_modules(bench) / "@duckdb" / "node-api" / "package.json"
            return f"DuckDB {json.loads(package.read_text())['version'].split('-')[0]}"
        case "R":
            return output_of((rscript(), "-e", """cat(sprintf('"R %s"', getRversion()))"""))


def versions(bench):
    """One line: the peers that are there, and those that are not."""
    found, missing = [], []
    for peer in ("NumPy", "scikit-learn", "DuckDB", "R"):
        try:
            found.append(version_of(bench, peer))
        except NotInstalled:
            missing.append(peer)
    text = "; ".join(found) or "no peer is installed"
    return text + (f"; not installed: {', '.join(missing)} (`make bench-peers`)" if missing else "")


def rscript():
    found = shutil.which("Rscript")
    if found is None:
        raise NotInstalled("R")
    return found


def output_of(command, threads=CPUS):
    """What a peer prints, as JSON; with so many threads in whatever it uses for linear algebra."""
    variables = {name: str(threads) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    # Where these are set it is against faults of old versions, at a cost in speed that no user's NumPy has to bear.
    inherited = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    result = subprocess.run(
        list(map(str, command)),
        env=inherited | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise CannotRun(f"{command[1]}: {result.stderr.strip()}")
    return json.loads(result.stdout)


def numpy_epoch(path, epochs, threads=CPUS):
    command = (python_with("numpy"), HERE / "peer_numpy.py", "epoch", path, epochs)
    return output_of(command, threads)["epoch"]


def duckdb_seconds(bench, path, features):
    command = ("node", HERE / "peer_duckdb.mjs", duckdb_modules(bench), path, features, CPUS)
    return output_of(command)["total"]


def numpy_outcome(bench, rows, epochs):
    path = datasets.npy(bench, rows, 16)
    config = bench.configuration(path)  # as many workers as forkfit thinks best
    theirs, ours = bench.alternate(lambda: numpy_epoch(path, epochs), lambda: bench.epoch(config, epochs))
    return Outcome(seconds_text(ours), seconds_text(theirs), ratios(theirs, ours))


row(NUMPY, "numpy-1mb", "epoch, 8,192 × 16 f8 (1 MB, in cache)", "≥", 4)(
    lambda bench: numpy_outcome(bench, 8192, 5000)
)
row(NUMPY, "numpy-256mb", "epoch, 2,000,000 × 16 f8", "≥", 5)(
    lambda bench: numpy_outcome(bench, 2000000, 30)
)


def csv_outcome(bench, rows, columns, digits):
    duckdb_modules(bench)
    path = datasets.csv(bench, rows, columns, digits)
    config = {"dataset": {"path": str(path)}, "workers": CPUS, "training": {}}
    command = bench.command(config)
    theirs, ours = bench.alternate(
        lambda: duckdb_seconds(bench, path, columns - 1), lambda: bench.seconds(command)
    )
    return Outcome(seconds_text(ours), seconds_text(theirs), ratios(theirs, ours))


row(DUCKDB, "csv-2", "4,000,000 × 2 of 6 decimals", "≥", 3)(
    lambda bench: csv_outcome(bench, 4000000, 2, 6)
)
row(DUCKDB, "csv-16", "200,000 × 16 of 17 digits", "≥", 3)(
    lambda bench: csv_outcome(bench, 200000, 16, 17)
)

# Name, what must be there, and the command that prints {"read": seconds, "fit": seconds}.
PEERS = (
    ("NumPy, gradient descent", lambda bench, path: (python_with("numpy"), HERE / "peer_numpy.py", "fit", path)),
    *(
        (
            f"scikit-learn, {estimator}",
            lambda bench, path, estimator=estimator: (python_with("sklearn"), HERE / "peer_sklearn.py", estimator, path),
        )
        for estimator in ("LinearRegression", "Ridge", "SGDRegressor")
    ),
    (
        "DuckDB, regr_slope of each feature",
        lambda bench, path: ("node", HERE / "peer_duckdb.mjs", duckdb_modules(bench), path, 15, CPUS),
    ),
    ("R, lm", lambda bench, path: (rscript(), "--vanilla", HERE / "peer_lm.R", path)),
)


def peers_table(bench):
    """Yields the lines of a table: from a CSV in the page cache to coefficients, with each peer."""
    path = datasets.csv(bench, 200000, 16, 17)
    yield f"From a CSV of 200,000 × 16 numbers of 17 digits ({path.stat().st_size / 1e6:.0f} MB) to coefficients:"
    yield f"  {'':36} {'read':>9} {'fit':>9} {'together':>9}"
    command = bench.command({"dataset": {"path": str(path)}, "workers": CPUS, "training": {}})
    ours = statistics.median(bench.seconds(command) for _ in range(bench.repeats))
    yield f"  {'forkfit, K = ' + str(CPUS):36} {'':>9} {'':>9} {seconds_text(ours):>9}"
    for name, make_command in PEERS:
        try:
            command = make_command(bench, path)
        except NotInstalled:
            yield f"  {name:36} not installed (`make bench-peers`)"
            continue
        took = [output_of(command) for _ in range(3)]
        read, fit, total = (
            statistics.median(t[key] for t in took) if key in took[0] else None for key in ("read", "fit", "total")
        )
        total = total if total is not None else read + fit
        cells = ("" if s is None else seconds_text(s) for s in (read, fit, total))
        yield f"  {name:36} " + " ".join(f"{cell:>9}" for cell in cells)


def cost_table(bench):
    """Yields the lines of a table: at which K an epoch is faster than with one thread of NumPy."""
    workers = sorted({1, CPUS, 2 * CPUS})
    yield "COST: one epoch of n × 16 f8, and the least K at which forkfit beats one thread of NumPy:"
    yield f"  {'rows':>10} {'NumPy':>9} " + " ".join(f"{f'K = {k}':>9}" for k in workers) + f" {'COST':>6}"
    for rows, epochs in ((100, 5000), (1000, 5000), (8192, 3000), (65536, 500), (300000, 100), (2000000, 20)):
        path = datasets.npy(bench, rows, 16)
        numpy, *forkfit = bench.alternate(
            lambda: numpy_epoch(path, epochs, threads=1),
            *(lambda c=bench.configuration(path, k): bench.epoch(c, epochs) for k in workers),
            repeats=3,
        )
        theirs, ours = statistics.median(numpy), [statistics.median(times) for times in forkfit]
        cost = next((str(k) for k, seconds in zip(workers, ours) if seconds < theirs), "none")
        cells = " ".join(f"{seconds_text(s):>9}" for s in ours)
        yield f"  {rows:>10,} {seconds_text(theirs):>9} {cells} {cost:>6}"


TABLES = {"peers": peers_table, "cost": cost_table}
