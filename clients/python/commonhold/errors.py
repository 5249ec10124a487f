"""What is raised when something cannot be done."""

from __future__ import annotations

#: What an HTTP status of the API means. These names are stable.
CODES = {
    400: "request",
    401: "token",
    403: "foreign",
    404: "unknown",
    405: "method",
    409: "late",
    413: "long",
    415: "format",
    422: "refused",
    500: "failed",
    503: "busy",
    504: "slow",
}


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
    """The node said no. `code` says why, by one of the names in `CODES`."""

    def __init__(self, status: int, error: str, what_to_do: str) -> None:
        super().__init__(error, what_to_do)
        self.args = (status, error, what_to_do)
        #: The HTTP status.
        self.status = status
        self.code = CODES.get(status, "failed")


class NoAnswer(CommonholdError):
    """A question is over without an answer."""

    code = "no_answer"

    def __init__(self, state: str, error: str, what_to_do: str) -> None:
        super().__init__(error, what_to_do)
        self.args = (state, error, what_to_do)
        #: `refused`, `failed` or `stopped`.
        self.state = state
