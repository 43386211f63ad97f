"""From annotations to types."""

from __future__ import annotations

import sys

from ._light import TYPE_CHECKING, GenericAlias, UnionType
from ._rows import Attribute, attributes_of
from ._types import (
    BytesType,
    EnumType,
    Field,
    ListType,
    MarkedType,
    OptionType,
    ProductType,
    ResultType,
    ScalarType,
    ScheduleAtType,
    SumType,
    Type,
    UnitType,
)
from .declare import ProductDeclaration, TableDeclaration, VariantDeclaration
from .scalars import Either, Scalar
from .values import ConnectionId, Err, Identity, Ok, Some, TimeDuration, Timestamp

if TYPE_CHECKING:
    from typing import Any

    from ._place import Place

# What people reach for first, and what there is instead.
INSTEAD = {
    "datetime": "use Timestamp",
    "date": "use Timestamp, or str",
    "timedelta": "use TimeDuration",
    "dict": "use a list of a class with @product that has the key and the value",
    "set": "use list",
    "frozenset": "use list",
    "tuple": "use a class with @product",
    "bytearray": "use bytes",
    "Decimal": "use an integer of the smallest unit, or str",
    "complex": "use a class with @product",
    "object": "name the type",
    "Any": "name the type",
    "list": "say of what: list[str]",
    "Some": "say of what: Some[bool | None] | None",
}
PLAIN = {bool: "bool", int: "i64", float: "f64", str: "str"}


class Unsupported(Exception):
    """An annotation that is no type of the database."""


class Resolver:
    """Knows each class once, so that one class is one type."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        self._classes: dict[object, Type] = {
            Identity: MarkedType(Identity, "__identity__", "u256"),
            ConnectionId: MarkedType(ConnectionId, "__connection_id__", "u128"),
            Timestamp: MarkedType(Timestamp, "__timestamp_micros_since_unix_epoch__", "i64"),
            TimeDuration: MarkedType(TimeDuration, "__time_duration_micros__", "i64"),
            bytes: BytesType(),
        }
        self._sums: dict[frozenset[object], SumType] = {}
        self._sum_of: dict[object, str] = {}

    def resolve(self, annotation: object, place: Place, what: str) -> Type:
        """The type of `what`. A problem is noted, and then the type is the empty one."""
        try:
            return self._resolve(annotation, place)
        except Unsupported as error:
            self.problems.append(f"{place}: {what}: {error}")
        except NameError as error:
            self.problems.append(f"{place}: {what}: {error}: import it or define it above")
        except Exception as error:  # an annotation in quotes can do anything
            shown = f"{type(error).__name__}: {error}"
            self.problems.append(f"{place}: {what}: the annotation {annotation!r} fails: {shown}")
        return UnitType()

    def evaluate(self, annotation: object, place: Place) -> object:
        """The annotation as an object, out of quotes."""
        annotation = getattr(annotation, "__forward_arg__", annotation)
        while isinstance(annotation, str):  # what is in quotes below the future import has two
            annotation = place.evaluate(annotation)
        return annotation

    def attempt(self, annotation: object, place: Place) -> object:
        """The same, or the text where it cannot be: `resolve` says why, if that matters."""
        try:
            return self.evaluate(annotation, place)
        except Exception:
            return annotation

    def fields(self, attributes: list[Attribute], owner: str) -> list[Field]:
        return [
            Field(
                one.name,
                one.wire_name,
                self.resolve(one.annotation, one.place, f"{owner}.{one.name}"),
            )
            for one in attributes
        ]

    def row(self, table: TableDeclaration) -> ProductType:
        """The type of a table's rows, to be filled with fields by the caller."""
        made = ProductType(table.cls.__name__, table.cls)
        self._classes[table.cls] = made
        return made

    def _resolve(self, annotation: object, place: Place) -> Type:
        form: Any = self.evaluate(annotation, place)
        if isinstance(form, Scalar):
            return ScalarType(form.__name__)
        if _is_class(form):
            return self._class(form, place)
        if _is_union(form):
            return self._union(form.__args__, place)
        if hasattr(form, "__metadata__"):  # Annotated
            return self._resolve(form.__origin__, place)
        if hasattr(form, "__value__"):  # type Name = ...
            return self._resolve(form.__value__, place)
        origin = getattr(form, "__origin__", None)
        if origin is list:
            return self._list(form.__args__[0], place)
        raise Unsupported(_refusal(origin or form))

    def _list(self, item: object, place: Place) -> Type:
        made = self._resolve(item, place)
        if isinstance(made, ScalarType) and made.name == "u8":
            raise Unsupported("a list[u8] is what bytes is: write bytes")
        return ListType(made)

    def _class(self, cls: type, place: Place) -> Type:
        known = self._classes.get(cls)
        if known is not None:
            return known
        if cls in PLAIN:
            return ScalarType(PLAIN[cls])
        if (cls.__module__, cls.__name__) == ("uuid", "UUID"):
            made = self._classes[cls] = MarkedType(cls, "__uuid__", "u128", "int")
            return made
        if hasattr(cls, "__members__"):
            return self._enum(cls)
        declared = cls.__dict__.get("__spacetime__")
        if isinstance(declared, VariantDeclaration):
            raise Unsupported(
                f"{cls.__name__} is one case of a sum: name the whole, as in "
                f"`Shape: TypeAlias = {cls.__name__} | ...`"
            )
        if isinstance(declared, ProductDeclaration):
            return self._product(cls, declared.name, declared.attributes)
        if "__dataclass_fields__" in cls.__dict__:
            return self._product(cls, cls.__name__, attributes_of(cls, _place_of(cls, place)))
        raise Unsupported(_refusal(cls))

    def _product(self, cls: type, name: str, attributes: list[Attribute]) -> Type:
        made = self._classes[cls] = ProductType(name, cls)
        made.fields = self.fields(attributes, cls.__name__)
        return made

    def _enum(self, cls: Any) -> Type:
        members = [(enum_name(member.name), member) for member in cls]
        if not 0 < len(members) <= 256:
            raise Unsupported(f"{cls.__name__} has {len(members)} members: 1 to 256 are possible")
        made = self._classes[cls] = EnumType(cls.__name__, members)
        return made

    def _union(self, args: tuple[object, ...], place: Place) -> Type:
        rest = tuple([self.evaluate(arg, place) for arg in args if arg not in (None, type(None))])
        if len(rest) < len(args):
            return OptionType(self._some(rest, place))
        if set(rest) == {TimeDuration, Timestamp}:
            return ScheduleAtType()
        origins: dict[Any, Any] = {getattr(arg, "__origin__", None): arg for arg in rest}
        if set(origins) == {Ok, Err}:
            ok, err = origins[Ok].__args__[0], origins[Err].__args__[0]
            return ResultType(self._resolve(ok, place), self._resolve(err, place))
        if all(isinstance(_declared(arg), VariantDeclaration) for arg in rest):
            return self._sum(rest, place)
        raise Unsupported(
            f"the union {' | '.join(_shown(arg) for arg in rest)} is of types that do not go "
            f"together: make a class with @variant of each, with the type as its `value`"
        )

    def _some(self, rest: tuple[object, ...], place: Place) -> Type:
        if len(rest) != 1:
            return self._union(rest, place)
        only: Any = rest[0]
        if getattr(only, "__origin__", None) is not Some:
            return self._resolve(only, place)
        inner = self._resolve(only.__args__[0], place)
        if not isinstance(inner, OptionType):
            raise Unsupported("Some is for a value that may itself be None; else write T | None")
        return inner

    def _sum(self, classes: tuple[object, ...], place: Place) -> Type:
        key = frozenset(classes)
        if key in self._sums:
            return self._sums[key]
        name, ordered = _alias(key, classes, place)
        if len(ordered) > 256:
            raise Unsupported(f"{name} has {len(ordered)} variants: at most 256 are possible")
        made = self._sums[key] = SumType(name)
        for cls in ordered:
            declared: VariantDeclaration = cls.__dict__["__spacetime__"]
            other = self._sum_of.setdefault(cls, name)
            if other != name:
                raise Unsupported(f"{cls.__name__} is a variant of {other} already")
            payload = self.fields(declared.attributes, cls.__name__)
            tag = declared.name or _variant_name(cls.__name__, name)
            made.variants.append((tag, cls, payload[0].type if payload else None))
        return made


def enum_name(member: str) -> str:
    """`DARK_BLUE` is `DarkBlue` in the database; what is not in capitals stays."""
    if member != member.upper():
        return member
    return "".join(word[:1] + word[1:].lower() for word in member.split("_"))


def _variant_name(cls: str, name: str) -> str:
    rest = cls.removeprefix(name)
    return rest if rest and (rest[0].isupper() or rest[0] == "_") else cls


def _alias(
    key: frozenset[object], classes: tuple[object, ...], place: Place
) -> tuple[str, tuple[type, ...]]:
    """The name that the program gives to this union, and its variants in the order of there."""
    homes = [place.names()]
    homes += [vars(module) for cls in classes if (module := sys.modules.get(_home(cls)))]
    for names in homes:
        for name, value in list(names.items()):
            value = getattr(value, "__value__", value)
            if _is_union(value) and frozenset(value.__args__) == key:
                return name, value.__args__
    shown = " | ".join(_shown(cls) for cls in classes)
    raise Unsupported(
        f"the union {shown} has no name: write `Shape: TypeAlias = {shown}` at the top of "
        f"the program, and `Shape` here"
    )


def _place_of(cls: type, place: Place) -> Place:
    """A dataclass of somebody else's: its own names, and the line of who uses it."""
    module = sys.modules.get(cls.__module__)
    if module is None or vars(module) is place.globals:
        return place
    other = place.at(place.line)
    other.globals, other.locals = vars(module), None
    return other


def _is_class(annotation: object) -> bool:
    """`list[str]` is an instance of `type` for some versions of Python."""
    return isinstance(annotation, type) and not isinstance(annotation, GenericAlias)


def _is_union(annotation: object) -> bool:
    if isinstance(annotation, (Either, UnionType)):
        return True
    return type(annotation).__name__ in ("_UnionGenericAlias", "Union")


def _declared(cls: object) -> object:
    return cls.__dict__.get("__spacetime__") if isinstance(cls, type) else None


def _home(cls: object) -> str:
    return getattr(cls, "__module__", "")


def _shown(annotation: object) -> str:
    return getattr(annotation, "__name__", "") if _is_class(annotation) else repr(annotation)


def _refusal(annotation: object) -> str:
    name = getattr(annotation, "__name__", str(annotation))
    if name in INSTEAD:
        return f"{name} is no type of the database: {INSTEAD[name]}"
    if isinstance(annotation, type):
        return f"{name} is no type of the database: put @product over the class"
    return (
        f"{annotation!r} is no type of the database: use bool, str, bytes, u8 to u256, "
        f"i8 to i256, f32, f64, list[...], ... | None, a class with @product, an Enum"
    )
