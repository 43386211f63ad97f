"""Which functions a packed module can do without, by groups.

A group is some object files whose functions nothing calls any more once the packer has taken away
what leads to them: the compiler, when the program is compiled; C modules that were not imported.
The packer empties their functions, and the server has less to compile.
"""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from pathlib import Path

from cache import BuildError

COMPILER = "compiler"
FROZEN = "frozen"

# C modules whose objects serve nothing but the module.
MODULES = {
    "_ast": ["Python-ast.o", "asdl.o"],
    "_bisect": ["_bisectmodule.o"],
    "_blake2": ["blake2module.o", "blake2b_impl.o", "blake2s_impl.o"],
    "_contextvars": ["_contextvarsmodule.o"],
    "_csv": ["_csv.o"],
    "_datetime": ["_datetimemodule.o"],
    "_heapq": ["_heapqmodule.o"],
    "_json": ["_json.o"],
    "_locale": ["_localemodule.o"],
    "_md5": ["md5module.o"],
    "_opcode": ["_opcode.o"],
    "_pickle": ["_pickle.o"],
    "_random": ["_randommodule.o"],
    "_sha1": ["sha1module.o"],
    "_sha256": ["sha256module.o"],
    "_sha3": ["sha3module.o"],
    "_sha512": ["sha512module.o"],
    "_statistics": ["_statisticsmodule.o"],
    "_struct": ["_struct.o"],
    "_symtable": ["symtablemodule.o"],
    "_sre": ["sre.o"],
    "_tokenize": ["Python-tokenize.o"],
    "_typing": ["_typingmodule.o"],
    "array": ["arraymodule.o"],
    "binascii": ["binascii.o"],
    "cmath": ["cmathmodule.o"],
    "math": ["mathmodule.o"],
}

COMPILER_OBJECTS = [
    "action_helpers.o",
    "ast.o",
    "ast_opt.o",
    "compile.o",
    "future.o",
    "parser.o",
    "pegen.o",
    "pegen_errors.o",
    "string_parser.o",
    "symtable.o",
    "tokenizer.o",
]

# What the rest of the interpreter takes from the compiler, and why that may go with it.
KNOWN_USES = {
    # Behind compiler.c, which raises when the compiler is gone; `_ast` and `_symtable` go with it.
    "_PyPegen_run_parser_from_string",
    "_PyPegen_run_parser_from_file_pointer",
    "PyAST_Check",
    "PyAST_obj2mod",
    "PyAST_mod2obj",
    "_PyAST_Compile",
    "_PyAST_Validate",
    "PyInit__ast",
    "_PySymtable_Free",
    "_Py_SymtableStringObjectFlags",
    "_PyTokenizer_FromUTF8",
    "_PyTokenizer_Get",
    "_PyTokenizer_Free",
    # Only at the interpreter's end, which never comes.
    "_PyAST_Fini",
    # Only with a traceback's source files at hand.
    "_PyTokenizer_FindEncodingFilename",
    "_PyPegen_byte_offset_to_character_offset",
    "_PyAST_Optimize",
    # Data.
    "PySTEntry_Type",
    "_PyOpcode_Deopt",
    "_PyOpcode_Caches",
}
# These stay.
KEPT = {"_Py_Mangle", "PyCompile_OpcodeStackEffect", "PyCompile_OpcodeStackEffectWithJump"}
KEPT |= {"stack_effect"}  # called by the two before

# "  -  3822  c  obj/libpython3.11.a(abc.o):(_abc_init)": one line per function, in their order.
LINE = re.compile(r"^\s*\S+\s+\S+\s+\S+\s{9}(?:.*/)?(?:\S+\()?([\w.<>-]+?)\)?:\((\S+)\)\s*$")


def groups(linker_map: Path, library: Path) -> dict[str, list[int]]:
    """Per group the ranges of its functions, as flat pairs [first, end, first, end, ...].

    Numbers count from the first function that is no import. `BuildError` when something else of
    the interpreter needs one of the groups.
    """
    objects = {COMPILER: COMPILER_OBJECTS, FROZEN: ["deepfreeze.o"], **MODULES}
    _check_uses(objects, library)
    group_of = {name: group for group, names in objects.items() for name in names}
    ranges: dict[str, list[int]] = {group: [] for group in objects}
    for number, (name, function) in enumerate(_functions(linker_map)):
        if name not in group_of or function in KEPT:
            continue
        own = ranges[group_of[name]]
        if own and own[-1] == number:
            own[-1] += 1
        else:
            own += [number, number + 1]
    return ranges


def _functions(linker_map: Path) -> list[tuple[str, str]]:
    """Object file and name of each function, in the order of the file."""
    found: list[tuple[str, str]] = []
    inside = False
    for line in linker_map.read_text().splitlines():
        words = line.split()
        if len(words) == 4 and words[3] == "CODE":
            inside = True
        elif len(words) == 4 and words[3] == "DATA" and inside:
            break
        elif inside and ":(" in line:
            match = LINE.match(line)
            if match is None:  # all numbers behind it would be wrong
                raise BuildError(f"{linker_map}: no function could be read in this line: {line}")
            found.append((match.group(1), match.group(2)))
    return found


def _check_uses(objects: dict[str, list[str]], library: Path) -> None:
    defined, used = _symbols(library)
    for group, names in objects.items():
        own = {symbol for name in names for symbol in defined[name]}
        for name, symbols in used.items():
            allowed = KNOWN_USES | KEPT if group in (COMPILER, "_ast") else set[str]()
            if group == "_ast" and name in COMPILER_OBJECTS:
                continue  # which the packer drops first
            if name == "config.o":
                allowed |= {f"PyInit_{group}", "PyInit__ast"}
            if group == FROZEN and name in ("frozen.o", "pylifecycle.o"):
                continue  # the tables, and the start
            if name not in names and (unknown := (symbols & own) - allowed):
                raise BuildError(
                    f"{name} uses {', '.join(sorted(unknown))} of the group {group}, which "
                    f"functions.py takes for independent: look at it again"
                )


def _symbols(library: Path) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Global symbols that each object file of the library defines, and those that it uses."""
    command = ["llvm-nm-19", "--extern-only", str(library)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    defined: dict[str, set[str]] = defaultdict(set)
    used: dict[str, set[str]] = defaultdict(set)
    name = ""
    for line in listing.splitlines():
        words = line.split()
        if len(words) == 1 and line.endswith(".o:"):
            name = line.removesuffix(":")
        elif len(words) >= 2:
            (used if words[-2] == "U" else defined)[name].add(words[-1])
    return defined, used
