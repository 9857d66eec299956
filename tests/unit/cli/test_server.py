"""The server around the application: whose word for an address is taken."""

import asyncio
from typing import Any

import pytest

from grantproof.cli.server import configured
from grantproof.settings import Settings

PEER, CALLER = "10.0.0.7", "192.0.2.9"


@pytest.mark.parametrize(
    ("proxies", "client"),
    [("", PEER), ("10.0.0.8", PEER), ("10.0.0.7", CALLER), ("::1 10.0.0.0/8", CALLER)],
)
def test_forwarded_addresses_are_believed_of_proxies_only(
    proxies: str, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that the setting names; the variable of the server itself changes nothing."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    seen: list[Any] = []

    async def application(scope: Any, *_: Any) -> None:
        seen.append(scope["client"][0])

    config = configured(Settings(trusted_proxies=proxies))
    config.app, config.factory = application, False
    config.load()
    scope: dict[str, Any] = {
        "type": "http",
        "client": (PEER, 1),
        "headers": [(b"x-forwarded-for", CALLER.encode())],
    }
    whole: Any = config.loaded_app
    asyncio.run(whole(scope, None, None))
    assert seen == [client]


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "10.0.0.1/8", "10.0.0.0/33"])
def test_a_proxy_is_an_address_or_a_network(proxies: str) -> None:
    """Nothing that would let everybody in by mistake."""
    with pytest.raises(ValueError, match="must be addresses or networks"):
        Settings(trusted_proxies=proxies)
