#!/usr/bin/env python3
"""usage: tests/report/pictures.py report.html folder

Takes the report's picture in light, dark, narrow and on paper, to be looked at.
"""

import base64
import pathlib
import sys

from browser import Browser


def main():
    report, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with Browser() as browser:
        for name, scheme, width in (("light", "light", 1200), ("dark", "dark", 1200), ("narrow", "light", 390)):
            browser.medium(scheme)
            browser.size(width, 900)
            browser.open(report)
            browser.run("new Promise(done => setTimeout(done, 200))")
            (folder / f"{name}.png").write_bytes(base64.b64decode(browser.picture()))
        browser.medium("dark")
        browser.size(1200, 900)
        browser.open(report)
        (folder / "paper.pdf").write_bytes(base64.b64decode(browser.paper()))
        print("\n".join(browser.errors))


if __name__ == "__main__":
    main()
