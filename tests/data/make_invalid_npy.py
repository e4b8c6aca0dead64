#!/usr/bin/env python3
"""Writes the .npy files of the catalogue of wrong input, tests/data/invalid/npy_*/x.npy.

usage: tests/data/make_invalid_npy.py [directory]    (by default the catalogue beside this file)

Each file is wrong in one way, or is one that the program cannot use; the rest of it is as NumPy would write it.
"""

import pathlib
import struct
import sys

MAGIC = b"\x93NUMPY"
NAN = float("nan")
INF = float("inf")

# Four rows of three columns, of which a plane fits the last.
ROWS = [(1.0, 2.0, 5.0), (2.0, 1.0, 4.0), (3.0, 5.0, 13.0), (4.0, 3.0, 10.0)]


def header(text, version=1):
    """The bytes before the data, padded as NumPy does it."""
    prefix = 10 if version == 1 else 12
    padding = -(prefix + len(text) + 1) % 64
    body = text.encode("latin-1") + b" " * padding + b"\n"
    return MAGIC + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(body)) + body


def description(descr="'<f8'", fortran=False, shape="(4, 3)"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"


def numbers(rows, code="<d", fortran=False):
    ordered = zip(*rows) if fortran else rows
    return b"".join(struct.pack(code, number) for line in ordered for number in line)


def with_number(row, column, number):
    rows = [list(line) for line in ROWS]
    rows[row][column] = number
    return rows


def array(rows=ROWS, descr="'<f8'", code="<d", fortran=False, shape="(4, 3)"):
    return header(description(descr, fortran, shape)) + numbers(rows, code, fortran)


INTEGERS = [[int(number) for number in row] for row in ROWS]

FILES = {
    "npy_empty_file": b"",
    "npy_bad_magic": b"\x93NUMPI" + array()[6:],
    "npy_cut_in_magic": MAGIC[:4],
    "npy_cut_in_header": array()[:40],
    "npy_version_9": MAGIC + b"\x09\x00" + array()[8:],
    "npy_header_is_list": header("['<f8', False, (4, 3)]") + numbers(ROWS),
    "npy_header_without_shape": header("{'descr': '<f8', 'fortran_order': False, }") + numbers(ROWS),
    "npy_order_is_number": header(description(fortran=1)) + numbers(ROWS),
    "npy_too_short": array()[:-8],
    "npy_too_long": array() + b"\x00",
    "npy_shape_overflows": header(description(shape="(6148914691236517206, 3)")) + numbers(ROWS),
    "npy_shape_negative": header(description(shape="(-4, 3)")) + numbers(ROWS),
    "npy_no_dimension": header(description(shape="()")) + struct.pack("<d", 1.0),
    "npy_one_dimension": array(shape="(12,)"),
    "npy_three_dimensions": array(shape="(2, 2, 3)"),
    "npy_big_endian": array(descr="'>f8'", code=">d"),
    "npy_int64": array(INTEGERS, "'<i8'", "<q"),
    "npy_bool": array(INTEGERS, "'|b1'", "<B"),
    "npy_half": array(descr="'<f2'", code="<e"),
    "npy_complex": array([row + row for row in ROWS], "'<c16'"),
    "npy_object": array(descr="'|O'"),
    "npy_structured": array(descr="[('a', '<f8'), ('b', '<f8'), ('c', '<f8')]", shape="(4,)"),
    "npy_no_rows": array([], shape="(0, 3)"),
    "npy_no_rows_fortran": array([], fortran=True, shape="(0, 3)"),
    "npy_no_columns": array([], shape="(4, 0)"),
    "npy_one_column": array([row[:1] for row in ROWS], shape="(4, 1)"),
    "npy_nan": array(with_number(2, 1, NAN)),
    "npy_nan_fortran_f4": array(with_number(3, 0, NAN), "'<f4'", "<f", True),
    "npy_nan_in_all_rows": array([(NAN, 1.0, 2.0)] * 4),
    "npy_infinity": array(with_number(1, 2, INF)),
    "npy_infinity_skipping": array(with_number(0, 0, INF)),
    "npy_format_csv": array(),
    "npy_workers_more_than_rows": array(),
    "npy_column_by_name": array(),
    "npy_column_out_of_range": array(),
}


def main():
    catalogue = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "invalid"
    for case, content in FILES.items():
        (catalogue / case).mkdir(parents=True, exist_ok=True)
        (catalogue / case / "x.npy").write_bytes(content)


if __name__ == "__main__":
    main()
