#!/usr/bin/env python3
"""Writes odd CSV files, has forkfit read them, and compares with a reader that goes byte by byte.

usage: csv_fuzz.py [--seed N] [--runs N] [--keep DIRECTORY] COORDINATOR

Each run makes one file from its number and the seed. Weights are given and nothing is trained (epochs 0), so that the
mean squared error, the number of rows and the number of rows left out tell whether every number was read, once, with
its neighbour. A file with one worker and with several must give the same bits, and a bad one the same message: that of
the first bad record, with line and column. Prints the first disagreement, keeps its file, and exits 1.

The reader is written after common/csv.h. Where Python's csv module means the same by a text (no CR within a line, no
quote but at a field's ends) the reader is compared with it, too.
"""

import argparse
import csv
import io
import json
import math
import pathlib
import random
import re
import subprocess
import sys
import tempfile

NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
MISSING = (b"", b"na", b"nan", b"null")
WEIGHT = 0.37


class Bad(Exception):
    """What forkfit should say: the offset of the place, and a part of the message."""

    def __init__(self, offset, text):
        super().__init__(text)
        self.offset, self.text = offset, text


def ends_record(text, at):
    return at == len(text) or text[at : at + 1] == b"\n" or (text[at : at + 1] == b"\r" and text[at + 1 : at + 2] in (b"", b"\n"))


def read_field(text, at, delimiter):
    """Its text, whether it is quoted, what is wrong with it, and where it ends."""
    quoted = text[at : at + 1] == b'"'
    start = at + quoted
    at = start
    if quoted:
        while at < len(text) and (text[at : at + 1] != b'"' or text[at + 1 : at + 2] == b'"'):
            at += 2 if text[at : at + 1] == b'"' else 1
        if at >= len(text):
            return text[start:], quoted, "never closed", len(text)
        closing = at
        at += 1
    while not ends_record(text, at) and text[at : at + 1] != delimiter:
        at += 1
    if not quoted:
        return text[start:at], quoted, None, at
    rest = text[closing + 1 : at].strip(b" \t")
    return text[start:closing], quoted, "text after the closing quote" if rest else None, at


def read_records(text, delimiter):
    """(offset, [(offset, text, problem)]) for each record that is not blank."""
    at = 0
    while at < len(text):
        start, fields = at, []
        if not ends_record(text, at):
            while True:
                field, _, problem, after = read_field(text, at, delimiter)
                fields.append((at, field, problem))
                at = after
                if ends_record(text, at):
                    break
                at += 1
            yield start, fields
        at += text[at : at + 1] == b"\r"
        at += text[at : at + 1] == b"\n"


def judge(field, problem, skip):
    """The number, or None for a missing one that may be."""
    offset, text, _ = field
    text = text.strip(b" \t")
    if problem is not None:
        raise Bad(offset, problem)
    if NUMBER.fullmatch(text):
        value = float(text)
        if math.isinf(value):
            raise Bad(offset, "too large")
        return value
    if text.lower() not in MISSING:
        raise Bad(offset, "not a number")
    if not skip:
        raise Bad(offset, "missing")
    return None


def read_rows(text, delimiter, columns, used, skip):
    """The rows that count, and how many are left out; raises Bad."""
    rows, skipped = [], 0
    records = read_records(text, delimiter)
    next(records)  # the header
    for start, fields in records:
        for offset, _, problem in fields:
            if problem == "never closed":
                raise Bad(offset, problem)
        if len(fields) != columns:
            raise Bad(start, f"{len(fields)} field")
        # What is wrong first is told, also in a row that is left out.
        numbers = {place: judge(fields[place], fields[place][2], skip) for place in sorted(used)}
        if None in numbers.values():
            skipped += 1
        else:
            rows.append([numbers[place] for place in used])
    return rows, skipped


def agrees_with_python(text, delimiter):
    plain = b'"' not in text or re.search(rb'[^\n,;|\t"]"[^\n,;|\t"]|"[ \t]|[ \t]"', text) is None
    if b"\r" in text or b"\0" in text or not plain:
        return True
    mine = list(read_records(text, delimiter))
    if any(problem for _, fields in mine for _, _, problem in fields) or b'""' in text:
        return True
    csv.field_size_limit(1 << 30)
    lines = io.StringIO(text.decode("latin-1"), newline="")
    theirs = [row for row in csv.reader(lines, delimiter=delimiter.decode()) if row]
    return theirs == [[field.decode("latin-1") for _, field, _ in fields] for _, fields in mine]


# What is written.


def draw_number(dice):
    value = dice.choice((dice.uniform(-1, 1), dice.gauss(0, 1e3), dice.uniform(-1e9, 1e9)))
    kind = dice.randrange(12)
    if kind < 3:
        return f"{value:.{dice.randrange(1, 9)}f}"
    if kind < 5:
        return repr(value)
    if kind == 5:
        return f"{value:.17g}"
    if kind == 6:
        return str(int(value))
    if kind == 7:
        return f"{value:{dice.choice('eE')}}"
    if kind == 8:
        return dice.choice(("+1", "1.", ".5", "-.25", "1e5", "1E+5", "1e-7", "0", "-0", "00012.50", "1e+05", "5e-324"))
    if kind == 9:
        return "0" * dice.randrange(1, 40) + f"{abs(value):.3f}"
    if kind == 10:
        return f"{value:.{dice.randrange(18, 60)}f}"
    return str(dice.randrange(10 ** dice.randrange(1, 26)))


def draw_field(dice, delimiter, oddity):
    number = draw_number(dice)
    if dice.random() < 0.05:
        number = dice.choice(("", " ", "\t"))[: delimiter != "\t"] + number + dice.choice(("", " ", "  "))
    if dice.random() < 0.05:
        number = f'"{number}"' + dice.choice(("", " "))
    if dice.random() >= oddity:
        return number
    odd = ("", "NA", "nan", "NULL", "inf", "-Infinity", "1e999", "x", "1,5", "1 2", '"1"2', '1"2', '"', "0x10", "1e", "--1", "1..2",
        "1\0", "\r", "1\r", "\xef\xbb\xbf1", "1_000", "²", '""', '"1\n2"', '"1""2"', "1" * 400, "+", "-", ".", "e5")
    return dice.choice(odd)


def draw_text(dice, delimiter):
    """A field that is not used, and may be anything that is no end of a field."""
    kind = dice.randrange(8)
    if kind < 4:
        return dice.choice(("abc", "", "a b", "caf\xc3\xa9", 'say "hi"', "\r", "x" * dice.randrange(300), "1.5"))
    if kind < 6:
        inner = dice.choice((f"a{delimiter}b", "two\nlines", "two\r\nlines", 'a ""quoted"" word', f'"",""{delimiter}\n' * 9, ""))
        return f'"{inner}"'
    if kind == 6 and dice.random() < 0.02:
        return "y" * dice.randrange(100000)
    return draw_number(dice)


def draw_file(dice):
    delimiter = dice.choice(",,,;\t|")
    columns = dice.choice((2, 2, 2, 3, 3, 5, 17, 70))
    used = dice.sample(range(columns), 2)
    oddity = dice.choice((0, 0, 0, 0.002, 0.02))
    texts = dice.random() < 0.4
    ends = dice.choice((["\n"], ["\n"], ["\r\n"], ["\r\n", "\n"]))
    out = ["\xef\xbb\xbf" if dice.random() < 0.1 else "", delimiter.join(f"c{i}" for i in range(columns)), dice.choice(ends)]
    for _ in range(dice.choice((1, 2, 3, 10, 40, 300, 300))):
        fields = [
            draw_field(dice, delimiter, oddity) if i in used or not texts else draw_text(dice, delimiter) for i in range(columns)
        ]
        if dice.random() < oddity / 4:
            fields.append("")  # a delimiter at the end
        out += [delimiter.join(fields), dice.choice(ends)]
        if dice.random() < 0.03:
            out.append(dice.choice(ends) * dice.randrange(1, 4))
    text = "".join(out)
    if dice.random() < 0.3:
        text = text.rstrip("\r\n")
    return text.encode("latin-1"), delimiter.encode(), columns, used


# What forkfit makes of it.


def run(coordinator, folder, delimiter, used, skip, workers):
    config = {
        "dataset": {"path": "data.csv", "format": "csv", "header": True, "delimiter": delimiter.decode(), "features": [used[0]],
            "target": used[1], "missing": "skip_row" if skip else "error"},
        "workers": workers,
        "training": {"standardize": False, "epochs": 0, "initial": {"w": [WEIGHT], "b": 0}},
    }
    (folder / "run.json").write_text(json.dumps(config))
    return subprocess.run([coordinator, "--config", folder / "run.json", "--json", "--quiet"], stdin=subprocess.DEVNULL,
        capture_output=True, timeout=60, check=False)


def place_of(text, offset):
    line_start = text.rfind(b"\n", 0, offset) + 1
    column = offset - line_start + 1
    if line_start == 0 and text.startswith(b"\xef\xbb\xbf"):
        column -= 3
    return f"data.csv:{text.count(bytes([10]), 0, offset) + 1}:{column}: "


def complaint(done, text, delimiter, columns, used, skip):
    """What is wrong with the outcome, or None."""
    said = done.stderr.decode("utf-8", "replace")
    body = text[3:] if text.startswith(b"\xef\xbb\xbf") else text
    try:
        rows, skipped = read_rows(body, delimiter, columns, used, skip)
    except Bad as bad:
        place = place_of(text, bad.offset + len(text) - len(body))
        if done.returncode == 65 and (place in said and bad.text in said):
            return None
        # A column whose first values are text is named as such, before anything is read.
        if done.returncode == 65 and "column" in said and not re.search(r"data\.csv:[0-9]", said):
            return None
        return f"status {done.returncode}, expected {place}… {bad.text} …"
    if not rows:
        return None if done.returncode == 65 else f"status {done.returncode} for a file without rows"
    if done.returncode != 0:
        return f"status {done.returncode}, expected {len(rows)} rows"
    model = json.loads(done.stdout)
    mse = math.fsum((WEIGHT * x - y) ** 2 for x, y in rows) / len(rows)
    if model["metrics"]["rows"] != len(rows) or model["dataset"]["rows"] != len(rows) + skipped:
        return f"{model['metrics']['rows']} of {model['dataset']['rows']} rows, expected {len(rows)} of {len(rows) + skipped}"
    if not math.isclose(model["metrics"]["mse"], mse, rel_tol=1e-11, abs_tol=1e-300):
        return f"mse {model['metrics']['mse']!r}, expected {mse!r}"
    return None


def check(coordinator, folder, seed, number):
    dice = random.Random(f"{seed} {number}")
    text, delimiter, columns, used = draw_file(dice)
    skip = dice.random() < 0.5
    (folder / "data.csv").write_bytes(text)
    if not agrees_with_python(text, delimiter):
        return "the reader and Python's csv module disagree"
    one = run(coordinator, folder, delimiter, used, skip, 1)
    problem = complaint(one, text, delimiter, columns, used, skip)
    if problem:
        return problem + "\n" + one.stderr.decode("utf-8", "replace")
    workers = dice.randrange(2, 9)
    many = run(coordinator, folder, delimiter, used, skip, workers)
    if many.returncode == 78 and b"are more than" in many.stderr:
        return None
    if (many.returncode, many.stdout) != (one.returncode, one.stdout) or (many.returncode and many.stderr != one.stderr):
        return f"{workers} workers: {many.returncode} {many.stderr.decode('utf-8', 'replace')}{many.stdout.decode()}" \
            f"one: {one.returncode} {one.stderr.decode('utf-8', 'replace')}{one.stdout.decode()}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("coordinator")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first run")
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("."), help="where a file that shows a fault is left")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for number in range(options.first, options.first + options.runs):
            problem = check(options.coordinator, folder, options.seed, number)
            if problem:
                for file in ("data.csv", "run.json"):
                    (options.keep / f"fuzz-{number}-{file}").write_bytes((folder / file).read_bytes())
                sys.exit(f"csv_fuzz.py: seed {options.seed}, run {number}: {problem}")
    print(f"{options.runs} files were read as expected")


if __name__ == "__main__":
    main()
