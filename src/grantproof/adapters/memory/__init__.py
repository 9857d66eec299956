"""A store that lives and dies with the process: for tests, trials and what-if."""

from grantproof.adapters.memory.keys import MemoryKeys
from grantproof.adapters.memory.store import MemoryStore

__all__ = ["MemoryKeys", "MemoryStore"]
