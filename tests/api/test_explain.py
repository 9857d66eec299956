"""POST /explain: the decision of the reference, and every claim that speaks of the request."""

from tests.api.service import READ_DOCS, Api, problem


def test_an_allow_is_explained_with_its_certificate(steady: Api) -> None:
    """Roles, certificate, and the claim with what it saw."""
    told = steady.post("/explain", json={**READ_DOCS, "principal_id": "bob"}).json()
    assert (told["decision"], told["reason"]) == ("Allow", None)
    assert told["certificate"]["roles"] == ["editor", "viewer"]
    assert told["effective_roles"] == told["active_roles"] == ["editor", "viewer"]
    assert [weighed["claim"]["id"] for weighed in told["claims"]] == ["viewer-read-docs"]
    assert told["claims"][0]["observations"][0]["held"] is True


def test_a_deny_shows_what_is_missing(steady: Api) -> None:
    """Claims of roles that the principal does not have are among what is weighed."""
    told = steady.post("/explain", json={**READ_DOCS, "action": "write"}).json()
    assert (told["decision"], told["reason_code"]) == ("Deny", "no_matching_claim")
    assert [(w["claim"]["id"], w["active"]) for w in told["claims"]] == [
        ("editor-write-docs", False)
    ]


def test_an_explanation_agrees_with_the_decision(steady: Api) -> None:
    """Reference and index say the same."""
    for changed in ({}, {"hour": 22}, {"principal_id": "dave"}, {"resource_id": "x"}):
        question = {**READ_DOCS, **changed}
        told = steady.post("/explain", json=question).json()
        decided = steady.post("/evaluate", json=question).json()
        for name in ("decision", "reason", "reason_code", "revision"):
            assert told[name] == decided[name]


def test_an_explanation_takes_review_scope(stranger: Api) -> None:
    """It tells what exists."""
    problem(stranger.post("/explain", json=READ_DOCS), 403, "insufficient_scope")


def test_a_malformed_question_is_not_explained(steady: Api) -> None:
    """The rules are those of a decision."""
    problem(steady.post("/explain", json={**READ_DOCS, "hour": 24}), 400, "invalid")
