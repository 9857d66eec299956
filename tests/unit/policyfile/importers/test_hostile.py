"""Whatever a text holds, an importer answers: it translates it, or refuses it in its place."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.identifiers import OrganizationId
from grantproof.policyfile.importers.casbin import read_casbin
from grantproof.policyfile.importers.keycloak import read_keycloak
from grantproof.policyfile.importers.kubernetes import read_kubernetes
from grantproof.policyfile.importers.reading import Imported, Refused, Text
from tests.unit.policyfile.importers.test_casbin import GROUPED
from tests.unit.policyfile.importers.test_keycloak import REALM
from tests.unit.policyfile.importers.test_keycloak_authorization import REALM as AUTHORIZED
from tests.unit.policyfile.importers.test_kubernetes import SAMPLE

Json = Any
ORGANIZATION = OrganizationId("o")
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1.5, "", "x", "a b", "*", "/", "get", "\u00e9", "x" * 200]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["name", "kind", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(data: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths to every part of the data."""
    listed = dict(enumerate(data)) if isinstance(data, list) else data
    inside = listed.items() if isinstance(listed, dict) else ()
    return [path, *(found for key, each in inside for found in places(each, (*path, key)))]


def changed(data: Json, path: Sequence[str | int], value: Json) -> Json:
    """The data with another value in a place."""
    if not path:
        return value
    copy = data.copy()
    copy[path[0]] = changed(data[path[0]], path[1:], value)
    return copy


@pytest.mark.parametrize(
    ("read", "sample"),
    [(read_kubernetes, SAMPLE), (read_keycloak, REALM), (read_keycloak, AUTHORIZED)],
    ids=["k8s", "realm", "authorized"],
)
@settings(max_examples=50)
@given(data=st.data())
def test_any_value_in_any_place_is_answered(
    read: Callable[..., Imported | tuple[Refused, ...]], sample: Json, data: st.DataObject
) -> None:
    """No exception; every problem has a place in the text."""
    text = sample
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(places(text)))
        text = changed(text, path, data.draw(VALUES))
    found = read([Text("f.json", json.dumps(text, indent=1))], ORGANIZATION)
    told = found.untranslated if isinstance(found, Imported) else found
    assert isinstance(found, Imported) or found
    assert all(each.line >= 1 and each.column >= 1 for each in told)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["p", "g", "g2", "x", ""]),
            st.lists(st.sampled_from(["a", "b", "c", '"a,b"', "", '"', "*"]), max_size=4),
        ),
        max_size=6,
    )
)
def test_any_lines_of_a_policy_are_answered(lines: list[tuple[str, list[str]]]) -> None:
    """Too few values, too many, quotes that do not end, cycles: all of it."""
    policy = "\n".join(", ".join([kind, *values]) for kind, values in lines)
    found = read_casbin([Text("m.conf", GROUPED), Text("p.csv", policy)], ORGANIZATION)
    assert isinstance(found, Imported) or found


@settings(max_examples=50)
@given(
    st.integers(0, len(GROUPED)), st.sampled_from(["", "[", "]", "=", ",", "(", "&&", "\n", "x"])
)
def test_any_damage_to_a_model_is_answered(position: int, damage: str) -> None:
    """One sign more, or one less."""
    model = GROUPED[:position] + damage + GROUPED[position + (damage == "") :]
    found = read_casbin([Text("m.conf", model), Text("p.csv", "p, a, b, c")], ORGANIZATION)
    assert isinstance(found, Imported) or found
