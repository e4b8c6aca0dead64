"""What dying workers cost."""

import collections
import json

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


@row(RECOVERY, "kills", "200 of 1746 worker-epochs, against none", "≤", 1.05)
def killed_epochs(bench):
    workers, epochs, count = 2, 873, 200
    struck = [i * workers * epochs // count for i in range(count)]
    places = [(i % workers, i // workers + 1) for i in struck]
    path = datasets.npy(bench, 3000000, 16)  # 10 s or more
    plain = bench.configuration(path, workers, recovery=MANY)
    killed = bench.configuration(path, workers, recovery=MANY, faults=kills(places))
    without, with_ = bench.alternate(
        lambda: bench.forkfit(plain, epochs=epochs),
        lambda: bench.forkfit(killed, epochs=epochs),
        repeats=min(2, bench.repeats),
    )
    return Outcome(seconds_text(with_), seconds_text(without), ratios(with_, without))
