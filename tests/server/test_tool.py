"""The tool itself, on a real server: start and stop, publish, call, read back."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.server.api import Api, ApiError, Database
from tests.server.cache import BuildError, run_cargo
from tests.server.modules import build_module
from tests.server.packages import install_packages
from tests.server.server import Server, StartError

pytestmark = pytest.mark.real_server

IDENTITY = "0xc2" + "0" * 61 + "7"

# Reducers of `all_types`: arguments after the id, and the columns of these names as SQL gives them.
SCALARS: list[tuple[str, dict[str, Any], list[Any]]] = [
    (
        "set_signed",
        {
            "v_i8": -(2**7),
            "v_i16": -(2**15),
            "v_i32": -(2**31),
            "v_i64": -(2**63),
            "v_i128": -(2**127),
            "v_i256": "-0x1",
        },
        [-(2**7), -(2**15), -(2**31), -(2**63), -(2**127), "-0x1"],
    ),
    (
        "set_unsigned",
        {
            "v_u8": 255,
            "v_u16": 65535,
            "v_u32": 2**32 - 1,
            "v_u64": 2**64 - 1,
            "v_u128": 2**128 - 1,
            "v_u256": "0x" + "f" * 64,
        },
        [255, 65535, 2**32 - 1, 2**64 - 1, 2**128 - 1, "0x" + "f" * 64],
    ),
    ("set_floats", {"v_f32": 0.5, "v_f64": -1e300}, [0.5, -1e300]),
    (
        "set_plain",
        {"v_bool": True, "v_text": "zażółć", "v_bytes": "00ff"},
        [True, "zażółć", "00ff"],
    ),
    (
        "set_special",
        {
            "v_identity": [IDENTITY],
            "v_conn": [2**127],
            "v_time": [-1],
            "v_span": [10**15],
            "v_when": {"Interval": [5]},
        },
        [[IDENTITY], [2**127], [-1], [10**15], [0, [5]]],
    ),
]

CONTAINERS: list[tuple[str, dict[str, Any], list[Any]]] = [
    (
        "set_options",
        {
            "o_num": {"some": -3},
            "o_text": {"none": []},
            "o_point": {"some": {"x": 1, "y": 2}},
            "o_nested": {"some": {"some": True}},
            "o_identity": {"some": [IDENTITY]},
        },
        [[0, -3], [1, []], [0, [1, 2]], [0, [0, True]], [0, [IDENTITY]]],
    ),
    (
        "set_lists",
        {
            "l_num": [1, -2],
            "l_text": ["a", ""],
            "l_point": [{"x": 1, "y": 2}],
            "l_opt": [{"some": 3}, {"none": []}],
            "l_list": [[1], []],
            "l_color": [{"DarkBlue": []}],
            "l_shape": [{"Count": 7}, {"Maybe": {"some": -9}}],
        },
        [
            [1, -2],
            ["a", ""],
            [[1, 2]],
            [[0, 3], [1, []]],
            [[1], []],
            [[2, []]],
            [[1, 7], [7, [0, -9]]],
        ],
    ),
    (
        "set_user_types",
        {
            "line": {
                "from_point": {"x": 1, "y": 2},
                "to_point": {"x": 3, "y": 4},
                "label": {"some": "up"},
            },
            "color": {"Green": []},
            "shape": {"Path": [{"x": 1, "y": -1}]},
            "empty": {},
        },
        [[[1, 2], [3, 4], [0, "up"]], [1, []], [4, [[1, -1]]], []],
    ),
]


def test_a_chat_message_is_stored(server: Api, chat_database: Database) -> None:
    speaker = server.identity()
    server.call(chat_database.name, "send_message", ["hello"], speaker.token)
    (row,) = server.sql(chat_database.name, "SELECT * FROM message")
    assert (row["sender"], row["text"]) == ([f"0x{speaker.identity}"], "hello")


def test_a_failing_reducer_gives_its_message(server: Api, chat_database: Database) -> None:
    with pytest.raises(ApiError, match="a message must not be empty") as caught:
        server.call(chat_database.name, "send_message", [""])
    assert caught.value.status == 530


@pytest.mark.parametrize(
    ("table", "reducer", "arguments", "stored"),
    [("scalars", *case) for case in SCALARS] + [("containers", *case) for case in CONTAINERS],
)
def test_each_type_as_an_argument(
    server: Api,
    all_types_database: Database,
    table: str,
    reducer: str,
    arguments: dict[str, Any],
    stored: list[Any],
) -> None:
    name = all_types_database.name
    server.call(name, reducer, [1, *arguments.values()])
    (row,) = server.sql(name, f"SELECT * FROM {table} WHERE id = 1")
    assert [row[column] for column in arguments] == stored


def test_the_schema_names_the_tables(server: Api, chat_database: Database) -> None:
    tables = server.schema(chat_database.name)["tables"]
    assert {table["name"] for table in tables} == {"user", "message"}


def test_bytes_that_are_no_module(server: Api) -> None:
    with pytest.raises(ApiError, match="failed to parse WebAssembly module"):
        server.publish("no-module", b"nothing of the kind")


def test_a_module_that_is_not_there() -> None:
    with pytest.raises(BuildError, match="no test module 'poker'; there are all_types, chat"):
        build_module("poker")


def test_a_build_that_fails_shows_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(BuildError, match=r"(?s)dummy build failed.*it broke"):
        run_cargo("dummy build", ["sh", "-c", "echo it broke; exit 1"], tmp_path)


def test_packages_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(BuildError, match="please install perl"):
        install_packages(["perl"], "please install perl")


def test_a_restart_keeps_port_and_data(chat_wasm: bytes) -> None:
    with Server() as server:
        database = server.publish("chat", chat_wasm)
        time.sleep(0.5)  # the server answers before a commit is on disk, and ends without waiting
        server.stop()
        with pytest.raises(OSError, match="refused"):
            server.ping()
        server.start()
        assert server.publish("chat", chat_wasm) == database
    assert not server.log.exists()


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"port {port} .* cannot be used"), Server(port):
            pass


def test_a_server_that_ends_at_once_shows_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken-server"
    broken.write_text("#!/bin/sh\necho out of luck\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr("tests.server.server.server_binary", lambda: broken)
    with pytest.raises(StartError, match=r"(?s)ended with status 3.*out of luck"), Server():
        pass
