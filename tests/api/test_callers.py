"""Who calls under which settings."""

from grantproof.api.callers import Caller, caller_under
from grantproof.service.authors import Author
from grantproof.service.demo import ACME
from grantproof.settings import Settings


def test_the_demo_binds_everyone_to_its_organization() -> None:
    """And trusts them, so that the request may supply the context."""
    assert caller_under(Settings(demo=True)) == Caller(
        ACME, trusted_context=True, review=True, author=Author("demo")
    )


def test_otherwise_everyone_is_the_operator() -> None:
    """Bound to nothing, and trusted with the context only if the settings say so."""
    for trusted in (False, True):
        caller = caller_under(Settings(trust_context=trusted))
        assert caller == Caller(
            None, trusted_context=trusted, review=True, author=Author("operator")
        )


def test_a_caller_may_see_its_own() -> None:
    """All of them, when it is bound to none."""
    assert caller_under(Settings()).may_see("anything")
    bound = caller_under(Settings(demo=True))
    assert (bound.may_see("acme"), bound.may_see("rival")) == (True, False)
