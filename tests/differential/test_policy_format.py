"""Formatting a policy file changes its layout and nothing else, whatever the file looks like."""

import json
import random as random_module
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.organization import Organization
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.policyfile.policy_folder import read_policy
from grantproof.policyfile.policy_format import format_policy
from grantproof.policyfile.policy_text import read_source, write_json, write_yaml
from grantproof.policyfile.source import Source
from tests.documents import from_organization
from tests.strategies.organizations import organizations
from tests.strategies.policy_texts import policy_texts

SIGN = "# c"


def holding(text: str) -> object:
    """What the text says; it can be read."""
    source = read_source(text)
    assert isinstance(source, Source)
    return source.data


def formatted(text: str) -> str:
    """The canonical form; there is one."""
    made = format_policy(text)
    assert isinstance(made, str), made
    return made


@settings(max_examples=150)
@given(policy_texts())
def test_formatting_is_idempotent_and_changes_no_meaning(text: str) -> None:
    """And keeps every comment: what was written beside, above, within brackets and after a dash.

    Comments are counted by their sign, which no value holds.
    """
    made = formatted(text)
    assert formatted(made) == made
    assert json.dumps(holding(made), sort_keys=True) == json.dumps(holding(text), sort_keys=True)
    assert made.count(SIGN) == text.count(SIGN)
    assert not any(line.endswith(" ") for line in made.splitlines())


@given(st.text(alphabet="{}[]:,-&*!|>'\"%@?# \n\tax01.~\\\u2028é", max_size=40))
def test_no_text_makes_a_reader_fail(text: str) -> None:
    """Whatever stands in a file, by itself or below a head: it is formatted, or problems are told.

    What is formatted is canonical and says the same.
    """
    head = "apiVersion: grantproof/v1\nkind: Organization\n"
    for whole in (text, head + text):
        read = read_policy({"a": head, "b": whole})
        assert isinstance(read, tuple)
        assert all("\n" not in problem.message for problem in read)
        made = format_policy(whole)
        if isinstance(made, str):
            assert formatted(made) == made
            assert json.dumps(holding(made), sort_keys=True) == json.dumps(
                holding(whole), sort_keys=True
            )


def test_what_is_drawn_is_what_people_write() -> None:
    """Most of it has comments, and some of it every form that is laid out in its own way."""
    seen: list[str] = []

    @settings(max_examples=100, database=None)
    @given(policy_texts())
    def keep(text: str) -> None:
        seen.append(text)

    keep()
    assert sum(SIGN in text for text in seen) > len(seen) // 2
    for form in (": |\n", "- # c", "[ # c", "&a1\n", ": {", ": >-"):
        assert any(form in text for text in seen), form


@settings(max_examples=20)
@given(organizations())
def test_what_is_exported_is_canonical(state: Organization) -> None:
    """In both forms, whatever is in it."""
    document = from_organization(state)
    for written in (write_yaml(document), write_json(document)):
        assert formatted(written) == written


@settings(max_examples=50)
@given(organizations(), st.randoms(use_true_random=False))
def test_an_organization_survives_being_split_and_formatted(
    state: Organization, random: random_module.Random
) -> None:
    """Its entries dealt out to three files, each formatted, read together are the organization."""
    document = from_organization(state)
    head = {"apiVersion": "grantproof/v1", "kind": "Organization"}
    files: list[dict[str, Any]] = [
        dict(head, id=document.id, time_zone=document.time_zone),
        dict(head),
        dict(head),
    ]
    for name in OrganizationDocument.lists():
        for entry in document.written()[name]:
            random.choice(files).setdefault(name, []).append(entry)
    texts = {str(at): formatted(json.dumps(file)) for at, file in enumerate(files)}
    read = read_policy(texts)
    assert isinstance(read, OrganizationDocument)
    written, whole = read.written(), document.written()
    for name in OrganizationDocument.lists():
        assert sorted(map(json.dumps, written.pop(name))) == sorted(
            map(json.dumps, whole.pop(name))
        )
    assert written == whole
