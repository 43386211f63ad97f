//! What may differ between a recording and the peer, by name: who the clients are, times, and numbers that a server makes.

use _core::sats::layout::Product;
use _core::sats::{ModuleDef, Reader, Special};

use crate::decode::Rows;

/// Columns whose numbers the server chooses.
const MADE_BY_SERVER: [(&str, &str); 5] =
    [("tag", "id"), ("containers", "id"), ("alarm", "scheduled_id"), ("alarm", "scheduled_at"), ("ring_note", "id")];

/// Bytes of one side that stand for bytes of the other.
#[derive(Default)]
pub struct Names(Vec<(Vec<u8>, Vec<u8>)>);

impl Names {
    /// `ours` is what the peer says where the recording says `recorded`.
    pub fn add(&mut self, ours: &[u8], recorded: &[u8]) {
        self.0.push((ours.to_vec(), recorded.to_vec()));
    }

    fn translate(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for (ours, recorded) in &self.0 {
            let mut at = 0;
            while let Some(found) = bytes[at..].windows(ours.len()).position(|window| window == ours) {
                bytes[at + found..at + found + ours.len()].copy_from_slice(recorded);
                at += found + ours.len();
            }
        }
        bytes
    }
}

/// One side of the comparison; that of the recording has no names to translate.
pub struct Side<'a> {
    pub module: &'a ModuleDef,
    pub names: Option<&'a Names>,
}

impl Rows for Side<'_> {
    fn row(&self, table: &str, row: &[u8]) -> String {
        let row = self.names.map_or_else(|| row.to_vec(), |names| names.translate(row));
        let Some(index) = self.module.table(table) else { return hex(&row) };
        let product = self.module.layout.product(self.module.tables[index].row).unwrap();
        self.columns(table, product, &row).join(" ")
    }

    /// Identities as they are written; of a panic only its first words.
    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (ours, recorded) in self.names.iter().flat_map(|names| &names.0) {
            text = text.replace(&written(ours), &written(recorded));
        }
        match text.find("fatal error: ") {
            Some(at) => text[..at].to_owned(),
            None => text,
        }
    }
}

impl Side<'_> {
    fn columns(&self, table: &str, product: &Product, row: &[u8]) -> Vec<String> {
        let mut reader = Reader::new(row);
        let mut columns = Vec::new();
        for field in &product.fields {
            let start = reader.position();
            self.module.layout.skip(field.ty, &mut reader).unwrap();
            let name = field.name.as_deref().unwrap_or_default();
            let special = self.module.layout.product(field.ty).and_then(|product| product.special);
            let is_time = special == Some(Special::Timestamp) && ["presence", "ring_note"].contains(&table);
            if is_time || MADE_BY_SERVER.contains(&(table, name)) {
                columns.push(format!("({name})"));
            } else {
                columns.push(hex(reader.since(start)));
            }
        }
        columns
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn written(id: &[u8]) -> String {
    hex(&id.iter().rev().copied().collect::<Vec<_>>())
}
