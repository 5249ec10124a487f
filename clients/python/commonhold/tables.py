"""An answer as a table.

Without `GROUP BY` there is a row for each figure: `figure`, `value`, `low`, `high`, `exactness`. A figure that is only told as
a range, such as a median, has no `value`, and lies somewhere from `low` to `high`; for all others these three are the same.
One that is withheld has none of them, and `exactness` says why. The parts of a histogram are figures.

With `GROUP BY` there is a row for each group: a column for each grouping, `people`, and one for each figure, or two of them
(`median low`, `median high`) where it is told as a range. What is withheld is None.

Numbers are Python's: where more than 15 digits matter, take the text in `Figure.value`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from .errors import NeedsPandas

if TYPE_CHECKING:
    from .words import Details, Figure, Group

Cell: TypeAlias = str | int | float | None
#: A `pandas.DataFrame`; pandas is not needed to read this.
Frame: TypeAlias = Any


def rows(details: Details) -> list[dict[str, Cell]]:
    """One dictionary for each row, all with the same keys."""
    if details.groupings:
        return _of_groups(details)
    if not details.figures:
        count = details.count
        return [{"figure": "count", "value": count, "low": count, "high": count, "exactness": "exact"}]
    return [_of_figure(figure) for figure in details.figures]


def frame(rows: list[dict[str, Cell]]) -> Frame:
    """The rows for pandas."""
    try:
        import pandas
    except ImportError:
        what_to_do = "install it: pip install pandas; or use .rows(), which needs nothing"
        raise NeedsPandas("pandas is not installed", what_to_do) from None
    return pandas.DataFrame(rows)


def _of_figure(figure: Figure) -> dict[str, Cell]:
    low, high = figure.bounds or (None, None)
    value = low if low == high else None
    return {"figure": figure.name, "value": value, "low": low, "high": high, "exactness": figure.exactness}


def _of_groups(details: Details) -> list[dict[str, Cell]]:
    groupings = [_plain(grouping) for grouping in details.groupings]
    figures = [figure for group in details.groups for figure in group.figures or ()]
    ranges = {figure.name for figure in figures if figure.bounds and figure.bounds[0] != figure.bounds[1]}
    # As a dictionary, which keeps the order and has each once.
    names = list(dict.fromkeys(figure.name for figure in figures))
    return [dict(_cells(group, groupings, names, ranges)) for group in details.groups]


def _cells(
    group: Group, groupings: list[str], names: list[str], ranges: set[str]
) -> Iterable[tuple[str, Cell]]:
    yield from zip(groupings, group.labels)
    taken = {*groupings, "people"}
    yield "people" if "people" not in groupings else "people in group", group.people
    found = {figure.name: figure.bounds for figure in group.figures or ()}
    for name in names:
        low, high = found.get(name) or (None, None)
        # A grouping may be called like a figure.
        shown = f"{name} of group" if name in taken else name
        if name in ranges:
            yield f"{shown} low", low
            yield f"{shown} high", high
        else:
            yield shown, low


def _plain(grouping: str) -> str:
    """A column's name without the quotes of SQL; anything else as it is."""
    inner = grouping[1:-1]
    return inner if grouping == f'"{inner}"' and '"' not in inner else grouping
