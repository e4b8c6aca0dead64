"""How near epochs come to the memory's bandwidth, and to the disk's."""

import os

import datasets
from measure import CPUS, ControlGroup, Outcome, rate_text, ratios, row, seconds_text, spread

EPOCHS = 25  # of about 30 ms each, beside 0.3 s to start


def stream_outcome(bench, features, **layout):
    path = datasets.stream(bench, features, **layout)
    config = bench.configuration(path, CPUS)
    count = bench.epochs_for(config, EPOCHS)
    epochs, passes = bench.alternate(lambda: bench.epoch(config, count), lambda: bench.stream(path, CPUS, EPOCHS))
    return Outcome(
        limit=spread([datasets.STREAM_BYTES / s for s in passes], rate_text),
        measured=spread([datasets.STREAM_BYTES / s for s in epochs], rate_text),
        values=ratios(passes, epochs),
    )


def stream_row(name, what, bound, features, **layout):
    row(f"{name}-d{features}", f"{what}, d = {features}", "≥", bound)(
        lambda bench: stream_outcome(bench, features, **layout)
    )


for d in (1, 3, 7, 15, 31, 63, 127, 511, 1000):
    stream_row("f8", "epoch in memory, f8", 0.95, d)
for d in (7, 15, 31, 63, 127, 511, 1000):
    stream_row("f4", "epoch in memory, f4", 0.9, d, dtype="<f4")
for d in (7, 15, 31, 63, 127, 511, 1000):
    stream_row("fortran", "epoch in memory, Fortran order", 0.9, d, fortran=True)


def standardize_outcome(bench, features):
    path = datasets.stream(bench, features)
    config = bench.configuration(path, CPUS)
    on = bench.configuration(path, CPUS, training={"standardize": True})
    plain, standardized = bench.alternate(lambda: bench.epoch(config, EPOCHS), lambda: bench.epoch(on, EPOCHS))
    return Outcome(spread(plain, seconds_text), spread(standardized, seconds_text), ratios(standardized, plain))


for d in (3, 15, 127):
    row(f"standardize-d{d}", f"epoch with standardizing over one without, d = {d}", "≤", 1.05)(
        lambda bench, features=d: standardize_outcome(bench, features)
    )


@row("scaling", f"K = {CPUS} over K = 1, over the same of the probe, d = 15", "≥", 0.95)
def scaling(bench):
    path = datasets.stream(bench, 15)
    one, all_ = (bench.configuration(path, workers) for workers in (1, CPUS))
    epoch_1, pass_1, epoch_k, pass_k = bench.alternate(
        lambda: bench.epoch(one, EPOCHS),
        lambda: bench.stream(path, 1, EPOCHS),
        lambda: bench.epoch(all_, EPOCHS),
        lambda: bench.stream(path, CPUS, EPOCHS),
    )
    of_probe, of_forkfit = ratios(pass_1, pass_k), ratios(epoch_1, epoch_k)
    return Outcome(
        spread(of_probe, "{:.2f}".format), spread(of_forkfit, "{:.2f}".format), ratios(of_forkfit, of_probe)
    )


@row("disk", "epoch from disk, half of it allowed in memory, d = 15", "≥", 0.9)
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
        spread([datasets.STREAM_BYTES / s for s in reads], rate_text),
        spread([datasets.STREAM_BYTES / s for s in epochs], rate_text),
        ratios(reads, epochs),
    )
