"""A folder with a node in it that says what a test wants."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import tempfile
import threading
import unittest
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

from commonhold import Node

TOKEN = "5e" * 32
QUESTION = "ab" * 32
#: Of the inbox.
ENTRY = {
    "id": QUESTION,
    "asker": "cd" * 32,
    "sql": "SELECT 1",
    "purpose": "",
    "received_at": 1,
    "until": 2,
    "state": "waiting",
    "by_rule": False,
}

Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: FakeNode

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.body = json.loads(self.rfile.read(length) or "null")
        self.server.heard.append((self.command, self.path, self.body))
        self.server.headers.append(dict(self.headers))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.say({"code": "token", "error": "the token is not this node's", "what_to_do": "send the right one"}, 401)
        # Which part of a list is for the reply to say.
        replies = self.server.replies.get((self.command, self.path.partition("?limit")[0]), [])
        # The last one stays.
        reply = replies.pop(0) if len(replies) > 1 else replies[0] if replies else None
        if callable(reply):
            reply(self)
        elif reply is None:
            self.say({"code": "unknown", "error": "there is nothing at this path", "what_to_do": "see /openapi.json"}, 404)
        else:
            self.say(reply)

    do_POST = do_GET

    def say(self, value: Any, status: int = 200) -> None:
        self.raw(json.dumps(value).encode(), status)

    def raw(self, data: bytes, status: int = 200, link: str | None = None) -> None:
        self.send_response(status)
        if link:
            self.send_header("Link", link)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, *lines: str) -> None:
        """Begins a stream of events; the connection is cut at the end of the request."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in lines:
            data = (line + "\n\n").encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        pass


class FakeNode(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        #: For each method and path what is said: values, or what to do with the request, one after the other.
        self.replies: dict[tuple[str, str], list[Any]] = {}
        self.heard: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, *where: Any) -> None:
        # Who asks may break off.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*where)

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class NodeCase(unittest.TestCase):
    """Has a folder in which a node seems to run."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # Nothing of the account that runs the tests.
        names = [name for name in os.environ if name.startswith(("COMMONHOLD_", "XDG_"))]
        clean = mock.patch.dict(os.environ, {"HOME": folder.name})
        clean.start()
        self.addCleanup(clean.stop)
        for name in names:
            del os.environ[name]
        self.home = self.make_home("home")
        self.lock = self.hold(self.home)
        self.fake = FakeNode()
        self.addCleanup(self.fake.stop)
        self.write("api.token", TOKEN + "\n")
        self.write("api.address", "127.0.0.1:%d\n" % self.fake.server_address[1])
        self.node = Node.open(self.home)

    def make_home(self, name: str) -> Path:
        home = self.folder / name
        home.mkdir(parents=True)
        (home / "keys.cbor").touch()
        return home

    def hold(self, home: Path) -> Any:
        """Holds the lock of a node that runs."""
        lock = open(home / "lock", "wb")
        self.addCleanup(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock

    def write(self, name: str, text: str) -> None:
        (self.home / name).write_text(text)

    def says(self, method: str, path: str, *replies: Any) -> None:
        self.fake.replies[method, path] = list(replies)


def event(number: int, question: str | None = QUESTION, text: str = "further") -> str:
    data = {"at": 7, "kind": "question", "number": number, "question": question, "text": text}
    return f"event: question\nid: {number}\ndata: {json.dumps(data)}"


def asked(state: str = "announced", answer: Any = None, note: str = "") -> dict[str, Any]:
    return {
        "id": QUESTION,
        "sql": "SELECT AVG(hours) FROM sleep",
        "purpose": "beds",
        "asked_at": 1,
        "consent_until": 2,
        "state": state,
        "note": note,
        "answer": answer,
        "published": False,
        "said by a later node": {},
    }


def figure(name: str, value: str | None, exactness: str = "exact") -> dict[str, Any]:
    return {"name": name, "value": value, "exactness": exactness}


def answer(**more: Any) -> dict[str, Any]:
    details = {
        "question": 'SELECT AVG("hours") FROM "sleep"',
        "purpose": "beds",
        "plan": QUESTION,
        "asker": "cd" * 32,
        "asked_at": 1,
        "closed_at": 3,
        "count": 6,
        "total": "42",
        "mean": "7.0000",
        "figures": [figure("mean", "7.0000", "exact, rounded to 4 digits"), figure("total", "42.0")],
        "groupings": [],
        "groups": [],
        "included": 6,
        "declined": 1,
        "away": 0,
        "refused": 0,
        "proved": True,
        "unproved": None,
        "min_crowd": 2,
        "padding_allowance": 1,
        "lanes": 2,
        "replicas": 2,
        "signers": 2,
        "k": 2,
        "setter": "ef" * 32,
        "privacy": 0.0,
        "wrong": 0,
        "loss": 0.18,
        "draw": 1.6e-5,
        "checks": 13,
    }
    people = "7 asked: 6 took part, 1 declined, 0 away or undecided"
    return {"summary": "mean 7.0000 over 6 people (total 42)", "people": people, "details": {**details, **more}}
