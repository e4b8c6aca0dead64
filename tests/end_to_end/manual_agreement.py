#!/usr/bin/env python3
"""Do --help, the schema, the man pages and the completions tell of the same options and keys?

usage: manual_agreement.py COORDINATOR    (from the project's directory)
"""

import json
import pathlib
import re
import subprocess
import sys

COMMANDS = ("campaign", "predict", "generate", "convert")


def options(text):
    return set(re.findall(r"(?<![\w-])--([a-z]+)", text))


def keys(schema, path=""):
    for name, value in schema.get("properties", {}).items():
        inner = f"{path}.{name}" if path else name
        if "properties" in value:
            yield from keys(value, inner)
        else:
            yield inner


def agree(what, found, expected):
    for name in sorted(expected - found):
        print(f"{what} does not tell of {name}")
    for name in sorted(found - expected):
        print(f"{what} tells of {name}, which is not there")
    return found == expected


def main():
    coordinator = sys.argv[1]
    share = pathlib.Path("share")
    helps = {
        command: options(subprocess.run([coordinator, *words, "--help"], capture_output=True, text=True, check=True).stdout)
        | {"help", "version", "quiet"}
        for command, words in [("", []), *((command, [command]) for command in COMMANDS)]
    }
    all_options = set().union(*helps.values())
    schema = set(keys(json.loads(pathlib.Path("configs/run.schema.json").read_text())))
    manual = (share / "man/coordinator.1").read_text().replace("\\-", "-")
    bash = (share / "completions/coordinator.bash").read_text()
    zsh = (share / "completions/_coordinator").read_text()
    fish = (share / "completions/coordinator.fish").read_text()
    described = set(re.findall(r"^\.TP\n\.B (\S+)$", (share / "man/run.json.5").read_text(), re.M))
    settable = schema - {"$schema"}
    good = [
        agree("coordinator.1", options(manual), all_options),
        agree("the completion for zsh", options(zsh.replace("{-", " -").replace(",", " ")), all_options),
        agree("the completion for fish", set(re.findall(r" -l ([a-z]+)", fish)), all_options),
        agree("run.json.5", described, schema),
        agree("bash's keys", set(re.search(r"keys='([^']*)'", bash)[1].split()), settable),
        agree("zsh's keys", set(re.search(r"keys=\(([^)]*)\)", zsh)[1].split()), settable),
        agree("fish's keys", set(re.search(r'string split " " "([^"]*)"', fish)[1].split()), settable),
    ]
    for command, expected in helps.items():
        line = re.search(rf"^\t{re.escape(command or '*')}\) options='([^']*)'", bash, re.M)[1]
        good.append(agree(f"bash's {command or 'run'}", options(line), expected))
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
