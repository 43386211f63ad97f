//! Appends BSATN to bytes.

#[derive(Default)]
pub struct Out(pub Vec<u8>);

macro_rules! numbers {
    ($($name:ident: $type:ty),*) => { $(
        pub fn $name(&mut self, value: $type) {
            self.0.extend_from_slice(&value.to_le_bytes());
        }
    )* };
}

impl Out {
    numbers!(u8: u8, u16: u16, u32: u32, u64: u64, i32: i32, i64: i64, u128: u128, f32: f32);

    /// As it is, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A count or a length: nothing here comes near 4 GiB.
    pub fn count(&mut self, count: usize) {
        self.u32(count as u32);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    pub fn str(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => {
                self.u8(0);
                write(self, value);
            }
            None => self.u8(1),
        }
    }
}
