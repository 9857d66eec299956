"""Patterns of actions and resources: what cannot be one."""

import pytest

from grantproof.core.errors import Illegal
from grantproof.core.patterns import OfKind


@pytest.mark.parametrize("kind", ["", "a b", "*", "\u0430", "a/b", "x" * 129])
def test_a_pattern_of_a_kind_names_a_legal_kind(kind: str) -> None:
    """A kind that could not be declared cannot be claimed either; implicit kinds can."""
    with pytest.raises(Illegal, match="`kind` must"):
        OfKind(kind)
    assert [OfKind(text).kind for text in ("file", "role")] == ["file", "role"]
