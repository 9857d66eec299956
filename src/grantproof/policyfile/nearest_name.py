"""The valid name that a mistyped one was most likely meant to be.

Among a few names the most similar is looked for. Among many only what one slip of the hand makes of
the name is: a letter left out, put in, changed or swapped, which costs the same however many there
are.
"""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from string import ascii_letters, digits
from typing import Final

COMPARED_MAX: Final = 200
"""Among so many names each is compared."""

LETTERS: Final = ascii_letters + digits + "_.:@+=~$/-"
SIMILAR: Final = 0.6
"""How similar a name must be to be worth telling, from 0 to 1, as `difflib` measures it."""


def nearest_name(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is most like this one, or nothing when none is like it."""
    if len(known) <= COMPARED_MAX:
        return next(iter(get_close_matches(name, sorted(known), n=1, cutoff=SIMILAR)), None)
    return next((slip for slip in _slips(name) if slip in known), None)


def _slips(name: str) -> Iterator[str]:
    """Yield what one slip makes of the name, whole changes of case first, each in a fixed order."""
    yield from (name.lower(), name.upper(), name.replace("_", "-"), name.replace("-", "_"))
    halves = [(name[:at], name[at:]) for at in range(len(name) + 1)]
    yield from (left + right[1] + right[0] + right[2:] for left, right in halves if right[1:])
    yield from (left + right[1:] for left, right in halves if right)
    yield from (left + letter + right[1:] for left, right in halves if right for letter in LETTERS)
    yield from (left + letter + right for left, right in halves for letter in LETTERS)
