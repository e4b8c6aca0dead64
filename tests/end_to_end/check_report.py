#!/usr/bin/env python3
"""Checks a report (output.report): one page that needs no network, with data that hold together.

usage: check_report.py report.html    Prints, as JSON, what must be the same in every run.
"""

import html.parser
import json
import re
import sys

MOST_BYTES = 2_000_000
FETCHING = {"src", "href", "srcset", "data", "action", "poster", "background", "manifest", "ping", "formaction"}
EMPTY = {"meta", "br", "link", "img", "input", "hr"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.scripts, self.styles = [], set(), [], []
        self.data, self.policy = "", None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        fetching = FETCHING & attributes.keys()
        assert not fetching, f"<{tag}> has {fetching}"
        assert tag not in ("link", "iframe", "object", "embed", "base"), f"<{tag}>"
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if "id" in attributes:
            assert attributes["id"] not in self.ids, f"two ids {attributes['id']}"
            self.ids.add(attributes["id"])
        if tag not in EMPTY:
            self.open.append((tag, attributes))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, text):
        if not self.open:
            return
        tag, attributes = self.open[-1]
        if attributes.get("id") == "data":
            self.data += text
        elif tag == "script":
            self.scripts.append(text)
        elif tag == "style":
            self.styles.append(text)


def check_network(page):
    assert page.policy.startswith("default-src 'none';"), page.policy
    for text in page.scripts:
        code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        assert "://" not in code, "an address in a script"
        assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|importScripts)\b", code), "it asks a server"
    for text in page.styles:
        assert "url(" not in text and "@import" not in text, "a style that loads something"


def check_data(data):
    curve, residuals, activity, run = data["curve"], data["residuals"], data["activity"], data["run"]
    assert len(curve["epoch"]) == len(curve["loss"]) <= 2049
    assert curve["epoch"] == sorted(set(curve["epoch"]))
    if residuals is not None:
        assert sum(residuals["counts"]) == data["dataset"]["rows"] and len(residuals["counts"]) == 66
        assert len(residuals["actual"]) == len(residuals["fitted"]) <= 1024
    for worker in activity["workers"]:
        assert len(worker["busy"]) == activity["bins"] and len(worker.get("lost", worker["busy"])) == activity["bins"]
    if activity["workers"]:
        assert any(worker["busy_ms"] > 0 for worker in activity["workers"])
    kinds = [incident["type"] for incident in data["incidents"]]
    if data["incidents_left_out"] == 0:
        assert kinds.count("worker_lost") == run["losses"] and kinds.count("fault_fired") == run["faults"]
    recovered = [i for i in data["incidents"] if "recovered_ms" in i]
    assert len(recovered) == run["replaced"] and all(i["type"] == "worker_lost" for i in recovered)
    assert (run["failure"] is None) == (run["exit_code"] == 0)
    json.loads(data["configuration"])


def main():
    with open(sys.argv[1], "rb") as file:
        text = file.read()
    assert len(text) < MOST_BYTES, f"{len(text)} bytes"
    page = Page()
    page.feed(text.decode("utf-8"))
    page.close()
    assert not page.open, page.open
    check_network(page)
    data = json.loads(page.data)
    check_data(data)
    same = {key: data[key] for key in ("dataset", "target", "model", "curve", "residuals")}
    same["failed"], same["losses"] = data["run"]["failure"] is not None, data["run"]["losses"]
    print(json.dumps(same))


if __name__ == "__main__":
    main()
