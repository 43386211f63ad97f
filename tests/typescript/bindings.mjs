// Bindings of a running database, made from its schema: what `spacetime generate` writes, at run time.
import { DbConnectionBuilder, DbConnectionImpl, reducers, reducerSchema, schema, t, table } from "spacetimedb";

const SPECIAL = {
  __identity__: () => t.identity(),
  __connection_id__: () => t.connectionId(),
  __timestamp_micros_since_unix_epoch__: () => t.timestamp(),
  __time_duration_micros__: () => t.timeDuration(),
};

const nameOf = (element, index) => element.name.some ?? `field${index}`;

/** Builders of the SDK for the types of a module. */
function typesOf(definition) {
  const names = new Map(definition.types.map(({ name, ty }) => [ty, name.name]));
  const made = new Map();
  const fields = (elements) =>
    Object.fromEntries(elements.map((one, index) => [nameOf(one, index), build(one.algebraic_type)]));

  function product({ elements }, name) {
    const special = elements.length === 1 && SPECIAL[nameOf(elements[0], 0)];
    return special ? special() : t.object(name, fields(elements));
  }

  function sum({ variants }, name) {
    const tags = variants.map(nameOf);
    if (tags.join() === "some,none") return t.option(build(variants[0].algebraic_type));
    if (tags.join() === "Interval,Time") return t.scheduleAt();
    return t.enum(name, fields(variants));
  }

  function build(type, name = "Unnamed") {
    const [kind, body] = Object.entries(type)[0];
    if (kind === "Ref") {
      if (!made.has(body)) made.set(body, build(definition.typespace.types[body], names.get(body)));
      return made.get(body);
    }
    if (kind === "Product") return body.elements.length ? product(body, name) : t.unit();
    if (kind === "Sum") return sum(body, name);
    if (kind === "Array") return "U8" in body ? t.byteArray() : t.array(build(body));
    return t[kind.toLowerCase()]();
  }

  return { fields };
}

function tableOf(definition, raw, types) {
  const { elements } = definition.typespace.types[raw.product_type_ref].Product;
  const columns = types.fields(elements);
  for (const column of raw.primary_key) {
    const name = nameOf(elements[column], column);
    columns[name] = columns[name].primaryKey();
  }
  const indexes = raw.indexes.map(({ algorithm, accessor_name }) => {
    const names = algorithm.BTree.map((column) => nameOf(elements[column], column));
    return { name: names.join("_"), accessor: accessor_name.some, algorithm: "btree", columns: names };
  });
  const isPublic = "Public" in raw.table_access;
  return table({ name: raw.name, public: isPublic, indexes }, t.row(columns));
}

/** Gives what makes a connection builder for the database. */
export async function bindings(url, database) {
  const answer = await fetch(`${url}/v1/database/${database}/schema?version=9`);
  const definition = await answer.json();
  const types = typesOf(definition);
  const tables = schema(...definition.tables.map((raw) => tableOf(definition, raw, types)));
  const functions = reducers(
    ...definition.reducers.map(({ name, params }) => reducerSchema(name, types.fields(params.elements)))
  );
  const module = {
    versionInfo: { cliVersion: "1.12.0" },
    tables: tables.schemaType.tables,
    reducers: functions.reducersType.reducers,
    procedures: [],
  };
  class DbConnection extends DbConnectionImpl {}
  return () =>
    new DbConnectionBuilder(module, (config) => new DbConnection(config)).withUri(url).withModuleName(database);
}
