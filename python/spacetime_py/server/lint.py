"""Find in a program's source what cannot work in a database, or would go wrong there quietly.

Runs where the module is built, over the files of the program itself; libraries are not looked at.
A line with the comment `# spacetime: allow` is left alone, and with `# spacetime: allow[clock]`
by that rule.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import _lint_rules as rules

_ALLOW = re.compile(r"#\s*spacetime:\s*allow(?:\[([\w\s,]+)\])?")
_Function = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `str()` is `file:line: severity: what; what instead [rule]`."""

    file: str
    line: int
    severity: str
    rule: str
    what: str
    remedy: str

    @property
    def is_error(self) -> bool:
        """Whether a build stops at it."""
        return self.severity == rules.ERROR

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: {self.severity}"
        return f"{where}: {self.what}; {self.remedy} [{self.rule}]"


def lint_files(paths: Iterable[Path], *, root: Path, include: Iterable[str] = ()) -> list[Finding]:
    """Look through the files of a program; named relative to `root`.

    `include`: modules that are bundled although nothing imports them at the top.
    """
    sources = [(path.relative_to(root).as_posix(), _text(path)) for path in paths]
    return lint_sources(sources, include=include)


def _text(path: Path) -> str:
    """In the encoding that the file declares."""
    with tokenize.open(path) as file:
        return file.read()


def lint_sources(
    sources: Iterable[tuple[str, str]], *, include: Iterable[str] = ()
) -> list[Finding]:
    """Look through (file name, text) pairs. What does not parse is left to the compiler."""
    parsed: list[tuple[str, str, ast.Module]] = []
    for name, text in sources:
        try:
            parsed.append((name, text, ast.parse(text, name)))
        except SyntaxError:
            continue
    bundled = set(include)
    for _, _, tree in parsed:
        bundled |= _imported_at_top(tree)
    findings: list[Finding] = []
    for name, text, tree in parsed:
        file = _File(name, tree, bundled)
        allowed = _allowed(text)
        findings += [one for one in file.findings() if not _is_allowed(one, allowed)]
    return findings


def _allowed(text: str) -> dict[int, set[str] | None]:
    """Rules that are off, by line; None: all of them."""
    found: dict[int, set[str] | None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _ALLOW.search(line)
        if match:
            names = match.group(1)
            found[number] = {one.strip() for one in names.split(",")} if names else None
    return found


def _is_allowed(finding: Finding, allowed: dict[int, set[str] | None]) -> bool:
    names = allowed.get(finding.line, set())
    return names is None or finding.rule in names


def _imported_at_top(tree: ast.Module) -> set[str]:
    """Modules that are there when the program runs."""
    found: set[str] = set()
    for node in _outside_functions(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when the program is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and _is_type_checking(child.test):
            for part in child.orelse:
                yield part
                yield from _outside_functions(part)
        elif not isinstance(child, _Function):
            yield child
            yield from _outside_functions(child)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return bool(name == "TYPE_CHECKING")


class _File:
    """One file: what its names stand for, and what is found in it."""

    def __init__(self, name: str, tree: ast.Module, bundled: set[str]) -> None:
        self.name = name
        self.tree = tree
        self.bundled = bundled
        self.found: list[Finding] = []
        self.aliases = self._aliases()
        self.state = self._state()

    def findings(self) -> list[Finding]:
        for node in _outside_functions(self.tree):
            self._secret(node)
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._libraries(node)
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
                self._use(node)
        for function in _functions(self.tree):
            self._function(function)
        return sorted(set(self.found), key=lambda one: (one.line, one.rule, one.what))

    def _note(self, node: ast.AST, severity: str, rule: str, what: str, remedy: str) -> None:
        line = getattr(node, "lineno", 0)
        self.found.append(Finding(self.name, line, severity, rule, what, remedy))

    def _aliases(self) -> dict[str, str]:
        """What imported names stand for: `dt` is `datetime.datetime`."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.split(".")[0]
                    found[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found

    def _full_name(self, node: ast.expr) -> str:
        """`dt.now` -> `datetime.datetime.now`; a plain name that was not imported stays."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, node.id)
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in self.aliases:
            return ".".join([self.aliases[node.id], *parts])
        return ""

    def _state(self) -> set[str]:
        """Names of the module level whose objects can be changed."""
        found: set[str] = set()
        for node in self.tree.body:
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if self._is_mutable(node.value):
                    found |= {target.id for target in targets if isinstance(target, ast.Name)}
        return found

    def _is_mutable(self, value: ast.expr) -> bool:
        literals = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
        if isinstance(value, ast.Call):
            return self._full_name(value.func) in rules.MUTABLE
        return isinstance(value, literals)

    # ------------------------------------------------------------ rules

    def _libraries(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""] if not node.level else []
        else:
            names = [alias.name for alias in node.names]
        for name in names:
            rule = rules.LIBRARIES.get(name.split(".")[0])
            if rule:
                self._note(node, rules.ERROR, rule[0], f"import of {name}", rule[1])

    def _use(self, node: ast.Name | ast.Attribute) -> None:
        name = self._full_name(node)
        rule = rules.FUNCTIONS.get(name)
        module, _, function = name.rpartition(".")
        if rule is None and function and name not in rules.FINE:
            rule = rules.MODULES.get(module)
        if rule is not None:
            self._note(node, rule[1], rule[0], f"use of {name}", rule[2])

    def _secret(self, node: ast.AST) -> None:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)):
            return
        value = node.value
        if not (isinstance(value, ast.Constant) and isinstance(value.value, (str, bytes))):
            return
        text = value.value if isinstance(value.value, str) else value.value.decode("latin-1")
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        suspect = [name for name in names if any(s in name.lower() for s in rules.SECRET_NAMES)]
        if text.startswith(rules.SECRET_STARTS) or (text and suspect):
            what = f"{' and '.join(names) or 'a text'} looks like a secret"
            self._note(node, rules.WARNING, "secret", what, rules.SECRET)

    def _function(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        state = self.state - _locals_of(function)
        for node in _inside(function):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._late_import(node)
            elif isinstance(node, ast.Global):
                names = " and ".join(node.names)
                self._note(node, rules.ERROR, "state", f"global {names}", rules.STATE)
            else:
                self._mutation(node, state)

    def _late_import(self, node: ast.Import | ast.ImportFrom) -> None:
        self._libraries(node)
        if isinstance(node, ast.ImportFrom):
            # A relative import is one of the program's own files.
            names = [node.module] if node.module and not node.level else []
        else:
            names = [alias.name for alias in node.names]
        for name in names:
            if name not in self.bundled and name.split(".")[0] not in rules.LIBRARIES:
                what = f"import of {name} inside of a function"
                self._note(node, rules.ERROR, "import", what, rules.IMPORT)

    def _mutation(self, node: ast.AST, state: set[str]) -> None:
        changed: list[ast.expr] = []
        if isinstance(node, (ast.Assign, ast.Delete)):
            changed = [one.value for one in node.targets if isinstance(one, ast.Subscript)]
        elif isinstance(node, ast.AugAssign):
            target = node.target
            changed = [target.value if isinstance(target, ast.Subscript) else target]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            changed = [node.func.value] if node.func.attr in rules.MUTATORS else []
        for one in changed:
            if isinstance(one, ast.Name) and one.id in state:
                what = f"change of {one.id}, which belongs to the module"
                self._note(node, rules.ERROR, "state", what, rules.STATE)


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def _inside(function: ast.AST) -> Iterator[ast.AST]:
    """What runs when the function is called; functions within come by themselves."""
    for child in ast.iter_child_nodes(function):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        yield child
        yield from _inside(child)


def _locals_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Parameters and names that are assigned, which hide those of the module."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [one for one in (arguments.vararg, arguments.kwarg) if one]
    names = {one.arg for one in every}
    shared: set[str] = set()
    for node in _inside(function):
        if isinstance(node, ast.Global):
            shared |= set(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names - shared
