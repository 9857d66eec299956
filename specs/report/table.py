"""Tables: a caption, headers with a scope, and a box of their own to scroll in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from specs.report.markup import Html, Inside, element


@dataclass(frozen=True, slots=True)
class Column:
    """The header of a column; one of `numbers` is aligned to the right."""

    name: str
    numbers: bool = False


def table(caption: str, columns: Sequence[str | Column], rows: Iterable[Sequence[Inside]]) -> Html:
    """Return a table whose first column says what each row is about."""
    heads = [Column(one) if isinstance(one, str) else one for one in columns]
    head = element("tr", *(_cell("th", one.name, one, scope="col") for one in heads))
    body = [
        element("tr", *(_of_row(inside, one, at) for at, (inside, one) in enumerate(pairs)))
        for pairs in (zip(row, heads, strict=True) for row in rows)
    ]
    told = element("caption", caption)
    return boxed(caption, element("table", told, element("thead", head), element("tbody", *body)))


def boxed(name: str, *inside: Inside) -> Html:
    """Return a box that scrolls by itself, with the keyboard too."""
    return element("div", *inside, class_="box", role="region", aria_label=name, tabindex="0")


def _of_row(inside: Inside, column: Column, at: int) -> Html:
    return _cell("td", inside, column) if at else _cell("th", inside, column, scope="row")


def _cell(tag: str, inside: Inside, column: Column, *, scope: str | None = None) -> Html:
    return element(tag, inside, scope=scope, class_="number" if column.numbers else None)
