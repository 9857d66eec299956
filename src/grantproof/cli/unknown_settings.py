"""Names in the environment that read like settings and are none: a typo must not pass in silence.

They are told and not refused: an orchestrator may put names of its own beside ours.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Final

from grantproof.cli.output import complain
from grantproof.policyfile.nearest_name import nearest_name
from grantproof.settings import Settings

PREFIX: Final = "GRANTPROOF_"
COMMANDS_OWN: Final = frozenset({"KEY", "KEY_FILE", "ORG", "SERVER"})
"""What commands take of the environment that is no setting of a service."""
SERVICE_LINK: Final = re.compile(r"SERVICE_(HOST|PORT\w*)|PORT_\d+_(TCP|UDP)\w*")
"""What Kubernetes tells of a Service that is called grantproof."""


def unknown_settings(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each name that is no setting, with the one that was probably meant."""
    known = COMMANDS_OWN | {name.upper() for name in Settings.model_fields}
    for name in sorted(environment):
        own = name.upper().removeprefix(PREFIX)
        if own == name.upper() or own in known or SERVICE_LINK.fullmatch(own):
            continue
        nearest = nearest_name(own, known)
        hint = (
            "`grantproof serve --print-config` lists them"
            if nearest is None
            else f"did you mean `{PREFIX}{nearest}`?"
        )
        yield f"`{name}` in the environment is no setting, and does nothing: {hint}"


def tell_unknown_settings() -> None:
    """Tell them on the standard error."""
    for line in unknown_settings(os.environ):
        complain(line)
