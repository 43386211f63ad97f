"""What all tests share: each async test runs on asyncio, on trio, and on uvloop if it is there."""

from importlib.util import find_spec

import pytest

pytest_plugins = ["tests.server.fixtures"]


_BACKENDS = [
    pytest.param(("asyncio", {}), id="asyncio"),
    pytest.param(("trio", {}), id="trio"),
]
if find_spec("uvloop"):
    _BACKENDS.append(pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"))


@pytest.fixture(params=_BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    name, options = request.param
    return name, options
