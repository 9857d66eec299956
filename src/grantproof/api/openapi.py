"""Writes the OpenAPI document: `python -m grantproof.api.openapi > docs/openapi.json`."""

import json
import sys

from grantproof.api.administration import administration_app


def written() -> str:
    """Return the document as it is committed: sorted, one member a line."""
    return json.dumps(administration_app().openapi(), sort_keys=True, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(written())
