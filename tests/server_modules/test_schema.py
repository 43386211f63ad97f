"""The Python modules describe themselves as their Rust twins do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spacetime_py import _core

from .plain import plain_v9, plain_v10
from .programs import ALL_TYPES, described, program

SCHEMAS = Path(__file__).resolve().parent.parent / "codegen" / "schemas"


def recorded(name: str, version: str | None = None) -> Any:
    schema = json.loads((SCHEMAS / name).read_text())
    return schema[version] if version else schema


def test_chat() -> None:
    with program("chat_py", "chat"):
        assert plain_v9(described(9)) == plain_v9(recorded("chat.json"))


def test_all_types() -> None:
    with program("all_types_py", "all_types"):
        ours = plain_v9(described(9))
    theirs = plain_v9(recorded("schema-1.2.0-version9.json"))
    # The test module has some reducers more than the recorded one.
    assert theirs["reducers"].keys() - ours["reducers"].keys() == set()
    for name, reducer in theirs["reducers"].items():
        assert ours["reducers"][name] == reducer, name
    assert ours["types"] == theirs["types"]
    assert ours["tables"] == theirs["tables"]


def test_version_10() -> None:
    """Against what `extract-schema` of 2.8.3 says of the recorded module."""
    with program("all_types_py", ALL_TYPES, "tests.server_modules.extras28"):
        ours = plain_v10(described(10))
    theirs = plain_v10(recorded("mod28.extract-schema.json", "V10"))
    for part in ("procedures", "names"):
        assert ours[part] == theirs[part]
    for name, view in theirs["views"].items():
        # Places in the two lists are the program's own.
        assert ours["views"][name][1:] == view[1:], name
    for name, table in theirs["tables"].items():
        assert ours["tables"][name] == table, name
    for name, reducer in theirs["reducers"].items():
        assert ours["reducers"][name] == reducer, name
    for name, ty in theirs["types"].items():
        if name not in ("Scalars", "Containers"):
            assert snake(ours["types"][name]) == snake(ty), name
    more = dict(ours["types"]["More"][1])
    assert more["v_uuid"] == dict(theirs["types"]["Scalars"][1])["v_uuid"]
    for column in ("r_num", "r_point"):
        assert more[column] == dict(theirs["types"]["Containers"][1])[column]


def test_views_are_numbered_apart() -> None:
    with program("all_types_py", ALL_TYPES, "tests.server_modules.extras28"):
        views = plain_v10(described(10))["views"]
    for anonymous in (False, True):
        places = sorted(view[0] for view in views.values() if view[2] is anonymous)
        assert places == list(range(len(places)))


def test_bindings_can_be_generated() -> None:
    """Our own generator reads both versions."""
    with program("all_types_py", ALL_TYPES, "tests.server_modules.extras28"):
        files = dict(_core.generate(json.dumps(described(10)), "all_types"))
    assert "class ShapeNothing" in files["types.py"]
    with program("chat_py", "chat"):
        files = dict(_core.generate(json.dumps(described(9)), "chat"))
    assert "def set_name" in files["reducers.py"]


def snake(ty: Any) -> str:
    """2.x servers convert the case of fields and variants; the program's bytes do not."""
    return repr(ty).replace("_", "").lower()
