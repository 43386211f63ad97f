// What `spacetime generate` would write, made at run time from a schema. Also used by benches/compare.
import {
  DbConnectionBuilder,
  DbConnectionImpl,
  procedures,
  reducers,
  reducerSchema,
  schema as schemaOf,
  t,
  table,
} from "spacetimedb";

const SPECIAL = {
  __identity__: t.identity,
  __connection_id__: t.connectionId,
  __timestamp_micros_since_unix_epoch__: t.timestamp,
  __time_duration_micros__: t.timeDuration,
};
const SCALARS = Object.fromEntries(
  "Bool I8 U8 I16 U16 I32 U32 I64 U64 I128 U128 I256 U256 F32 F64 String"
    .split(" ")
    .map((name) => [name, t[name.toLowerCase()]])
);

const some = (option) => option.some;
const nameOf = (element) => some(element.name);

/** Builders of the types of a RawModuleDefV9 in JSON. */
export class Types {
  constructor(schema) {
    this.space = schema.typespace.types;
    this.names = new Map(schema.types.map(({ name, ty }) => [ty, name.name]));
    this.refs = new Map(schema.types.map(({ name, ty }) => [name.name, ty]));
    this.made = new Map();
  }

  builder(type, name) {
    const [kind, body] = Object.entries(type)[0];
    if (kind in SCALARS) return SCALARS[kind]();
    if (kind === "Ref") return this.named(body);
    if (kind === "Array") return t.array(this.builder(body));
    return kind === "Product" ? this.product(body.elements, name) : this.sum(body.variants, name);
  }

  named(ref) {
    if (!this.made.has(ref)) this.made.set(ref, this.builder(this.space[ref], this.names.get(ref)));
    return this.made.get(ref);
  }

  product(elements, name) {
    const special = elements.length === 1 && SPECIAL[nameOf(elements[0])];
    return special ? special() : t.object(name, this.fields(elements));
  }

  fields(elements) {
    return Object.fromEntries(elements.map((one) => [nameOf(one), this.builder(one.algebraic_type)]));
  }

  sum(variants, name) {
    const names = variants.map(nameOf).join();
    if (names === "some,none") return t.option(this.builder(variants[0].algebraic_type));
    if (names === "Interval,Time") return t.scheduleAt();
    const isUnit = ({ algebraic_type: type }) => type.Product?.elements.length === 0;
    const payload = (one) => (isUnit(one) ? t.unit() : this.builder(one.algebraic_type));
    return t.enum(name, Object.fromEntries(variants.map((one) => [nameOf(one), payload(one)])));
  }
}

function tableOf(types, raw) {
  const { elements } = types.space[raw.product_type_ref].Product;
  const columns = elements.map(nameOf);
  const row = types.fields(elements);
  for (const place of raw.primary_key) row[columns[place]] = row[columns[place]].primaryKey();
  const constraints = raw.constraints.map(({ name, data }) => ({
    name: some(name),
    constraint: "unique",
    columns: data.Unique.columns.map((place) => columns[place]),
  }));
  const indexes = raw.indexes.map(({ accessor_name, algorithm }) => ({
    name: some(accessor_name),
    accessor: some(accessor_name),
    algorithm: "btree",
    columns: algorithm.BTree.map((place) => columns[place]),
  }));
  return table({ name: raw.name, indexes, constraints }, t.row(row));
}

/** A builder of connections to a database. */
export async function bindings(url, database, cliVersion = "1.12.0") {
  const answer = await fetch(`${url}/v1/database/${database}/schema?version=9`);
  return bindingsOf(await answer.json(), cliVersion);
}

/** A builder of connections to a database with this schema, for the SDK of this version. */
export function bindingsOf(schema, cliVersion) {
  const types = new Types(schema);
  const isPublic = (raw) => "Public" in raw.table_access;
  const tables = schemaOf(...tablesOf(types, schema.tables.filter(isPublic), cliVersion));
  const called = schema.reducers.filter((raw) => "none" in raw.lifecycle);
  const functions = reducers(
    ...called.map((raw) => reducerSchema(raw.name, types.fields(raw.params.elements)))
  );
  const module = {
    versionInfo: { cliVersion },
    tables: tables.schemaType.tables,
    reducers: functions.reducersType.reducers,
    ...procedures(),
  };
  class DbConnection extends DbConnectionImpl {}
  return () => new DbConnectionBuilder(module, (config) => new DbConnection(config));
}

/** The arguments of the SDK's `schema`: tables in 1.x, one object of them in 2.x. */
function tablesOf(types, raws, cliVersion) {
  const tables = raws.map((raw) => tableOf(types, raw));
  if (cliVersion.startsWith("1.")) return tables;
  return [Object.fromEntries(raws.map((raw, place) => [raw.name, tables[place]]))];
}
