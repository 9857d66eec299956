"""What may be a name, and that nothing that only looks like one is."""

import re

import pytest

from grantproof.core.errors import Illegal
from grantproof.core.identifiers import (
    IMPLICIT_KINDS,
    RESERVED_PREFIXES,
    Action,
    AttributeName,
    ClaimId,
    GroupId,
    Identifier,
    Kind,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
    SodSetId,
)

FIELDS: dict[type[Identifier], str] = {
    OrganizationId: "org_id",
    PrincipalId: "principal_id",
    GroupId: "group_id",
    RoleId: "role_id",
    ClaimId: "claim_id",
    SodSetId: "sod_set_id",
    Action: "action",
    Region: "region",
    Kind: "kind",
    ResourceId: "resource_id",
    AttributeName: "attribute",
}
LENGTHS: dict[type[Identifier], int] = dict.fromkeys(FIELDS, 128)
LENGTHS |= {ResourceId: 141, AttributeName: 64}
EVERY = sorted(FIELDS, key=lambda one: one.__name__)
PLAIN = [one for one in EVERY if one not in {ResourceId, AttributeName}]
# Each looks like "ann", or prints as it, and is another string.
LOOK_ALIKES = {
    "cyrillic a": "\u0430nn",
    "fullwidth a": "\uff41nn",
    "accent": "\u00e1nn",
    "combining accent": "ann\u0301",
    "zero width space": "an\u200bn",
    "zero width joiner": "\u200dann",
    "right to left override": "\u202eann",
    "soft hyphen": "an\u00adn",
    "no-break space": "ann\u00a0",
    "digit that is no ASCII digit": "ann\u0661",
    "trailing line feed": "ann\n",
    "trailing carriage return": "ann\r",
    "null": "ann\0",
    "delete": "ann\x7f",
}


def rule_broken(kind: type[Identifier], text: str) -> str | None:
    """The rule that the text breaks as this kind of id, or nothing when it is one."""
    try:
        kind(text)
    except Illegal as illegal:
        return illegal.rule if illegal.field == FIELDS[kind] else f"of `{illegal.field}`"
    return None


@pytest.mark.parametrize("kind", EVERY)
def test_an_id_has_one_character_up_to_the_limit(kind: type[Identifier]) -> None:
    """Lengths 1, limit - 1 and limit are legal; 0 and limit + 1 are not."""
    limit = LENGTHS[kind]
    assert [rule_broken(kind, "a" * length) for length in (1, limit - 1, limit)] == [None] * 3
    assert rule_broken(kind, "") == "must not be empty"
    assert rule_broken(kind, "a" * (limit + 1)) == f"must have at most {limit} characters"


@pytest.mark.parametrize("kind", PLAIN)
def test_a_plain_id_may_hold_these_signs_after_its_first(kind: type[Identifier]) -> None:
    """Signs of addresses and versions are legal inside; only letters, digits, `_` come first."""
    first = [sign for sign in map(chr, range(128)) if rule_broken(kind, sign) is None]
    inside = [sign for sign in map(chr, range(128)) if rule_broken(kind, f"a{sign}") is None]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    assert set(first) == set(f"0123456789_{letters}")
    assert set(inside) - set(first) == set(".:@+=~$-")


def test_only_a_resource_id_may_hold_a_slash() -> None:
    """A path names a resource and nothing else."""
    accepting = [kind for kind in EVERY if rule_broken(kind, "a/b") is None]
    assert accepting == [ResourceId]
    assert rule_broken(ResourceId, "/a/b/") is None


def test_an_attribute_name_is_a_word() -> None:
    """Digits and hyphens come later than first; dots, colons and the rest never come."""
    legal = ["a", "_a", "a-1", "A_b"]
    assert [rule_broken(AttributeName, text) for text in legal] == [None] * 4
    illegal = ["1a", "-a", "a.b", "a:b", "a/b", "a b", "a@b"]
    assert None not in {rule_broken(AttributeName, text) for text in illegal}


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("text", LOOK_ALIKES.values(), ids=LOOK_ALIKES.keys())
def test_what_only_looks_like_an_id_is_refused(kind: type[Identifier], text: str) -> None:
    """ASCII only, to the last character, so that no two ids look alike."""
    assert kind.alphabet.pattern in (rule_broken(kind, text) or "")


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("text", ["*", "a*", "docs/**", "a b", " a", "a\t"])
def test_a_pattern_is_never_an_id(kind: type[Identifier], text: str) -> None:
    """Nothing with a star or white space is an id, so patterns stay apart from ids."""
    assert rule_broken(kind, text) is not None


@pytest.mark.parametrize("text", IMPLICIT_KINDS)
def test_the_kinds_of_implicit_resources_are_taken(text: str) -> None:
    """Nobody declares the kind `role`, `group`, `sod-set` or `organization`."""
    taken = "must not be one of role, group, sod-set, organization: reserved"
    assert rule_broken(Kind, text) == taken
    assert rule_broken(Kind, f"{text}s") is None
    assert rule_broken(Kind, text.upper()) is None


def test_the_attribute_id_is_taken() -> None:
    """`principal.id` is the principal itself and no attribute."""
    assert rule_broken(AttributeName, "id") == "must not be `id`: reserved"
    assert rule_broken(AttributeName, "ID") is None


def test_the_reserved_prefixes_are_those_of_implicit_resources_and_of_patterns() -> None:
    """`role:`, `group:`, `sod-set:`, `organization:` and the pattern's `kind:`."""
    assert RESERVED_PREFIXES == ("role:", "group:", "sod-set:", "organization:", "kind:")


def test_a_pattern_of_a_kind_is_no_resource_id() -> None:
    """`kind:file` is how a pattern is written, so it never names a resource."""
    assert "pattern" in (rule_broken(ResourceId, "kind:file") or "")
    assert [rule_broken(ResourceId, text) for text in ("kind", "a/kind:file")] == [None, None]


def test_an_implicit_resource_of_the_longest_id_is_a_resource_id() -> None:
    """The longest organization id still has its resource."""
    assert rule_broken(ResourceId, f"organization:{'a' * 128}") is None


@pytest.mark.parametrize("kind", EVERY)
def test_an_id_costs_and_behaves_as_the_string_it_is(kind: type[Identifier]) -> None:
    """It equals, hashes and is found as its text, and carries no dictionary."""
    one = kind("abc")
    assert (one == "abc", hash(one), {"abc": 1}[one]) == (True, hash("abc"), 1)
    assert not hasattr(one, "__dict__")


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_many_texts_are_ids_exactly_if_each_is(kind: type[Identifier]) -> None:
    """One that is none among others is refused in the same words, wherever it stands."""
    good = ["ann", "b", "x" * LENGTHS[kind], "ann"]
    made = kind.each(good)
    assert (made, {type(one) for one in made}) == ([kind(text) for text in good], {kind})
    assert kind.each([]) == []
    broken = ["", "x" * (LENGTHS[kind] + 1), "a*", "a\nb", "a\n", "\n", *LOOK_ALIKES.values()]
    for text in broken:
        with pytest.raises(Illegal) as alone:
            kind(text)
        for texts in ([text], [*good, text], [text, *good], ["ann", text, "a*"]):
            with pytest.raises(Illegal, match=f"^{re.escape(str(alone.value))}$"):
                kind.each(texts)


@pytest.mark.parametrize(
    ("kind", "reserved"), [(Kind, "role"), (ResourceId, "kind:file"), (AttributeName, "id")]
)
def test_many_texts_with_a_reserved_one_are_refused(kind: type[Identifier], reserved: str) -> None:
    """The rules of a class of its own are kept too."""
    with pytest.raises(Illegal):
        kind.each(["ann", reserved])
