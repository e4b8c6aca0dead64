#!/usr/bin/env python3
"""Holds what --explain tells against what strace has seen of the same run.

usage: tests/end_to_end/check_narration.py NARRATION STRACE_PREFIX

Each process's calls, as far as they are of the kinds that are told, must be the same in both, in the same order, with
the same arguments and results. Where the narration leaves epochs out, its counts and what it tells must add up to what
strace has. Exits 1 if something differs.
"""

import collections
import pathlib
import re
import sys

Call = collections.namedtuple("Call", "name arguments result")


def narrated(text):
    """The calls of each process by pid, and what was counted of the coordinator and of the workers."""
    calls, counts = collections.defaultdict(list), [collections.Counter(), collections.Counter()]
    pids = {"coordinator": int(re.search(r"The coordinator is process (\d+)", text)[1])}
    whose = None
    for line in text.splitlines():
        count = re.match(r" +the (coordinator|workers):(.*)", line)
        if count:
            for times, name in re.findall(r"(\d+) × (\w+)", count[2]):
                counts[count[1] == "workers"][name] += int(times)
        match = re.match(r"(coordinator|worker \d+(?:/\d+)?) +(?=\S)(.*)", line)
        if not match:
            continue
        actor, rest = match[1], match[2]
        found = re.match(r"(\d+):((?: POLL\w+| \|)+)", rest)
        if found:
            calls[pids[actor]][-1].arguments[-1].append((int(found[1]), "|".join(re.findall(r"POLL\w+", found[2]))))
            continue
        fork = re.match(r"fork\(\) = (\d+) +(worker \d+(?:/\d+)?) begins", rest)
        if fork:
            pids[fork[2]] = int(fork[1])
        call, times = re.match(r"(.*?)(?: × (\d+))?(?:  .*)?$", rest).groups()
        for _ in range(int(times or 1)):
            calls[pids[actor]].append(parse_narrated(call))
    return calls, counts, pids["coordinator"]


def parse_narrated(text):
    name, arguments, result = re.fullmatch(r"(\w+)\((.*)\)((?: = .*| never returned)?)", text).groups()
    arguments = arguments.split(", ") if arguments else []
    result = result.removeprefix(" = ")
    if name == "pipe" and result.startswith("{"):
        return Call(name, result.strip("{}").split(", "), "0")
    if name in ("read", "write"):
        arguments = [arguments[0], arguments[2]]
    elif name == "poll":
        arguments = [arguments[0].split()[0], arguments[1].split()[0], []]
    elif name in ("fcntl", "prctl"):
        arguments = arguments[: 1 if name == "fcntl" else 2]
    elif name == "seccomp":
        arguments = [arguments[1].split()[0]]
    elif name == "open":
        arguments = []
    elif name == "waitpid":
        arguments = arguments[:2]
    elif name == "waitid":
        arguments = arguments[:1]
    return Call(name, arguments, "unfinished" if "never" in result or name == "_exit" else result)


LINE = re.compile(r"(\w+)\((.*?)\) += (-?\d+|\?|0x[0-9a-f]+)(?: ([A-Z]\w+) \([^()]*\))?(?: \((.*)\))?$")


def parse_strace(line):
    """(name, arguments as text, result, what is in brackets behind it), or None."""
    unfinished = re.match(r"(\w+)\((.*?)(?:, )? *<unfinished \.\.\.>(?:\) += \?)?$", line)
    if unfinished:
        return unfinished[1], unfinished[2], "unfinished", ""
    match = LINE.match(line)
    if not match or line.startswith(("---", "+++")):
        return None
    result = match[3]
    if result == "-1":
        result = f"-1 {match[4]}"
    elif result == "?":
        result = f"? {match[4]}"
    return match[1], match[2], result, match[5] or ""


class Process:
    """Turns a process's lines of strace into the calls that are told."""

    def __init__(self, coordinator, first_pipe):
        self.coordinator, self.first_pipe = coordinator, first_pipe
        self.began = not coordinator
        self.pipes, self.maps, self.signals = set(), set(), None
        self.aside = set()  # descriptors of files that are not told of
        self.calls = []

    def add(self, name, result, *arguments):
        self.calls.append(Call(name, list(arguments), result))

    def take(self, name, text, result, found):
        if name == "pipe2" and text.endswith("], 0"):
            ends = re.findall(r"\d+", text)[:2]
            self.began = self.began or ends == self.first_pipe
            if self.began:
                self.pipes.update(ends)
                self.add("pipe", result, *ends)
            return
        handler = getattr(self, "take_" + name, None)
        if self.began and handler is not None and not result.startswith("? ERESTARTSYS"):
            handler(text.split(", "), text, result, found)

    def take_clone(self, arguments, text, result, found):
        self.add("fork", result)

    take_clone3 = take_clone

    def take_dup2(self, arguments, text, result, found):
        self.add("dup2", result, *arguments)

    def take_close(self, arguments, text, result, found):
        if arguments[0] in self.aside:
            self.aside.discard(arguments[0])
        elif not self.coordinator or arguments[0] in self.pipes:
            self.pipes.discard(arguments[0])
            self.add("close", result, *arguments)

    def take_close_range(self, arguments, text, result, found):
        self.add("closefrom", result, arguments[0])

    def take_fcntl(self, arguments, text, result, found):
        if arguments[0] in self.pipes and "F_SETFL" in text:
            self.add("fcntl", result, arguments[0])

    def take_prctl(self, arguments, text, result, found):
        if arguments[0] in ("PR_SET_PDEATHSIG", "PR_SET_NO_NEW_PRIVS"):
            self.add("prctl", result, *arguments[:2])

    def take_sched_setscheduler(self, arguments, text, result, found):
        self.add("sched_setscheduler", result, *arguments[:2])

    def take_getppid(self, arguments, text, result, found):
        if not self.coordinator:
            self.add("getppid", result)

    def take_prlimit64(self, arguments, text, result, found):
        limit = re.search(r"(RLIMIT_\w+), \{rlim_cur=(\d+)(\*1024)?, rlim_max=(\d+)(\*1024)?\}", text)
        if limit and not self.coordinator:
            soft, hard = (int(limit[i]) * (1024 if limit[i + 1] else 1) for i in (2, 4))
            self.add("setrlimit", result, limit[1], str(soft), str(hard))

    def take_seccomp(self, arguments, text, result, found):
        length = re.search(r"len=(\d+)", text)
        if length:
            self.add("seccomp", result, length[1])

    def take_openat(self, arguments, text, result, found):
        if "/proc/self" in text:
            self.aside.add(result)  # its own size, for a limit
        elif not self.coordinator:
            self.add("open", result)

    def take_mmap(self, arguments, text, result, found):
        if arguments[4] != "-1" and "MAP_SHARED" in arguments[3]:
            self.maps.add(result)
            self.add("mmap", result, *[str(int(place, 16)) if place.startswith("0x") and at == 5 else place
                                       for at, place in enumerate(arguments)])

    def take_munmap(self, arguments, text, result, found):
        if arguments[0] in self.maps:
            self.add("munmap", result, *arguments)

    def moves(self, name, arguments, result):
        told = not self.coordinator or arguments[0] in self.pipes or (name == "read" and arguments[0] == self.signals)
        if told and (self.coordinator or arguments[0] in ("0", "1")):
            self.add(name, result, arguments[0], arguments[-1])

    def take_read(self, arguments, text, result, found):
        if result == "unfinished":
            arguments = [arguments[0], "?"]
        self.moves("read", arguments, result)

    def take_write(self, arguments, text, result, found):
        self.moves("write", arguments, result)

    def take_poll(self, arguments, text, result, found):
        entries = re.findall(r"\{fd=(-?\d+)", text)
        self.signals = entries[-1] if entries else self.signals
        ready = [(int(fd), events) for fd, events in re.findall(r"\{fd=(\d+), revents=([A-Z|]+)\}", found)]
        self.add("poll", "-1 EINTR" if result.startswith("?") else result, arguments[-2], arguments[-1], ready)

    def take_wait4(self, arguments, text, result, found):
        status = "…"
        exited = re.search(r"WEXITSTATUS\(s\) == (\d+)", text)
        signalled = re.search(r"WTERMSIG\(s\) == (\w+)", text)
        if exited:
            status = f"{{exit {exited[1]}}}"
        elif signalled:
            status = f"{{{signalled[1]}}}"
        self.add("waitpid", result, arguments[0], status)

    def take_waitid(self, arguments, text, result, found):
        self.add("waitid", result, arguments[1])

    def take_kill(self, arguments, text, result, found):
        if self.coordinator:
            self.add("kill", result, *arguments)

    def take_exit_group(self, arguments, text, result, found):
        if not self.coordinator:
            self.add("_exit", "unfinished", arguments[0])


def traced(path, coordinator, first_pipe):
    process = Process(coordinator, first_pipe)
    for line in path.read_text(encoding="utf-8").splitlines():
        parsed = parse_strace(line)
        if parsed:
            process.take(*parsed)
    return process.calls


def same(told, seen):
    if told.name == "read" and seen.result == "unfinished":
        return seen.name == "read" and told.result == seen.result and told.arguments[0] == seen.arguments[0]
    return told == seen


def ended_untold(told, seen):
    """A process that is killed when its last call has returned may not have come to tell of it."""
    return told.result == "unfinished" and told._replace(result=seen.result) == seen


def check_order(told, seen, who):
    for place, (one, other) in enumerate(zip(told, seen)):
        if not same(one, other) and not (place == len(seen) - 1 and ended_untold(one, other)):
            return f"{who}, call {place}: told {one}, but strace has {other}"
    if len(told) != len(seen):
        more = told[len(seen):] or seen[len(told):]
        return f"{who}: {len(told)} calls are told, strace has {len(seen)}; the first that is missing is {more[0]}"
    return None


def main(narration, prefix):
    calls, counts, coordinator = narrated(pathlib.Path(narration).read_text(encoding="utf-8"))
    prefix = pathlib.Path(prefix)
    files = {int(path.suffix[1:]): path for path in prefix.parent.glob(prefix.name + ".*")}
    first_pipe = next(call.arguments for call in calls[coordinator] if call.name == "pipe")
    seen = {pid: traced(path, pid == coordinator, first_pipe) for pid, path in files.items() if pid == coordinator or pid in calls}
    failures = [f"process {pid} is told of, but strace has not seen it" for pid in calls if pid not in seen]
    failures += [f"process {pid} is not told of" for pid in files if pid not in calls]
    if any(counts):
        for workers in (False, True):
            told = counts[workers] + collections.Counter(
                call.name for pid, made in calls.items() if (pid != coordinator) == workers for call in made)
            real = collections.Counter(
                call.name for pid, made in seen.items() if (pid != coordinator) == workers for call in made)
            if told != real:
                failures.append(f"{'workers' if workers else 'coordinator'}: {told - real} too many, {real - told} missing")
    else:
        failures += filter(None, (check_order(calls[pid], seen[pid], f"process {pid}") for pid in seen))
    for failure in failures:
        print(failure, file=sys.stderr)
    print(sum(len(made) for made in calls.values()), " ".join(sorted({call.name for made in calls.values() for call in made})))
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
