"""The guide to policies as files tells bounds as they are in the code."""

from grantproof.policyfile.yaml_source import YAML_LENGTH_MAX
from tests.repository.checkout import ROOT

GUIDE = (ROOT / "docs/policy.md").read_text(encoding="utf-8")


def test_the_guide_tells_the_bound_of_a_file() -> None:
    """In its own words."""
    assert f"up to {YAML_LENGTH_MAX // 1_000_000} million characters:" in GUIDE
