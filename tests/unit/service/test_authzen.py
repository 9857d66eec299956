"""What an operator sets of AuthZEN: types of subjects, and the properties that count."""

import pytest
from pydantic import ValidationError

from grantproof.core.attributes import Root
from grantproof.core.errors import Illegal
from grantproof.service.authzen import SubjectTypes, Trusted
from grantproof.settings import Settings


def test_types_are_of_all_principals_or_of_a_group() -> None:
    """Each is named once."""
    assert dict(SubjectTypes.read("user staff=people").groups) == {"user": None, "staff": "people"}
    assert dict(SubjectTypes.read("").groups) == {}


@pytest.mark.parametrize("text", ["user user", "user user=staff", "=staff", "staff=", "staff=a/b"])
def test_wrong_types_are_refused(text: str) -> None:
    """By the value, and by the setting with its name."""
    with pytest.raises(Illegal):
        SubjectTypes.read(text)
    with pytest.raises(ValidationError, match="authzen_subject_types"):
        Settings(authzen_subject_types=text)


def test_properties_count_by_the_part_that_has_them() -> None:
    """Members of `context` that say where and when are no attributes."""
    trusted = Trusted.read("subject.role resource.a resource.b action.soft context.hour context.x")
    assert dict(trusted.properties) == {
        Root.PRINCIPAL: ("role",),
        Root.RESOURCE: ("a", "b"),
        Root.ACTION: ("soft",),
        Root.CONTEXT: ("x",),
    }
    assert trusted.situation == ("hour",)
    assert Trusted.read("subject.hour").situation == ()


@pytest.mark.parametrize(
    "text", ["role", "user.role", "subject.", "subject.id", "subject.a.b", "principal.role", "*"]
)
def test_wrong_properties_are_refused(text: str) -> None:
    """By the value, and by the setting with its name."""
    with pytest.raises(Illegal):
        Trusted.read(text)
    with pytest.raises(ValidationError, match="authzen_trusted"):
        Settings(authzen_trusted=text)


@pytest.mark.parametrize(
    "url",
    [
        "pdp.example.com",
        "http://pdp.example.com",
        "https://pdp.example.com/",
        "https://pdp.example.com/base",
        "https://pdp.example.com?x=1",
        "https://pdp.example.com#x",
        "https://me@pdp.example.com",
        "https://",
        "",
        "HTTPS://pdp.example.com",
    ],
)
def test_an_address_that_may_not_be_published_is_refused(url: str) -> None:
    """An origin by https, and nothing more."""
    with pytest.raises(ValidationError, match="public_url"):
        Settings(public_url=url)


@pytest.mark.parametrize(
    "url", ["https://pdp.example.com", "https://pdp.example.com:8443", "http://127.0.0.1:9090"]
)
def test_an_address_that_may_be_published(url: str) -> None:
    """By http only on this machine."""
    assert Settings(public_url=url).public_url == url
