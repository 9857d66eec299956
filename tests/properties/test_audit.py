"""P-AUDIT on chains in memory: every single change of a chain is found, and where."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from grantproof.service import audit_chain
from grantproof.service.audit_chain import (
    Anchor,
    AuditKey,
    Checkpoint,
    Content,
    Fault,
    Person,
    Sealed,
    faults,
)

KEY, OTHER_KEY = AuditKey(b"k" * 32), AuditKey(b"o" * 32)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
SOMETIMES = st.none() | TEXTS
PEOPLE = st.builds(Person, TEXTS, TEXTS, SOMETIMES)


@st.composite
def chains(draw: st.DrawFn, key: AuditKey = KEY) -> tuple[Sealed, ...]:
    """The chain of an organization that was founded and changed a few times, some erased."""
    made: list[Sealed] = []
    for revision in range(draw(st.integers(1, 6))):
        person = draw(PEOPLE)
        content = Content(
            organization="acme",
            revision=revision,
            kind="change" if revision else "found",
            instant=draw(st.integers(0, 9)),
            request_id=draw(SOMETIMES),
            command=draw(TEXTS) if revision else audit_chain.founding("UTC"),
            delta=draw(TEXTS),
            commitment=audit_chain.commitment(str(person.salt), str(person.actor), person.reason),
        )
        one = audit_chain.sealed(key, made[-1].mac if made else "", content, person=person)
        if draw(st.booleans()):
            one = replace(one, person=audit_chain.erased(key, content, draw(st.integers(0, 9))))
        made.append(one)
    return tuple(made)


def anchor_of(chain: Sequence[Sealed]) -> Anchor:
    """The organization's own row, as it is after the chain."""
    created_at = chain[0].content.instant
    return Anchor(len(chain) - 1, chain[-1].mac, "UTC", created_at, None)


def found(chain: Sequence[Sealed], anchor: Anchor, mark: Checkpoint | None = None) -> list[Fault]:
    """What is found wrong."""
    return list(faults(KEY, anchor, chain, checkpoint=mark))


def another(draw: st.DrawFn, value: object) -> object:
    """Another value than the one given, of a type that its column may hold."""
    if isinstance(value, int):
        return draw(st.integers(0, 99).filter(lambda number: number != value))
    return draw(SOMETIMES.filter(lambda text: text != value))


@given(chains())
def test_p_audit_an_honest_chain_is_whole(chain: tuple[Sealed, ...]) -> None:
    """P-AUDIT: what was sealed and lawfully erased has no fault, and extends its checkpoints."""
    assert found(chain, anchor_of(chain)) == []
    for length in range(1, len(chain) + 1):
        mark = Checkpoint("acme", length, chain[length - 1].mac, 0, KEY.id)
        assert found(chain, anchor_of(chain), mark) == []


@given(chains(), st.data())
def test_p_audit_every_edit_is_found_where_it_is(chain: tuple[Sealed, ...], data: Any) -> None:
    """P-AUDIT: whatever field of whatever event is another, the first fault is at that event."""
    at = data.draw(st.integers(0, len(chain) - 1))
    victim = chain[at]
    part = data.draw(st.sampled_from(["content", "person", "seal"]))
    if part == "seal":
        name = data.draw(st.sampled_from(["key_id", "mac"]))
        edited = replace(victim, **{name: data.draw(TEXTS)})
    else:
        held: Any = getattr(victim, part)
        names = [field.name for field in fields(held) if field.name != "revision"]
        name = data.draw(st.sampled_from(names))
        value = another(data.draw, getattr(held, name))
        edited = replace(victim, **{part: replace(held, **{name: value})})
    assume(edited != victim)
    tampered = (*chain[:at], edited, *chain[at + 1 :])
    assert found(tampered, anchor_of(chain))[0].revision == at


@given(chains(), st.data())
def test_p_audit_every_removal_is_found_where_it_is(chain: tuple[Sealed, ...], data: Any) -> None:
    """P-AUDIT: an event, or who made it, that goes is missed at its own revision."""
    at = data.draw(st.integers(0, len(chain) - 1))
    without_author = (*chain[:at], replace(chain[at], person=None), *chain[at + 1 :])
    assert found(without_author, anchor_of(chain))[0].revision == at
    without = (*chain[:at], *chain[at + 1 :])
    faults = [fault.revision for fault in found(without, anchor_of(chain))]
    # The next one has lost what it was sealed onto; those after it are told to be whole.
    assert faults == [at, at + 1][: len(chain) - at]


@given(chains(), chains(OTHER_KEY), st.data())
def test_p_audit_no_other_key_makes_an_event(
    chain: tuple[Sealed, ...], forged: tuple[Sealed, ...], data: Any
) -> None:
    """P-AUDIT: an event that was sealed under another key, put in or appended, is found."""
    at = data.draw(st.integers(0, len(chain)))
    one = data.draw(st.sampled_from(forged))
    moved = replace(one.content, revision=at)
    before = chain[at - 1].mac if at else ""
    person = Person("s", "eve", None)
    stranger = audit_chain.sealed(OTHER_KEY, before, moved, person=person)
    for key_id in (OTHER_KEY.id, KEY.id):
        put = (*chain[:at], replace(stranger, key_id=key_id), *chain[at + 1 :])
        anchor = Anchor(len(put) - 1, put[-1].mac, "UTC", put[0].content.instant, None)
        assert found(put, anchor)[0].revision == at


@given(chains(), st.data())
def test_p_audit_every_reordering_is_found(chain: tuple[Sealed, ...], data: Any) -> None:
    """P-AUDIT: events in another order, numbered anew or not, are found at the first of them."""
    order = data.draw(st.permutations(range(len(chain))))
    assume(list(order) != list(range(len(chain))))
    first = next(place for place, of in enumerate(order) if place != of)
    numbered = tuple(
        replace(chain[of], content=replace(chain[of].content, revision=place))
        for place, of in enumerate(order)
    )
    assert found(numbered, anchor_of(numbered))[0].revision == first


@given(chains(), st.data())
def test_p_audit_a_cut_tail_is_found(chain: tuple[Sealed, ...], data: Any) -> None:
    """P-AUDIT: a shorter chain is found by its length, and one rolled back by a checkpoint."""
    kept = data.draw(st.integers(1, len(chain)))
    assume(kept < len(chain))
    shorter = chain[:kept]
    assert [fault.revision for fault in found(shorter, anchor_of(chain))] == [kept]
    mark = Checkpoint("acme", len(chain), chain[-1].mac, 0, KEY.id)
    assert found(shorter, anchor_of(shorter)) == []
    assert [fault.revision for fault in found(shorter, anchor_of(shorter), mark)] == [kept]


@given(chains(), TEXTS)
def test_p_audit_a_seal_belongs_to_one_organization(chain: tuple[Sealed, ...], name: str) -> None:
    """P-AUDIT: the chain of one organization is none of another."""
    assume(name != "acme")
    moved = tuple(replace(one, content=replace(one.content, organization=name)) for one in chain)
    assert found(moved, anchor_of(moved))[0].revision == 0


@given(st.lists(st.none() | TEXTS | st.integers(), max_size=4), st.data())
def test_p_audit_different_fields_have_different_seals(
    told: list[str | int | None], data: Any
) -> None:
    """P-AUDIT: no two lists of fields are the same bytes: `1` is no `"1"`, nothing no `""`."""
    other = data.draw(st.lists(st.none() | TEXTS | st.integers(), max_size=4))
    assume(other != told)
    assert KEY.seal(*told) != KEY.seal(*other)
    for one, another_one in ((1, "1"), (None, ""), ("", ""), ("ab", "a")):
        alike = one == another_one and type(one) is type(another_one)
        assert (KEY.seal(one, "b") == KEY.seal(another_one, "b")) is alike


def test_p_audit_no_secret_is_shown() -> None:
    """P-AUDIT: what is kept with events tells nothing of the key."""
    secret = b"k" * 32
    shown = (KEY.id, repr(KEY), str(vars(type(KEY)).keys()))
    assert not any(secret.hex() in text or "kkkk" in text for text in shown)
    assert KEY.id != OTHER_KEY.id
