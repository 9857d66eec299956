"""The guide to importing tells what the importers know."""

import re

from grantproof.policyfile.importers.kubernetes import SPECIAL_VERBS
from tests.repository.checkout import ROOT

GUIDE = (ROOT / "docs/importing-from-others.md").read_text(encoding="utf-8")


def test_the_special_verbs_are_those_of_the_guide() -> None:
    """All in one row."""
    (row,) = re.findall(r"^\| (.*`impersonate`.*?) \|", GUIDE, re.MULTILINE)
    assert {*re.findall(r"`(\w+)`", row)} == {*SPECIAL_VERBS}
