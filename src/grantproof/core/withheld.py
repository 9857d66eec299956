"""An allow that is not given: the decision did not pass a check of itself.

No request is denied for this reason by the rules; only a service that finds itself at fault does.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Withheld:
    """The `contract` that the decision broke."""

    contract: Literal["certificate", "shadow"]
