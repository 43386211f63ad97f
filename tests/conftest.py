"""What all tests share: each async test runs on asyncio, on trio, and on uvloop if it is there."""

import signal
from importlib.util import find_spec

import pytest

pytest_plugins = ["tests.server.fixtures"]


# A shell that runs in the background has its children ignore Ctrl-C, and these theirs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

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
