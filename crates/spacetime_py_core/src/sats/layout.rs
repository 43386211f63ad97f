//! A typespace compiled once: types in an arena, with their sizes, the offsets of fields, and what needs checking.

use super::moves::{Move, Moves, Way};
use super::types::{AlgebraicType, Element};
use crate::error::{Error, Result};

/// Position of a type in a `Layout`. Those of the typespace come first, so that `Ref(n)` is `TypeId(n)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeId(pub u32);

#[derive(Debug)]
pub struct Layout {
    nodes: Vec<Node>,
}

#[derive(Debug)]
pub struct Node {
    pub kind: Kind,
    /// The size in bytes of every value, if all have the same.
    pub fixed: Option<u32>,
    /// The fewest bytes that a value takes.
    pub min: u64,
    /// Any bytes of the fixed size are a value: nothing needs checking.
    pub plain: bool,
    /// How to pass a value quickly.
    pub(super) moves: Moves,
}

#[derive(Debug)]
pub enum Kind {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    I128,
    U128,
    I256,
    U256,
    F32,
    F64,
    String,
    Bytes,
    Array(TypeId),
    Product(Product),
    Sum(Sum),
}

#[derive(Debug)]
pub struct Product {
    pub fields: Vec<Field>,
    pub special: Option<Special>,
    /// How to check and skip a value.
    pub steps: Vec<Step>,
    /// The moves over a value, and how each field is found by them.
    pub moves: Box<[Move]>,
    pub ways: Box<[Way]>,
}

#[derive(Debug)]
pub struct Field {
    pub name: Option<String>,
    pub ty: TypeId,
}

/// One step over a value of a product type: fields that need no check are passed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Skip(u32),
    Check(TypeId),
}

#[derive(Debug)]
pub struct Sum {
    pub variants: Vec<Field>,
    pub special: Option<Special>,
}

/// Types that SpacetimeDB marks by the names of their fields or variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    Identity,
    ConnectionId,
    Timestamp,
    TimeDuration,
    Uuid,
    ScheduleAt,
    Option,
    Result,
}

impl Layout {
    /// Compiles a typespace and, after it, further types; gives the places of the latter.
    pub fn compile(typespace: &[AlgebraicType], further: &[AlgebraicType]) -> Result<(Layout, Vec<TypeId>)> {
        let mut compiler = Compiler { typespace, nodes: Vec::new() };
        compiler.nodes.resize_with(typespace.len(), || Node::new(Kind::Product(Product::unit())));
        for (index, ty) in typespace.iter().enumerate() {
            if !matches!(ty, AlgebraicType::Ref(_)) {
                compiler.nodes[index].kind = compiler.kind(ty)?;
            }
        }
        let places = further.iter().map(|ty| compiler.place(ty)).collect::<Result<_>>()?;
        let mut layout = Layout { nodes: compiler.nodes };
        layout.measure()?;
        layout.plan();
        Ok((layout, places))
    }

    #[inline]
    pub fn node(&self, ty: TypeId) -> &Node {
        &self.nodes[ty.0 as usize]
    }

    pub(super) fn node_mut(&mut self, ty: TypeId) -> &mut Node {
        &mut self.nodes[ty.0 as usize]
    }

    #[inline]
    pub fn kind(&self, ty: TypeId) -> &Kind {
        &self.node(ty).kind
    }

    pub fn product(&self, ty: TypeId) -> Option<&Product> {
        match self.kind(ty) {
            Kind::Product(product) => Some(product),
            _ => None,
        }
    }

    pub fn sum(&self, ty: TypeId) -> Option<&Sum> {
        match self.kind(ty) {
            Kind::Sum(sum) => Some(sum),
            _ => None,
        }
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Least sizes, by repetition until nothing changes: a type stays infinite if it contains itself without end.
    fn measure(&mut self) -> Result<()> {
        loop {
            let mut changed = false;
            for index in 0..self.nodes.len() {
                let min = self.min_of(&self.nodes[index].kind);
                changed |= min != self.nodes[index].min;
                self.nodes[index].min = min;
            }
            if !changed {
                break;
            }
        }
        if let Some(index) = self.nodes.iter().position(|node| node.min == INFINITE) {
            return Err(Error::Schema(format!("type {index} of the typespace contains itself without end")));
        }
        Ok(())
    }

    fn min_of(&self, kind: &Kind) -> u64 {
        let min = |field: &Field| self.node(field.ty).min;
        match kind {
            Kind::String | Kind::Bytes | Kind::Array(_) => 4,
            Kind::Product(product) => product.fields.iter().map(min).fold(0, u64::saturating_add),
            Kind::Sum(sum) => sum.variants.iter().map(min).min().unwrap_or(0).saturating_add(1),
            scalar => scalar.scalar_size().into(),
        }
    }

    /// Fixed sizes and checks, then moves and steps. Needs `measure` to have ruled out endless types.
    fn plan(&mut self) {
        let mut done = vec![None; self.nodes.len()];
        for index in 0..self.nodes.len() {
            let (fixed, plain) = self.shape(TypeId(index as u32), &mut done);
            self.nodes[index].fixed = fixed;
            self.nodes[index].plain = plain && fixed.is_some();
        }
        self.compile_moves();
        for index in 0..self.nodes.len() {
            let Kind::Product(product) = &self.nodes[index].kind else { continue };
            let steps = self.steps(product);
            let Node { kind: Kind::Product(product), moves, .. } = &mut self.nodes[index] else { continue };
            product.steps = steps;
            product.moves = moves.all.clone();
            product.ways = std::mem::take(&mut moves.ways);
        }
    }

    /// (fixed size, nothing to check). A type met again on the way down is recursive, so its size varies.
    fn shape(&self, ty: TypeId, done: &mut Vec<Option<(Option<u32>, bool)>>) -> (Option<u32>, bool) {
        if let Some(shape) = done[ty.0 as usize] {
            return shape;
        }
        done[ty.0 as usize] = Some((None, false));
        let shape = match self.kind(ty) {
            Kind::Bool => (Some(1), false),
            Kind::String | Kind::Bytes | Kind::Array(_) => (None, false),
            Kind::Product(product) => {
                let shapes: Vec<_> = product.fields.iter().map(|field| self.shape(field.ty, done)).collect();
                let size = shapes.iter().try_fold(0u32, |sum, (fixed, _)| sum.checked_add((*fixed)?));
                (size, shapes.iter().all(|(_, plain)| *plain))
            }
            Kind::Sum(sum) => {
                let mut sizes = sum.variants.iter().map(|variant| self.shape(variant.ty, done).0);
                let first = sizes.next().flatten();
                let same = sizes.all(|size| size == first);
                (first.filter(|_| same).and_then(|size| size.checked_add(1)), false)
            }
            scalar => (Some(scalar.scalar_size()), true),
        };
        done[ty.0 as usize] = Some(shape);
        shape
    }

    /// Whether no value of the type is nested deeper than the type itself, and none has elements without bytes.
    pub fn is_bounded(&self, ty: TypeId) -> bool {
        self.is_bounded_below(ty, &mut Vec::new())
    }

    fn is_bounded_below(&self, ty: TypeId, above: &mut Vec<TypeId>) -> bool {
        if above.contains(&ty) {
            return false;
        }
        above.push(ty);
        let is_bounded = match self.kind(ty) {
            Kind::Array(element) => self.node(*element).min != 0 && self.is_bounded_below(*element, above),
            Kind::Product(Product { fields, .. }) | Kind::Sum(Sum { variants: fields, .. }) => {
                fields.iter().all(|field| self.is_bounded_below(field.ty, above))
            }
            _ => true,
        };
        above.pop();
        is_bounded
    }

    fn steps(&self, product: &Product) -> Vec<Step> {
        let mut steps = Vec::new();
        for field in &product.fields {
            let node = self.node(field.ty);
            match (node.fixed, node.plain, steps.last_mut()) {
                (Some(0), true, _) => {}
                (Some(size), true, Some(Step::Skip(sum))) if sum.checked_add(size).is_some() => *sum += size,
                (Some(size), true, _) => steps.push(Step::Skip(size)),
                _ => steps.push(Step::Check(field.ty)),
            }
        }
        steps
    }
}

const INFINITE: u64 = u64::MAX;

impl Node {
    fn new(kind: Kind) -> Self {
        Node { kind, fixed: None, min: INFINITE, plain: false, moves: Moves::default() }
    }
}

impl Product {
    fn new(fields: Vec<Field>, special: Option<Special>) -> Self {
        Product { fields, special, steps: Vec::new(), moves: [].into(), ways: [].into() }
    }

    fn unit() -> Self {
        Product::new(Vec::new(), None)
    }
}

impl Kind {
    /// The size of a type that is neither variable nor composed.
    fn scalar_size(&self) -> u32 {
        match self {
            Kind::Bool | Kind::I8 | Kind::U8 => 1,
            Kind::I16 | Kind::U16 => 2,
            Kind::I32 | Kind::U32 | Kind::F32 => 4,
            Kind::I64 | Kind::U64 | Kind::F64 => 8,
            Kind::I128 | Kind::U128 => 16,
            Kind::I256 | Kind::U256 => 32,
            Kind::String | Kind::Bytes | Kind::Array(_) | Kind::Product(_) | Kind::Sum(_) => 0,
        }
    }
}

struct Compiler<'a> {
    typespace: &'a [AlgebraicType],
    nodes: Vec<Node>,
}

impl Compiler<'_> {
    /// The place of a type: that of the typespace for a `Ref`, else a new one.
    fn place(&mut self, ty: &AlgebraicType) -> Result<TypeId> {
        if let AlgebraicType::Ref(index) = ty {
            return self.resolve(*index);
        }
        let kind = self.kind(ty)?;
        self.nodes.push(Node::new(kind));
        Ok(TypeId(self.nodes.len() as u32 - 1))
    }

    /// Follows entries of the typespace that only point to others.
    fn resolve(&self, index: u32) -> Result<TypeId> {
        let mut at = index;
        for _ in 0..=self.typespace.len() {
            match self.typespace.get(at as usize) {
                Some(AlgebraicType::Ref(next)) => at = *next,
                Some(_) => return Ok(TypeId(at)),
                None => return Err(Error::Schema(format!("type reference {at} points outside of the typespace"))),
            }
        }
        Err(Error::Schema(format!("type reference {index} points to itself")))
    }

    fn kind(&mut self, ty: &AlgebraicType) -> Result<Kind> {
        Ok(match ty {
            AlgebraicType::Ref(_) => unreachable!("references are resolved by `place`"),
            AlgebraicType::Sum(variants) => {
                if variants.len() > 256 {
                    return Err(Error::Schema(format!("a sum type with {} variants", variants.len())));
                }
                Kind::Sum(Sum { special: special_sum(variants), variants: self.fields(variants)? })
            }
            AlgebraicType::Product(elements) => {
                Kind::Product(Product::new(self.fields(elements)?, special_product(elements)))
            }
            AlgebraicType::Array(element) => match **element {
                AlgebraicType::U8 => Kind::Bytes,
                _ => Kind::Array(self.place(element)?),
            },
            AlgebraicType::String => Kind::String,
            AlgebraicType::Bool => Kind::Bool,
            AlgebraicType::I8 => Kind::I8,
            AlgebraicType::U8 => Kind::U8,
            AlgebraicType::I16 => Kind::I16,
            AlgebraicType::U16 => Kind::U16,
            AlgebraicType::I32 => Kind::I32,
            AlgebraicType::U32 => Kind::U32,
            AlgebraicType::I64 => Kind::I64,
            AlgebraicType::U64 => Kind::U64,
            AlgebraicType::I128 => Kind::I128,
            AlgebraicType::U128 => Kind::U128,
            AlgebraicType::I256 => Kind::I256,
            AlgebraicType::U256 => Kind::U256,
            AlgebraicType::F32 => Kind::F32,
            AlgebraicType::F64 => Kind::F64,
        })
    }

    fn fields(&mut self, elements: &[Element]) -> Result<Vec<Field>> {
        let field = |element: &Element| Ok(Field { name: element.name.clone(), ty: self.place(&element.ty)? });
        elements.iter().map(field).collect()
    }
}

/// Recognised exactly: one field of this name and type (SATS `is_special`).
fn special_product(elements: &[Element]) -> Option<Special> {
    let [Element { name: Some(name), ty }] = elements else { return None };
    match (name.as_str(), ty) {
        ("__identity__", AlgebraicType::U256) => Some(Special::Identity),
        ("__connection_id__", AlgebraicType::U128) => Some(Special::ConnectionId),
        ("__timestamp_micros_since_unix_epoch__", AlgebraicType::I64) => Some(Special::Timestamp),
        ("__time_duration_micros__", AlgebraicType::I64) => Some(Special::TimeDuration),
        ("__uuid__", AlgebraicType::U128) => Some(Special::Uuid),
        _ => None,
    }
}

fn special_sum(variants: &[Element]) -> Option<Special> {
    let [first, second] = variants else { return None };
    let product_of = |ty: &AlgebraicType| match ty {
        AlgebraicType::Product(elements) => special_product(elements),
        _ => None,
    };
    match (first.name.as_deref()?, second.name.as_deref()?) {
        ("some", "none") if second.ty == AlgebraicType::unit() => Some(Special::Option),
        ("ok", "err") => Some(Special::Result),
        ("Interval", "Time")
            if product_of(&first.ty) == Some(Special::TimeDuration)
                && product_of(&second.ty) == Some(Special::Timestamp) =>
        {
            Some(Special::ScheduleAt)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(name: &str, ty: AlgebraicType) -> Element {
        Element { name: Some(name.to_owned()), ty }
    }

    fn only(ty: AlgebraicType) -> (Layout, TypeId) {
        let (layout, places) = Layout::compile(&[], &[ty]).unwrap();
        (layout, places[0])
    }

    #[test]
    fn fields_without_checks_are_passed_together() {
        let (layout, ty) = only(AlgebraicType::Product(vec![
            element("id", AlgebraicType::U64),
            element("at", AlgebraicType::I64),
            element("text", AlgebraicType::String),
            element("on", AlgebraicType::Bool),
            element("x", AlgebraicType::F32),
        ]));
        let product = layout.product(ty).unwrap();
        let text = product.fields[2].ty;
        let on = product.fields[3].ty;
        assert_eq!(product.steps, [Step::Skip(16), Step::Check(text), Step::Check(on), Step::Skip(4)]);
        assert_eq!(*product.moves, [Move::Skip(16), Move::Text, Move::Bool, Move::Skip(4)]);
        assert_eq!(product.ways.iter().map(Way::fixed).collect::<Vec<_>>(), [Some(0), Some(8), Some(16), None, None]);
        assert_eq!((layout.node(ty).fixed, layout.node(ty).min), (None, 25));
    }

    #[test]
    fn a_type_that_never_ends_is_refused() {
        let endless = AlgebraicType::Product(vec![element("again", AlgebraicType::Ref(0))]);
        assert!(Layout::compile(&[endless], &[]).unwrap_err().to_string().contains("without end"));
        assert!(Layout::compile(&[AlgebraicType::Ref(1), AlgebraicType::Ref(0)], &[AlgebraicType::Ref(0)]).is_err());
        assert!(Layout::compile(&[], &[AlgebraicType::Ref(0)]).is_err());
    }

    #[test]
    fn recursion_through_an_array_has_no_fixed_size() {
        let tree =
            AlgebraicType::Product(vec![element("children", AlgebraicType::Array(Box::new(AlgebraicType::Ref(0))))]);
        let (layout, _) = Layout::compile(&[tree], &[]).unwrap();
        assert_eq!((layout.node(TypeId(0)).fixed, layout.node(TypeId(0)).min), (None, 4));
    }

    #[test]
    fn recursion_and_empty_elements_have_no_bound() {
        let tree = AlgebraicType::Array(Box::new(AlgebraicType::Ref(0)));
        let twice = vec![element("a", AlgebraicType::Ref(1)), element("b", AlgebraicType::Ref(1))];
        let types = [
            AlgebraicType::Product(vec![element("children", tree)]),
            AlgebraicType::Product(vec![element("x", AlgebraicType::F64)]),
            AlgebraicType::Product(twice),
            AlgebraicType::Array(Box::new(AlgebraicType::unit())),
        ];
        let (layout, _) = Layout::compile(&types, &[]).unwrap();
        assert_eq!([0, 1, 2, 3].map(|index| layout.is_bounded(TypeId(index))), [false, true, true, false]);
    }

    #[test]
    fn special_types_are_recognised_exactly() {
        let option = |none: AlgebraicType| {
            let (layout, ty) =
                only(AlgebraicType::Sum(vec![element("some", AlgebraicType::U8), element("none", none)]));
            layout.sum(ty).unwrap().special
        };
        assert_eq!(option(AlgebraicType::unit()), Some(Special::Option));
        assert_eq!(option(AlgebraicType::U8), None);
        let (layout, ty) = only(AlgebraicType::Product(vec![element("__identity__", AlgebraicType::U256)]));
        assert_eq!(layout.product(ty).unwrap().special, Some(Special::Identity));
        assert!(layout.node(ty).plain && layout.node(ty).fixed == Some(32));
    }
}
