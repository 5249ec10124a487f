"""Speaks to a node of Commonhold on this machine, by its local API.

    from commonhold import Node

    node = Node.open()
    question = node.ask("SELECT AVG(hours) FROM sleep GROUP BY quality", purpose="how we sleep", deadline="2d")
    print(question.to_frame())
"""

from .errors import (
    CODES,
    CommonholdError,
    NeedsPandas,
    NoAnswer,
    NoNode,
    NotRunning,
    Refused,
    Strange,
    TimedOut,
)
from .node import Node, Question, Span, ask
from .words import (
    About,
    Answer,
    Asked,
    Checked,
    Column,
    Community,
    ConsentEntry,
    ConsentLog,
    ConsentLogged,
    Counts,
    Details,
    Event,
    Figure,
    Group,
    Helping,
    Import,
    InboxEntry,
    Preview,
    PreviewValue,
    Problem,
    Published,
    Reach,
    Status,
    Table,
    Traffic,
    Word,
)

__version__ = "0.1.0"

__all__ = [
    "CODES",
    "About",
    "Answer",
    "Asked",
    "Checked",
    "Column",
    "CommonholdError",
    "Community",
    "ConsentEntry",
    "ConsentLog",
    "ConsentLogged",
    "Counts",
    "Details",
    "Event",
    "Figure",
    "Group",
    "Helping",
    "Import",
    "InboxEntry",
    "NeedsPandas",
    "NoAnswer",
    "NoNode",
    "Node",
    "NotRunning",
    "Preview",
    "PreviewValue",
    "Problem",
    "Published",
    "Question",
    "Reach",
    "Refused",
    "Span",
    "Status",
    "Strange",
    "Table",
    "TimedOut",
    "Traffic",
    "Word",
    "ask",
]
