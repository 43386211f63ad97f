//! The types that tables and reducers share: a plain enum, structs, and a sum with every kind of payload.
use spacetimedb::SpacetimeType;

#[derive(SpacetimeType, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    Red,
    Green,
    DarkBlue,
}

#[derive(SpacetimeType, Clone, Debug)]
pub struct Point {
    pub x: i32,
    pub y: i32,
}

#[derive(SpacetimeType, Clone, Debug)]
pub struct Line {
    pub from_point: Point,
    pub to_point: Point,
    pub label: Option<String>,
}

#[derive(SpacetimeType, Clone, Debug)]
pub struct Empty {}

#[derive(SpacetimeType, Clone, Debug)]
pub enum Shape {
    Nothing,
    Count(u32),
    Text(String),
    Spot(Point),
    Path(Vec<Point>),
    Tint(Color),
    Blob(Vec<u8>),
    Maybe(Option<i64>),
}
