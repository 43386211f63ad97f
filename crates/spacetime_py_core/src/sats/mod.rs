//! What the bytes mean: SATS types, compiled once into a layout, and the BSATN encoding of their values.

pub mod bsatn;
pub mod fit;
pub mod layout;
pub mod module;
pub mod moves;
pub mod types;
pub mod validate;
pub mod value;

pub use bsatn::{Reader, Writer};
pub use fit::Misfit;
pub use layout::{Kind, Layout, Product, Special, TypeId};
pub use module::ModuleDef;
pub use types::AlgebraicType;
