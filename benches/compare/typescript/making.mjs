// Typed objects made of values that a program has: the same as ../making.py.
export function valuesOf(kind, row) {
  if (kind !== "complex") return { ...row };
  const { position, attributes, state } = row;
  return { ...row, position: { ...position }, attributes: attributes.map((one) => ({ ...one })), state };
}

const makers = {
  point: ({ x, y, z }) => ({ x, y, z }),
  user: ({ identity, name, online }) => ({ identity, name, online }),
  message: ({ id, sender, sent, text }) => ({ id, sender, sent, text }),
  complex({ id, owner, created, title, note, position, tags, scores, attributes, state }) {
    const { x, y, z } = position;
    return {
      id,
      owner,
      created,
      title,
      note,
      position: { x, y, z },
      tags,
      scores,
      attributes: attributes.map(({ key, value }) => ({ key, value })),
      state: stateOf(state),
    };
  },
};

function stateOf({ tag, value }) {
  if (tag === "Moving") return { tag: "Moving", value: { x: value.x, y: value.y, z: value.z } };
  return tag === "Waiting" ? { tag: "Waiting", value } : { tag: "Idle" };
}

/** A function from many `valuesOf` to new objects. */
export function maker(kind) {
  const make = makers[kind];
  return (values) => values.map((one) => make(one));
}
