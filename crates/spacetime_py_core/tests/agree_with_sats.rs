//! Our BSATN against `spacetimedb-sats`, on random types and values.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use _core::sats::{AlgebraicType, Layout, Reader, TypeId, Writer, types::Element};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use spacetimedb_sats::proptest::generate_typed_value;
use spacetimedb_sats::{AlgebraicType as SatsType, AlgebraicValue, bsatn};

/// Through the bytes that describe a type, so that the reading of types is tested as well.
fn our_type(ty: &SatsType) -> AlgebraicType {
    let bytes = bsatn::to_vec(ty).unwrap();
    let mut reader = Reader::new(&bytes);
    let ours = AlgebraicType::read(&mut reader).unwrap();
    reader.end().unwrap();
    ours
}

fn compiled(ty: &AlgebraicType) -> (Layout, TypeId) {
    let (layout, places) = Layout::compile(&[], std::slice::from_ref(ty)).unwrap();
    (layout, places[0])
}

fn encoded_again(layout: &Layout, ty: TypeId, bytes: &[u8]) -> Vec<u8> {
    let mut reader = Reader::new(bytes);
    let value = layout.decode(ty, &mut reader).unwrap();
    reader.end().unwrap();
    let mut writer = Writer::default();
    value.encode(&mut writer).unwrap();
    writer.0
}

/// Always the same cases, so that a failure is seen again. `PROPTEST_CASES` asks for other numbers.
fn runner(cases: u32) -> TestRunner {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(cases);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn the_same_bytes_for_ten_thousand_values() {
    let check = |(ty, value): (SatsType, AlgebraicValue)| {
        let bytes = bsatn::to_vec(&value).unwrap();
        let (layout, place) = compiled(&our_type(&ty));
        layout.validate(place, &bytes).unwrap();
        prop_assert_eq!(encoded_again(&layout, place, &bytes), &bytes[..]);
        if let Some(size) = layout.node(place).fixed {
            prop_assert_eq!(size as usize, bytes.len());
        }
        prop_assert!(layout.node(place).min <= bytes.len() as u64);
        Ok(())
    };
    runner(10_000).run(&generate_typed_value(), check).unwrap();
}

#[test]
fn every_truncated_value_is_an_error() {
    let check = |(ty, value): (SatsType, AlgebraicValue)| {
        let bytes = bsatn::to_vec(&value).unwrap();
        let (layout, place) = compiled(&our_type(&ty));
        for end in (0..bytes.len()).take(64).chain(bytes.len().checked_sub(1)) {
            let error = layout.validate(place, &bytes[..end]).unwrap_err();
            prop_assert!(error.offset <= end);
        }
        let with_more = [&bytes[..], &[0]].concat();
        prop_assert!(layout.validate(place, &with_more).is_err());
        Ok(())
    };
    runner(1_000).run(&generate_typed_value(), check).unwrap();
}

#[test]
fn a_corrupted_value_is_an_error_or_another_value() {
    let corrupted = (generate_typed_value(), prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4));
    let check = |((ty, value), changes): ((SatsType, AlgebraicValue), Vec<(prop::sample::Index, u8)>)| {
        let mut bytes = bsatn::to_vec(&value).unwrap();
        for (index, byte) in changes {
            if !bytes.is_empty() {
                let place = index.index(bytes.len());
                bytes[place] = byte;
            }
        }
        let (layout, place) = compiled(&our_type(&ty));
        if layout.validate(place, &bytes).is_ok() {
            prop_assert_eq!(encoded_again(&layout, place, &bytes), &bytes[..]);
        }
        Ok(())
    };
    runner(10_000).run(&corrupted, check).unwrap();
}

/// The fields of a row are found where they are, in any order of asking.
#[test]
fn fields_are_found_by_their_number() {
    let check = |(ty, value): (SatsType, AlgebraicValue)| {
        let (SatsType::Product(_), AlgebraicValue::Product(product)) = (&ty, &value) else { return Ok(()) };
        let bytes = bsatn::to_vec(&value).unwrap();
        let (layout, place) = compiled(&our_type(&ty));
        let fields = layout.product(place).unwrap();
        for (index, field) in product.elements.iter().enumerate().rev() {
            let mut reader = layout.field(fields, index, &bytes).unwrap();
            let start = reader.position();
            layout.skip(fields.fields[index].ty, &mut reader).unwrap();
            prop_assert_eq!(reader.since(start), bsatn::to_vec(field).unwrap());
        }
        Ok(())
    };
    runner(2_000).run(&generate_typed_value(), check).unwrap();
}

#[test]
fn random_bytes_never_panic_as_a_type() {
    let check = |bytes: Vec<u8>| {
        let mut reader = Reader::new(&bytes);
        if let Ok(ty) = AlgebraicType::read(&mut reader) {
            let named = AlgebraicType::Product(vec![Element { name: None, ty: ty.clone() }]);
            let _ = Layout::compile(&[named, ty], &[]);
        }
        Ok(())
    };
    runner(5_000).run(&prop::collection::vec(any::<u8>(), 0..200), check).unwrap();
}
