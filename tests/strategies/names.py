"""Where strategies take ids, numbers and strings from: any legal ones, or a few that often meet.

Every strategy that names things takes a `Names`. `ANY` serves round trips: each legal id, integer
and string, the extremes included. `FEW` serves semantics: so few that what is drawn apart refers
to the same things, repeats itself and contradicts itself.
"""

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, ParamSpec, TypeVar, cast

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from grantproof.core.geodesy import HALF_TURN, RIGHT_ANGLE, Position
from grantproof.core.identifiers import (
    IMPLICIT_KINDS,
    RESERVED_PREFIXES,
    Action,
    AttributeName,
    ClaimId,
    GroupId,
    GuardrailId,
    Identifier,
    Kind,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.limits import (
    ATTRIBUTE_NAME_LENGTH_MAX,
    ID_LENGTH_MAX,
    INSTANT_MAX,
    INSTANT_MIN,
    INTEGER_MAX,
    INTEGER_MIN,
    STRING_LENGTH_MAX,
)

Id = TypeVar("Id", bound=Identifier)
Parameters = ParamSpec("Parameters")
Built = TypeVar("Built")

WORD: Final = string.ascii_letters + string.digits + "_"
PLAIN: Final = WORD + ".:@+=~$-"


def once(build: Callable[Parameters, Built]) -> Callable[Parameters, Built]:
    """Build each strategy once: Hypothesis takes longer to validate a new one than to draw."""
    return cast("Callable[Parameters, Built]", cache(build))


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Strategies for whatever an entity can be made of. `resources` are ids one can register."""

    organizations: SearchStrategy[OrganizationId]
    principals: SearchStrategy[PrincipalId]
    groups: SearchStrategy[GroupId]
    roles: SearchStrategy[RoleId]
    kinds: SearchStrategy[Kind]
    resources: SearchStrategy[ResourceId]
    claims: SearchStrategy[ClaimId]
    sod_sets: SearchStrategy[SodSetId]
    guardrails: SearchStrategy[GuardrailId]
    actions: SearchStrategy[Action]
    regions: SearchStrategy[Region]
    positions: SearchStrategy[Position]
    attributes: SearchStrategy[AttributeName]
    strings: SearchStrategy[str]
    integers: SearchStrategy[int]
    instants: SearchStrategy[int]


def legal_text(first: str, others: str, *, length_max: int) -> SearchStrategy[str]:
    """Texts of 1 to `length_max` characters, one of `first` before any of `others`."""
    short = st.builds(str.__add__, st.sampled_from(first), st.text(others, max_size=8))
    longest = st.sampled_from(first).map(lambda letter: letter.ljust(length_max, others[-1]))
    return st.one_of(short, short, short, longest)


def legal_ids(kind_of_id: type[Id]) -> SearchStrategy[Id]:
    """Legal ids of one type, the longest included."""
    return legal_text(WORD, PLAIN, length_max=ID_LENGTH_MAX).map(kind_of_id)


def legal_kinds() -> SearchStrategy[Kind]:
    """Legal kinds: those of implicit resources are taken."""
    texts = legal_text(WORD, PLAIN, length_max=ID_LENGTH_MAX)
    return texts.filter(lambda text: text not in IMPLICIT_KINDS).map(Kind)


def legal_resources() -> SearchStrategy[ResourceId]:
    """Legal ids of resources that one can register: slashes, but no reserved beginning."""
    texts = legal_text(WORD + "/", PLAIN + "/", length_max=ID_LENGTH_MAX)
    return texts.filter(lambda text: not text.startswith(RESERVED_PREFIXES)).map(ResourceId)


def legal_attribute_names() -> SearchStrategy[AttributeName]:
    """Legal names of attributes: `id` is taken."""
    first, others = string.ascii_letters + "_", WORD + "-"
    texts = legal_text(first, others, length_max=ATTRIBUTE_NAME_LENGTH_MAX)
    return texts.filter(lambda text: text != "id").map(AttributeName)


def legal_strings() -> SearchStrategy[str]:
    """Strings of any Unicode characters but NUL, mostly short, the longest included."""
    legal = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    return st.text(legal, max_size=12) | st.just("\N{GRINNING FACE}" * STRING_LENGTH_MAX)


def legal_positions() -> SearchStrategy[Position]:
    """Places all over the earth, the poles and both sides of the date line included."""
    return st.builds(
        Position, st.integers(-RIGHT_ANGLE, RIGHT_ANGLE), st.integers(-HALF_TURN, HALF_TURN)
    )


def some(kind_of_id: type[Id], texts: str | Sequence[str]) -> SearchStrategy[Id]:
    """One of the ids written in `texts`, separated by blanks; shrinks to the first."""
    words = texts.split() if isinstance(texts, str) else texts
    return st.sampled_from([kind_of_id(word) for word in words])


ANY: Final = Names(
    organizations=legal_ids(OrganizationId),
    principals=legal_ids(PrincipalId),
    groups=legal_ids(GroupId),
    roles=legal_ids(RoleId),
    kinds=legal_kinds(),
    resources=legal_resources(),
    claims=legal_ids(ClaimId),
    sod_sets=legal_ids(SodSetId),
    guardrails=legal_ids(GuardrailId),
    actions=legal_ids(Action),
    regions=legal_ids(Region),
    positions=legal_positions(),
    attributes=legal_attribute_names(),
    strings=legal_strings(),
    integers=st.integers(INTEGER_MIN, INTEGER_MAX),
    instants=st.integers(INSTANT_MIN, INSTANT_MAX),
)
"""Every legal name, number and string."""

FEW: Final = Names(
    organizations=some(OrganizationId, "acme"),
    principals=some(PrincipalId, "ann bob cid"),
    groups=some(GroupId, "staff team unit"),
    roles=some(RoleId, "viewer editor owner auditor"),
    kinds=some(Kind, "document folder"),
    resources=some(ResourceId, "docs docs/a docs/a/b mail"),
    claims=some(ClaimId, "c0 c1 c2 c3 c4 c5"),
    sod_sets=some(SodSetId, "s0 s1"),
    guardrails=some(GuardrailId, "g0 g1"),
    actions=some(Action, "read write administer"),
    regions=some(Region, "eu us"),
    positions=st.sampled_from([Position(0, 0), Position(9_000, 0), Position(-1, 180_000_000)]),
    attributes=some(AttributeName, "owner level tags"),
    strings=st.sampled_from(["ann", "x", ""]),
    integers=st.integers(-1, 3),
    instants=st.integers(INSTANT_MIN, INSTANT_MIN + 6),
)
"""So few names, numbers and strings that two draws are often the same."""
