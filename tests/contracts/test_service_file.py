"""The address that `deploy` names: where the database is, and its password, in a service file."""

from contextlib import closing
from pathlib import Path

import pytest

from grantproof.bootstrap import compose
from grantproof.core.identifiers import OrganizationId
from grantproof.service.authors import Author
from grantproof.settings import Settings
from tests.databases import KEY_FILE
from tests.postgresql import GUEST, PASSWORD, Server
from tests.unit.test_deployed_files import environments

ACME = OrganizationId("acme")


@pytest.mark.parametrize("where", ["compose", "kubernetes"])
def test_the_address_of_the_manifests_reaches_the_database(
    where: str, postgresql_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a role that has to say its password, from a file that a group may read."""
    server = postgresql_server
    name = server.create()
    server.execute(name, f"GRANT ALL ON SCHEMA public TO {GUEST}")
    file = tmp_path / "pg_service.conf"
    lines = {"host": server.folder, "dbname": name, "user": GUEST, "password": PASSWORD}
    file.write_text("[grantproof]\n" + "".join(f"{key}={one}\n" for key, one in lines.items()))
    file.chmod(0o440)
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    address = environments()[where]["GRANTPROOF_DATABASE_URL"]
    settings = Settings(database_url=address, audit_key_file=KEY_FILE)
    with closing(compose(settings)) as services:
        assert services.administration.found(ACME, time_zone="UTC", by=Author("test"))
    assert server.query(name, "SELECT id FROM organization") == [("acme",)]
    server.drop(name)
