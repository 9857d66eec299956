"""API keys: their text, what is stored of one, and who calls with it."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.core.limits import KEY_LABEL_LENGTH_MAX
from grantproof.service.authors import Author
from grantproof.service.callers import EVERY_SCOPE, WITHIN_ORGANIZATION, Caller, Scope
from grantproof.service.credentials import (
    DEMO_TEXT,
    PREFIX_OF_DEMO,
    SECRET_BYTES,
    Key,
    digest,
    key_text,
    secret_of,
    well_formed,
)

PREFIX = "0123456789ab"
SECRET = secret_of(bytes(range(SECRET_BYTES)))
TEXT = key_text(PREFIX, SECRET)
ACME, ANN = OrganizationId("acme"), PrincipalId("ann")
KEY = Key(
    PREFIX,
    digest(TEXT.encode()).hex(),
    ACME,
    ANN,
    frozenset({Scope.EVALUATE}),
    "the web shop",
    created_at=1,
    created_by="os:root",
)


def test_the_text_of_a_key_is_fixed() -> None:
    """Scanners of source code look for it: every part stands where it stands."""
    assert TEXT == "gp_0123456789ab_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh816269bca"
    assert (well_formed(TEXT.encode()), well_formed(DEMO_TEXT.encode())) == (True, True)


def test_what_is_kept_of_a_key_is_the_hash_of_all_of_it() -> None:
    """SHA-256, so that neither prefix nor checksum can be exchanged."""
    assert digest(TEXT.encode()) == hashlib.sha256(TEXT.encode()).digest()


def test_every_slip_of_the_pen_is_seen() -> None:
    """No text that differs in one place, is longer or shorter, has the shape and the checksum."""
    whole = TEXT.encode()
    spoilt = [
        whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
        for at in range(len(whole))
        for bit in (1, 32)
    ]
    shortened = [whole[:length] for length in range(len(whole))]
    lengthened = [whole + b"0", b" " + whole, whole + b"\n", whole + b"\0"]
    assert [text for text in (*spoilt, *shortened, *lengthened) if well_formed(text)] == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"prefix": "0123456789a"}, "prefix"),
        ({"prefix": "0123456789aB"}, "prefix"),
        ({"digest": "0" * 63}, "digest"),
        ({"digest": "g" * 64}, "digest"),
        ({"organization": None}, "principal_id"),
        ({"scopes": frozenset()}, "scopes"),
        ({"scopes": EVERY_SCOPE}, "scopes"),
        ({"principal": None, "scopes": frozenset({Scope.OPERATE})}, "scopes"),
        ({"label": "x" * (KEY_LABEL_LENGTH_MAX + 1)}, "label"),
        ({"label": "line\nbreak"}, "label"),
        ({"created_by": "x" * 257}, "created_by"),
        ({"expires_at": -1}, "expires_at"),
        ({"revoked_at": 5}, "revoked_at"),
    ],
)
def test_an_illegal_key_cannot_be(changed: dict[str, Any], field: str) -> None:
    """Not even from the database; the field at fault is named."""
    with pytest.raises(Illegal) as refused:
        replace(KEY, **changed)
    assert refused.value.field == field


def test_keys_at_the_bounds_can_be() -> None:
    """The longest label; all scopes without an organization; all but one with it."""
    assert len(replace(KEY, label="x" * KEY_LABEL_LENGTH_MAX).label) == KEY_LABEL_LENGTH_MAX
    operators = replace(KEY, organization=None, principal=None, scopes=EVERY_SCOPE)
    assert operators.caller.scopes == EVERY_SCOPE
    assert replace(KEY, scopes=WITHIN_ORGANIZATION).caller.scopes == WITHIN_ORGANIZATION


def test_who_calls_is_named_in_events() -> None:
    """A principal by its id, and with its own rights; an operator by the key; the demo as that."""
    scopes = frozenset({Scope.EVALUATE})
    assert KEY.caller == Caller.with_scopes(ACME, scopes, author=Author("principal:ann", ANN))
    operators = replace(KEY, principal=None)
    assert operators.caller.author == Author(f"key:{PREFIX}")
    assert replace(operators, prefix=PREFIX_OF_DEMO).caller.author == Author("demo")


@pytest.mark.parametrize("scope", Scope)
def test_no_scope_includes_another(scope: Scope) -> None:
    """Trust and review are what the credential says, and nothing more."""
    caller = Caller.with_scopes(None, {scope}, author=Author("x"))
    assert caller.trusted_context == (scope is Scope.TRUSTED_CONTEXT)
    assert caller.review == (scope is Scope.REVIEW)


def test_a_caller_may_see_its_own() -> None:
    """All of them, when it is bound to none."""
    bound = Caller.with_scopes(ACME, {Scope.REVIEW}, author=Author("x"))
    assert (bound.may_see("acme"), bound.may_see("rival")) == (True, False)
    assert replace(bound, organization=None).may_see("anything")
