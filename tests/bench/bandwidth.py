"""How near epochs come to the memory's bandwidth, and to the disk's."""

import os
import statistics

import datasets
from measure import CPUS, ControlGroup, Outcome, fastest, rate_text, ratios, row, seconds_text

EPOCHS = 25  # of about 30 ms each, beside 0.3 s to start
PASSES = 8  # in each of the probe's ways to read
MEMORY = "Epochs on 537 MB in memory, K = CPUs. Limit: as many processes that only read the same pages"
DISK = "The same from disk, with half of it allowed in memory. Limit: reading the file from one end to the other"


def stream_outcome(bench, features, **layout):
    path = datasets.stream(bench, features, **layout)
    config = bench.configuration(path, CPUS)
    count = bench.epochs_for(config, EPOCHS)
    epochs, streams = bench.alternate(lambda: bench.epoch(config, count), lambda: bench.stream(path, CPUS, PASSES))
    passes = fastest(streams)
    return Outcome(
        rate_text(datasets.STREAM_BYTES, epochs), rate_text(datasets.STREAM_BYTES, passes), ratios(passes, epochs)
    )


def stream_row(name, what, bound, features, **layout):
    row(MEMORY, f"{name}-d{features}", f"{what}, d = {features}", "≥", bound)(
        lambda bench: stream_outcome(bench, features, **layout)
    )


for d in (1, 3, 7, 15, 31, 63, 127, 511, 1000):
    stream_row("f8", "f8", 0.95, d)
for d in (7, 15, 31, 63, 127, 511, 1000):
    stream_row("f4", "f4", 0.9, d, dtype="<f4")
for d in (7, 15, 31, 63, 127, 511, 1000):
    stream_row("fortran", "f8, Fortran order", 0.9, d, fortran=True)


def standardize_outcome(bench, features):
    path = datasets.stream(bench, features)
    config = bench.configuration(path, CPUS)
    on = bench.configuration(path, CPUS, training={"standardize": True})
    plain, standardized = bench.alternate(lambda: bench.epoch(config, EPOCHS), lambda: bench.epoch(on, EPOCHS))
    return Outcome(seconds_text(standardized), seconds_text(plain), ratios(standardized, plain))


for d in (3, 15, 127):
    row(MEMORY, f"standardize-d{d}", f"standardizing, against none, d = {d}", "≤", 1.05)(
        lambda bench, features=d: standardize_outcome(bench, features)
    )


@row(MEMORY, "scaling", f"K = {CPUS} over K = 1, d = 15", "≥", 0.95)
def scaling(bench):
    path = datasets.stream(bench, 15)
    one, all_ = (bench.configuration(path, workers) for workers in (1, CPUS))
    epoch_1, stream_1, epoch_k, stream_k = bench.alternate(
        lambda: bench.epoch(one, EPOCHS),
        lambda: bench.stream(path, 1, PASSES),
        lambda: bench.epoch(all_, EPOCHS),
        lambda: bench.stream(path, CPUS, PASSES),
    )
    of_probe, of_forkfit = ratios(fastest(stream_1), fastest(stream_k)), ratios(epoch_1, epoch_k)
    both = (f"{statistics.median(times):.2f}×" for times in (of_forkfit, of_probe))
    return Outcome(*both, ratios(of_forkfit, of_probe))


@row(DISK, "disk", "f8, d = 15", "≥", 0.9)
def disk(bench):
    path = datasets.stream(bench, 15)
    config = bench.configuration(path, CPUS)

    def drop():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def epoch():
        drop()  # or pages that others brought into memory would not count as the group's
        return bench.epoch(config, 6, group)

    def read():  # by whichever number of processes is the faster
        return min(bench.probe("disk", path, workers)[0] for workers in {1, CPUS})

    with ControlGroup(datasets.STREAM_BYTES // 2) as group:
        epochs, reads = bench.alternate(epoch, read)
    return Outcome(
        rate_text(datasets.STREAM_BYTES, epochs), rate_text(datasets.STREAM_BYTES, reads), ratios(reads, epochs)
    )
