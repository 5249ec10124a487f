"""What a node says, as its API's document (`/openapi.json`) has it. Times are seconds since 1970 (UTC), names of nodes and
questions are 64 hexadecimal digits."""

from __future__ import annotations

import dataclasses
import functools
import json
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from . import tables
from .errors import Strange
from .tables import Cell, Frame

T = TypeVar("T")

#: A word on a question: this time, or each time that it comes from this asker; `never` is for all that the asker puts.
Word = Literal["yes", "no", "always", "never"]


@dataclass(frozen=True)
class Figure:
    """One figure of an answer."""

    name: str
    #: With all its digits; a range such as "6 to 8" where `exactness` says so; none where it may not be told or is not there.
    value: str | None
    #: How near it is to that of the rows in the clear, or why there is none.
    exactness: str

    @property
    def bounds(self) -> tuple[int | float, int | float] | None:
        """Between which numbers it lies: twice the same where it is known."""
        if self.value is None:
            return None
        low, _, high = self.value.partition(" to ")
        return _number(low), _number(high or low)


@dataclass(frozen=True)
class Group:
    """One group of an answer."""

    #: Its word or bucket, for each of `Details.groupings`.
    labels: list[str]
    #: How many are in it, unless that is withheld.
    people: int | None
    #: None where too few people are in it.
    figures: list[Figure] | None


@dataclass(frozen=True)
class Details:
    """All that the proof of an answer says."""

    question: str
    purpose: str
    asker: str
    asked_at: int
    closed_at: int
    #: People who matched and had a value.
    count: int
    total: str | None
    mean: str | None
    #: What was asked for of all of them, then what else follows from the same sums; a count is `count` itself.
    figures: list[Figure]
    groupings: list[str]
    groups: list[Group]
    #: People whose contributions are in it, matching or not; who said no; of whom nothing came; who were left out because
    #: their numbers are impossible.
    included: int
    declined: int
    away: int
    refused: int
    #: Whether everybody in it proved that their numbers are possible, and why nobody had to.
    proved: bool
    unproved: str | None
    min_crowd: int
    padding_allowance: int
    #: Lanes of helpers, how many are in each, and how many of a lane signed.
    lanes: int
    replicas: int
    signers: int
    #: The chance that colluders see a value, that they make the answer wrong, that there is none, that they drew the helpers.
    privacy: float
    wrong: float
    loss: float
    draw: float
    #: The question in a line of plain words; empty where an earlier version of the node wrote this.
    title: str = ""


@dataclass(frozen=True)
class Answer:
    """An answer, with its proof checked by the node."""

    #: In a few words.
    summary: str
    #: Who is in it, in a few words.
    people: str
    details: Details
    #: Whether all of it is here: lists leave out the groups, and figures where there are many.
    complete: bool = True

    def rows(self) -> list[dict[str, Cell]]:
        """It as a table: see `commonhold.tables`."""
        return tables.rows(self.details)

    def to_frame(self) -> Frame:
        """The same for pandas. Raises `NeedsPandas` where there is none."""
        return tables.frame(self.rows())


@dataclass(frozen=True)
class Asked:
    """A question that the node put."""

    id: str
    sql: str
    purpose: str
    asked_at: int
    #: Until when owners may decide.
    consent_until: int
    #: announced, drawn, collecting; then it is over: answered, refused, failed or stopped.
    state: str
    #: More about that, in words.
    note: str
    answer: Answer | None
    published: bool = False
    #: The question in a line of plain words; empty where an earlier version of the node put it.
    title: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is expected."""
        return self.state not in ("announced", "drawn", "collecting")


@dataclass(frozen=True)
class Published:
    """An answer that its asker shows to the whole community."""

    id: str
    asker: str
    sql: str
    purpose: str
    asked_at: int
    received_at: int
    answer: Answer


@dataclass(frozen=True)
class About:
    """What a question reads and of whom, as the node has parsed it."""

    #: The question in a line of plain words.
    title: str
    table: str
    #: All columns that it reads; none where it only asks whether there is a row.
    columns: list[str]
    #: Who is asked: the text after WHERE; none where everybody is.
    filter: str | None
    groups: list[str]
    #: The query in brackets, over each person's own rows.
    inner: str | None
    #: With a query in brackets: most rows that a person may have. Whoever has more is not counted.
    rows_max: int | None = None
    #: What `filter`, `groups` and `inner` say, in plain words.
    filter_told: str | None = None
    groups_told: list[str] = dataclasses.field(default_factory=list)
    inner_told: str | None = None


@dataclass(frozen=True)
class InboxEntry:
    """A question from another member."""

    id: str
    asker: str
    sql: str
    purpose: str
    received_at: int
    #: Until when a word is sure to count.
    until: int
    #: waiting, yes, no, missed, called_off or over_budget.
    state: str
    #: Whether a rule decided, and which; none where what holds for all others did.
    by_rule: bool
    rule: int | None = None
    #: When our contribution left, from when on it cannot be taken back, and when a helper said that it has it.
    sent_at: int | None = None
    contributed_at: int | None = None
    note: str = ""
    #: These three are none where the question came to an earlier version of the node. Since when the asker's certificate
    #: holds; what the question reads; and of how many people who match something is told at least.
    asker_since: int | None = None
    about: About | None = None
    smallest_crowd: int | None = None


@dataclass(frozen=True)
class PreviewValue:
    """A value of the owner's data."""

    name: str
    value: str = dataclasses.field(repr=False)


@dataclass(frozen=True)
class Preview:
    """What the owner's data would say to a question. Nobody else is told, and `repr` does not show the values."""

    #: match, no_match, missing, out_of_range, several_rows or too_many_rows.
    outcome: str
    values: list[PreviewValue]
    #: How many numbers are sent in any case, each split into random shares; all are 0 unless it matches.
    numbers: int
    #: With a query in brackets: how many rows of the owner's it is about.
    rows: int | None = dataclasses.field(default=None, repr=False)


@dataclass(frozen=True)
class Checked:
    """An answer's proof, checked by the node from the file alone, just now."""

    holds: bool
    #: Which check failed.
    why: str | None
    bytes: int
    took_us: int
    signatures: int
    answer: Answer | None


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    #: number, category or text.
    kind: str
    #: Of a number: its range, and its digits after the point.
    min: str | None
    max: str | None
    decimals: int | None
    #: Of a category.
    words: list[str]


@dataclass(frozen=True)
class Table:
    """A table that questions may be about."""

    name: str
    columns: list[Column]


@dataclass(frozen=True)
class ConsentEntry:
    """What happened to the owner's consent."""

    at: int
    #: came, decided, sent, taken, rule_given, revoked and so on.
    step: str
    #: In words, with what it means.
    text: str
    question: str | None = None
    asker: str | None = None
    sql: str | None = None
    purpose: str | None = None
    rule: int | None = None


@dataclass(frozen=True)
class ConsentLogged:
    """An entry with its place in the chain."""

    number: int
    digest: str
    entry: ConsentEntry


@dataclass(frozen=True)
class ConsentLog:
    """A stretch of the consent log, the oldest first; `count` and `digest` are of all of it."""

    entries: list[ConsentLogged]
    count: int
    digest: str


@dataclass(frozen=True)
class Problem:
    """Something that needs attention."""

    what: str
    what_to_do: str
    #: warn: it works for now; fail: it does not.
    verdict: str = "warn"


@dataclass(frozen=True)
class Community:
    """A community, as its descriptor says."""

    name: str
    epoch: int
    nodes: int
    colluders: int
    #: Of so many people something may be told if nobody is dishonest.
    min_crowd: int
    tables: list[str]
    #: Of fewer people who match nothing is told: the same, and as many more as dishonest members may pretend to be.
    smallest_crowd: int = 0


@dataclass(frozen=True)
class Reach:
    """Whether others reach the node."""

    #: yes, no or unknown.
    reached: str
    asked: int
    yes: int
    no: int


@dataclass(frozen=True)
class Traffic:
    """What went over the network since the node started."""

    connections: int
    messages_in: int
    messages_out: int
    bytes_in: int
    bytes_out: int


@dataclass(frozen=True)
class Counts:
    """How many questions the node has put and received, and how many of these wait."""

    asked: int
    open: int
    received: int
    waiting: int


@dataclass(frozen=True)
class Status:
    """How a node is, problems first."""

    problems: list[Problem]
    node: str
    community: Community
    version: str
    #: Other members whom it knows now, and whom it has met.
    peers_known: int
    peers_remembered: int
    reach: Reach
    traffic: Traffic
    questions: Counts
    #: What holds for questions that no rule is about: yes, no or ask.
    rule: str
    started_at: int
    now: int
    may_ask: bool = False


@dataclass(frozen=True)
class Helping:
    """What a node does for another's question."""

    #: The question, and who asks.
    id: str
    asker: str
    #: witness, setter, builder or replica.
    role: str
    #: begun, collecting, closed, agreed or done, and since when.
    step: str
    at: int
    #: Of a replica: in which lane it helps, from 1.
    lane: int | None = None


@dataclass(frozen=True)
class Import:
    """A file that was read into the vault."""

    #: By which it is taken back: `node.call("DELETE", f"/v1/data/imports/{number}")`.
    number: int
    file: str
    format: str
    bytes: int
    at: int
    #: Rows that were new, that were there already, and records that were left out.
    kept: int
    duplicate: int
    skipped: int
    undone_at: int | None = None


@dataclass(frozen=True)
class Event:
    """Something has happened."""

    #: Ascending from 1 since the node started.
    number: int
    at: int
    #: peers, question, inbox, published, community, helping or stopping.
    kind: str
    #: Which question it is about, if it is about one.
    question: str | None
    text: str


def parse(kind: type[T], data: bytes) -> T:
    """What these bytes say. Raises `Strange` where they say something else; what a later node says in addition is left out."""
    try:
        found: T = _read(kind, json.loads(data))
    except (ValueError, TypeError, KeyError):
        # The reason would show what came, which may be anything.
        what_to_do = "use a client of the node's version"
        raise Strange(f"the node's reply is no {getattr(kind, '__name__', kind)}", what_to_do) from None
    return found


def _read(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin is list:
        if not isinstance(value, list):
            raise TypeError
        return [_read(get_args(kind)[0], item) for item in value]
    if origin is UnionType:
        return None if value is None else _read(get_args(kind)[0], value)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise TypeError
        hints = _hints(kind)
        known = {name: _read(hint, value[name]) for name, hint in hints.items() if name in value}
        # A field without a default that is missing is a TypeError.
        return kind(**known)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError
    return value


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)
