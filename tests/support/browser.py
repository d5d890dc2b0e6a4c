"""A real browser for the tests: headless Chromium, driven over the DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import websocket

from tests.support.polling import PATIENCE, eventually

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
#: Every name is unknown but the loopback's, and Chromium's own housekeeping is off: no request leaves the machine.
_OPTIONS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def find() -> str | None:
    """The path of a Chromium on this machine, or None."""
    chosen = os.environ.get("WORKBOOK_CHROMIUM")
    if chosen:
        return chosen
    found = (shutil.which(name) for name in _NAMES)
    return next((path for path in found if path), None) or next((p for p in _PLACES if Path(p).exists()), None)


class Browser:
    """One page in a headless Chromium with an empty profile. Use as a context manager."""

    def __init__(self, program: str, folder: Path, width: int = 1400, height: int = 1000) -> None:
        self._folder = folder / "profile"
        options = [*_OPTIONS, f"--user-data-dir={self._folder}", f"--window-size={width},{height}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium refuses to run as root otherwise
        self._log = (folder / "browser.log").open("wb")
        self._process = subprocess.Popen([program, *options, "about:blank"], stdout=self._log, stderr=self._log)
        self._messages = 0
        #: Addresses of all requests that pages of this browser have made, in order.
        self.requests: list[str] = []
        #: What pages have written to the console as errors.
        self.errors: list[str] = []

    def __enter__(self) -> Browser:
        port_file = self._folder / "DevToolsActivePort"
        # The file may be there before its content is.
        port = eventually(lambda: port_file.exists() and port_file.read_text().split(), "Chromium to start")[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            target = next(t for t in json.load(answer) if t["type"] == "page")
        self._socket = websocket.create_connection(target["webSocketDebuggerUrl"], timeout=180)
        for domain in ("Page", "Network", "Runtime"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._log.close()

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result, taking note of events that arrive meanwhile."""
        self._messages += 1
        number = self._messages
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._note(message)

    def open(self, address: str) -> None:
        self.send("Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """Evaluate JavaScript in the page, wait for its promise, and return the value."""
        result = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description") or details["text"])
        return result["result"].get("value")

    def until(self, script: str, seconds: float = PATIENCE, what: str | None = None) -> Any:
        """Evaluate `script` until it is true, and return its value."""
        return eventually(lambda: self.run(script), what or script, seconds)

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        """Make the window as large as that, and a pixel of the page `scale` of a screenshot."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def screenshot(self, path: Path, part: dict[str, float] | None = None) -> None:
        """The page as it is seen, or a part of it: x, y, width and height, in pixels."""
        clip = {"clip": {**part, "scale": 1}} if part else {}
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png", **clip)["data"]))

    def foreign_requests(self) -> list[str]:
        """Addresses of requests that were not for this machine."""
        own = ("127.0.0.1", "localhost")
        return [
            address
            for address in self.requests
            if urlsplit(address).scheme not in ("data", "blob", "about", "chrome")
            and urlsplit(address).hostname not in own
        ]

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        elif message.get("method") == "Runtime.exceptionThrown":
            details = message["params"]["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details.get("text", ""))
