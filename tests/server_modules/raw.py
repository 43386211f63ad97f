"""A RawModuleDef read by its own description: from BSATN to the JSON that servers give.

Written from the protocol, not from what writes it.
"""

from __future__ import annotations

from typing import Any

SCALARS = ["String", "Bool", "I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64"]
SCALARS += ["I128", "U128", "I256", "U256", "F32", "F64"]

# A struct is a list of (field, type), an enum a list of (variant, type), `[T]` a list, `T?` an
# option; "unit" is nothing.
STRUCTS: dict[str, list[tuple[str, Any]]] = {
    "Typespace": [("types", ["Type"])],
    "Element": [("name", "str?"), ("algebraic_type", "Type")],
    "ProductType": [("elements", ["Element"])],
    "SumType": [("variants", ["Element"])],
    "V9": [
        ("typespace", "Typespace"),
        ("tables", ["Table9"]),
        ("reducers", ["Reducer9"]),
        ("types", ["TypeName9"]),
        ("misc_exports", ["Misc"]),
        ("row_level_security", ["Filter"]),
    ],
    "Table9": [
        ("name", "str"),
        ("product_type_ref", "u32"),
        ("primary_key", ["u16"]),
        ("indexes", ["Index9"]),
        ("constraints", ["Constraint9"]),
        ("sequences", ["Sequence9"]),
        ("schedule", "Schedule9?"),
        ("table_type", "TableType"),
        ("table_access", "TableAccess"),
    ],
    "Index9": [("name", "str?"), ("accessor_name", "str?"), ("algorithm", "Algorithm")],
    "Constraint9": [("name", "str?"), ("data", "ConstraintData")],
    "Columns": [("columns", ["u16"])],
    "Sequence9": [
        ("name", "str?"),
        ("column", "u16"),
        ("start", "i128?"),
        ("min_value", "i128?"),
        ("max_value", "i128?"),
        ("increment", "i128"),
    ],
    "Schedule9": [("name", "str?"), ("reducer_name", "str"), ("scheduled_at_column", "u16")],
    "Reducer9": [("name", "str"), ("params", "ProductType"), ("lifecycle", "Lifecycle?")],
    "TypeName9": [("name", "Scoped9"), ("ty", "u32"), ("custom_ordering", "bool")],
    "Scoped9": [("scope", ["str"]), ("name", "str")],
    "Default9": [("table", "str"), ("col_id", "u16"), ("value", "bytes")],
    "Filter": [("sql", "str")],
    "V10": [("sections", ["Section"])],
    "TypeName10": [("source_name", "Scoped10"), ("ty", "u32"), ("custom_ordering", "bool")],
    "Scoped10": [("scope", ["str"]), ("source_name", "str")],
    "Table10": [
        ("source_name", "str"),
        ("product_type_ref", "u32"),
        ("primary_key", ["u16"]),
        ("indexes", ["Index10"]),
        ("constraints", ["Constraint10"]),
        ("sequences", ["Sequence10"]),
        ("table_type", "TableType"),
        ("table_access", "TableAccess"),
        ("default_values", ["Default10"]),
        ("is_event", "bool"),
    ],
    "Index10": [("source_name", "str?"), ("accessor_name", "str?"), ("algorithm", "Algorithm")],
    "Constraint10": [("source_name", "str?"), ("data", "ConstraintData")],
    "Sequence10": [
        ("source_name", "str?"),
        ("column", "u16"),
        ("start", "i128?"),
        ("min_value", "i128?"),
        ("max_value", "i128?"),
        ("increment", "i128"),
    ],
    "Default10": [("col_id", "u16"), ("value", "bytes")],
    "Reducer10": [
        ("source_name", "str"),
        ("params", "ProductType"),
        ("visibility", "Visibility"),
        ("ok_return_type", "Type"),
        ("err_return_type", "Type"),
    ],
    "Procedure10": [
        ("source_name", "str"),
        ("params", "ProductType"),
        ("return_type", "Type"),
        ("visibility", "Visibility"),
    ],
    "View10": [
        ("source_name", "str"),
        ("index", "u32"),
        ("is_public", "bool"),
        ("is_anonymous", "bool"),
        ("params", "ProductType"),
        ("return_type", "Type"),
    ],
    "Schedule10": [
        ("source_name", "str?"),
        ("table_name", "str"),
        ("schedule_at_col", "u16"),
        ("function_name", "str"),
    ],
    "Lifecycle10": [("lifecycle_spec", "Lifecycle"), ("function_name", "str")],
    "Names": [("entries", ["NameEntry"])],
    "NameMapping": [("source_name", "str"), ("canonical_name", "str")],
}
UNIT = "unit"
ENUMS: dict[str, list[tuple[str, Any]]] = {
    "RawModuleDef": [("V8BackCompat", UNIT), ("V9", "V9"), ("V10", "V10")],
    "Type": [
        ("Ref", "u32"),
        ("Sum", "SumType"),
        ("Product", "ProductType"),
        ("Array", "Type"),
        *[(name, UNIT) for name in SCALARS],
    ],
    "TableType": [("System", UNIT), ("User", UNIT)],
    "TableAccess": [("Public", UNIT), ("Private", UNIT)],
    "Algorithm": [("BTree", ["u16"]), ("Hash", ["u16"]), ("Direct", "u16")],
    "ConstraintData": [("Unique", "Columns")],
    "Lifecycle": [("Init", UNIT), ("OnConnect", UNIT), ("OnDisconnect", UNIT)],
    "Misc": [("ColumnDefaultValue", "Default9")],
    "Visibility": [("Private", UNIT), ("ClientCallable", UNIT)],
    "NameEntry": [(name, "NameMapping") for name in ("Table", "Function", "Index")],
    "Section": [
        ("Typespace", "Typespace"),
        ("Types", ["TypeName10"]),
        ("Tables", ["Table10"]),
        ("Reducers", ["Reducer10"]),
        ("Procedures", ["Procedure10"]),
        ("Views", ["View10"]),
        ("Schedules", ["Schedule10"]),
        ("LifeCycleReducers", ["Lifecycle10"]),
        ("RowLevelSecurity", ["Filter"]),
        ("CaseConversionPolicy", UNIT),
        ("ExplicitNames", "Names"),
    ],
}
WIDTHS = {"u16": 2, "u32": 4, "i128": 16}


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def take(self, count: int) -> bytes:
        assert self.place + count <= len(self.data), "the description ends too early"
        self.place += count
        return self.data[self.place - count : self.place]

    def number(self, width: int, signed: bool = False) -> int:
        return int.from_bytes(self.take(width), "little", signed=signed)

    def read(self, kind: Any) -> Any:
        if isinstance(kind, list):
            return [self.read(kind[0]) for _ in range(self.number(4))]
        if kind.endswith("?"):
            tag = self.number(1)
            assert tag in (0, 1)
            return {"some": self.read(kind[:-1])} if tag == 0 else {"none": []}
        if kind in STRUCTS:
            return {name: self.read(field) for name, field in STRUCTS[kind]}
        if kind in ENUMS:
            name, payload = ENUMS[kind][self.number(1)]
            return {name: self.read(payload)}
        return self.plain(kind)

    def plain(self, kind: str) -> Any:
        if kind in WIDTHS:
            return self.number(WIDTHS[kind], signed=kind[0] == "i")
        if kind == "unit":
            return []
        if kind == "bool":
            return {0: False, 1: True}[self.number(1)]
        data = self.take(self.number(4))
        return data.decode() if kind == "str" else data.hex()


def read_module(data: bytes) -> dict[str, Any]:
    """`{"V9": ...}` or `{"V10": ...}`; every byte is used."""
    reader = Reader(data)
    module: dict[str, Any] = reader.read("RawModuleDef")
    assert reader.place == len(data), "bytes are left over"
    return module
