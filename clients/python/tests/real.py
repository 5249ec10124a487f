"""Against real nodes: `real.py ASKER OWNER HOURS…`.

ASKER is the folder of a node that may ask and has no data, OWNER that of one which asks its owner, HOURS how long the people
of the village sleep, the owner first; all others take part in everything. Their quality is good and bad in turn.
"""

from __future__ import annotations

import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from commonhold import Event, NeedsPandas, NoAnswer, Node, Refused  # noqa: E402

SQL = "SELECT AVG(hours) FROM sleep"
#: For people to decide: the owner's word has to come in time on a slow machine, too.
DECIDE_SECS = 8
WITHIN_SECS = 90


def same(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise SystemExit(f"{what}: {found!r}, and not {wanted!r}")
    print(f"{what}: {found!r}")


def hear(node: Node, events: list[Event]) -> None:
    """Keeps what the node says until a question of its own is answered."""
    for event in node.events():
        events.append(event)
        if event.text.startswith("answered"):
            return


def decide(owner: Node, id: str) -> None:
    """Says yes as soon as the question is there."""
    until = time.monotonic() + DECIDE_SECS
    while not any(entry.id == id for entry in owner.inbox()):
        if time.monotonic() > until:
            raise SystemExit("the question did not come to the owner in time")
        time.sleep(0.1)
    same("preview", owner.preview(id).outcome, "match")
    same("word", owner.answer(id, "yes").state, "yes")


def asks_and_checks(asker: Node, owner: Node, hours: list[Fraction]) -> str:
    """Asks for a mean with a deadline; the name of the question."""
    events: list[Event] = []
    hearing = threading.Thread(target=hear, args=(asker, events), daemon=True)
    hearing.start()
    question = asker.ask(SQL, purpose="the village's beds", deadline=DECIDE_SECS, collect="20s")
    same("state", question.state, "announced")
    decide(owner, question.id)
    answer = question.answer(WITHIN_SECS)
    mean = sum(hours) / len(hours)
    same("people", (answer.details.count, answer.details.included), (len(hours), len(hours)))
    same("mean", answer.details.mean, f"{float(mean):.4f}")
    rows = {row["figure"]: row["value"] for row in question.rows()}
    same("total", rows["total"], float(sum(hours)))
    hearing.join(10)
    numbers = [event.number for event in events]
    same("events", numbers == sorted(set(numbers)) and any(event.question == question.id for event in events), True)
    same("kept", [kept.id for kept in asker.questions()][:1], [question.id])
    checked = asker.check(question.id[:16])
    same("proof", (checked.holds, checked.bytes), (True, len(question.proof())))
    return question.id


def groups(asker: Node, owner: Node, hours: list[Fraction]) -> None:
    owner.call("PUT", "/v1/rules/default", {"says": "yes"})
    question = asker.ask(f"{SQL} GROUP BY quality", collect=20)
    found = {row["quality"]: (row["people"], row["mean"]) for row in question.rows(WITHIN_SECS)}
    wanted = {}
    for place, quality in enumerate(("good", "bad")):
        own = hours[place::2]
        wanted[quality] = (len(own), round(float(sum(own) / len(own)), 4))
    same("groups", found, wanted)
    try:
        same("frame", list(question.to_frame()["quality"]), ["good", "bad"])
    except NeedsPandas as why:
        print(f"NOT CHECKED: frames, for {why}")


def refusals(asker: Node, owner: Node) -> None:
    try:
        asker.ask(f"{SQL} WHERE hours > 23", collect=20).answer(WITHIN_SECS)
    except NoAnswer as why:
        same("too few", why.state, "refused")
    else:
        raise SystemExit("too few people were counted")
    for node, sql in ((asker, "SELECT hours FROM sleep"), (owner, SQL)):
        try:
            node.ask(sql)
        except Refused as why:
            same("refused", (why.code, why.what_to_do != ""), ("refused", True))
        else:
            raise SystemExit("what is forbidden was asked")


def publishes(asker: Node, owner: Node, id: str) -> None:
    asker.question(id).publish()
    until = time.monotonic() + WITHIN_SECS
    while not any(published.id == id for published in owner.published()):
        if time.monotonic() > until:
            raise SystemExit("the answer was not published")
        time.sleep(0.2)
    [purpose] = [published.purpose for published in owner.published() if published.id == id]
    same("published", purpose, "the village's beds")
    same("its proof is the asker's", owner.proof(id) == asker.proof(id), True)


def main(asker: Node, owner: Node, hours: list[Fraction]) -> None:
    status = asker.status()
    same("peers", status.peers_known, len(hours))
    same("may ask", (status.may_ask, owner.status().may_ask), (True, False))
    columns = [column.name for table in asker.vocabulary() for column in table.columns]
    same("columns", columns, ["hours", "quality"])
    id = asks_and_checks(asker, owner, hours)
    steps = [logged.entry.step for logged in owner.consent().entries if logged.entry.question == id]
    same("consent", steps[:3], ["came", "decided", "sent"])
    roles = {one.role for one in owner.helping() if one.id == id}
    same("helping", roles <= {"witness", "setter", "builder", "replica"}, True)
    [brought] = owner.imports()
    same("imports", (brought.kept, brought.undone_at), (1, None))
    groups(asker, owner, hours)
    refusals(asker, owner)
    publishes(asker, owner, id)
    print("all is well")


if __name__ == "__main__":
    main(Node.open(sys.argv[1]), Node.open(sys.argv[2]), [Fraction(text) for text in sys.argv[3:]])
