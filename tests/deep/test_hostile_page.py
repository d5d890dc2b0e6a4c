"""A page of somebody else's, open in the learner's real browser, tries all that a page can to reach the account."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.browser import Browser, find
from tests.support.embedded_aws import Aws

CHROMIUM = find()
if not CHROMIUM and os.environ.get("WORKBOOK_REQUIRE_BROWSER") != "1":
    pytest.skip("no Chromium was found; WORKBOOK_CHROMIUM may name one", allow_module_level=True)

#: Every way that a page has to send a request. Each reports what it could see of the answer.
ATTACK = """
async function attack(server) {
  const seen = {};
  const note = (name, promise) => promise.then(
    value => { seen[name] = value; }, error => { seen[name] = "refused"; });
  const event = loaded => new Promise((done, fail) => { loaded(() => done("loaded"), () => fail("error")); });
  const create = "Action=CreateUser&UserName=evil&Version=2010-05-08";
  const text = answer => answer.text().then(body => answer.type + ":" + body);
  await note("fetch", fetch(server + "/", {method: "POST", body: create}).then(text));
  await note("json", fetch(server + "/", {method: "POST", body: "{}",
    headers: {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}})
    .then(text));
  await note("with credentials", fetch(server + "/moto-api/data.json", {credentials: "include"}).then(text));
  await note("no-cors", fetch(server + "/moto-api/reset", {method: "POST", mode: "no-cors"}).then(text));
  await note("stop", fetch(server + "/_local_aws/stop", {method: "POST", mode: "no-cors"}).then(text));
  await note("beacon", Promise.resolve(String(navigator.sendBeacon(server + "/?" + create, create))));
  await note("image", event((done, fail) => {
    const image = new Image(); image.onload = done; image.onerror = fail; image.src = server + "/?" + create; }));
  await note("script", event((done, fail) => {
    const script = document.createElement("script"); script.onload = done; script.onerror = fail;
    script.src = server + "/2015-03-31/functions"; document.head.append(script); }));
  await note("socket", event((done, fail) => {
    const socket = new WebSocket(server.replace("http", "ws") + "/"); socket.onopen = done; socket.onerror = fail; }));
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    await note("form " + type, event(done => {
      const frame = document.createElement("iframe"); frame.name = type; frame.onload = done;
      document.body.append(frame);
      const form = document.createElement("form");
      Object.assign(form, {method: "POST", action: server + "/", enctype: type, target: type});
      form.innerHTML = '<input name="Action" value="CreateUser"><input name="UserName" value="evil">';
      document.body.append(form); form.submit(); }).then(() => {
        try { return String(document.getElementsByName(type)[0].contentDocument.body.innerText); }
        catch (error) { return "refused"; } }));
  return seen;
}
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page(tmp_path: Path) -> Iterator[str]:
    """The address of a page of another origin: another port of the same machine is one."""
    (tmp_path / "index.html").write_text(f"<body><script>{ATTACK}</script></body>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_page_of_another_origin_does_and_learns_nothing(aws: Aws, page: str, tmp_path: Path) -> None:
    before = [user["UserName"] for user in aws.client("iam").list_users()["Users"]]
    functions = aws.client("lambda").list_functions()["Functions"]
    (tmp_path / "browser").mkdir()
    with Browser(CHROMIUM, tmp_path / "browser") as browser:
        browser.open(page)
        browser.until("typeof attack === 'function'")
        seen = browser.run(f"attack({json.dumps(aws.account.endpoint_url)})")
        tried = [address for address in browser.requests if address.startswith(aws.account.endpoint_url)]
    assert len(tried) >= 8, "the attacks did reach the server, and were refused there or by the browser"
    refused = {name for name, value in seen.items() if value == "refused"}
    assert {"fetch", "json", "with credentials", "image", "script", "socket"} <= refused, seen
    for name in ("no-cors", "stop"):  # these are sent, and the page may not read the answer
        assert seen[name] in ("refused", "opaque:")
    assert all(seen[name] in ("refused", "") for name in seen if name.startswith("form")), seen
    after = [user["UserName"] for user in aws.client("iam").list_users()["Users"]]
    assert after == before and "evil" not in after
    assert aws.client("lambda").list_functions()["Functions"] == functions
