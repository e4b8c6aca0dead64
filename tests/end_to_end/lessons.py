#!/usr/bin/python3
"""Does what a page of configs/lessons says, and compares with what it says will be seen.

usage: lessons.py COORDINATOR NUMBER [--record]    from the project's root; COORDINATOR: as it was built by make

In a scratch copy of the tree, the commands of all console blocks of the page are given to one shell. What each prints
is compared with the page by the rule in configs/lessons/README.md. Then the files and functions that the page names
are looked for, and each exercise's check is given the answers in tests/data/lessons: it must accept those that are
right and refuse the others. What is wrong goes to standard error, and the exit status is then 1.

--record writes what was printed into a page that does not agree, besides output that the page cuts with "…".
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

PAGES = "configs/lessons"
ANSWERS = "tests/data/lessons"
HEADINGS = ["## The idea", "## In forkfit", "## See it", "## Read", "## Exercises"]
SECONDS = 100  # for one page's commands; they take few, on a machine that is not busy
MARK = "\x01command\x01"

NUMBER = r"0x[0-9a-f]+|\b[0-9a-f]{12}\b|\d+(?:\.\d+)?(?:e[+-]?\d+)?"
TOKEN = re.compile(rf"{NUMBER}|[^\W\d]+|\S")
UNIT = re.compile(r"\s?(?:ms|µs|s|MB/s|GB/s|epochs/s|%)(?!\w)")
# What a run prints now and then, if it takes long.
PROGRESS = re.compile(r"epoch \d+/\d+  ")


class Names:
    """Which number stands for which: one for one, in all that a page shows."""

    def __init__(self, pairs=()):
        self.pairs = dict(pairs)

    def accept(self, ours, theirs):
        if ours not in self.pairs and theirs in self.pairs.values():
            return False
        return self.pairs.setdefault(ours, theirs) == theirs


def is_name(token):
    return re.fullmatch(r"0x[0-9a-f]+|[0-9a-f]{12}|\d{4,}", token) is not None


def tokens(line):
    """Pairs of a token and whether it is a number with a unit, which may change."""
    return [(m.group(), m.group()[0].isdigit() and UNIT.match(line, m.end()) is not None) for m in TOKEN.finditer(line)]


def line_agrees(page, seen, names):
    """None, or the names with what this line adds to them."""
    ours, theirs = tokens(page), tokens(seen)
    if page.endswith("…"):
        ours.pop()
        theirs = theirs[: len(ours)]
    if len(ours) != len(theirs):
        return None
    names = Names(names.pairs)
    for (token, changes), (other, _) in zip(ours, theirs):
        if changes:
            agrees = re.fullmatch(NUMBER, other)
        elif is_name(token):
            agrees = re.fullmatch(NUMBER, other) and names.accept(token, other)
        else:
            agrees = token == other or token == "S" and other in "RD"
        if not agrees:
            return None
    return names


def difference(page, seen, names):
    """What is wrong, or None; names gets what was learnt."""
    at = 0
    skipping = False
    for line in page:
        if line.strip() == "…":
            skipping = True
            continue
        while True:
            if at == len(seen):
                return f"this line did not come: {line}"
            learnt = line_agrees(line, seen[at], names)
            at += 1
            if learnt is not None:
                break
            if not skipping:
                return f"the page says: {line}\nbut this came: {seen[at - 1]}"
        names.pairs = learnt.pairs
        skipping = False
    if at < len(seen) and not skipping:
        return f"this line is not on the page: {seen[at]}"
    return None


class Step:
    """A command and the lines below it; begin and end: where these stand in the page."""

    def __init__(self, command, begin):
        self.command, self.begin, self.end = command, begin, begin


def steps_of(lines):
    steps, inside = [], False
    for number, line in enumerate(lines):
        if line.startswith("```"):
            inside = line == "```console"
            continue
        if not inside:
            continue
        if line.startswith("$ "):
            steps.append(Step(line[2:], number + 1))
        elif steps[-1].command.endswith("\\") and steps[-1].begin == number:
            steps[-1].command += "\n" + line
            steps[-1].begin += 1
        steps[-1].end = number + 1
    return steps


def copy_sources(root, build):
    """For a page that builds: all that make looks at, and what has been built already, with the files' times."""
    left = shutil.ignore_patterns("data", "__pycache__")
    for path in pathlib.Path().iterdir():
        if path.is_dir() and path.name not in (".git", "build", "configs"):
            shutil.copytree(path, root / path, symlinks=True, ignore=left)
    shutil.copy2("Makefile", root)
    leak = root / "build/leak"
    shutil.copytree(build / "objects", leak / "objects", ignore=shutil.ignore_patterns("tests"))
    for name in ("flags", "sources", "version", "prerequisites"):
        shutil.copy2(build / name, leak)


def make_tree(root, coordinator, builds):
    (root / "build").mkdir()
    (root / "build/coordinator").symlink_to(coordinator)
    left = shutil.ignore_patterns("*.events", "*.state*", "mine.json")  # by who has gone through the lessons here
    shutil.copytree("configs", root / "configs", symlinks=True, ignore=left)
    if builds:
        copy_sources(root, coordinator.parent)


def environment():
    """Without what would be printed in other words elsewhere, or what belongs to a make around this."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "FORKFIT_"))}
    kept["LC_ALL"] = "C.UTF-8"
    flags = re.split(r"(?<!\\) ", kept.get("MAKEFLAGS", ""))
    kept["MAKEFLAGS"] = " ".join(flag for flag in flags if "=" in flag and not flag.startswith("-"))
    for name in ("MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"):
        kept.pop(name, None)
    return kept


def run(root, arguments):
    """What it printed, both streams together, and its status. Whatever it leaves is killed."""
    process = subprocess.Popen(
        arguments, cwd=root, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True, text=True, errors="replace",
    )  # fmt: skip
    try:
        printed, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0] + f"\nnot finished within {SECONDS} s", None
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return printed, process.returncode


def run_steps(root, steps):
    """The lines that each command printed."""
    script = root / "page.sh"
    script.write_text("".join(f"printf '{MARK}'\n{step.command}\n" for step in steps))
    printed, _ = run(root, ["/bin/sh", str(script)])
    outputs = printed.split(MARK)[1:]
    outputs += ["(nothing: the shell had ended)"] * (len(steps) - len(outputs))
    return [[line.rstrip() for line in text.splitlines() if not PROGRESS.match(line)] for text in outputs]


def check_page(root, lines, complain):
    steps = steps_of(lines)
    names = Names()
    outputs = run_steps(root, steps)
    agrees = True
    for step, seen in zip(steps, outputs):
        wrong = difference(lines[step.begin : step.end], seen, names)
        if wrong:
            agrees = False
            complain(f"$ {step.command}\n{wrong}\nAll that came:\n" + "\n".join(seen))
    return [] if agrees else list(zip(steps, outputs))


def check_reading(text, complain):
    """Each point of "Read" names a file and functions of it, in backquotes."""
    section = text.split("## Read\n")[1].split("\n## ")[0]
    points = re.split(r"^- ", section, flags=re.MULTILINE)[1:]
    if not points:
        complain("nothing is to be read")
    for point in points:
        path, *functions = re.findall(r"`([^`]+)`", point)
        if not pathlib.Path(path).is_file():
            complain(f"there is no file {path}")
            continue
        code = pathlib.Path(path).read_text()
        for function in functions:
            if not re.search(rf"\b{re.escape(function)}\b", code):
                complain(f"{path} has no {function}")


def check_shape(text, complain):
    places = [text.find(f"\n{heading}\n") for heading in HEADINGS]
    if -1 in places or places != sorted(places):
        complain(f"the page has to have {', '.join(HEADINGS)}, in this order")
    if not 60 <= text.count("\n") <= 120:
        complain(f"the page has {text.count(chr(10))} lines")


def attempts(exercise):
    """Triples of the arguments for the check, the file to be put to the student's place or None, and the verdict."""
    for path in sorted(pathlib.Path(ANSWERS).glob(f"{exercise}-*")):
        verdict = path.name.split("-")[1].split(".")[0]
        if path.suffix == ".json":
            yield [f"{PAGES}/mine.json"], path, verdict
        else:
            for line in path.read_text().splitlines():
                yield line.split(), None, verdict


def check_exercise(root, text, exercise, complain):
    if f"configs/lessons/check {exercise} " not in text:
        complain(f"the page does not tell how to check {exercise}")
    verdicts = set()
    for arguments, file, verdict in attempts(exercise):
        if file:
            shutil.copy(file, root / arguments[0])
        printed, status = run(root, [f"{PAGES}/check", exercise, *arguments])
        verdicts.add(verdict)
        expected, words = {"right": (0, "right: "), "wrong": (1, "not yet: ")}[verdict]
        if status != expected or not printed.startswith(words):
            complain(f"check {exercise} gives {file or arguments}, which is {verdict}, status {status}: {printed}")
    if verdicts != {"right", "wrong"}:
        complain(f"{ANSWERS} has no answers to {exercise} of both sorts")


def record(path, lines, outputs):
    for step, seen in reversed(outputs):
        if not any(line.endswith("…") for line in lines[step.begin : step.end]):
            lines[step.begin : step.end] = seen
    path.write_text("\n".join(lines) + "\n")


def main():
    coordinator, number = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    (path,) = pathlib.Path(PAGES).glob(f"{int(number):02}-*.md")
    text = path.read_text()
    lines = text.splitlines()
    complaints = []
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        make_tree(root, coordinator, "make -s BUILD=" in text)
        outputs = check_page(root, lines, complaints.append)
        if "--record" in sys.argv and outputs:
            record(path, lines, outputs)
        check_shape(text, complaints.append)
        check_reading(text, complaints.append)
        for letter in "ab":
            check_exercise(root, text, f"{number}{letter}", complaints.append)
    for complaint in complaints:
        print(f"{path}: {complaint}\n", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
