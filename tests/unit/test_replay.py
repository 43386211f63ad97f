"""Recorded sessions of real servers through `spacetime-py replay`: each gives its truth."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from spacetime_py import RecordingError, _core, cli
from spacetime_py.replay import replay

TESTS = Path(__file__).parents[1]
FOLDERS = {"v1-1.2.0": 9, "v1-2.8.3": 10, "v2-2.8.3": 10, "v3-2.8.3": 10}
SCENARIOS = [
    "overlapping_subscriptions",
    "insert_update_delete_by_self",
    "subscription_error",
    "unsubscribe",
    "multi_query_subscription_with_join",
    "subscribe_1000_rows_brotli",
]


def schema_of(folder: str) -> Path:
    server, version = folder.split("-")[1], FOLDERS[folder]
    return TESTS / f"codegen/schemas/schema-{server}-version{version}.json"


@pytest.mark.parametrize("chunk", ["whole", "1", "random:7"])
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_recording_gives_its_truth(folder: str, scenario: str, chunk: str) -> None:
    file = TESTS / f"recordings/{folder}/{scenario}.jsonl.gz"
    truth_file = file.with_name(f"{scenario}.truth.json.gz")
    truth: dict[str, Any] = json.loads(gzip.decompress(truth_file.read_bytes()))
    module = _core.Module(_core.describe(schema_of(folder).read_text()))
    connections = replay(file, module, chunk)["connections"]
    assert set(truth["client_cache_at_end"]) <= set(connections)
    for conn, session in connections.items():
        wanted = truth["client_cache_at_end"][conn]
        keys = ("rows", "sha256_of_sorted_rows")
        assert session["tables"] == {
            name: {key: table[key] for key in keys} for name, table in wanted.items()
        }
        told = [one for one in truth["expected"] if str(one["conn"]) == conn]
        told = [one for one in told if one.get("dir") == "s2c"]
        assert [(one["message"], one["changes"]) for one in session["events"]] == [
            (one["message"], one.get("changes", {})) for one in told
        ]


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    file = TESTS / "recordings/v3-2.8.3/subscribe_1_row.jsonl.gz"
    arguments = ["replay", str(file), "--schema", str(schema_of("v3-2.8.3"))]
    assert cli.main([*arguments, "--json", "--rows"]) == 0
    table = json.loads(capsys.readouterr().out)["connections"]["0"]["tables"]["bulk"]
    assert table["rows"] == len(table["bsatn"]) == 1
    assert cli.main(arguments) == 0
    assert "bulk: 1 rows" in capsys.readouterr().out
    assert cli.main([*arguments, "--chunk", "sometimes"]) == 1
    assert "random:SEED" in capsys.readouterr().err


def test_a_file_that_is_no_recording(tmp_path: Path) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text('{"kind": "header"}\n{"conn": 0}\n')
    module = _core.Module(_core.describe(schema_of("v3-2.8.3").read_text()))
    with pytest.raises(RecordingError, match="line 2"):
        replay(file, module)
