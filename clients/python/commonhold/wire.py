"""Requests to a node, and the stream of what happens there."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from socket import socket

from .errors import CommonholdError, NotRunning, Refused, Strange, TimedOut
from .home import Door
from .words import Event, parse

#: For a connection to this machine itself.
CONNECT_SECS = 2.0
#: For a response: longer than the node gives itself.
REPLY_SECS = 40.0
#: A stream of events has a line every four seconds at least.
SILENCE_SECS = 12.0
#: How long a node may be away in the middle: a restart takes less.
PATIENCE_SECS = 30.0
#: Before a stream is opened again: from, to.
AGAIN_SECS = (0.1, 2.0)
#: Longest response that is read: a thousand questions with their answers.
REPLY_BYTES_MAX = 64 << 20
#: Longest line of an event.
LINE_BYTES_MAX = 64 << 10


def call(door: Door, method: str, path: str, body: object = None, secs: float = REPLY_SECS) -> bytes:
    """What the node replies. Raises `Refused`, `NotRunning`, `TimedOut` or `Strange`."""
    with closing(_Reply(door, method, path, body, secs)) as reply:
        return reply.whole()


def parts(door: Door, path: str) -> Iterator[bytes]:
    """All parts of a long list, one request after the other. Raises as `call` does."""
    next_path: str | None = path
    while next_path is not None:
        with closing(_Reply(door, "GET", next_path, None, REPLY_SECS)) as reply:
            yield reply.whole()
            next_path = reply.next


def listen(
    find: Callable[[], Door], until: float | None = None, patience: float = PATIENCE_SECS
) -> Iterator[Event | None]:
    """What happens from now on, until that moment of `time.monotonic`. None says that something may have been missed, and
    that it is time to look: when the stream begins, when it begins again after a cut, and when the node left something out
    because we were slow.

    Raises what is in the way at once in the beginning, and later when it has been so for `patience` seconds."""
    lost_at: float | None = None
    shortest, longest = AGAIN_SECS
    pause = shortest
    while until is None or time.monotonic() < until:
        try:
            stream = _stream(find())
        except CommonholdError:
            if lost_at is None or time.monotonic() - lost_at > patience:
                raise
        else:
            with closing(stream):
                yield None
                number = None
                for event in _events(stream, until):
                    pause = shortest
                    if number is not None and event.number != number + 1:
                        yield None
                    number = event.number
                    yield event
            lost_at = time.monotonic()
        left = pause if until is None else min(pause, until - time.monotonic())
        time.sleep(max(left, 0))
        pause = min(2 * pause, longest)


def _stream(door: Door) -> _Reply:
    reply = _Reply(door, "GET", "/v1/events", None, SILENCE_SECS)
    if not reply.is_good:
        with closing(reply):
            reply.whole()
    return reply


def _events(stream: _Reply, until: float | None) -> Iterator[Event]:
    """Those of one stream, until it is cut."""
    while True:
        left = SILENCE_SECS if until is None else min(SILENCE_SECS, until - time.monotonic())
        if left <= 0:
            return
        line = stream.line(left)
        if not line.endswith(b"\n"):
            return
        if line.startswith(b"data:"):
            yield parse(Event, line[len(b"data:") :])


class _Reply:
    """What comes back to one request, over a connection of its own: so none is half open when the node stops."""

    def __init__(self, door: Door, method: str, path: str, body: object, secs: float) -> None:
        # Nothing of the environment, such as a proxy, comes between: `http.client` looks at none of it.
        self._connection = http.client.HTTPConnection(door.host, door.port, timeout=CONNECT_SECS)
        headers = {"Authorization": f"Bearer {door.token}"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        try:
            self._connection.connect()
            self._socket: socket = self._connection.sock
            self._socket.settimeout(secs)
            self._connection.request(method, path, data, headers)
            self._response = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as why:
            self._connection.close()
            raise _told(why) from None

    @property
    def is_good(self) -> bool:
        return 200 <= self._response.status < 300

    def whole(self) -> bytes:
        """The body, or what is wrong as the node says it."""
        try:
            data = self._response.read(REPLY_BYTES_MAX + 1)
        except (OSError, http.client.HTTPException) as why:
            raise _told(why) from None
        if len(data) > REPLY_BYTES_MAX:
            raise _strange("its reply is too long")
        if self.is_good:
            return data
        try:
            fault = json.loads(data)
            error, what_to_do, code = fault["error"], fault["what_to_do"], fault["code"]
        except (ValueError, KeyError, TypeError):
            raise _strange(f"status {self._response.status} without a reason") from None
        raise Refused(self._response.status, str(error), str(what_to_do), str(code))

    @property
    def next(self) -> str | None:
        """Where the next part of a list is, if there is one."""
        found = re.fullmatch(r'<(/[^>]*)>; rel="next"', self._response.getheader("Link") or "")
        return found[1] if found else None

    def line(self, secs: float) -> bytes:
        """The next line of the body; what does not end as a line is a cut."""
        try:
            self._socket.settimeout(secs)
            return self._response.readline(LINE_BYTES_MAX)
        except (OSError, http.client.HTTPException):
            return b""

    def close(self) -> None:
        self._response.close()
        self._connection.close()


def _told(why: OSError | http.client.HTTPException) -> CommonholdError:
    """What a failure means. Its own text stays out: it could show what was sent."""
    if isinstance(why, TimeoutError):
        return TimedOut("the node did not reply in time", "see its log")
    if isinstance(why, ConnectionRefusedError):
        return NotRunning("nobody listens where the node should", "start it: commonhold up")
    if isinstance(why, (OSError, http.client.IncompleteRead)):
        return NotRunning("the node went away before it had answered", "see how it is: commonhold status")
    return _strange("it does not speak HTTP")


def _strange(why: str) -> Strange:
    what_to_do = "see whether another program uses its port"
    return Strange(f"what listens there does not speak like a node: {why}", what_to_do)
