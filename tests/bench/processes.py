"""What the processes cost: rounds, starting, the coordinator's time and memory, a thousand workers."""

import contextlib
import json
import pathlib
import statistics
import subprocess
import time

import datasets
from measure import CPUS, CannotRun, Outcome, ratios, row, seconds_text, spread


def frame_bytes(features):
    """Of PARAMS and of GRADIENT with one node, as common/PROTOCOL.md has them."""
    return 32 + 8 + 8 * (features + 1), 32 + 20 + 8 + 8 * (features + 3)


def round_outcome(bench, workers):
    config = bench.configuration(datasets.npy(bench, 64, 2), workers)
    count = 20000 // (workers + 2)
    forkfit, bare = bench.alternate(
        lambda: bench.epoch(config, count), lambda: bench.probe("rounds", workers, *frame_bytes(1), count)[0]
    )
    return Outcome(spread(bare, seconds_text), spread(forkfit, seconds_text), ratios(forkfit, bare))


for k in (1, 2, 4, 64):
    row(f"round-k{k}", f"round trip of an epoch of 64 rows, K = {k}", "≤", 1.2)(
        lambda bench, workers=k: round_outcome(bench, workers)
    )


@row("start", "100 rows, 4 workers, start to finish, more than 4 idle children", "<", 20, "ms")
def start(bench):
    config = {"dataset": {"path": str(datasets.csv(bench, 100, 4, 6))}, "workers": 4, "training": {}}
    command = bench.command(config)
    idle = [str(bench.probe_program), "idle", "4"]
    forkfit, bare = bench.alternate(
        lambda: bench.seconds(command), lambda: bench.seconds(idle), repeats=4 * bench.repeats
    )
    return Outcome(
        spread(bare, seconds_text), spread(forkfit, seconds_text), [1e3 * (a - b) for a, b in zip(forkfit, bare)]
    )


@row("thousand-rounds", "round with 1000 workers over 4 rounds with 250", "≤", 1.2)
def thousand_rounds(bench):
    path = datasets.npy(bench, 64000, 2)
    few, many = (bench.configuration(path, workers) for workers in (250, 1000))
    short, long = bench.alternate(lambda: bench.epoch(few, 200), lambda: bench.epoch(many, 50))
    return Outcome(spread(short, seconds_text), spread(long, seconds_text), [b / (4 * a) for a, b in zip(short, long)])


@row("thousand-start", "1000 workers: from the start until all are ready", "<", 1, "s")
def thousand_start(bench):
    events = bench.folder / "events.jsonl"
    config = bench.configuration(datasets.npy(bench, 64000, 2), 1000, output={"events": str(events)})
    command = bench.command(config, epochs=1)

    def once():
        whole = bench.seconds(command)
        lines = map(json.loads, events.read_text().splitlines())
        ready = [line["t"] for line in lines if line["event"] == "worker_ready" and line["epoch"] == 0]
        return max(ready), whole

    ready, whole = zip(*bench.alternate(once)[0])
    return Outcome("", f"a run of one epoch: {spread(whole, seconds_text)}", list(ready))


@contextlib.contextmanager
def running(command):
    """A run that goes on meanwhile, and is then ended, whatever it was about to do."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield process
        ended = process.poll()
    finally:
        process.kill()
        _, messages = process.communicate()
    if ended is not None:
        raise CannotRun(f"forkfit ended with {ended} meanwhile: {messages.decode(errors='replace')}")


def status_kilobytes(pid, key):
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return None  # it has ended


def children(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def cpu_seconds(pid):
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) * 1e-9


@row("coordinator-cpu", "coordinator's share of a core while epochs of 30 ms run", "<", 1, "%")
def coordinator_cpu(bench):
    command = bench.command(bench.configuration(datasets.stream(bench, 15), CPUS), epochs=1000000)

    def once():
        with running(command) as process:
            time.sleep(1)
            before, began = cpu_seconds(process.pid), time.monotonic()
            time.sleep(1.5)
            return (cpu_seconds(process.pid) - before) / (time.monotonic() - began)

    shares = bench.alternate(once)[0]
    return Outcome("", spread(shares, "{:.3%}".format), [100 * share for share in shares])


def peak_kilobytes(command):
    """The most that the coordinator itself ever held, as seen just before its end."""
    peak = 0
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, status_kilobytes(process.pid, "VmHWM") or 0)
        time.sleep(0.001)
    if process.returncode != 0:
        raise CannotRun(f"forkfit ended with {process.returncode}")
    return peak


@row("memory-coordinator", "coordinator's peak memory, the largest of four datasets", "<", 10, "MB")
def memory_coordinator(bench):
    paths = {
        "1,000 rows": datasets.npy(bench, 1000, 16),
        "300,000": datasets.npy(bench, 300000, 16),
        "33,600,000": datasets.stream(bench, 1),
        "4,000,000 of CSV": datasets.csv(bench, 4000000, 2, 6),
    }
    peaks = {
        name: peak_kilobytes(bench.command(bench.configuration(path, CPUS), epochs=5)) / 1e3
        for name, path in paths.items()
    }
    return Outcome("", "; ".join(f"{name}: {peak:.1f} MB" for name, peak in peaks.items()), [max(peaks.values())])


def private_kilobytes(bench, path):
    """The anonymous memory of the worker that has the most, in the midst of training."""
    command = bench.command(bench.configuration(path, CPUS), epochs=1000000)
    with running(command) as process:
        time.sleep(1.5)
        return max((status_kilobytes(pid, "RssAnon") for pid in children(process.pid)), default=0)


@row("memory-worker", "growth of a worker's private memory from an npy of 38 MB to one of 537 MB", "≤", 16, "kB")
def memory_worker(bench):
    small, large = bench.alternate(
        lambda: private_kilobytes(bench, datasets.npy(bench, 300000, 16)),
        lambda: private_kilobytes(bench, datasets.stream(bench, 15)),
        repeats=2,
    )
    return Outcome(
        f"{statistics.median(small):.0f} kB",
        f"{statistics.median(large):.0f} kB",
        [b - a for a, b in zip(small, large)],
    )
