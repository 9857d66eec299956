"""The OpenAPI document: committed, whole, and true."""

import re
from pathlib import Path
from typing import Any, get_args

from fastapi.routing import iter_route_contexts

from grantproof.api import problems
from grantproof.api.administration import administration_app
from grantproof.api.front import AUTHZEN, CONSUME, OF_ORGANIZATION, PATHS, ROUTES, WHAT_IF
from grantproof.api.openapi import written
from grantproof.core.errors import SingleRefusal
from grantproof.core.policy import Reason
from grantproof.core.sessions import NoSession, SessionRefusal
from grantproof.core.withheld import Withheld
from grantproof.policyfile.answers import CODES
from grantproof.policyfile.witnesses import KINDS, SESSION_KINDS
from tests.api.service import Api

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
HOW = "run `python -m grantproof.api.openapi > docs/openapi.json`"


def test_the_committed_document_is_the_one_we_serve() -> None:
    """Whoever changes a route commits what it does to the document."""
    assert COMMITTED.read_text(encoding="utf-8") == written(), HOW


def test_every_route_is_in_the_document(steady: Api) -> None:
    """Those of the router and those in front of it, with every method."""
    document = steady.get("/openapi.json").json()
    described = {
        (path, method.upper()) for path, item in document["paths"].items() for method in item
    }
    routes = {
        (context.path_format, method)
        for context in iter_route_contexts(administration_app().routes)
        for method in context.methods or ()
        if context.path_format is not None and context.path_format.startswith(("/v1", "/p"))
    }
    assert routes <= described
    assert {(path, "POST") for path in ROUTES} <= described
    assert len(routes) > 40


def test_every_reference_resolves_and_nothing_is_left_over(steady: Api) -> None:
    """No schema is missing; FastAPI's own errors, which we never answer, are gone."""
    text = steady.get("/openapi.json").text
    schemas = steady.get("/openapi.json").json()["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text)) <= set(schemas)
    assert "HTTPValidationError" not in text


def test_decisions_have_schemas_examples_and_errors(steady: Api) -> None:
    """What is answered in front of the router is described like the rest, and the examples hold."""
    document = steady.get("/openapi.json").json()
    for path in PATHS:
        operation = document["paths"][path]["post"]
        once = {CONSUME: ["409", "422"], WHAT_IF: ["409"]}.get(path, [])
        assert set(operation["responses"]) == {
            *["200", "400", "401", "403", "408", "413", "415", "421", "429", "500", "503", *once]
        }
        content = operation["requestBody"]["content"]["application/json"]
        for example in content["examples"].values():
            assert steady.post(path, json=example["value"]).status_code == 200


def test_the_routes_of_authzen_are_described_in_their_own_language(steady: Api) -> None:
    """Errors are text, nothing is 415, and the examples hold for both addresses of each."""
    document = steady.get("/openapi.json").json()
    for path in (*AUTHZEN, *(OF_ORGANIZATION + path for path in AUTHZEN)):
        operation = document["paths"][path]["post"]
        answers = operation["responses"]
        assert set(answers) == {
            *["200", "400", "401", "403", "408", "413", "421", "429", "500", "503"]
        }
        kinds = {
            kind for status in answers if status != "200" for kind in answers[status]["content"]
        }
        assert kinds == {"text/plain"}
        for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
            address = path.format(org="acme")
            assert steady.post(address, json=example["value"]).status_code == 200


def test_the_answer_has_the_fields_of_its_schema(steady: Api) -> None:
    """An evaluation with everything but a meter in it, against what is said of it."""
    document = steady.get("/openapi.json").json()
    schema: dict[str, Any] = document["components"]["schemas"]["Evaluation"]
    answer = steady.post(
        "/evaluate",
        json={
            "org_id": "acme",
            "principal_id": "bob",
            "action": "read",
            "resource_id": "docs",
            "hour": 10,
            "explain": True,
        },
    ).json()
    assert set(answer) | {"meter_age"} == set(schema["properties"])
    certificate = document["components"]["schemas"]["Certificate"]
    assert set(answer["certificate"]) == set(certificate["properties"])


def test_the_terms_of_changes_are_described_where_they_are_taken(steady: Api) -> None:
    """A key by every POST that changes something, a revision by every change of an organization.

    And what they lead to.
    """
    document = steady.get("/openapi.json").json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            named = {one["name"] for one in operation.get("parameters", ())}
            asked, answered = named & set(TERMS), set(operation["responses"]) & set(TERMS.values())
            assert {TERMS[name] for name in asked} == answered, (path, method)
            keyed = method == "post" and path not in QUESTIONS
            assert ("Idempotency-Key" in named) == keyed, (path, method)
            changing = method != "get" and path not in {*ROUTES, *QUESTIONS, *WITHOUT_REVISION}
            assert ("If-Match" in named) == changing, (path, method)


QUESTIONS = {
    *{*ROUTES} - {CONSUME},
    *(f"/v1/orgs/{{org}}/{name}" for name in ("who-can", "why-not", "not-granted", "reach")),
}
"""What is posted there changes nothing. Every other POST takes effect once under a key."""

WITHOUT_REVISION = {
    "/v1/keys",
    "/v1/keys/{prefix}",
    "/v1/orgs",
    "/v1/orgs/{org}",
    "/v1/orgs/{org}/reach",
    "/v1/orgs/{org}/usage",
    "/v1/orgs/{org}/sessions",
    "/v1/orgs/{org}/sessions/{session}",
    "/v1/orgs/{org}/sessions/{session}/roles",
    "/v1/orgs/{org}/sessions/{session}/roles/{role}",
}
"""What is changed there is at no revision, or is the organization as a whole."""

TERMS = {"If-Match": "412", "Idempotency-Key": "422"}


def test_a_refused_change_says_with_which_codes(steady: Api) -> None:
    """Programs tell refusals apart by their codes: each that a 409 may have stands at the 409."""
    document = steady.get("/openapi.json").json()
    codes = {f"`{code}`" for code, (status, _) in problems.KINDS.items() if status == 409}
    described = {
        operation["responses"]["409"]["description"]
        for item in document["paths"].values()
        for operation in item.values()
        if "409" in operation["responses"]
    }
    assert [set(re.findall("`[a-z_]+`", one)) for one in described] == [codes]


def test_every_reason_and_every_refusal_has_its_code() -> None:
    """The tables are as long as the unions."""
    assert set(CODES) == {*get_args(Reason), Withheld, NoSession}
    assert set(KINDS) == set(get_args(SingleRefusal))
    assert set(SESSION_KINDS) == set(get_args(SessionRefusal)) - set(KINDS)


def test_integers_are_bounded_by_integers(steady: Api) -> None:
    """A bound of 64 bits is not rounded."""
    text = steady.get("/openapi.json").text
    assert "9223372036854775807" in text
    assert not re.search(r"\de\+|\d\.\d", re.sub(r'"[^"]*"', "", text))
