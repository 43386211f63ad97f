"""Which functions of the linked wasm come from which object file, from the linker's map."""

from __future__ import annotations

import re
from pathlib import Path

# "  -  3822  c  obj/libpython3.11.a(abc.o):(_abc_init)": one line per function, in their order.
LINE = re.compile(r"^\s*\S+\s+\S+\s+\S+\s{9}(?:\S*/)?(?:\S+\()?([\w.<>-]+?)\)?:\((\S+)\)\s*$")


def functions_of(linker_map: Path) -> dict[str, list[int]]:
    """Per object file the ranges of its functions, as flat pairs [first, end, first, end, ...].

    Numbers count from the first function that is no import.
    """
    ranges: dict[str, list[int]] = {}
    for number, name in enumerate(_object_of_each(linker_map)):
        own = ranges.setdefault(name, [])
        if own and own[-1] == number:
            own[-1] += 1
        else:
            own += [number, number + 1]
    return ranges


def _object_of_each(linker_map: Path) -> list[str]:
    names: list[str] = []
    inside = False
    for line in linker_map.read_text().splitlines():
        words = line.split()
        if len(words) == 4 and words[3] == "CODE":
            inside = True
        elif len(words) == 4 and words[3] == "DATA" and inside:
            break
        elif inside and (match := LINE.match(line)):
            names.append(match.group(1))
    return names
