//! Rows by the whole key of an index, which is what is asked for mostly: a hash table leads there through two places of
//! memory, a tree of 100,000 keys through ten.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::keys::{Column, Keys};
use super::rows::{RowId, RowStore};
use crate::sats::{Kind, Layout, TypeId};

#[derive(Debug)]
pub struct KeyIndex {
    columns: Vec<Column>,
    groups: HashTable<Group>,
    /// By id, where rows of a `Many` are in it: such a row goes without a search.
    positions: Vec<u32>,
}

/// The rows of one key, in no particular order and never none.
#[derive(Debug)]
enum Group {
    Few { count: u8, ids: [RowId; FEW] },
    Many(Box<Many>),
}

#[derive(Debug)]
struct Many {
    ids: Vec<RowId>,
}

/// So many fit into what a `Many` takes.
const FEW: usize = 3;
/// Hash tables of up to so many keys are not worth shrinking.
const SMALL: usize = 1024;

impl Group {
    #[inline]
    fn ids(&self) -> &[RowId] {
        match self {
            Group::Few { count, ids } => &ids[..usize::from(*count)],
            Group::Many(many) => &many.ids,
        }
    }

    /// Any of them has the key.
    #[inline]
    fn first(&self) -> RowId {
        self.ids()[0]
    }

    fn add(&mut self, id: RowId, positions: &mut Vec<u32>) {
        match self {
            Group::Few { count, ids } if usize::from(*count) < FEW => {
                ids[usize::from(*count)] = id;
                *count += 1;
            }
            Group::Few { ids, .. } => {
                let ids: Vec<RowId> = ids.iter().copied().chain([id]).collect();
                ids.iter().enumerate().for_each(|(position, id)| place(positions, *id, position));
                *self = Group::Many(Box::new(Many { ids }));
            }
            Group::Many(many) => {
                place(positions, id, many.ids.len());
                many.ids.push(id);
            }
        }
    }

    /// Removes a row if it is here: one that came and went in one message is not. Whether none is left.
    fn remove(&mut self, id: RowId, positions: &mut Vec<u32>) -> bool {
        match self {
            Group::Few { count, ids } => {
                let last = usize::from(*count) - 1;
                if let Some(position) = ids[..=last].iter().position(|known| *known == id) {
                    ids[position] = ids[last];
                    *count -= 1;
                }
                *count == 0
            }
            Group::Many(many) => {
                let position = positions.get(id as usize).map_or(0, |position| *position as usize);
                if many.ids.get(position) == Some(&id) {
                    many.ids.swap_remove(position);
                    if let Some(moved) = many.ids.get(position) {
                        place(positions, *moved, position);
                    }
                }
                many.ids.is_empty()
            }
        }
    }
}

fn place(positions: &mut Vec<u32>, id: RowId, position: usize) {
    if positions.len() <= id as usize {
        positions.resize(id as usize + 1, 0);
    }
    positions[id as usize] = position as u32;
}

impl KeyIndex {
    /// Whether keys of columns of such types are equal when their bytes are. Those of floats need not be; and no type is
    /// looked into deeply.
    pub fn takes(layout: &Layout, ty: TypeId) -> bool {
        takes(layout, ty, 3)
    }

    pub fn build(columns: &[u16], keys: &Keys<'_>, store: &RowStore) -> Self {
        let columns = columns.iter().map(|column| Column::new(keys.layout, keys.row, *column)).collect();
        let mut index = KeyIndex { columns, groups: HashTable::new(), positions: Vec::new() };
        store.ids().for_each(|id| index.insert(keys, id, store));
        index
    }

    pub fn is_over(&self, columns: &[u16]) -> bool {
        self.columns.iter().map(|column| &column.index).eq(columns)
    }

    /// The rows of a key: the BSATN of its columns, one after the other.
    #[inline]
    pub fn find(&self, keys: &Keys<'_>, key: &[u8], store: &RowStore) -> &[RowId] {
        let is_same = |group: &Group| has_key(&self.columns, keys, store.bytes(group.first()), key);
        self.groups.find(keys.hash(key), is_same).map_or(&[], Group::ids)
    }

    pub fn insert(&mut self, keys: &Keys<'_>, id: RowId, store: &RowStore) {
        let KeyIndex { columns, groups, positions } = self;
        let hash = |id: RowId| with_key(columns, keys, store.bytes(id), |key| keys.hash(key));
        let entry = with_key(columns, keys, store.bytes(id), |key| {
            let is_same = |group: &Group| has_key(columns, keys, store.bytes(group.first()), key);
            groups.entry(keys.hash(key), is_same, |group| hash(group.first()))
        });
        match entry {
            Entry::Occupied(mut known) => known.get_mut().add(id, positions),
            Entry::Vacant(place) => _ = place.insert(Group::Few { count: 1, ids: [id, 0, 0] }),
        }
    }

    /// The bytes of the row are still there.
    pub fn remove(&mut self, keys: &Keys<'_>, id: RowId, store: &RowStore) {
        let KeyIndex { columns, groups, positions } = self;
        let entry = with_key(columns, keys, store.bytes(id), |key| {
            groups.find_entry(keys.hash(key), |group| has_key(columns, keys, store.bytes(group.first()), key))
        });
        if let Ok(mut entry) = entry {
            if entry.get_mut().remove(id, positions) {
                entry.remove();
            }
        }
    }

    /// Gives memory back once most keys have gone.
    pub fn shrink(&mut self, keys: &Keys<'_>, store: &RowStore) {
        let KeyIndex { columns, groups, .. } = self;
        if groups.capacity() >= SMALL && groups.len() * 8 <= groups.capacity() {
            groups.shrink_to(0, |group| with_key(columns, keys, store.bytes(group.first()), |key| keys.hash(key)));
        }
    }
}

#[inline]
fn has_key(columns: &[Column], keys: &Keys<'_>, row: &[u8], key: &[u8]) -> bool {
    let rest = columns.iter().try_fold(key, |rest, column| rest.strip_prefix(keys.column(column, row)));
    rest.is_some_and(<[u8]>::is_empty)
}

/// Calls with the key of a row. One column is not copied.
#[inline]
fn with_key<T>(columns: &[Column], keys: &Keys<'_>, row: &[u8], job: impl FnOnce(&[u8]) -> T) -> T {
    match columns {
        [column] => job(keys.column(column, row)),
        _ => job(&columns.iter().flat_map(|column| keys.column(column, row)).copied().collect::<Vec<u8>>()),
    }
}

fn takes(layout: &Layout, ty: TypeId, depth: usize) -> bool {
    match layout.kind(ty) {
        _ if depth == 0 => false,
        Kind::F32 | Kind::F64 | Kind::Array(_) => false,
        Kind::Product(product) => product.fields.iter().all(|field| takes(layout, field.ty, depth - 1)),
        Kind::Sum(sum) => sum.variants.iter().all(|variant| takes(layout, variant.ty, depth - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_small() {
        assert_eq!(size_of::<Group>(), 16);
    }
}
