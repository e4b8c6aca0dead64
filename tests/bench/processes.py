"""What the processes cost: rounds, starting, the coordinator's time and memory, a thousand workers."""

import contextlib
import json
import pathlib
import statistics
import time

import datasets
from measure import CPUS, CannotRun, Outcome, ratios, row, running, seconds_text

ROUNDS = "A round of an epoch with almost no data. Limit: pipes and poll() with frames of the same length"
START = "Starting and ending. Limit: fork, pipe and wait"
THOUSAND = "A thousand workers. Limit of a round: four times that of 250"
COORDINATOR = "What the coordinator takes, and its workers' own memory"


def frame_bytes(features):
    """Of PARAMS and of GRADIENT with one node, as common/PROTOCOL.md has them."""
    return 32 + 8 + 8 * (features + 1), 32 + 36 + 8 + 8 * (features + 3)


def least_rows(workers):
    """One for each worker, and as many as there are unknowns."""
    return max(workers, 2)


def round_outcome(bench, workers):
    config = bench.configuration(datasets.npy(bench, least_rows(workers), 2), workers)
    count = 20000 // (workers + 2)
    forkfit, bare = bench.alternate(
        lambda: bench.epoch(config, count),
        lambda: bench.probe("rounds", workers, *frame_bytes(1), count)[0],
        repeats=2 * bench.repeats,
    )
    return Outcome(seconds_text(forkfit), seconds_text(bare), ratios(forkfit, bare))


for k in (1, 2, 4, 64):
    row(ROUNDS, f"round-k{k}", f"{least_rows(k)} rows, K = {k}", "≤", 1.2)(
        lambda bench, workers=k: round_outcome(bench, workers)
    )


@row(START, "start", "100 rows, 4 workers: what they add", "<", 20, "ms")
def start(bench):
    config = {"dataset": {"path": str(datasets.csv(bench, 100, 4, 6))}, "workers": 4, "training": {}}
    command = bench.command(config)
    idle = [str(bench.probe_program), "idle", "4"]
    forkfit, bare = bench.alternate(
        lambda: bench.seconds(command), lambda: bench.seconds(idle), repeats=4 * bench.repeats
    )
    return Outcome(seconds_text(forkfit), seconds_text(bare), [1e3 * (a - b) for a, b in zip(forkfit, bare)])


@row(THOUSAND, "thousand-rounds", "64,000 rows, a round", "≤", 1.2)
def thousand_rounds(bench):
    path = datasets.npy(bench, 64000, 2)
    few, many = (bench.configuration(path, workers) for workers in (250, 1000))
    short, long = bench.alternate(lambda: bench.epoch(few, 200), lambda: bench.epoch(many, 50))
    linear = [4 * seconds for seconds in short]
    return Outcome(seconds_text(long), seconds_text(linear), ratios(long, linear))


@row(THOUSAND, "thousand-start", "from the start until all are ready", "<", 1, "s")
def thousand_start(bench):
    events = bench.folder / "events.jsonl"
    config = bench.configuration(datasets.npy(bench, 64000, 2), 1000, output={"events": str(events)})
    command = bench.command(config, epochs=1)

    def once():
        bench.seconds(command)
        lines = map(json.loads, events.read_text().splitlines())
        ready = [line["t"] for line in lines if line["event"] == "worker_ready" and line["epoch"] == 0]
        return max(ready)

    ready = bench.alternate(once)[0]
    return Outcome(seconds_text(ready), "", ready)


@contextlib.contextmanager
def training(command):
    """A run that goes on meanwhile; its pid."""
    with running(command) as process:
        yield process.pid
        if process.poll() is not None:
            raise CannotRun(f"forkfit ended with {process.returncode} meanwhile")


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


@row(COORDINATOR, "coordinator-cpu", "share of a core, epochs of 30 ms", "<", 1, "%")
def coordinator_cpu(bench):
    command = bench.command(bench.configuration(datasets.stream(bench, 15), CPUS), epochs=1000000)

    def once():
        with training(command) as pid:
            time.sleep(1)
            before, began = cpu_seconds(pid), time.monotonic()
            time.sleep(1.5)
            return (cpu_seconds(pid) - before) / (time.monotonic() - began)

    shares = bench.alternate(once)[0]
    return Outcome(f"{statistics.median(shares):.3%}", "", [100 * share for share in shares])


def peak_kilobytes(command):
    """The most that the coordinator itself ever held, as seen just before its end."""
    peak = 0
    with running(command) as process:
        while process.poll() is None:
            peak = max(peak, status_kilobytes(process.pid, "VmHWM") or 0)
            time.sleep(0.001)
    if process.returncode != 0:
        raise CannotRun(f"forkfit ended with {process.returncode}")
    return peak


def memory_row(name, what, dataset, epochs):
    @row(COORDINATOR, f"memory-{name}", f"peak memory, {what}", "<", 10, "MB")
    def memory(bench):
        command = bench.command(bench.configuration(dataset(bench), CPUS), epochs=epochs)
        peaks = [peak_kilobytes(command) / 1e3 for _ in range(2)]
        return Outcome(f"{statistics.median(peaks):.1f} MB", "", peaks)


memory_row("1000", "1,000 × 16", lambda bench: datasets.npy(bench, 1000, 16), epochs=5000)
memory_row("33600000", "33,600,000 × 2", lambda bench: datasets.stream(bench, 1), epochs=5)
memory_row("csv", "4,000,000 × 2 of CSV", lambda bench: datasets.csv(bench, 4000000, 2, 6), epochs=5)


def private_kilobytes(bench, path):
    """The anonymous memory of the worker that has the most, in the midst of training."""
    command = bench.command(bench.configuration(path, CPUS), epochs=1000000)
    with training(command) as coordinator:
        time.sleep(1.5)
        return max((status_kilobytes(pid, "RssAnon") for pid in children(coordinator)), default=0)


@row(COORDINATOR, "memory-worker", "worker, 537 MB against 38 MB: growth", "≤", 16, "kB")
def memory_worker(bench):
    small, large = bench.alternate(
        lambda: private_kilobytes(bench, datasets.npy(bench, 300000, 16)),
        lambda: private_kilobytes(bench, datasets.stream(bench, 15)),
        repeats=2,
    )
    both = (f"{statistics.median(sizes):.0f} kB" for sizes in (large, small))
    return Outcome(*both, [b - a for a, b in zip(small, large)])
