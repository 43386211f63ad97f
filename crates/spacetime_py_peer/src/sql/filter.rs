//! Conditions that rows are checked against, on their bytes.

use std::cmp::Ordering;

use _core::sats::{Kind, Layout, TypeId};

use super::literal;
use super::parser::{Condition, Operator};
use crate::numbers;
use crate::schema::Schema;
use crate::store::column_range;

/// Which rows of a table a query is about.
#[derive(Debug)]
pub enum Filter {
    All,
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Compare { column: u16, ty: TypeId, operator: Operator, literal: Vec<u8> },
}

impl Filter {
    pub(super) fn new(
        condition: &Condition,
        schema: &Schema,
        table: usize,
        sender: [u8; 32],
    ) -> Result<Filter, String> {
        let both = |left: &Condition, right: &Condition| {
            let left = Filter::new(left, schema, table, sender)?.into();
            Ok::<_, String>((left, Filter::new(right, schema, table, sender)?.into()))
        };
        Ok(match condition {
            Condition::And(left, right) => both(left, right).map(|(left, right)| Filter::And(left, right))?,
            Condition::Or(left, right) => both(left, right).map(|(left, right)| Filter::Or(left, right))?,
            Condition::Compare { column: name, operator, literal } => {
                let column = schema.column(table, name);
                let column = column.ok_or_else(|| format!("`{name}` is not in scope"))?;
                let ty = schema.column_type(table, column).ok_or_else(|| format!("`{name}` is not in scope"))?;
                let literal = literal::encode(literal, schema.layout(), ty, &sender)?;
                Filter::Compare { column, ty, operator: *operator, literal }
            }
        })
    }

    /// Whether a row of this type passes.
    pub fn accepts(&self, layout: &Layout, row_type: TypeId, row: &[u8]) -> bool {
        match self {
            Filter::All => true,
            Filter::And(left, right) => left.accepts(layout, row_type, row) && right.accepts(layout, row_type, row),
            Filter::Or(left, right) => left.accepts(layout, row_type, row) || right.accepts(layout, row_type, row),
            Filter::Compare { column, ty, operator, literal } => {
                let value = &row[column_range(layout, row_type, Some(*column), row)];
                match operator {
                    Operator::Equal => value == literal,
                    Operator::NotEqual => value != literal,
                    other => other.holds(order(layout, *ty, value, literal)),
                }
            }
        }
    }

    /// The value that a column must have for a row to pass, if there is one such column.
    pub fn key(&self) -> Option<(u16, &[u8])> {
        match self {
            Filter::Compare { column, operator: Operator::Equal, literal, .. } => Some((*column, literal)),
            Filter::And(left, right) => left.key().or_else(|| right.key()),
            _ => None,
        }
    }
}

impl Operator {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::Less => order.is_lt(),
            Operator::Greater => order.is_gt(),
            Operator::LessOrEqual => order.is_le(),
            Operator::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// How two values of one type compare.
fn order(layout: &Layout, ty: TypeId, one: &[u8], other: &[u8]) -> Ordering {
    match layout.kind(ty) {
        Kind::F32 => f32_of(one).total_cmp(&f32_of(other)),
        Kind::F64 => f64_of(one).total_cmp(&f64_of(other)),
        Kind::String | Kind::Bytes => one[4..].cmp(&other[4..]),
        // The special types of one field are ordered like it.
        Kind::Product(product) => match &product.fields[..] {
            [field] => order(layout, field.ty, one, other),
            _ => one.cmp(other),
        },
        kind => integers(one, other, numbers::shape(kind).is_some_and(|(_, signed)| signed)),
    }
}

fn integers(one: &[u8], other: &[u8], signed: bool) -> Ordering {
    let is_negative = |number: &[u8]| signed && number.last().is_some_and(|byte| byte & 0x80 != 0);
    is_negative(other).cmp(&is_negative(one)).then_with(|| one.iter().rev().cmp(other.iter().rev()))
}

fn f32_of(bytes: &[u8]) -> f32 {
    f32::from_le_bytes(bytes.try_into().unwrap_or_default())
}

fn f64_of(bytes: &[u8]) -> f64 {
    f64::from_le_bytes(bytes.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_compare_as_numbers() {
        let order = |one: i16, other: i16| integers(&one.to_le_bytes(), &other.to_le_bytes(), true);
        assert_eq!(order(-1, 1), Ordering::Less);
        assert_eq!(order(-2, -1), Ordering::Less);
        assert_eq!(order(256, 255), Ordering::Greater);
        assert_eq!(integers(&255u16.to_le_bytes(), &256u16.to_le_bytes(), false), Ordering::Less);
    }
}
