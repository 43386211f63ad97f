//! Tables in memory, and transactions on them that can be taken back.

mod table;
mod transaction;

pub use table::{Row, Table, Tables, Taken, column_range};
pub use transaction::{Delta, Transaction};

/// Maps and sets of this crate: keys come from clients of a test, so speed matters more than hostile keys.
pub type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
pub type Set<K> = std::collections::HashSet<K, foldhash::fast::RandomState>;
