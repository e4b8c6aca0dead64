#!/usr/bin/python3
"""Checks a JSON Schema for configurations against the project's examples, and gives its verdict on variations of one.

usage: schema_agreement.py configs/run.schema.json

Each of configs/*.json, configs/lessons/*.json and tests/data/valid/*.json must be accepted. Each
tests/data/invalid/*/run.json must be rejected, unless what is wrong is no matter of the schema: the text is no JSON, or
there are more files in the case than run.json and stderr, such as arguments or a dataset that does not fit. Failures go
to stderr, and the exit status is then 1.

To stdout go lines {"config": …, "valid": true or false}: tests/data/valid/complete.json with each of its values
replaced by values of every type and by every bound and word of the schema, each key left out, and a key too many in
each object. Whoever reads them compares with the verdict of the program's parser.
"""

import copy
import json
import math
import pathlib
import sys

from jsonschema import validators

PROJECT = pathlib.Path(__file__).resolve().parents[2]
OF_EVERY_TYPE = [
    None, True, False, "", "x", "0", 0, 1, -1, 0.5, -0.5, 4.0, 1e-300, 1e300,
    [], ["x"], ["x", "x"], ["x", "y", 0], [0, 0], [0, "0"], [1.5], [None], [True], [[]], [{}], {}, {"x": 1},
]  # fmt: skip


class NotForSchema(ValueError):
    """The text cannot be a configuration, whatever the schema says."""


def without_duplicates(pairs):
    if len(dict(pairs)) < len(pairs):
        raise NotForSchema("a key appears twice")
    return dict(pairs)


def finite(text):
    if math.isinf(float(text)):
        raise NotForSchema(f"{text} is too large")
    return float(text)


def no_constant(text):
    raise NotForSchema(f"{text} is not JSON")


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of(inner)


def load(path):
    """Reads as the program does, where Python is more generous."""
    try:
        value = json.loads(
            path.read_bytes().decode("utf-8"),
            object_pairs_hook=without_duplicates,
            parse_float=finite,
            parse_constant=no_constant,
        )
        for text in strings_of(value):
            text.encode("utf-8")  # half of a surrogate pair has no encoding
            if "\0" in text:
                raise NotForSchema("a string may not hold NUL")
    except (ValueError, RecursionError) as problem:
        raise NotForSchema(f"{path}: {problem}") from problem
    return value


def validator_of(schema):
    """To a schema 4.0 is an integer, as values have no spelling. The parser wants integers written as such."""
    standard = validators.validator_for(schema)
    standard.check_schema(schema)
    types = standard.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    return validators.extend(standard, type_checker=types)(schema)


def check_examples(validator):
    """Yields a line for each file on which the schema is wrong."""
    schemas = set(PROJECT.glob("configs/*.schema.json"))
    accepted = sorted(set(PROJECT.glob("configs/*.json")) - schemas)
    accepted += sorted(PROJECT.glob("configs/lessons/*.json")) + sorted(PROJECT.glob("tests/data/valid/*.json"))
    for path in accepted:
        for problem in validator.iter_errors(load(path)):
            yield f"{path}: rejected: {problem.json_path}: {problem.message}"
    for path in sorted(PROJECT.glob("tests/data/invalid/*/run.json")):
        if {file.name for file in path.parent.iterdir()} - {"run.json", "stderr"}:
            continue
        try:
            value = load(path)
        except NotForSchema:
            continue
        if validator.is_valid(value):
            yield f"{path}: accepted"


def bounds_and_words(schema):
    """The values at which the schema draws a line, and those next to it."""
    if isinstance(schema, dict):
        for keyword, value in schema.items():
            if keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
                yield from (value - 1, value, value + 1)
                yield from (math.nextafter(value, -math.inf), math.nextafter(value, math.inf))
            elif keyword == "const":
                yield value
            elif keyword == "enum":
                yield from value
            else:
                yield from bounds_and_words(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from bounds_and_words(value)


def distinct(values):
    """True and 1 are not the same here, nor 4 and 4.0."""
    return {json.dumps(value): value for value in values}.values()


def places_in(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inner:
        yield from places_in(child, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def variations(base, pool):
    """The base with one thing changed."""
    yield base
    for path in places_in(base):
        if isinstance(at(base, path), dict):
            changed = copy.deepcopy(base)
            at(changed, path)["surplus"] = 1
            yield changed
        if not path:
            continue
        changed = copy.deepcopy(base)
        del at(changed, path[:-1])[path[-1]]
        yield changed
        for value in pool:
            changed = copy.deepcopy(base)
            at(changed, path[:-1])[path[-1]] = value
            yield changed


def properties_of(schema, path=()):
    for name, inner in schema.get("properties", {}).items():
        yield (*path, name)
        yield from properties_of(inner, (*path, name))


def main(schema_path):
    schema = load(pathlib.Path(schema_path))
    validator = validator_of(schema)
    base = load(PROJECT / "tests/data/valid/complete.json")
    failures = list(check_examples(validator))
    failures += [
        f"tests/data/valid/complete.json: has no {'.'.join(path)}"
        for path in properties_of(schema)
        if path not in set(places_in(base))
    ]
    pool = list(distinct([*OF_EVERY_TYPE, *bounds_and_words(schema)]))
    for config in variations(base, pool):
        print(json.dumps({"config": config, "valid": validator.is_valid(config)}))
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
