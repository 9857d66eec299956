"""Random bytes that nobody can guess, from the operating system."""

import secrets


class SystemChance:
    """A `Chance` that draws from the operating system's source of secrets."""

    def draw(self, count: int) -> bytes:
        """Return so many random bytes, fit for secrets."""
        return secrets.token_bytes(count)
