"""A headless Chromium, spoken to in the DevTools protocol over two pipes: no port, no library."""

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

OPTIONS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-extensions --disable-dev-shm-usage --mute-audio
    --hide-scrollbars --remote-debugging-pipe""".split()


class Browser:
    """The first page of a new browser. errors: what it complained of. requests: the addresses it asked for."""

    def __init__(self, program="chromium", patience=60):
        self.patience = patience
        self.errors, self.requests, self.events = [], [], []
        self.number, self.rest = 0, b""
        self.folder = tempfile.mkdtemp(prefix="forkfit-chromium-")
        down, self.writer = os.pipe()
        self.reader, up = os.pipe()

        # Chromium reads from descriptor 3 and writes to 4.
        command = ["/bin/sh", "-c", f'exec "$@" 3<&{down} 4>&{up} {down}<&- {up}>&-', "sh", program, *OPTIONS]
        if down in (3, 4) or up in (3, 4):
            command[2] = f'exec 8<&{down} 9>&{up}; exec "$@" 3<&8 4>&9 8<&- 9>&-'
        self.process = subprocess.Popen(
            [*command, f"--user-data-dir={self.folder}", "about:blank"],
            pass_fds=(down, up),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(down)
        os.close(up)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self):
        os.close(self.writer)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.reader)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def message(self, deadline):
        while b"\0" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.reader], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            received = os.read(self.reader, 1 << 16)
            if not received:
                raise EOFError("the browser has ended")
            self.rest += received
        text, _, self.rest = self.rest.partition(b"\0")
        message = json.loads(text)
        method, values = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(values["exceptionDetails"].get("exception", {}).get("description", str(values)))
        elif method == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning", "assert"):
            self.errors.append(" ".join(str(a.get("value", a)) for a in values["args"]))
        elif method == "Log.entryAdded" and values["entry"]["level"] in ("error", "warning"):
            self.errors.append(values["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":  # until it is closed the page stands still
            self.errors.append(f"a dialog: {values['message']}")
            close = {"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
            os.write(self.writer, json.dumps({**close, "sessionId": self.session}).encode() + b"\0")
        elif method == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])
        if method:
            self.events.append(method)
        return message

    def call(self, method, **values):
        self.number += 1
        request = {"id": self.number, "method": method, "params": values}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.writer, json.dumps(request).encode() + b"\0")
        deadline = time.monotonic() + self.patience
        while True:
            message = self.message(deadline)
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]

    def run(self, script):
        """The value of an expression, which may be a promise."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def medium(self, scheme="light", media=""):
        self.call(
            "Emulation.setEmulatedMedia",
            media=media,
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def size(self, width, height, scale=1):
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def open(self, path):
        self.events.clear()
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        deadline = time.monotonic() + self.patience
        while "Page.loadEventFired" not in self.events:
            self.message(deadline)

    def key(self, name):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    def point(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self):
        """PNG, in base64, of the whole page."""
        return self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]

    def paper(self):
        """PDF, in base64."""
        return self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"]
