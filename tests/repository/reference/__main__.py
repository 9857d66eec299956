"""Writes what is made of the code below `docs`: `python -m tests.repository.reference`.

The OpenAPI document first, and the schemas of policy files: pages are made of them.
"""

from grantproof.api import openapi
from grantproof.policyfile.policy_schema import write_schema
from grantproof.policyfile.policy_test_document import write_test_schema
from tests.repository.reference.markdown import DOCS, FOLDER
from tests.repository.reference.pages import PAGES


def write() -> None:
    """Write each document and each page."""
    (DOCS / "openapi.json").write_text(openapi.written(), encoding="utf-8")
    schemas = {"organization": write_schema(), "policy-test": write_test_schema()}
    for name, schema in schemas.items():
        (DOCS / "schema" / f"{name}.schema.json").write_text(schema, encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    for name, written in PAGES.items():
        (FOLDER / name).write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    write()
