//! How hash tables are seeded: keys come from a server, and whoever chooses them must not know where they will lie.

use std::hash::BuildHasher;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::SharedSeed;
use foldhash::fast::{FoldHasher, SeedableRandomState};

/// Of all tables of the process.
static SEED: OnceLock<SharedSeed> = OnceLock::new();
static TABLES: AtomicU64 = AtomicU64::new(0);

/// Seeds the tables of the process, if none was made yet. Without it the seed is random.
#[cfg(any(test, feature = "python"))]
pub fn seed(seed: u64) {
    SEED.get_or_init(|| SharedSeed::from_u64(seed));
}

/// What a hash table hashes its keys with; another one for each.
#[derive(Clone, Debug)]
pub struct Hashing(SeedableRandomState);

fn shared() -> &'static SharedSeed {
    SEED.get_or_init(|| SharedSeed::global_random().clone())
}

/// The hash of bytes outside of these tables: the same all over the process.
#[cfg(any(test, feature = "python"))]
pub fn hash(bytes: &[u8]) -> u64 {
    use std::hash::Hasher;

    let mut hasher = FoldHasher::with_seed(0, shared());
    hasher.write(bytes);
    hasher.finish()
}

impl Default for Hashing {
    fn default() -> Self {
        Hashing(SeedableRandomState::with_seed(TABLES.fetch_add(1, Ordering::Relaxed), shared()))
    }
}

impl BuildHasher for Hashing {
    type Hasher = FoldHasher<'static>;

    #[inline]
    fn build_hasher(&self) -> FoldHasher<'static> {
        self.0.build_hasher()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_differ_and_clones_do_not() {
        let (one, other) = (Hashing::default(), Hashing::default());
        assert_ne!(one.hash_one(7u64), other.hash_one(7u64));
        assert_eq!(one.hash_one(7u64), one.clone().hash_one(7u64));
    }

    #[test]
    fn the_first_seed_stays() {
        let before = hash(b"a key");
        seed(1);
        assert_eq!(hash(b"a key"), before);
    }
}
