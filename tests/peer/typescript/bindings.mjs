// What `spacetime generate` would write for the tables and functions of mod28 that the scenarios use.
import {
  DbConnectionBuilder,
  DbConnectionImpl,
  procedures,
  procedureSchema,
  reducers,
  reducerSchema,
  schema,
  t,
  table,
} from "spacetimedb/sdk";

const unique = (column) => ({ name: `${column}_key`, constraint: "unique", columns: [column] });
const index = (column) => ({ name: `${column}_idx`, accessor: column, algorithm: "btree", columns: [column] });

const tables = schema({
  item: table(
    { name: "item", indexes: [index("id"), index("code")], constraints: [unique("id"), unique("code")] },
    t.row({
      id: t.u64().primaryKey(),
      code: t.string(),
      owner: t.identity(),
      kind: t.u8(),
      level: t.i32(),
      note: t.option(t.string()),
    })
  ),
  bulk: table(
    { name: "bulk", indexes: [index("id")], constraints: [unique("id")] },
    t.row({ id: t.u32().primaryKey(), value: t.u64(), name: t.string() })
  ),
  diary: table({ name: "diary" }, t.row({ text: t.string(), n: t.i32() })),
  spark: table({ name: "spark", event: true }, t.row({ kind: t.u8(), text: t.string() })),
});

const functions = reducers(
  reducerSchema("add_item", {
    id: t.u64(),
    code: t.string(),
    kind: t.u8(),
    level: t.i32(),
    note: t.option(t.string()),
  }),
  reducerSchema("set_item", { id: t.u64(), level: t.i32(), note: t.option(t.string()) }),
  reducerSchema("drop_item", { id: t.u64() }),
  reducerSchema("add_diary", { text: t.string(), n: t.i32() }),
  reducerSchema("drop_diary", { text: t.string(), n: t.i32() }),
  reducerSchema("bulk_insert", { from: t.u32(), count: t.u32(), seed: t.u64() }),
  reducerSchema("bulk_update", { from: t.u32(), count: t.u32(), delta: t.u64() }),
  reducerSchema("bulk_delete", { from: t.u32(), count: t.u32() }),
  reducerSchema("fail", { message: t.string() }),
  reducerSchema("boom", { message: t.string() }),
  reducerSchema("emit_sparks", { count: t.u32() })
);

const module = {
  versionInfo: { cliVersion: "2.10.1" },
  tables: tables.schemaType.tables,
  reducers: functions.reducersType.reducers,
  ...procedures(
    procedureSchema("add_numbers", { a: t.i32(), b: t.i32() }, t.i64()),
    procedureSchema("add_diary_by_procedure", { text: t.string(), n: t.i32() }, t.option(t.string())),
    procedureSchema("procedure_boom", {}, t.u32())
  ),
};

class DbConnection extends DbConnectionImpl {}

export const builder = () => new DbConnectionBuilder(module, (config) => new DbConnection(config));
