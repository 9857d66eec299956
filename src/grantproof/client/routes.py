"""Which request takes which right: a table of methods and paths, looked through from the top.

What no line of the table names is refused, unless the table says otherwise.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

__all__ = ["Needed", "Open", "Routes", "Rule"]

ANY: Final = "*"
WEBSOCKET: Final = "WEBSOCKET"
"""The method of a web socket that is opened."""

PATTERNS_KEPT_MAX: Final = 1_024
PARAMETER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(:path)?\}")


@dataclass(frozen=True, slots=True)
class Needed:
    """The right that a request takes."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Requests of a method (or `*`) to a path take the right to do `action` on `resource`.

    `{name}` stands in the path for what is not empty and has no slash, `{name:path}` for any rest,
    and in the resource for what it stood for. A rule for `GET` is one for `HEAD` too. Raises
    `ValueError` for a resource with a name that the path does not have.
    """

    method: str
    path: str
    action: str
    resource: str
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = {name for name, _ in PARAMETER.findall(self.path)}
        unknown = sorted({name for name, _ in PARAMETER.findall(self.resource)} - known)
        if unknown:
            message = f"`{self.resource}` names `{unknown[0]}`, which `{self.path}` does not have"
            raise ValueError(message)
        object.__setattr__(self, "_pattern", _pattern(self.path))

    def needed(self, method: str, path: str) -> Needed | None:
        """Return the right that a request takes by this rule, if it is about the request."""
        if not _is_method(self.method, method):
            return None
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        return Needed(self.action, filled(self.resource, found.groupdict()))


@dataclass(frozen=True, slots=True)
class Open:
    """Requests of a method (or `*`) to a path are everybody's: nothing is asked."""

    method: str
    path: str

    def opens(self, method: str, path: str) -> bool:
        """Return whether the request is one of them."""
        found = _pattern(self.path).fullmatch(path)
        return _is_method(self.method, method) and found is not None


@dataclass(frozen=True, slots=True)
class Routes:
    """Rules in their order. What none is about is refused, or with `unmatched_open` everybody's."""

    rules: Sequence[Rule | Open]
    unmatched_open: bool = False

    def needed(self, method: str, path: str) -> Needed | Open | None:
        """Return the right that a request takes, that it takes none, or nothing: it is refused."""
        for rule in self.rules:
            if isinstance(rule, Open):
                if rule.opens(method, path):
                    return rule
            elif (found := rule.needed(method, path)) is not None:
                return found
        return Open(method, path) if self.unmatched_open else None


def filled(template: str, values: Mapping[str, object]) -> str:
    """Return the template with each `{name}` in it replaced; raises `KeyError` for no value."""
    return PARAMETER.sub(lambda found: str(values[found.group(1)]), template)


def _is_method(wanted: str, method: str) -> bool:
    return wanted in {ANY, method} or (wanted == "GET" and method == "HEAD")


@lru_cache(PATTERNS_KEPT_MAX)
def _pattern(path: str) -> re.Pattern[str]:
    parts, end = list[str](), 0
    for found in PARAMETER.finditer(path):
        parts.append(re.escape(path[end : found.start()]))
        parts.append(f"(?P<{found.group(1)}>{'.+' if found.group(2) else '[^/]+'})")
        end = found.end()
    return re.compile("".join((*parts, re.escape(path[end:]))), re.DOTALL)
