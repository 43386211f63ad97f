"""Writes docs/reference/*.md from the docstrings of what is public; --check says if it is current.

griffe reads the sources, stubs included, so that the compiled core is documented like the rest.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
PAGES = {
    "spacetime_py": "spacetime_py.md",
    "spacetime_py.bindings": "bindings.md",
    "spacetime_py.sync": "sync.md",
    "spacetime_py.http": "http.md",
    "spacetime_py.server": "server.md",
}
NOTE = "<!-- Made from docstrings by `python tools/api_reference.py`. -->\n"
# Of these a program is told only what their class says.
SPECIAL = ("__call__", "__getitem__", "__iter__", "__len__", "__aenter__", "__aexit__", "__aiter__")
WIDTH = 96


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    logging.getLogger("griffe").setLevel(logging.ERROR)
    # What is compiled is read from its stub, however many versions of it lie there.
    loader = griffe.GriffeLoader(search_paths=[str(ROOT / "python")], allow_inspection=False)
    loader.load("spacetime_py")
    loader.resolve_aliases(implicit=True)
    return {
        file: _page(name, _target(loader.modules_collection[name])) for name, file in PAGES.items()
    }


def _page(name: str, module: griffe.Object) -> str:
    exports = [str(export) for export in module.exports or []]
    parts = [f"# `{name}`", NOTE, *_text(module)]
    for export in sorted(exports, key=str.lower):
        if export.startswith("_"):
            continue
        parts.append(f"## {export}\n")
        try:
            parts += _entry(export, _target(module[export]))
        except griffe.AliasResolutionError as error:  # of the standard library
            parts.append(f"`{error.alias.target_path}`\n")
    return "\n".join(parts).rstrip() + "\n"


def _target(thing: griffe.Object | griffe.Alias) -> griffe.Object:
    return thing.final_target if isinstance(thing, griffe.Alias) else thing


def _entry(name: str, thing: griffe.Object) -> Iterator[str]:
    if isinstance(thing, griffe.Class):
        yield from _class(name, thing)
    elif isinstance(thing, griffe.Function):
        yield _code(_signature(name, thing))
        yield from _text(thing)
    elif isinstance(thing, griffe.Module):
        yield from _text(thing)
        for inner, member in thing.members.items():
            if isinstance(member, griffe.Function) and not inner.startswith("_"):
                yield from _member(inner, member)
    else:
        if isinstance(thing, griffe.Attribute) and thing.value is not None:
            yield _code(f"{name} = {thing.value}")
        yield from _text(thing)


def _class(name: str, thing: griffe.Class) -> Iterator[str]:
    bases = ", ".join(str(base) for base in thing.bases)
    yield _code(f"class {name}({bases})" if bases else f"class {name}")
    yield from _text(thing)
    constructor = thing.members.get("__init__") or thing.members.get("__new__")
    if isinstance(constructor, griffe.Function):
        yield _code(_signature(name, constructor))
        yield from _text(constructor)
    for inner, member in thing.members.items():
        is_public = not inner.startswith("_") or inner in SPECIAL
        if is_public and isinstance(member, griffe.Function | griffe.Attribute):
            yield from _member(inner, member)


def _member(name: str, member: griffe.Function | griffe.Attribute) -> Iterator[str]:
    yield f"### {name}\n"
    if isinstance(member, griffe.Function):
        yield _code(_signature(name, member))
    elif member.annotation is not None:
        yield _code(f"{name}: {member.annotation}")
    yield from _text(member)


def _signature(name: str, function: griffe.Function) -> str:
    """As in a stub, without what callers do not give."""
    kinds = griffe.ParameterKind
    shown: list[str] = []
    has_star = False
    is_method = function.parent is not None and function.parent.is_class
    for parameter in function.parameters:
        if is_method and parameter.name in ("self", "cls"):
            continue
        if parameter.kind is kinds.keyword_only and not has_star:
            shown.append("*")
        has_star |= parameter.kind in (kinds.var_positional, kinds.keyword_only)
        shown.append(_parameter(parameter))
    is_constructor = function.name in ("__init__", "__new__")
    returns = "" if is_constructor or function.returns is None else f" -> {function.returns}"
    head = f"async {name}" if "async" in function.labels else name
    line = f"{head}({', '.join(shown)}){returns}"
    if len(line) <= WIDTH:
        return line
    inner = "".join(f"    {parameter},\n" for parameter in shown)
    return f"{head}(\n{inner}){returns}"


def _parameter(parameter: griffe.Parameter) -> str:
    kinds = griffe.ParameterKind
    is_list, is_dict = (
        parameter.kind is kind for kind in (kinds.var_positional, kinds.var_keyword)
    )
    stars = "*" if is_list else "**" if is_dict else ""
    text = f"{stars}{parameter.name}"
    if parameter.annotation is not None:
        text += f": {parameter.annotation}"
    return text if stars or parameter.default is None else f"{text} = {parameter.default}"


def _text(thing: griffe.Object) -> Iterator[str]:
    docstring = thing.docstring
    if docstring is None:
        return
    kinds = griffe.DocstringSectionKind
    for section in docstring.parse("google", warnings=False):
        if section.kind is kinds.parameters:
            for parameter in section.value:
                yield f"- `{parameter.name}`: {' '.join(parameter.description.split())}"
            yield ""
        elif section.kind is kinds.text:
            yield f"{section.value.strip()}\n"
        else:
            yield f"{docstring.value}\n"


def _code(text: str) -> str:
    """Indented: fences of Python are programs, which the tests run."""
    return "".join(f"    {line}\n" for line in text.splitlines())


def main() -> int:
    """1 when `--check` finds a page that is not current."""
    made = pages()
    if "--check" in sys.argv[1:]:
        stale = [
            name
            for name, text in made.items()
            if not (FOLDER / name).exists() or (FOLDER / name).read_text(encoding="utf-8") != text
        ]
        if stale:
            names = ", ".join(stale)
            print(f"not current: {names}: run `python tools/api_reference.py`", file=sys.stderr)
        return 1 if stale else 0
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
