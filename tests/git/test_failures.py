"""Which words of git's mean that a remote is away for a while."""

from pathlib import Path

import pytest

from loreley.errors import ServiceUnavailable
from loreley.git.failures import failure
from loreley.host.children import Completed

_HUNG_UP = "fatal: the remote end hung up unexpectedly"


def is_outage(stderr: str) -> bool:
    completed = Completed(("git", "push"), 128, b"", stderr.encode())
    return isinstance(failure(completed, Path("/")), ServiceUnavailable)


@pytest.mark.parametrize(
    "stderr",
    [
        f"send-pack: unexpected disconnect while reading sideband packet\n{_HUNG_UP}",
        "fetch-pack: unexpected disconnect while reading sideband packet\n"
        "fatal: protocol error: bad pack header",
        "fatal: expected flush after ref listing",
        "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct "
        "access rights\nand the repository exists.",
        f"error: RPC failed; curl 52 Empty reply from server\n{_HUNG_UP}",
        "kex_exchange_identification: Connection closed by remote host\n"
        "fatal: Could not read from remote repository.",
        _HUNG_UP,
    ],
)
def test_a_connection_that_was_cut_is_worth_another_try(stderr: str) -> None:
    assert is_outage(stderr)


@pytest.mark.parametrize(
    "stderr",
    [
        "git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.",
        "fatal: '/x' does not appear to be a git repository\n"
        "fatal: Could not read from remote repository.",
        "fatal: remote error: access denied or repository not exported: /x",
        f"remote: fatal: pack exceeds maximum allowed size\n{_HUNG_UP}",
        "error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413\n"
        f"send-pack: unexpected disconnect while reading sideband packet\n{_HUNG_UP}",
        " ! [remote rejected] x -> x (pre-receive hook declined)",
    ],
)
def test_a_refusal_is_not_tried_again(stderr: str) -> None:
    assert not is_outage(stderr)
