"""The benches' datasets, made once below build/bench: 1.5 GB if all rows run."""

import itertools
import mmap
import os
import pathlib
import re
import subprocess

from measure import CannotRun

HEADER_BYTES = 128
# A multiple of every d + 1 of the table, so that the same pages are a dataset of each shape: 537 MB.
STREAM_WORDS = 512 * 1001 * 131
STREAM_BYTES = 8 * STREAM_WORDS
HUGE_PAGE = 1 << 21


def npy_header(rows, columns, dtype="<f8", fortran=False):
    text = f"{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': ({rows}, {columns}), }}"
    length = HEADER_BYTES - 10
    return b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + text.ljust(length - 1).encode() + b"\n"


def _make(bench, name, header, kind, rows, features, digits=1):
    path = bench.folder / name
    if path.exists():
        return freshen(path)
    command = [bench.probe_program, "generate", kind, *map(str, (rows, features, digits))]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as generator:
        first = header + generator.stdout.read(HUGE_PAGE - len(header))
        _write(path, itertools.chain([first], iter(lambda: generator.stdout.read(HUGE_PAGE), b"")))
    if generator.returncode != 0:
        path.unlink()
        raise CannotRun(f"{name} could not be made")
    return path


def _write(path, pieces):
    """
    Linux keeps in huge pages what was written in whole ones, as forkfit itself writes its files, and maps it so, for
    forkfit and for the probes alike.
    """
    draft = path.with_suffix(".draft")
    with open(draft, "wb", buffering=0) as file:
        for piece in pieces:
            file.write(piece)
        os.fsync(file.fileno())
    draft.rename(path)


def lies_in_huge_pages(path):
    """Whether the page cache has all of a file, but for its end, as it was written."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ) as bytes_:
        for at in range(0, len(bytes_), HUGE_PAGE):
            bytes_[at]
        place = re.compile(rf"[0-9a-f]+-[0-9a-f]+ r--s .*{re.escape(path.name)}\n(?:\w+: .*\n)*?FilePmdMapped: +(\d+) kB")
        found = place.search(pathlib.Path("/proc/self/smaps").read_text())
    return found is not None and int(found[1]) * 1024 > path.stat().st_size - 2 * HUGE_PAGE


def freshen(path):
    """Brings a file into the page cache as if it had just been written. What is read again may lie there in pieces."""
    if lies_in_huge_pages(path):
        return path
    with open(path, "rb", buffering=0) as file:
        _write(path, iter(lambda: file.read(HUGE_PAGE), b""))
    return path


def stream(bench, features, dtype="<f8", fortran=False):
    """537 MB in the shape asked for. Only the header differs: every shape is the very same pages."""
    path = _stream(bench)
    rows = STREAM_BYTES // int(dtype[2]) // (features + 1)
    with open(path, "r+b") as file:
        file.write(npy_header(rows, features + 1, dtype, fortran))
    return path


def _stream(bench):
    return _make(bench, "stream.npy", bytes(HEADER_BYTES), "words", STREAM_WORDS // 2, 1)


def npy(bench, rows, columns):
    """Rows of f8, the last column linear in the others but for noise."""
    return _make(bench, f"linear-{rows}x{columns}.npy", npy_header(rows, columns), "f8", rows, columns - 1)


def csv(bench, rows, columns, digits):
    """The same as text: digits behind the point, or 17 significant ones."""
    return _make(bench, f"linear-{rows}x{columns}-{digits}.csv", b"", "csv", rows, columns - 1, digits)
