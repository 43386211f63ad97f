"""The live peer in the place of the real server's fixtures; registered by `live.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .process import Peer


@pytest.fixture(scope="session")
def server() -> Iterator[Peer]:
    # The tests are about version 1, where subscribers are told who called.
    with Peer(options=("--protocols", "v1")) as peer:
        yield peer


@pytest.fixture(scope="session")
def chat_wasm() -> bytes:
    return b"native:chat"


@pytest.fixture(scope="session")
def all_types_wasm() -> bytes:
    return b"native:all_types"
