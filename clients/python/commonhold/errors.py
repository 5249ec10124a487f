"""What is raised when something cannot be done."""

from __future__ import annotations

#: The codes of the API's errors. They are stable; docs/errors.md, and a node at /errors/CODE, say what each means.
CODES = frozenset(
    {
        "request",
        "token",
        "foreign",
        "unknown",
        "method",
        "late",
        "not_member",
        "long",
        "format",
        "refused",
        "which_table",
        "which_person",
        "passphrase",
        "failed",
        "busy",
        "slow",
    }
)


class CommonholdError(Exception):
    """Says what is wrong and what to do about it, both for people. No message holds a secret or a value of anybody's data."""

    #: Stable, for programs.
    code = "failed"

    def __init__(self, error: str, what_to_do: str) -> None:
        super().__init__(error, what_to_do)
        self.error = error
        self.what_to_do = what_to_do

    def __str__(self) -> str:
        return f"{self.error}; {self.what_to_do}"


class NoNode(CommonholdError):
    """It is not known which node is meant, or its folder cannot be used."""

    code = "no_node"


class NotRunning(CommonholdError):
    """The node does not run, or went away."""

    code = "not_running"


class TimedOut(CommonholdError):
    """The node, or the answer to a question, did not come in time."""

    code = "timed_out"


class Strange(CommonholdError):
    """What came back is not what a node says."""

    code = "strange"


class NeedsPandas(CommonholdError, ImportError):
    """There is no pandas."""

    code = "needs_pandas"


class Refused(CommonholdError):
    """The node said no. `code` says why, by one of the names in `CODES`, or one that a later node has."""

    def __init__(self, status: int, error: str, what_to_do: str, code: str = "failed") -> None:
        super().__init__(error, what_to_do)
        self.args = (status, error, what_to_do, code)
        #: The HTTP status.
        self.status = status
        self.code = code


class NoAnswer(CommonholdError):
    """A question is over without an answer."""

    code = "no_answer"

    def __init__(self, state: str, error: str, what_to_do: str) -> None:
        super().__init__(error, what_to_do)
        self.args = (state, error, what_to_do)
        #: `refused`, `failed` or `stopped`.
        self.state = state
