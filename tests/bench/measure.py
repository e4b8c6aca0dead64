"""What every bench is made of: rows of the table, and runs of forkfit and of the probes, one after the other."""

import contextlib
import dataclasses
import json
import os
import pathlib
import resource
import statistics
import subprocess
import time
from collections.abc import Callable

CPUS = len(os.sched_getaffinity(0))


class CannotRun(Exception):
    """A bench could not be carried out, which is no verdict on forkfit."""


class NotInstalled(Exception):
    """A peer is not there."""


@dataclasses.dataclass
class Outcome:
    measured: str  # forkfit's figure
    limit: str  # what it is held against; empty where that is a number
    values: list[float]  # what the requirement is about, once for each repetition


@dataclasses.dataclass
class Row:
    section: str
    name: str
    what: str
    relation: str
    bound: float
    unit: str
    run: Callable[["Bench"], Outcome]

    def is_met_by(self, value):
        return {"≥": value >= self.bound, "≤": value <= self.bound, "<": value < self.bound}[self.relation]


ROWS: list[Row] = []


def row(section, name, what, relation, bound, unit="×"):
    """Makes a row of the table of a function that takes the bench and returns an Outcome."""

    def add(run):
        ROWS.append(Row(section, name, what, relation, bound, unit, run))
        return run

    return add


class Disturbance(contextlib.AbstractContextManager):
    """After the block: the share of the machine's time that others took in it: other programs, and the hypervisor."""

    def __enter__(self):
        self.share = 0.0
        self._began = self._now()
        return self

    def __exit__(self, *_):
        elapsed, busy, own = (after - before for after, before in zip(self._now(), self._began))
        self.share = max(0.0, busy - own) / (elapsed * os.cpu_count())

    @staticmethod
    def _now():
        user, nice, system, _, _, irq, soft_irq, steal = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
        busy = (user + nice + system + irq + soft_irq + steal) / os.sysconf("SC_CLK_TCK")
        own = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return time.monotonic(), busy, own


@contextlib.contextmanager
def running(command, group=None):
    """A program beside the bench, in a control group if there is one. It does not outlast the block by much."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=group.enter if group else None,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


class Bench:
    def __init__(self, build, repeats):
        self.program = build / "coordinator"
        self.probe_program = build / "tests" / "probe"
        self.folder = build / "bench"
        self.repeats = repeats
        self.folder.mkdir(parents=True, exist_ok=True)

    def configuration(self, dataset, workers=None, **sections):
        """A run without an end of its own: as many epochs as asked, whatever the data, and none is special."""
        training = {"learning_rate": 1e-6, "tolerance": 0, "standardize": False} | sections.pop("training", {})
        config = {"dataset": {"path": str(dataset)}, "training": training, **sections}
        if workers is not None:
            config["workers"] = workers
        return config

    def command(self, config, **training):
        """Each configuration has a file of its own, since runs may be told of one and started later."""
        config = config | {"training": config["training"] | training}
        path = self.folder / "run.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        return [str(self.program), "--config", str(path), "--quiet", "--json"]

    def forkfit(self, config, group=None, **training):
        """The seconds of a whole run."""
        return self.seconds(self.command(config, **training), group)

    def epoch(self, config, epochs, group=None):
        """The seconds of one epoch: what so many more of them make a run longer. Starting and ending cancel out."""
        few = 2
        short = self.forkfit(config, group, epochs=few)
        long = self.forkfit(config, group, epochs=few + epochs)
        return max(long - short, 1e-9) / epochs

    def epochs_for(self, config, most):
        """How many epochs take about 0.7 s, at most so many: enough beside the noise of starting."""
        return max(5, min(most, int(0.7 / self.epoch(config, 3))))

    def seconds(self, command, group=None):
        """The seconds from a program's start to its end."""
        began = time.perf_counter()
        with running(command, group) as process:
            _, messages = process.communicate()
            took = time.perf_counter() - began
        if process.returncode != 0:
            raise CannotRun(f"{command[0]} ended with {process.returncode}: {messages.decode(errors='replace')}")
        return took

    def probe(self, name, *arguments):
        """The numbers that the probe prints."""
        command = [str(self.probe_program), name, *map(str, arguments)]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise CannotRun(f"{' '.join(command)}: {result.stderr.strip()}")
        return [float(number) for number in result.stdout.split()]

    def stream(self, path, workers, passes):
        """The mean seconds in which so many processes read a file's pages, for each way to read that the probe has."""
        numbers = self.probe("stream", path, workers, passes)
        ways = len(numbers) // passes
        return [statistics.mean(numbers[way::ways]) for way in range(ways)]

    def alternate(self, *runs, repeats=None):
        """Calls each in turn, again and again: A B A B … Returns a list of results for each."""
        rounds = [[run() for run in runs] for _ in range(repeats or self.repeats)]
        return [list(results) for results in zip(*rounds)]


class ControlGroup(contextlib.AbstractContextManager):
    """A memory control group below this process's own, of version 1 or 2, with a limit in bytes."""

    VERSIONS = (("memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("", "/sys/fs/cgroup", "memory.max"))

    def __init__(self, limit):
        for controller, root, file in self.VERSIONS:
            for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
                _, controllers, path = line.split(":", 2)
                if controllers == controller and self._make(pathlib.Path(root + path), file, limit):
                    return
        raise CannotRun("this process may not make a memory control group (root may)")

    def _make(self, parent, file, limit):
        self.folder = parent / f"forkfit-bench-{os.getpid()}"
        with contextlib.suppress(OSError):
            self.folder.mkdir()
            if (self.folder / file).exists():
                (self.folder / file).write_text(str(limit))
                return True
            self.folder.rmdir()
        return False

    def enter(self):
        (self.folder / "cgroup.procs").write_text("0")

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def fastest(streams):
    """Of several times that each way took, those of the way that is the fastest."""
    return list(min(zip(*streams), key=statistics.median))


def ratios(numerators, denominators):
    return [a / b for a, b in zip(numerators, denominators)]


def seconds_text(seconds):
    """The median of some times, or one."""
    seconds = statistics.median(seconds) if isinstance(seconds, list) else seconds
    unit, scale = next(((u, s) for u, s in (("s", 1), ("ms", 1e3)) if seconds * s >= 1), ("µs", 1e6))
    return f"{seconds * scale:.3g} {unit}"


def rate_text(length, seconds):
    """So many bytes in the median of some times."""
    return f"{length / statistics.median(seconds) / 1e9:.2f} GB/s"
