"""HTML built of elements, in which everything that is not an element itself is escaped."""

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

VOID: Final = frozenset({"br", "col", "meta"})
"""The elements that have no end."""


@dataclass(frozen=True, slots=True)
class Html:
    """Markup. Only `element`, `joined` and what is written in this package make any."""

    text: str


Inside = str | Html
NOTHING: Final = Html("")


def text(content: str) -> Html:
    """Return text as markup: escaped, and without the control characters that HTML forbids."""
    kept = (sign if sign >= " " or sign in "\n\t" else "?" for sign in content)
    return Html(html.escape("".join(kept), quote=True))


def element(tag: str, *inside: Inside, **attributes: str | None) -> Html:
    """Return an element. `class_` and `for_` lose their underscore, the others become hyphens.

    An attribute that is nothing is left out.
    """
    written = "".join(
        f' {_named(name)}="{text(value).text}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{joined(*inside).text}</{tag}>")


def joined(*inside: Inside) -> Html:
    """Return parts one after the other."""
    return Html("".join(one.text if isinstance(one, Html) else text(one).text for one in inside))


def between(separator: str, parts: Iterable[Inside]) -> Html:
    """Return parts with a separator between them."""
    told: list[Inside] = []
    for part in parts:
        told += [separator, part] if told else [part]
    return joined(*told)


def link(target: str, *inside: Inside, title: str | None = None) -> Html:
    """Return a link to a place on the same page, by its id."""
    return element("a", *inside, href=f"#{target}", title=title)


def code(content: str, title: str | None = None) -> Html:
    """Return text as it stands in a source."""
    return element("code", content, title=title)


def details(summary: Inside, *inside: Inside, id_: str | None = None) -> Html:
    """Return a part that a reader opens."""
    return element("details", element("summary", summary), *inside, id=id_)


def anchor(*names: str) -> str:
    """Return an id for names: letters, digits and hyphens, in the case in which they stand."""
    return "-".join(
        "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in name)
        for name in names
    )


def _named(name: str) -> str:
    return name.rstrip("_").replace("_", "-")
