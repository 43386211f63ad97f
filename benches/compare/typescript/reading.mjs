// Checksums over fields that a program reads: the same as ../reading.py.
export const BASE_MICROS = 1_795_000_000_000_000n;
export const ME = (0xc200n << 240n) + 7n;
export const CUTOFF = BASE_MICROS + 500_000n;

export const readMessage = (row) =>
  Number(row.id) +
  (row.sender.__identity__ === ME ? 1 : 0) +
  (row.sent.microsSinceUnixEpoch > CUTOFF ? 1 : 0) +
  row.text.length;

const readers = {
  point: {
    one(rows) {
      let total = 0;
      for (const row of rows) total += row.x;
      return total;
    },
    all(rows) {
      let total = 0;
      for (const row of rows) total += row.x + row.y + row.z;
      return total;
    },
  },
  user: {
    one(rows) {
      let total = 0;
      for (const { name } of rows) total += name === undefined ? 0 : name.length;
      return total;
    },
    all(rows) {
      let total = 0;
      for (const row of rows) {
        const name = row.name;
        total +=
          (name === undefined ? 0 : name.length) +
          (row.identity.__identity__ === ME ? 1 : 0) +
          (row.online ? 1 : 0);
      }
      return total;
    },
  },
  message: {
    one(rows) {
      let total = 0;
      for (const row of rows) total += row.text.length;
      return total;
    },
    all(rows) {
      let total = 0;
      for (const row of rows) {
        total +=
          Number(row.id) +
          (row.sender.__identity__ === ME ? 1 : 0) +
          (row.sent.microsSinceUnixEpoch > CUTOFF ? 1 : 0) +
          row.text.length;
      }
      return total;
    },
  },
  complex: {
    one(rows) {
      let total = 0;
      for (const row of rows) total += row.title.length;
      return total;
    },
    all: complexAll,
  },
  blob: {
    all(rows) {
      let total = 0;
      for (const { data } of rows) total += data.length + data[data.length - 1];
      return total;
    },
  },
};

/** Every leaf. */
function complexAll(rows) {
  let total = 0;
  for (const row of rows) {
    const { note, position, state } = row;
    total +=
      Number(row.id) +
      (row.owner.__identity__ === ME ? 1 : 0) +
      (row.created.microsSinceUnixEpoch > CUTOFF ? 1 : 0) +
      row.title.length;
    total += note === undefined ? 0 : note.length;
    total += position.x + position.y + position.z;
    for (const tag of row.tags) total += tag.length;
    for (const score of row.scores) total += score;
    for (const attribute of row.attributes) total += attribute.key.length + Number(attribute.value);
    if (state.tag === "Moving") {
      const to = state.value;
      total += to.x + to.y + to.z;
    } else if (state.tag === "Waiting") {
      total += state.value.length;
    }
  }
  return total;
}

function count(rows) {
  let total = 0;
  for (const _ of rows) total += 1;
  return total;
}

/** `fields` is made, one or all. */
export const reader = (kind, fields) => (fields === "made" ? count : readers[kind][fields]);
