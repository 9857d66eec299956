"""Policy files as people write them: any order, any indentation, brackets, comments everywhere.

They say that they are organizations, and hold anything; all of them are YAML.
"""

from random import Random
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

PAD: Final = "@"
"""Stands in a scalar of several lines for the indentation of its key."""

SCALARS: Final = (
    "a",
    "b.c",
    "'x y'",
    '"q # z"',
    "12",
    "it's",
    "a#b",
    "~",
    "",
    f"|\n{PAD}  one\n{PAD}  # no comment\n{PAD}\n{PAD}\n{PAD}  two",
    f">-\n{PAD}  fold\n{PAD}  ed",
    f"|+\n{PAD}  keep\n\n",
    f'"multi\n{PAD}  line"',
    f"plain\n{PAD}  more # c",
    "[a, b]",
    "{x: y, z: [1]}",
    "[]",
    "{}",
    f"[ # c\n{PAD}  a, # c\n{PAD}\n{PAD}  # c\n{PAD}  b ]",
    f"{{a: 1,\n{PAD}  b: 2}}",
    "{type: x, start: 1}",
)
SECTIONS: Final = ("roles", "claims", "id", "assignments", "principals")
FIELDS: Final = ("id", "role", "constraints", "start", "type", "colour")


def policy_texts() -> SearchStrategy[str]:
    """Texts with the head of a policy file."""
    return st.integers(0, 2**32).map(lambda seed: _text(Random(seed)))


def _text(random: Random) -> str:
    sections = random.sample(SECTIONS, random.randrange(1, 4))
    writer = _Writer(random)
    body = (
        writer.gap(0) + writer.pair(name, indent=0, depth=2 if random.random() < 0.8 else 0)
        for name in sections
    )
    head = f"{writer.gap(0)}kind: Organization\n{writer.gap(0)}apiVersion: grantproof/v1\n"
    return head + "".join(body) + writer.gap(0)


class _Writer:
    """Writes nested lists and objects, each time in another style."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._anchors = 0

    def gap(self, indent: int) -> str:
        """Return comments and blank lines, at more or less the indentation."""
        lines = ""
        while self._random.random() < 0.3:
            column = max(0, indent + self._random.choice((-2, 0, 0, 2, 4)))
            lines += self._random.choice(("\n", "\n\n", " " * column + "# c\n"))
        return lines

    def pair(self, name: str, *, indent: int, depth: int) -> str:
        """Return a key and its value, with nothing before the key."""
        if depth == 0 or self._random.random() < 0.4:
            return self._beside(f"{name}: {self._scalar(indent)}")
        anchor = self._anchor() if self._random.random() < 0.2 else ""
        nested = self._list if self._random.random() < 0.6 else self._object
        deeper = indent + self._random.choice((0, 2) if nested == self._list else (1, 2, 4))
        return self._beside(f"{name}: {anchor}") + nested(deeper, depth - 1)

    def _list(self, indent: int, depth: int) -> str:
        return "".join(
            f"{self.gap(indent)}{' ' * indent}{self._member(indent, depth)}"
            for _ in range(self._random.randrange(1, 4))
        )

    def _member(self, indent: int, depth: int) -> str:
        kind = self._random.random()
        if kind < 0.5:
            space = self._random.choice((1, 2, 3))
            inner = self._object(indent + 1 + space, depth)
            return inner if inner.startswith("#") else "-" + inner[indent + 1 :].lstrip("\n")
        if kind < 0.6:
            return f"- # c\n{self._object(indent + 2, depth)}"
        return self._beside(f"- {self._scalar(indent)}")

    def _object(self, indent: int, depth: int) -> str:
        names = self._random.sample(FIELDS, self._random.randrange(1, 4))
        first, *others = (self.pair(name, indent=indent, depth=depth) for name in names)
        pad = " " * indent
        return pad + first + "".join(f"{self.gap(indent)}{pad}{other}" for other in others)

    def _scalar(self, indent: int) -> str:
        anchor = f"{self._anchor()} " if self._random.random() < 0.1 else ""
        return anchor + self._random.choice(SCALARS).replace(PAD, " " * indent)

    def _anchor(self) -> str:
        self._anchors += 1
        return f"&a{self._anchors}"

    def _beside(self, text: str) -> str:
        commented = not any(sign in text for sign in "|>#") and self._random.random() < 0.2
        return f"{text.rstrip(' ')}{' # c' if commented else ''}\n"
