"""Modules as C: what the interpreter needs to start, and the runtime's own Python.

    python3.11 freeze.py LIB BOOT > frozen.c

Its bytecode has to be that of the runtime, so it runs in the same version of Python.
"""

from __future__ import annotations

import marshal
import sys
from pathlib import Path

# Name, file under Lib, whether it is a package. CPython has the rest of the start built in.
ENCODINGS = (
    ("encodings", "encodings/__init__.py", True),
    ("encodings.aliases", "encodings/aliases.py", False),
    ("encodings.utf_8", "encodings/utf_8.py", False),
    ("encodings.latin_1", "encodings/latin_1.py", False),
    ("encodings.ascii", "encodings/ascii.py", False),
)


def frozen(library: Path, boot: Path) -> str:
    """The C source with the table that `PyImport_FrozenModules` takes."""
    arrays: list[str] = []
    rows: list[str] = []
    sources = [(name, library / file, package) for name, file, package in ENCODINGS]
    for name, path, is_package in [*sources, ("_boot", boot, False)]:
        shown = f"Lib/{name.replace('.', '/')}.py"
        code = compile(path.read_text(), shown, "exec", dont_inherit=True, optimize=2)
        data = ",".join(map(str, marshal.dumps(code)))
        variable = f"frozen_{name.replace('.', '_')}"
        arrays.append(f"static const unsigned char {variable}[] = {{{data}}};")
        rows.append(f'    {{"{name}", {variable}, sizeof {variable}, {int(is_package)}, NULL}},')
    table = ["const struct _frozen spacetime_frozen[] = {", *rows, "    {0}", "};"]
    return "\n".join(["#include <Python.h>", *arrays, *table, ""])


if __name__ == "__main__":
    sys.stdout.write(frozen(Path(sys.argv[1]), Path(sys.argv[2])))
