"""The benches' datasets, made once below build/bench: 1.2 GB if all rows run."""

import functools
import subprocess

HEADER_BYTES = 128
# A multiple of every d + 1 of the table, so that the same pages are a dataset of each shape: 537 MB.
STREAM_WORDS = 512 * 1001 * 131
STREAM_BYTES = 8 * STREAM_WORDS


def npy_header(rows, columns, dtype="<f8", fortran=False):
    text = f"{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': ({rows}, {columns}), }}"
    length = HEADER_BYTES - 10
    return b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + text.ljust(length - 1).encode() + b"\n"


def _make(bench, name, header, kind, rows, features, digits=1):
    path = bench.folder / name
    if not path.exists():
        draft = path.with_suffix(".draft")
        with open(draft, "wb") as file:
            file.write(header)
            file.flush()
            command = [bench.probe_program, "generate", kind, *map(str, (rows, features, digits))]
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, check=True)
        draft.rename(path)
    read_all(path)
    return path


def read_all(path):
    """Brings a file into the page cache."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 22):
            pass


def stream(bench, features, dtype="<f8", fortran=False):
    """537 MB in the shape asked for. Only the header differs: every shape is the very same pages."""
    path = _stream(bench)
    rows = STREAM_BYTES // int(dtype[2]) // (features + 1)
    with open(path, "r+b") as file:
        file.write(npy_header(rows, features + 1, dtype, fortran))
    return path


@functools.cache
def _stream(bench):
    return _make(bench, "stream.npy", bytes(HEADER_BYTES), "words", STREAM_WORDS // 2, 1)


@functools.cache
def npy(bench, rows, columns):
    """Rows of f8, the last column linear in the others but for noise."""
    return _make(bench, f"linear-{rows}x{columns}.npy", npy_header(rows, columns), "f8", rows, columns - 1)


@functools.cache
def csv(bench, rows, columns, digits):
    """The same as text: digits behind the point, or 17 significant ones."""
    return _make(bench, f"linear-{rows}x{columns}-{digits}.csv", b"", "csv", rows, columns - 1, digits)
