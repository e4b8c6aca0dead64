#!/usr/bin/env python3
"""usage: tests/report/report_test.py coordinator [folder]

Has reports written and opens them in a headless Chromium. The last line counts the tests; exits 1 unless all passed.
folder: where to leave the reports; by default nowhere.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

from browser import Browser

CHARTS = ("loss", "scatter", "histogram", "timeline")
LONGEST_MS = 1000  # until all charts are drawn
OPENINGS = 5  # the quickest counts: what the page costs, whatever else the machine does

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


class Reports:
    """The reports of some runs, by name."""

    def __init__(self, coordinator, folder):
        self.coordinator, self.folder = os.path.abspath(coordinator), folder

    def path(self, name):
        return self.folder / f"{name}.html"

    def write(self, name, exit_code=0, header="a,b,y", rows=4000, **sections):
        (self.folder / f"{name}.csv").write_text(
            header + "\n" + "".join(f"{i % 23},{i % 7},{3 * (i % 23) - 2 * (i % 7) + i * 7919 % 11}\n" for i in range(rows))
        )
        run = {"dataset": {"path": f"{name}.csv"}, "output": {"report": f"{name}.html"}, **sections}
        run["recovery"] = {"max_restarts": 1000000, **run.get("recovery", {})}
        config = self.folder / f"{name}.json"
        config.write_text(json.dumps(run))
        done = subprocess.run(
            [self.coordinator, "--config", config, "--quiet"], capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        expect(done.returncode == exit_code, f"{name}: exit code {done.returncode}: {done.stderr}")

    def write_all(self):
        kills = [
            {"kind": "kill", "worker": i % 64, "incarnation": i // 64, "epoch": 5 * i + 1} for i in range(200)
        ]
        self.write("large", workers=64, training={"epochs": 1000, "tolerance": 0}, faults=kills)
        self.write(
            "hostile", header='</script><script>alert(1)</script>,"<img src=x>","y&<b>"', workers=2, training={"epochs": 30}
        )
        self.write("diverged", exit_code=3, workers=2, training={"epochs": 30, "learning_rate": 1e30})
        self.write("unmoved", workers=2, training={"epochs": 0})
        self.write("tiny", rows=2, workers=1, training={"epochs": 3})


def open_report(browser, reports, name, scheme="light", width=1200):
    browser.errors.clear()
    browser.requests.clear()
    browser.medium(scheme)
    browser.size(width, 900)
    browser.open(reports.path(name))
    settle(browser)


def settle(browser):
    browser.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def drawn_ms(browser):
    return browser.run("performance.getEntriesByName('charts drawn')[0].startTime")


def pixels(browser, chart):
    """How many pixels of the chart's canvas are not transparent."""
    return browser.run(
        f"""(() => {{
            const canvas = document.querySelector("#{chart} canvas");
            const all = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            let drawn = 0;
            for (let i = 3; i < all.length; i += 4)
                drawn += all[i] !== 0;
            return drawn;
        }})()"""
    )


def readout(browser, chart):
    return browser.run(f'document.querySelector("#{chart} .readout").textContent')


def place(browser, chart):
    """The middle of the chart's plotting area, in the window."""
    return browser.run(
        f"""(() => {{
            const over = document.querySelector("#{chart} .u-over");
            over.scrollIntoView({{block: "center"}});
            const box = over.getBoundingClientRect();
            return [box.left + box.width / 2, box.top + box.height / 2];
        }})()"""
    )


@test
def a_large_report_is_drawn_within_a_second(browser, reports):
    size = reports.path("large").stat().st_size
    times = []
    for _ in range(OPENINGS):
        open_report(browser, reports, "large")
        times.append(drawn_ms(browser))
    print(f"  {size / 1e6:.2f} MB, drawn after {', '.join(f'{t:.0f}' for t in times)} ms")
    expect(size < 2e6, f"{size} bytes")
    expect(min(times) < LONGEST_MS, f"{min(times):.0f} ms")


@test
def nothing_is_complained_of_or_asked_for(browser, reports):
    for name in ("large", "hostile", "diverged", "unmoved", "tiny"):
        for scheme in ("light", "dark"):
            open_report(browser, reports, name, scheme)
            expect(not browser.errors, f"{name}: {browser.errors}")
            expect(
                all(url.startswith("file://") and url.endswith(f"{name}.html") for url in browser.requests),
                f"{name}: {browser.requests}",
            )


@test
def all_charts_are_drawn(browser, reports):
    open_report(browser, reports, "large")
    for chart in CHARTS:
        expect(pixels(browser, chart) > 2000, f"{chart}: {pixels(browser, chart)} pixels")


@test
def charts_have_names_and_their_numbers_in_tables(browser, reports):
    open_report(browser, reports, "large")
    for chart in CHARTS:
        name = browser.run(f'document.querySelector("#{chart} .chart").getAttribute("aria-label")')
        expect(name and len(name) > 30, f"{chart}: {name}")
        browser.run(f'document.querySelector("#{chart} details").open = true')
    settle(browser)
    for chart in CHARTS:
        rows = browser.run(f'document.querySelectorAll("#{chart} tbody tr").length')
        expect(rows >= 64, f"{chart}: {rows} rows")


@test
def the_mouse_tells_what_is_under_it(browser, reports):
    open_report(browser, reports, "large")
    for chart, word in zip(CHARTS, ("epoch", "actual", "rows", "worker")):
        browser.point(*place(browser, chart))
        settle(browser)
        expect(word in readout(browser, chart), f"{chart}: {readout(browser, chart)!r}")


@test
def the_arrow_keys_go_through_the_charts(browser, reports):
    open_report(browser, reports, "large")
    browser.point(1, 1)
    for chart in CHARTS:
        browser.run(f'document.querySelector("#{chart} .chart").focus()')
        seen = []
        for key in ("Home", "ArrowRight", "ArrowRight", "ArrowLeft", "End"):
            browser.key(key)
            seen.append(readout(browser, chart))
        expect(seen[1] == seen[3] and len(set(seen)) == 4 and all(seen), f"{chart}: {seen}")
        browser.key("Escape")
        expect(readout(browser, chart) not in seen, f"{chart}: {readout(browser, chart)}")


@test
def colours_follow_light_dark_and_paper(browser, reports):
    open_report(browser, reports, "large", "dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = browser.run(background)
    canvas = 'document.querySelector("#loss canvas").toDataURL()'
    in_dark = browser.run(canvas)
    browser.medium("light")
    settle(browser)
    expect(browser.run(background) != dark, dark)
    expect(browser.run(canvas) != in_dark, "the chart has kept its colours")
    browser.medium("dark", "print")
    settle(browser)
    expect(browser.run(background) == "rgb(255, 255, 255)", browser.run(background))
    paper = base64.b64decode(browser.paper())
    expect(paper.startswith(b"%PDF") and len(paper) > 50000, f"{len(paper)} bytes of PDF")


@test
def nothing_sticks_out_of_a_narrow_window(browser, reports):
    for name in ("large", "hostile", "diverged"):
        open_report(browser, reports, name, width=360)
        wide = browser.run("document.documentElement.scrollWidth")
        expect(wide <= 360, f"{name}: {wide} px")


@test
def markup_in_names_is_text(browser, reports):
    open_report(browser, reports, "hostile")
    text = browser.run("document.body.innerText")
    expect("</script><script>alert(1)</script>" in text and "<img src=x>" in text, "the names are not there")
    expect(browser.run("document.querySelectorAll('img').length") == 0, "an image")


@test
def a_run_that_failed_says_why(browser, reports):
    open_report(browser, reports, "diverged")
    text = browser.run("document.querySelector('header').innerText")
    expect("Diverged." in text and "learning rate" in text, text)
    expect(browser.run("document.getElementById('model-section').hidden"), "there is a model")


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="forkfit-report-") as scratch:
        folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        reports = Reports(sys.argv[1], folder)
        reports.write_all()
        with Browser() as browser:
            for function in TESTS:
                name = function.__name__.replace("_", " ")
                try:
                    function(browser, reports)
                    print(f"passed: {name}")
                    passed += 1
                except Exception:  # whatever it is, the others are worth a look
                    traceback.print_exc()
                    print(f"FAILED: {name}")
                    failed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
