"""A headless Chromium, driven by its DevTools protocol through a pipe: pages as a reader sees them."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ABSENT = "expected Chromium on the PATH to open pages in, and found none: install it, e.g. apt-get install chromium"
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
)
CONNECT = """
import os, sys
ends = [os.dup2(int(end), place) for end, place in zip(sys.argv[1:3], (13, 14))]  # 3 and 4 may be taken
for end, place in zip(ends, (3, 4)):  # where Chromium reads and writes
    os.dup2(end, place, inheritable=True)
os.execv(sys.argv[3], sys.argv[3:])
"""


def installed() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One tab.

    Attributes:
        complaints: what the page has written to the console as a warning or an error, refused, or thrown.
    """

    def __init__(self, to: int, answers: int) -> None:
        self.to, self.answers = to, answers
        self.complaints: list[str] = []
        self._count, self._rest, self._seen = 0, b"", set[str]()
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session: str | None = None
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol, and return its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._count:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def wait(self, event: str) -> None:
        """Wait for an event of the page."""
        while event not in self._seen:
            self._next()
        self._seen.discard(event)

    def open(self, page: Path, width: int, scheme: str = "light", height: int = 900) -> None:
        """Open a page in a window of that width, on a device that prefers the scheme, and wait until it is loaded."""
        self.size(width, scheme, height)
        self.complaints.clear()
        self._seen.clear()
        self.ask("Page.navigate", url=page.resolve().as_uri())
        self.wait("Page.loadEventFired")

    def size(self, width: int, scheme: str = "light", height: int = 900) -> None:
        """Give the window a width, and the device a scheme."""
        narrow = width < 600
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=narrow)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def value(self, script: str) -> Any:
        """The value of a JavaScript expression in the page, as plain data."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def point(self, selector: str) -> None:
        """Move the mouse to the middle of an element."""
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", **self._middle(selector))

    def tap(self, selector: str) -> None:
        """Tap the middle of an element with a finger."""
        self.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[self._middle(selector)])
        self.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.ask("Input.synthesizeTapGesture", **self._middle(selector))

    def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key)

    def drawn(self) -> None:
        """Wait until what has changed is drawn, which a busy machine does later."""
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))")

    def picture(self, file: Path) -> None:
        """Save a PNG of the whole page."""
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def _middle(self, selector: str) -> dict[str, float]:
        found = f"document.querySelector({json.dumps(selector)})"
        self.value(f"{found}.scrollIntoView({{block: 'center', inline: 'center', behavior: 'instant'}})")
        self.drawn()
        box = self.value(
            f"(({{left, top, width, height}}) => [left, top, width, height])({found}.getBoundingClientRect())"
        )
        return {"x": box[0] + box[2] / 2, "y": box[1] + box[3] / 2}

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self.answers, 1 << 16)
            assert part, "Chromium has closed its pipe"
            self._rest += part
        raw, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, content: dict[str, Any]) -> None:
        self._seen.add(method)
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(content["exceptionDetails"])[:500])
        if method == "Log.entryAdded" and content["entry"]["level"] in ("warning", "error"):
            self.complaints.append(content["entry"]["text"])
        if method == "Runtime.consoleAPICalled" and content["type"] in ("warning", "error", "assert"):
            self.complaints.append(str(content["args"])[:500])


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """Start a Chromium with a profile in that folder, and end it afterwards."""
    program = installed()
    assert program is not None, ABSENT
    (from_us, to), (answers, from_it) = os.pipe(), os.pipe()

    options = [*OPTIONS, f"--user-data-dir={profile}", "--remote-debugging-pipe"]
    process = subprocess.Popen(
        [sys.executable, "-c", CONNECT, str(from_us), str(from_it), program, *options],
        pass_fds=(from_us, from_it),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(from_us), os.close(from_it)
    try:
        yield Browser(to, answers)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        os.close(to), os.close(answers)
