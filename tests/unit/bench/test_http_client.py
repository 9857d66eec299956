"""Answers are read whole, with a length or in chunks, and an error is never taken for one."""

import pytest

from bench.http_client import Unexpected, answered, request_of

HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = HEAD + b"Content-Length: 2\r\n\r\n{}"
CHUNKED = (
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n5\r\n0\r\n\r\n\r\n2\r\n2]\r\n0\r\n\r\n"
)


def test_a_body_with_a_length_is_read_when_it_is_whole() -> None:
    """No part of an answer is one."""
    assert [answered(LENGTH[:at]) for at in range(len(LENGTH))] == [None] * len(LENGTH)
    assert answered(LENGTH) == b"{}"


def test_a_body_in_chunks_is_joined() -> None:
    """Also when a chunk holds what looks like the last one."""
    assert [answered(CHUNKED[:at]) for at in range(len(CHUNKED))] == [None] * len(CHUNKED)
    assert answered(CHUNKED) == b"[1,0\r\n\r\n2]"


@pytest.mark.parametrize("status", [b"401 Unauthorized", b"404 Not Found", b"503 No"])
def test_an_error_is_raised(status: bytes) -> None:
    """A server that refuses is not measured."""
    with pytest.raises(Unexpected, match=status.decode()):
        answered(LENGTH.replace(b"200 OK", status))


def test_an_answer_without_a_length_is_refused() -> None:
    """Where it ends cannot be told."""
    with pytest.raises(Unexpected, match="without a length"):
        answered(HEAD + b"\r\n{}")


def test_a_request_presents_the_credential_it_was_given() -> None:
    """And none where none was given."""
    assert b"\r\nAuthorization: Bearer key\r\n" in request_of("/x", b"{}", "key")
    assert b"Authorization" not in request_of("/x", b"{}")
