"""Policies as text, read by tests as they are read in production."""

from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import ChangeSet
from grantproof.core.organization import Organization
from grantproof.policyfile.organization_document import OrganizationDocument, to_change_set
from grantproof.policyfile.policy_folder import read_policy


def problems(text: str, *, file: str = "p.yaml") -> list[str]:
    """The problems of a text that is a whole policy, as a command line would show them."""
    read = read_policy({file: text})
    assert not isinstance(read, OrganizationDocument)
    return [problem.message for problem in read]


def accepted(text: str) -> OrganizationDocument:
    """The document of a text without problems."""
    read = read_policy({"p.yaml": text})
    assert isinstance(read, OrganizationDocument), read
    return read


def founded(text: str) -> Organization:
    """The organization that the policy makes of an empty one."""
    document = accepted(text)
    made = apply(document.empty(), ChangeSet(to_change_set(document)), actor="eve", instant=0)
    assert isinstance(made, Accepted), made
    return made.state
