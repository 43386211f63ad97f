"""`python -m tests.conformance.schema`: the module, and what is newer, as a 2.x server has it.

The declarations of the Python module, and what such a server adds: settled names, and the primary
keys of views. The live peer makes a database of it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

VIEW_KEYS = {"all_player": ["id"], "my_player": ["id"]}


def described_by_a_server() -> dict[str, Any]:
    """Version 10."""
    from tests.server_modules import fake

    fake.install()
    from tests.server_modules.programs import described, program

    with program("contract_py", "contract", "contract.newer"):
        module = described(10)
    parts = {kind: part for section in module["sections"] for kind, part in section.items()}
    names = [{"Table": _settled(one)} for one in parts["Tables"]]
    for kind in ("Reducers", "Views"):
        names += [{"Function": _settled(one)} for one in parts[kind]]
    parts["ExplicitNames"] = {"entries": names}
    parts["ViewPrimaryKeys"] = [
        {"view_source_name": view, "columns": columns} for view, columns in VIEW_KEYS.items()
    ]
    return {"sections": [{kind: part} for kind, part in parts.items()]}


def _settled(declared: dict[str, Any]) -> dict[str, str]:
    name = declared["source_name"]
    return {"source_name": name, "canonical_name": name}


if __name__ == "__main__":
    out = sys.stdout  # the server package makes the module's log of it
    json.dump(described_by_a_server(), out)
