"""TLA+ values as TLC prints them, read into Python.

Records and functions become dictionaries by the text of the key, sets and sequences tuples in the
order printed; strings and model values are both text.
"""

import re
from collections.abc import Mapping
from typing import Final

Value = bool | int | str | tuple["Value", ...] | Mapping[str, "Value"]

TOKEN: Final = re.compile(r'\s*(\|->|:>|@@|<<|>>|[\[\]{}(),]|"[^"]*"|-?\d+|\w+)')
TRUTH: Final = {"TRUE": True, "FALSE": False}
CLOSING: Final = {"{": "}", "<<": ">>", "[": "]", "(": ")"}
BINDING: Final = {"[": "|->", "(": ":>"}
SEPARATOR: Final = {"[": ",", "(": "@@"}


class Unreadable(Exception):
    """The text is no value that this reader knows."""


def read_value(text: str) -> Value:
    """Return the value. Raises `Unreadable`."""
    tokens = _tokens(text)
    value = _value(tokens)
    if len(tokens) > 0:
        raise Unreadable(f"something follows the value in `{text}`")
    return value


def _tokens(text: str) -> list[str]:
    """Return the tokens, last first: the reader takes them from the end."""
    tokens: list[str] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        found = TOKEN.match(stripped, position)
        if found is None:
            raise Unreadable(f"unknown sign at {position} of `{text}`")
        tokens.append(found[1])
        position = found.end()
    return tokens[::-1]


def _value(tokens: list[str]) -> Value:
    token = _take(tokens)
    if token in BINDING:
        return _mapping(token, tokens)
    if token in CLOSING:
        return _elements(CLOSING[token], tokens)
    if token in TRUTH:
        return TRUTH[token]
    if token.lstrip("-").isdigit():
        return int(token)
    if token.startswith('"') or token[0].isalpha() or token[0] == "_":
        return token.strip('"')
    raise Unreadable(f"no value begins with `{token}`")


def _elements(closing: str, tokens: list[str]) -> tuple[Value, ...]:
    elements: list[Value] = []
    while _peek(tokens) != closing:
        elements.append(_value(tokens))
        if _peek(tokens) == ",":
            _take(tokens)
    _take(tokens)
    return tuple(elements)


def _mapping(opening: str, tokens: list[str]) -> Mapping[str, Value]:
    mapping: dict[str, Value] = {}
    while _peek(tokens) != CLOSING[opening]:
        key = _value(tokens)
        if _take(tokens) != BINDING[opening]:
            raise Unreadable(f"no value is bound to `{key}`")
        mapping[str(key)] = _value(tokens)
        if _peek(tokens) == SEPARATOR[opening]:
            _take(tokens)
    _take(tokens)
    return mapping


def _peek(tokens: list[str]) -> str:
    if len(tokens) == 0:
        raise Unreadable("the text ends within a value")
    return tokens[-1]


def _take(tokens: list[str]) -> str:
    token = _peek(tokens)
    tokens.pop()
    return token
