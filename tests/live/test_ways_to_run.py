"""What docs/topics/ways-to-run.md promises of whole programs: Ctrl-C, notebooks, uvloop, crowds."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest

from spacetime_py import sync

from .programs import PATIENCE, options_of, start
from .target import Target, until

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]
needs_uvloop = pytest.mark.skipif(not find_spec("uvloop"), reason="uvloop is not installed")

ASYNC = """
async def main():
    async with DbConnection(**options) as connection:
        await connection.subscribe("SELECT * FROM user")
        print("ready", connection.identity, flush=True)
        await connection.wait_closed()
"""
STREAM = """
async def main():
    async with DbConnection(**options) as connection:
        changes = connection.db.user.changes()
        await connection.subscribe("SELECT * FROM user")
        print("ready", connection.identity, flush=True)
        async for change in changes:
            pass
"""
SYNC = """
def main():
    with sync.connect(DbConnection(**options)) as connection:
        connection.subscribe("SELECT * FROM user")
        print("ready", connection.identity, flush=True)
        {wait}
"""
FRAMES = """
def main():
    with sync.connect(DbConnection(**options), callbacks="frame_tick") as connection:
        connection.db.user.on_insert(lambda context, row: None)
        connection.subscribe("SELECT * FROM user")
        print("ready", connection.identity, flush=True)
        while True:
            connection.frame_tick(budget=0.004)
            time.sleep(1 / 60)
"""
WAYS = {
    "asyncio": (ASYNC, "asyncio.run(main())"),
    "asyncio-stream": (STREAM, "asyncio.run(main())"),
    "trio": (ASYNC, "anyio.run(main, backend='trio')"),
    "trio-stream": (STREAM, "anyio.run(main, backend='trio')"),
    "uvloop": (ASYNC, "import uvloop; uvloop.run(main())"),
    "anyio-uvloop": (STREAM, "anyio.run(main, backend_options={'use_uvloop': True})"),
    "facade-waits": (SYNC.format(wait="connection.wait_closed()"), "main()"),
    "facade-reads": (
        SYNC.format(wait="for change in connection.db.user.changes(): pass"),
        "main()",
    ),
    # Not one long sleep: of those Python 3.14 may begin one after the signal has come.
    "facade-sleeps": (SYNC.format(wait="while True: time.sleep(0.1)"), "main()"),
    "frame-tick": (FRAMES, "main()"),
}
HEAD = """
import asyncio, json, sys, time
import anyio
from module_bindings import DbConnection
from spacetime_py import sync
options = json.loads(sys.argv[1])
"""
CAUGHT = """
try:
    {run}
except KeyboardInterrupt:
    print("interrupted", flush=True)
    raise SystemExit(130) from None
"""


def programs() -> list[Any]:
    marks = {name: [needs_uvloop] if "uvloop" in name else [] for name in WAYS}
    return [pytest.param(*way, id=name, marks=marks[name]) for name, way in WAYS.items()]


def interrupt(process: subprocess.Popen[str]) -> tuple[str, str, int]:
    """Ctrl-C; what it says from then on, and its exit code."""
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE)
    return output, errors, process.returncode


def ready(process: subprocess.Popen[str]) -> str:
    """Wait until the program says so; gives what it adds."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("ready"):
        pytest.fail(f"{line}{process.communicate(timeout=PATIENCE)[1]}")
    return line.removeprefix("ready").strip()


def until_asleep(process: subprocess.Popen[str]) -> None:
    """Until the program has used no CPU for a while."""
    times = Path(f"/proc/{process.pid}/stat")
    if not times.exists():
        time.sleep(1)
        return
    before, used = None, times.read_text().split()[13:15]
    while used != before:
        time.sleep(0.3)
        before, used = used, times.read_text().split()[13:15]


@pytest.mark.parametrize("anyio_backend", [("asyncio", {})], ids=["asyncio"])
@pytest.mark.parametrize(("main", "run"), programs())
async def test_ctrl_c_closes_in_order(main: str, run: str, chat: Target, tmp_path: Path) -> None:
    """The program catches it and goes; the server has heard of that before."""
    async with chat.connect() as observer:
        await observer.subscribe("SELECT * FROM user")
        process = start(chat, HEAD + main + CAUGHT.format(run=run), tmp_path)
        identity = await anyio.to_thread.run_sync(ready, process)

        def online() -> list[str]:
            return [str(user.identity) for user in observer.db.user if user.online]

        await until(lambda: identity in online())
        found = await anyio.to_thread.run_sync(interrupt, process)
        assert found == ("interrupted\n", "", 130)
        await until(lambda: identity not in online())


@pytest.mark.parametrize(("main", "run"), programs())
def test_ctrl_c_that_nobody_catches(main: str, run: str, chat: Target, tmp_path: Path) -> None:
    """Python's own traceback and nothing else, and the exit code that a shell expects."""
    process = start(chat, HEAD + main + run, tmp_path)
    ready(process)
    output, errors, code = interrupt(process)
    assert (output, code) == ("", -signal.SIGINT)
    assert errors.startswith("Traceback") or errors.lstrip().startswith("+ Exception Group")
    assert errors.rstrip().endswith("KeyboardInterrupt")
    for noise in ("ignored", "never", "spacetime_py.", "Task ", "Exception in"):
        assert noise not in errors, errors


@pytest.mark.parametrize("name", ["asyncio", "trio", "facade-waits"])
def test_ctrl_c_while_connecting(name: str, chat: Target, tmp_path: Path) -> None:
    """The server takes the connection and never greets.

    trio interrupts a step that it finds running, wherever that is: there the program waits first.
    """
    main, run = WAYS[name]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        options = json.dumps({"uri": f"http://{address}", "database": "chat"})
        process = start(chat, HEAD + main + CAUGHT.format(run=run), tmp_path, options)
        taken, _ = silent.accept()
        with taken:
            assert taken.recv(1)
            if name == "trio":
                until_asleep(process)
            assert interrupt(process) == ("interrupted\n", "", 130)


# One cell each. Jupyter runs them inside of its own event loop.
CELLS = [
    "import json, os; options = json.loads(os.environ['OPTIONS'])\n"
    "from module_bindings import DbConnection\nfrom spacetime_py import sync",
    "connection = sync.connect(DbConnection(**options))\n"
    "connection.subscribe('SELECT * FROM user')\n"
    "connection.reducers.set_name('Ada')\n"
    "[user.name for user in connection.db.user]",
    "changes = connection.db.user.changes()\n"
    "connection.reducers.set_name('Eve')\nnext(changes).row.name",
    "connection.debug()",
    "async with DbConnection(**options) as other:\n"
    "    await other.subscribe('SELECT * FROM user')\n"
    "    names = sorted(user.name or '' for user in other.db.user)\nnames",
    "connection.close(); connection.state.status.value",
]
NOTEBOOK = """
import json, sys
import nbformat
from nbclient import NotebookClient
cells = [nbformat.v4.new_code_cell(cell) for cell in json.loads(sys.argv[1])]
notebook = nbformat.v4.new_notebook(cells=cells)
NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
outputs = [[dict(one.data) for one in cell.outputs if "data" in one] for cell in notebook.cells]
print(json.dumps(outputs))
"""


@pytest.mark.skipif(
    not (find_spec("nbclient") and find_spec("ipykernel")), reason="Jupyter is not installed"
)
def test_a_notebook(chat: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTIONS", options_of(chat))
    # Jupyter's own warnings are its affair.
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    process = start(chat, NOTEBOOK, tmp_path, json.dumps(CELLS))
    output, errors = process.communicate(timeout=2 * PATIENCE)
    assert process.returncode == 0, errors
    shown = json.loads(output)
    texts = [cell[0]["text/plain"] if cell else "" for cell in shown]
    assert (texts[1], texts[2], texts[4], texts[5]) == (
        "['Ada']",
        "'Eve'",
        "['', 'Eve']",
        "'closed'",
    )
    assert shown[3][0]["text/html"].startswith("<pre>&lt;DbConnection connected")


ON_UVLOOP = (
    HEAD
    + """
import uvloop
sync.use_event_loop(uvloop.new_event_loop)
with sync.connect(DbConnection(**options)) as connection:
    connection.subscribe("SELECT * FROM user")
    loops = connection.read(lambda: type(asyncio.get_running_loop()).__module__)
    connection.reducers.set_name("Ada")
    print(loops, [user.name for user in connection.db.user], flush=True)
    try:
        sync.use_event_loop(asyncio.new_event_loop)
    except RuntimeError:
        print("too late", flush=True)
"""
)


@needs_uvloop
def test_the_facade_on_uvloop(chat: Target, tmp_path: Path) -> None:
    process = start(chat, ON_UVLOOP, tmp_path)
    output, errors = process.communicate(timeout=PATIENCE)
    assert (output, errors) == ("uvloop ['Ada']\ntoo late\n", "")


NESTED = (
    HEAD
    + """
import warnings
warnings.simplefilter("ignore")
import nest_asyncio2

async def main():
    loop = asyncio.get_running_loop()
    if {early}:
        nest_asyncio2.apply(loop)
    async with DbConnection(**options) as connection:
        await connection.subscribe("SELECT * FROM user")
        nest_asyncio2.apply(loop)

        async def name(name):
            await connection.reducers.set_name(name)

        async def outer(number):
            # Both of these go on after the same read, perhaps.
            await name(f"outer {{number}}")
            loop.run_until_complete(asyncio.wait_for(name(f"inner {{number}}"), 5))

        await asyncio.gather(*map(outer, range(4)))
        print([user.name[:5] for user in connection.db.user if user.online], flush=True)

asyncio.new_event_loop().run_until_complete(main())
"""
)


@pytest.mark.parametrize("early", [True, False])
def test_a_loop_that_runs_within_its_own_turns(early: bool, chat: Target, tmp_path: Path) -> None:
    """A task that goes on after an answer waits for the next one in a loop within the loop."""
    process = start(chat, NESTED.format(early=early), tmp_path)
    output, errors = process.communicate(timeout=2 * PATIENCE)
    assert (output, errors) == ("['inner']\n", "")


async def test_fifty_connections_in_one_loop(chat: Target) -> None:
    threads = threading.active_count()
    connections = [chat.connect() for _ in range(50)]

    async def live(number: int, connection: Any) -> None:
        async with connection:
            await connection.subscribe("SELECT * FROM user")
            await connection.reducers.set_name(f"user {number}")
            wanted = {f"user {one}" for one in range(50)}
            await until(lambda: {user.name for user in connection.db.user} == wanted)
            assert connection.db.user.identity.find(connection.identity).name == f"user {number}"
            if sys.platform == "linux":
                assert threading.active_count() <= threads + 1  # of getaddrinfo, at most

    async with anyio.create_task_group() as tasks:
        for number, connection in enumerate(connections):
            tasks.start_soon(live, number, connection)


def test_ten_facades_in_one_process(chat: Target) -> None:
    options: dict[str, Any] = json.loads(options_of(chat))
    ready = threading.Barrier(10)

    def live(number: int) -> set[str | None]:
        callbacks: Literal["thread", "frame_tick"] = "frame_tick" if number % 2 else "thread"
        new = chat.bindings.DbConnection(**options)
        with sync.connect(new, callbacks=callbacks) as connection:
            heard: list[str] = []
            connection.db.user.on_update(lambda context, old, new: heard.append(new.name))
            connection.subscribe("SELECT * FROM user")
            ready.wait(PATIENCE)
            connection.reducers.set_name(f"user {number}")
            while len({user.name for user in connection.db.user} - {None}) < 10:
                threading.Event().wait(0.01)
            if callbacks == "frame_tick":
                connection.frame_tick()
            ready.wait(PATIENCE)
            assert f"user {number}" in heard
            return {user.name for user in connection.db.user}

    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(live, range(10)))
    assert found == [{f"user {number}" for number in range(10)}] * 10
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("spacetime_py") == 1
