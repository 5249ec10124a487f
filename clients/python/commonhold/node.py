"""A node on this machine, and the questions that it puts."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from . import home, wire
from .errors import NoAnswer, TimedOut
from .tables import Cell, Frame
from .words import (
    Answer,
    Asked,
    Checked,
    ConsentLog,
    Event,
    Helping,
    Import,
    InboxEntry,
    Preview,
    Published,
    Status,
    Table,
    Word,
    parse,
)

T = TypeVar("T")

#: A time: seconds, a `timedelta`, or a text as the program takes it, such as "90s", "30m", "12h", "2d", "1w" or "now".
Span = int | float | str | timedelta

#: Entries of a list that are asked for at once: the most that a node gives.
_PART = 1000

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


class Node:
    """Speaks to the node that runs in a folder. Each method raises a `CommonholdError` that says what to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: str | os.PathLike[str] | None = None) -> Node:
        """The node in this folder, or the one that the program would take: see `commonhold.home.find`. It must be running."""
        node = cls(home.find(folder))
        node._door()
        return node

    def __repr__(self) -> str:
        return f"Node({str(self.folder)!r})"

    def status(self) -> Status:
        """How it is, problems first."""
        return self._get(Status, "/v1/status")

    def ask(self, sql: str, *, purpose: str = "", deadline: Span = 0, collect: Span | None = None) -> Question:
        """Puts a question (docs/questions.md says which there are) to the community.

        Owners read the purpose, and have until the deadline to decide; without one, only those are asked who have rules.
        After that contributions arrive for at most `collect`, 20 seconds if nothing else is set."""
        body = {"sql": sql, "purpose": purpose, "consent_secs": _secs(deadline)}
        if collect is not None:
            body["collect_secs"] = _secs(collect)
        return Question(self, parse(Asked, self._call("POST", "/v1/questions", body)))

    def question(self, id: str) -> Question:
        """One that this node put, by its name or how that begins."""
        return Question(self, self._get(Asked, f"/v1/questions/{quote(id, '')}"))

    def questions(self) -> list[Question]:
        """All that it put and that are kept, the latest first."""
        return [Question(self, asked) for asked in self._all(Asked, "/v1/questions")]

    def inbox(self) -> list[InboxEntry]:
        """The questions that came from others, the latest first."""
        return self._all(InboxEntry, "/v1/inbox")

    def answer(self, id: str, word: Word) -> InboxEntry:
        """The owner's word on a question of the inbox."""
        return parse(InboxEntry, self._call("POST", f"/v1/inbox/{quote(id, '')}", {"answer": word}))

    def preview(self, id: str) -> Preview:
        """What the owner's data would say to a question of the inbox."""
        return self._get(Preview, f"/v1/inbox/{quote(id, '')}/preview")

    def proof(self, id: str) -> bytes:
        """The proof file of an answer, of this node's own or a published one, for `commonhold question verify`."""
        return self._call("GET", f"/v1/questions/{quote(id, '')}/proof")

    def check(self, id: str) -> Checked:
        """Has the node check that proof once more."""
        return self._get(Checked, f"/v1/questions/{quote(id, '')}/check")

    def published(self) -> list[Published]:
        """The answers that are published, the latest first; the node has checked each proof. Groups are in `check(id).answer`."""
        return self._all(Published, "/v1/published")

    def helping(self) -> list[Helping]:
        """What it does for others' questions, and has done since it started, the latest first."""
        return self._all(Helping, "/v1/helping")

    def imports(self) -> list[Import]:
        """The files that were read into its vault, the latest first."""
        return self._all(Import, "/v1/data/imports")

    def vocabulary(self) -> list[Table]:
        """The tables and columns that questions may be about."""
        return self._get(list[Table], "/v1/vocabulary")

    def consent(self, since: int | None = None) -> ConsentLog:
        """The latest thousand entries of the consent log, or a thousand from this number on."""
        return self._get(ConsentLog, "/v1/consent" + (f"?from={since:d}" if since is not None else ""))

    def events(self) -> Iterator[Event]:
        """What happens from now on. Goes on after a cut, and raises when the node is away for half a minute. What happened
        during a cut is not told again: read the lists anew when the numbers have a gap or begin again."""
        return (event for event in self._listen() if event is not None)

    def call(self, method: str, path: str, body: object = None, secs: float = wire.REPLY_SECS) -> Any:
        """Anything else of docs/api.md: `node.call("GET", "/v1/rules")`. None where the reply has no body."""
        data = self._call(method, path, body, secs)
        return json.loads(data) if data else None

    def _get(self, kind: type[T], path: str) -> T:
        return parse(kind, self._call("GET", path))

    def _all(self, kind: type[T], path: str) -> list[T]:
        """A long list, part by part."""
        parts = wire.parts(self._door(), f"{path}?limit={_PART}")
        return [entry for part in parts for entry in parse(list[kind], part)]  # type: ignore[valid-type]

    def _call(self, method: str, path: str, body: object = None, secs: float = wire.REPLY_SECS) -> bytes:
        return wire.call(self._door(), method, path, body, secs)

    def _listen(self, until: float | None = None) -> Iterator[Event | None]:
        return wire.listen(self._door, until)

    def _door(self) -> home.Door:
        # Each time: it changes when the node starts again, and the token is kept nowhere.
        return home.door(self.folder)


class Question:
    """A question that the node put. `asked` is what was last heard of it."""

    def __init__(self, node: Node, asked: Asked) -> None:
        self._node = node
        self.asked = asked

    def __repr__(self) -> str:
        return f"Question({self.id[:8]}, {self.asked.sql!r}, {self.state})"

    @property
    def id(self) -> str:
        """Its name."""
        return self.asked.id

    @property
    def state(self) -> str:
        """How far it was when we last looked."""
        return self.asked.state

    @property
    def is_over(self) -> bool:
        """Whether nothing more is expected."""
        return self.asked.is_over

    def refresh(self) -> Question:
        """Looks how far it is."""
        self.asked = self._node.question(self.id).asked
        return self

    def wait(self, timeout: float | None = None) -> Question:
        """Until it is over, however it ends. Raises `TimedOut` after so many seconds; the question goes on."""
        until = None if timeout is None else time.monotonic() + timeout
        if self.is_over:
            return self
        for event in self._node._listen(until):
            if (event is None or event.question == self.id) and self.refresh().is_over:
                return self
        raise TimedOut(f"question {self.id[:8]} is {self.state} after {timeout} s", "wait longer: it goes on")

    def answer(self, timeout: float | None = None) -> Answer:
        """Waits for it. Raises `NoAnswer` where it ends without one."""
        answer = self.wait(timeout).asked.answer
        if answer is not None and not answer.complete:
            answer = self.refresh().asked.answer
        if answer is None:
            # What to do stands after the last semicolon, if anything is said of it.
            error, _, what_to_do = self.asked.note.rpartition("; ")
            if not error:
                error, what_to_do = self.asked.note or self.state, "ask again"
            raise NoAnswer(self.state, error, what_to_do)
        return answer

    def rows(self, timeout: float | None = None) -> list[dict[str, Cell]]:
        """Waits for the answer and gives it as a table: see `commonhold.tables`."""
        return self.answer(timeout).rows()

    def to_frame(self, timeout: float | None = None) -> Frame:
        """The same for pandas. Raises `NeedsPandas` where there is none."""
        return self.answer(timeout).to_frame()

    def proof(self) -> bytes:
        """The proof file of its answer."""
        return self._node.proof(self.id)

    def cancel(self) -> Question:
        """Takes it back, until helpers are drawn."""
        return self._after("cancel")

    def publish(self) -> Question:
        """Shows its answer to the whole community, for good."""
        return self._after("publish")

    def _after(self, what: str) -> Question:
        self.asked = parse(Asked, self._node._call("POST", f"/v1/questions/{self.id}/{what}"))
        return self


def _secs(span: Span) -> int:
    if isinstance(span, timedelta):
        span = span.total_seconds()
    if isinstance(span, str):
        found = re.fullmatch(r"(\d+)([smhdw])", span)
        if span != "now" and not found:
            raise ValueError(f"{span!r} is no time; write 90s, 30m, 12h, 2d, 1w or now")
        span = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 <= span < 1 << 32:
        raise ValueError(f"{span} seconds cannot be waited for; give 0 or more")
    return round(span)


def ask(sql: str, *, purpose: str = "", deadline: Span = 0, collect: Span | None = None) -> Question:
    """`Node.open().ask(…)`: where there is one node, that is all that is needed."""
    return Node.open().ask(sql, purpose=purpose, deadline=deadline, collect=collect)
