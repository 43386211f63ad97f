"""The methods of row classes: what `dataclasses` would write, without its imports.

`dataclasses` draws in inspect, ast, dis and tokenize. A class that is a dataclass already keeps
its own methods.
"""

from __future__ import annotations

from keyword import iskeyword

from . import _guest
from ._light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from ._place import Place


class _Unset:
    def __repr__(self) -> str:
        return "not given"


UNSET: Any = _Unset()


class Column:
    """What `column()` says about a column."""

    __slots__ = ("auto_inc", "default", "index", "primary_key", "unique")

    def __init__(
        self, primary_key: bool, unique: bool, auto_inc: bool, index: str | None, default: object
    ) -> None:
        self.primary_key = primary_key
        self.unique = unique
        self.auto_inc = auto_inc
        self.index = index
        self.default = default


class Attribute:
    """An annotated name of a class body. The annotation may be a text; its type comes later."""

    __slots__ = ("annotation", "default", "factory", "name", "place")

    def __init__(self, name: str, annotation: object, place: Place) -> None:
        self.name = name
        self.annotation = annotation
        self.place = place
        self.default: object = UNSET
        self.factory: object = None

    @property
    def wire_name(self) -> str:
        """Names that Python does not take have an underscore behind them: `from_` is `from`."""
        return wire_name(self.name)


def wire_name(name: str) -> str:
    return name[:-1] if name.endswith("_") and iskeyword(name[:-1]) else name


def attributes_of(cls: type, place: Place) -> list[Attribute]:
    """The annotated names of a class and of its bases, in order."""
    found: dict[str, Attribute] = {}
    for part in reversed(cls.__mro__[:-1]):
        declared = part.__dict__.get("__spacetime__")
        if declared is not None:  # its defaults are no longer in the class
            found.update({one.name: one for one in declared.attributes})
            continue
        for name, annotation in getattr(part, "__annotations__", {}).items():
            if _is_class_variable(annotation):
                continue
            attribute = found[name] = Attribute(name, annotation, place)
            if name in part.__dict__ and not _is_slot(part.__dict__[name]):
                attribute.default = part.__dict__[name]
    for name, field in getattr(cls, "__dataclass_fields__", {}).items():
        if name in found and "MISSING" not in type(field.default_factory).__name__:
            found[name].factory = field.default_factory
    return list(found.values())


def equip(cls: type, attributes: list[Attribute], *, keywords: bool) -> None:
    """Give a class `__init__`, `__repr__`, `__eq__` and `__replace__`, but for what it has."""
    names = [attribute.name for attribute in attributes]
    defaults: dict[str, object] = {}
    for attribute in attributes:
        default = _default(attribute.default)
        if default is not UNSET:
            defaults[attribute.name] = default
        if attribute.name in cls.__dict__ and not _is_slot(cls.__dict__[attribute.name]):
            delattr(cls, attribute.name)  # a row without a value must not seem to have one
    if "__dataclass_fields__" in cls.__dict__:
        return
    methods = _methods(cls, names, defaults, keywords)
    own_init = "__init__" in cls.__dict__ or "__new__" in cls.__dict__
    for name, method in methods.items():
        if name not in cls.__dict__:
            setattr(cls, name, method)
    if not own_init:
        _guest.constructor(cls, tuple(names), defaults, keywords)
    if "__hash__" not in cls.__dict__ or cls.__dict__["__hash__"] is None:
        setattr(cls, "__hash__", None if names else _hash_of_nothing)  # noqa: B010
    if "__match_args__" not in cls.__dict__:
        setattr(cls, "__match_args__", () if keywords else tuple(names))  # noqa: B010


def _methods(
    cls: type, names: list[str], defaults: dict[str, object], keywords: bool
) -> dict[str, Any]:
    parameters = ["self", *(["*"] if keywords and names else [])]
    parameters += [f"{name}=_d[{name!r}]" if name in defaults else name for name in names]
    sets = "".join(f"    self.{name} = {_given(name, defaults)}\n" for name in names)
    copies = "".join(f"    other.{name} = changes.pop({name!r}, self.{name})\n" for name in names)
    same = " and ".join([f"self.{name} == other.{name}" for name in names]) or "True"
    shown = ", ".join(f"{name}={{self.{name}!r}}" for name in names)
    source = (
        f"def __init__({', '.join(parameters)}):\n{sets or '    pass'}\n"
        f"def __eq__(self, other):\n"
        f"    if other.__class__ is not self.__class__: return NotImplemented\n"
        f"    return {same}\n"
        f"def __repr__(self):\n    return f'{cls.__name__}({shown})'\n"
        f"def __replace__(self, /, **changes):\n"
        f"    other = _new(type(self))\n{copies}"
        f"    if changes: raise TypeError(f'{cls.__name__} has no {{next(iter(changes))!r}}')\n"
        f"    return other\n"
    )
    made: dict[str, Any] = {}
    exec(source, {"_d": defaults, "_new": object.__new__}, made)
    for name, method in made.items():
        method.__qualname__ = f"{cls.__qualname__}.{name}"
        method.__module__ = cls.__module__
    return made


def _hash_of_nothing(self: object) -> int:
    return hash(type(self))


def _given(name: str, defaults: dict[str, object]) -> str:
    """A list that is a default is not to be shared between rows."""
    if isinstance(defaults.get(name), list):
        return f"{name}.copy() if {name} is _d[{name!r}] else {name}"
    return name


def _default(given: object) -> object:
    """What a row gets that is made without the column."""
    if isinstance(given, Column):
        return 0 if given.auto_inc and given.default is UNSET else given.default
    return given


def _is_slot(value: object) -> bool:
    return type(value).__name__ == "member_descriptor"


def _is_class_variable(annotation: object) -> bool:
    shown = annotation if isinstance(annotation, str) else repr(annotation)
    return shown.removeprefix("typing.").startswith("ClassVar")
