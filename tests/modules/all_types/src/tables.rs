//! Every kind of table: each column type, keys and indexes of all sorts, none at all, private, scheduled.
use crate::reducers::ring;
use crate::types::{Color, Empty, Line, Point, Shape};
use spacetimedb::sats::{i256, u256};
use spacetimedb::{table, ConnectionId, Identity, ScheduleAt, TimeDuration, Timestamp};

#[table(name = scalars, public)]
pub struct Scalars {
    #[primary_key]
    pub id: u32,
    pub v_bool: bool,
    pub v_u8: u8,
    pub v_u16: u16,
    pub v_u32: u32,
    pub v_u64: u64,
    pub v_u128: u128,
    pub v_u256: u256,
    pub v_i8: i8,
    pub v_i16: i16,
    pub v_i32: i32,
    pub v_i64: i64,
    pub v_i128: i128,
    pub v_i256: i256,
    pub v_f32: f32,
    pub v_f64: f64,
    pub v_text: String,
    pub v_bytes: Vec<u8>,
    pub v_identity: Identity,
    pub v_conn: ConnectionId,
    pub v_time: Timestamp,
    pub v_span: TimeDuration,
    pub v_when: ScheduleAt,
}

#[table(name = containers, public)]
pub struct Containers {
    #[primary_key]
    #[auto_inc]
    pub id: u64,
    pub o_num: Option<i32>,
    pub o_text: Option<String>,
    pub o_point: Option<Point>,
    pub o_nested: Option<Option<bool>>,
    pub o_identity: Option<Identity>,
    pub l_num: Vec<i64>,
    pub l_text: Vec<String>,
    pub l_point: Vec<Point>,
    pub l_opt: Vec<Option<u8>>,
    pub l_list: Vec<Vec<u16>>,
    pub l_color: Vec<Color>,
    pub l_shape: Vec<Shape>,
    pub line: Line,
    pub color: Color,
    pub shape: Shape,
    pub empty: Empty,
}

#[derive(Clone)]
#[table(name = item, public, index(name = by_kind_and_level, btree(columns = [kind, level])))]
pub struct Item {
    #[primary_key]
    pub id: u64,
    #[unique]
    pub code: String,
    #[index(btree)]
    pub owner: Identity,
    pub kind: u8,
    pub level: i32,
    pub note: Option<String>,
}

#[table(name = tag, public)]
pub struct Tag {
    #[primary_key]
    #[auto_inc]
    pub id: u32,
    #[index(btree)]
    pub item_id: u64,
    pub label: String,
}

/// No primary key, no index.
#[table(name = diary, public)]
pub struct Diary {
    pub text: String,
    pub n: i32,
}

#[table(name = bulk, public)]
pub struct Bulk {
    #[primary_key]
    pub id: u32,
    pub value: u64,
    pub name: String,
}

/// Rows of one fixed size.
#[table(name = dot, public)]
pub struct Dot {
    #[primary_key]
    pub id: u32,
    pub x: f32,
    pub y: f32,
}

/// Rows of size zero.
#[table(name = marker, public)]
pub struct Marker {
    pub nothing: Empty,
}

#[table(name = profile, public)]
pub struct Profile {
    #[primary_key]
    pub who: Identity,
    #[unique]
    pub name: String,
    pub color: Color,
}

#[table(name = presence, public)]
pub struct Presence {
    #[primary_key]
    pub conn: ConnectionId,
    pub who: Identity,
    pub since: Timestamp,
}

#[table(name = secret)]
pub struct Secret {
    #[primary_key]
    pub id: u32,
    pub text: String,
}

#[table(name = gate)]
pub struct Gate {
    #[primary_key]
    pub id: u8,
    pub closed: bool,
}

#[table(name = alarm, public, scheduled(ring))]
pub struct Alarm {
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    pub scheduled_at: ScheduleAt,
    pub text: String,
}

#[table(name = ring_note, public)]
pub struct RingNote {
    #[primary_key]
    #[auto_inc]
    pub id: u64,
    pub text: String,
    pub at: Timestamp,
}
