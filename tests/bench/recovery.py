"""What dying workers cost."""

import collections
import json
import statistics

import datasets
from measure import CannotRun, Outcome, ratios, row, seconds_text

RECOVERY = "Workers that die"
MANY = {"max_restarts": 1000}


def kills(places):
    """Each of these workers in each of these epochs, in order, ends itself with SIGKILL when the question is there."""
    deaths = collections.Counter()
    faults = []
    for worker, epoch in places:
        incarnation = deaths[worker]
        faults.append({"kind": "kill", "worker": worker, "incarnation": incarnation, "epoch": epoch, "site": "compute"})
        deaths[worker] += 1
    return faults


def recovery_seconds(events):
    """
    For each kill: from the question that the victim died of, which is before its death, to its replacement's answer,
    less what the replacement was busy with loading and computing.
    """
    asked, lost, ready, took = {}, {}, {}, []
    for event in map(json.loads, events.read_text().splitlines()):
        worker = event.get("worker")
        match event["event"]:
            case "worker_lost":
                lost[worker] = asked[worker]
            case "worker_ready":
                ready[worker] = event["busy_ms"] / 1e3
            case "params_sent" if worker not in lost:
                asked[worker] = event["t"]
            case "gradient_received" if worker in lost:
                busy = ready[worker] + event["busy_ms"] / 1e3
                took.append(event["t"] - lost.pop(worker) - busy)
    return took


@row(RECOVERY, "recovery", "to the replacement's answer, K = 64", "≤", 10, "ms")
def recovery(bench):
    events = bench.folder / "events.jsonl"
    victims = [(worker, 10 + 5 * i) for i, worker in enumerate(range(0, 64, 3))]
    config = bench.configuration(
        datasets.npy(bench, 65536, 16), 64, recovery=MANY, faults=kills(victims), output={"events": str(events)}
    )

    def once():
        bench.forkfit(config, epochs=130)
        return recovery_seconds(events)

    took = [seconds for run in bench.alternate(once)[0] for seconds in run]
    if len(took) != len(victims) * bench.repeats:
        raise CannotRun(f"{len(took)} recoveries are in the event log, not {len(victims) * bench.repeats}")
    return Outcome(seconds_text(took), "", [1e3 * seconds for seconds in took])


WORKERS, EPOCHS, KILLS = 2, 873, 200


def killed_configuration(bench, **sections):
    struck = [i * WORKERS * EPOCHS // KILLS for i in range(KILLS)]
    places = [(i % WORKERS, i // WORKERS + 1) for i in struck]
    path = datasets.npy(bench, 3000000, 16)  # 10 s or more
    return bench.configuration(path, WORKERS, recovery=MANY, faults=kills(places), **sections)


@row(RECOVERY, "kills", "200 of 1746 worker-epochs, against none", "≤", 1.05)
def killed_epochs(bench):
    killed = killed_configuration(bench)
    plain = killed | {"faults": []}
    without, with_ = bench.alternate(
        lambda: bench.forkfit(plain, epochs=EPOCHS),
        lambda: bench.forkfit(killed, epochs=EPOCHS),
        repeats=min(2, bench.repeats),
    )
    return Outcome(seconds_text(with_), seconds_text(without), ratios(with_, without))


def epoch_seconds(events):
    """Of each epoch but the first, and in which of them a worker was lost."""
    ended, struck = {}, set()
    for event in map(json.loads, events.read_text().splitlines()):
        if event["event"] == "epoch_done":
            ended[event["epoch"]] = event["t"]
        elif event["event"] == "worker_lost":
            struck.add(event["epoch"])
    return {epoch: t - ended[epoch - 1] for epoch, t in ended.items() if epoch - 1 in ended}, struck


def share_of_kills(seconds, struck):
    """The time of all epochs over what it would have been if the struck ones had taken as long as those beside them."""
    lost = 0.0
    for epoch in struck & seconds.keys():
        beside = [seconds[e] for e in (epoch - 1, epoch + 1) if e in seconds and e not in struck]
        lost += seconds[epoch] - statistics.mean(beside)
    total = sum(seconds.values())
    return total / (total - lost)


@row(RECOVERY, "kills-beside", "the same, against the epochs beside them", "≤", 1.05)
def killed_epochs_beside(bench):
    log = bench.folder / "events.jsonl"
    killed = killed_configuration(bench, output={"events": str(log)})

    def once():
        seconds = bench.forkfit(killed, epochs=EPOCHS)
        epochs, struck = epoch_seconds(log)
        if len(struck) != KILLS:
            raise CannotRun(f"{len(struck)} epochs are struck in the event log, not {KILLS}")
        return seconds, share_of_kills(epochs, struck)

    runs = bench.alternate(once, repeats=min(3, bench.repeats))[0]
    return Outcome(seconds_text([seconds for seconds, _ in runs]), "", [share for _, share in runs])
