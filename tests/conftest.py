"""What all tests share: each async test runs on asyncio and on trio."""

import pytest

pytest_plugins = ["tests.server.fixtures"]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend = request.param
    assert isinstance(backend, str)
    return backend
