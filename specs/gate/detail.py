"""What a stage reports for the page beside its verdicts: figures, what is read, pictures.

Nothing here decides whether a stage passes. A report without any of it is a whole report.
"""

import msgspec

from specs.picture import Picture


class Detail(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Of one row: numbers and words by name, the functions whose source is read, a picture."""

    figures: dict[str, int] = {}
    labels: dict[str, str] = {}
    reads: tuple[str, ...] = ()
    picture: Picture | None = None


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell of the inductive matrix, as `specs.matrix` has it."""

    command: str
    invariant: str
    kind: str
    theorems: tuple[str, ...]
    reason: str


class Unproved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function that is tested and not proved: by what, and why."""

    function: str
    tests: tuple[str, ...]
    reason: str


class Annex(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag="annex"
):
    """Of a whole stage: the matrix, the sha256 of each function read, what no proof uses."""

    seeds: tuple[int, ...] = ()
    sources: dict[str, str] = {}
    unused: tuple[str, ...] = ()
    tested: tuple[Unproved, ...] = ()
    cells: tuple[Cell, ...] = ()


NO_DETAIL = Detail()
NO_ANNEX = Annex()
