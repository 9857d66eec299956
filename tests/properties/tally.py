"""How often a property test met the cases that make it worth running."""

import sys
from collections import Counter


class Tally:
    """Counts of what happened; a test that never met its case must not pass."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.counts: Counter[str] = Counter()

    def saw(self, case: str, happened: bool = True) -> None:
        """Count the case when it happened."""
        self.counts[case] += happened

    def expect(self, **minimums: int) -> None:
        """Print the counts, then fail unless each case was met at least so often."""
        found = ", ".join(f"{case} {count}" for case, count in sorted(self.counts.items()))
        sys.stdout.write(f"{self.title}: {found}\n")
        missed = {
            case: (self.counts[case], minimum)
            for case, minimum in minimums.items()
            if self.counts[case] < minimum
        }
        assert missed == {}, f"{self.title}: case: (found, expected): {missed}"
