//! The queries that clients are subscribed to. Equal ones are one, however many clients have them, so that a transaction is
//! looked at, and its rows are encoded, once for all of them.

use super::Identity;
use crate::schema::Schema;
use crate::sql::Plan;
use crate::store::{Delta, Map, Row, Set, column_range};
use crate::wire::reply::QueryUpdate;
use crate::wire::rows;

pub type QueryId = u32;

/// Where rows come from: a table, or a view, for everybody or for the one who looks.
pub type SourceKey = (usize, Option<Identity>);

pub struct Query {
    key: (String, Option<Identity>),
    pub plan: Plan,
    pub source: SourceKey,
    uses: usize,
}

/// The queries on one source.
#[derive(Default)]
pub struct Source {
    /// Those to be asked about every row.
    scanning: Vec<QueryId>,
    /// Those that want one value in one column.
    keyed: Map<u16, Map<Vec<u8>, Vec<QueryId>>>,
    /// The rows of a view, as subscribers know them.
    pub view_rows: Option<Set<Row>>,
}

#[derive(Default)]
pub struct Queries {
    ids: Map<(String, Option<Identity>), QueryId>,
    queries: Map<QueryId, Query>,
    pub sources: Map<SourceKey, Source>,
    next: QueryId,
}

/// Rows that a transaction brought to a query, and those it took.
type Changes<'a> = (Vec<&'a Row>, Vec<&'a Row>);

impl Queries {
    /// The number of a query, which is used once more from now on.
    pub fn hold(&mut self, text: String, plan: Plan, identity: Identity, is_view: bool) -> QueryId {
        let key = (text, plan.is_personal.then_some(identity));
        if let Some(id) = self.ids.get(&key) {
            if let Some(query) = self.queries.get_mut(id) {
                query.uses += 1;
            }
            return *id;
        }
        let id = self.next;
        self.next += 1;
        let source_key = (plan.table, if is_view { key.1 } else { None });
        let source = self.sources.entry(source_key).or_default();
        source.list(&plan).push(id);
        self.ids.insert(key.clone(), id);
        self.queries.insert(id, Query { key, plan, source: source_key, uses: 1 });
        id
    }

    /// One use less.
    pub fn release(&mut self, id: QueryId) {
        let Some(query) = self.queries.get_mut(&id) else { return };
        query.uses -= 1;
        if query.uses > 0 {
            return;
        }
        let Some(query) = self.queries.remove(&id) else { return };
        self.ids.remove(&query.key);
        if let Some(source) = self.sources.get_mut(&query.source) {
            source.forget(&query.plan, id);
            if source.is_empty() {
                self.sources.remove(&query.source);
            }
        }
    }

    pub fn get(&self, id: QueryId) -> Option<&Query> {
        self.queries.get(&id)
    }

    /// What a change of a source means to each of its queries that it means anything to.
    pub fn updates(&self, key: SourceKey, delta: &Delta, schema: &Schema, updates: &mut Map<QueryId, QueryUpdate>) {
        let Some(source) = self.sources.get(&key) else { return };
        let row_type = schema.def.tables[key.0].row;
        let mut changes: Map<QueryId, Changes<'_>> = Map::default();
        let inserts = delta.inserts.iter().chain(&delta.events).map(|row| (row, true));
        for (row, is_insert) in inserts.chain(delta.deletes.iter().map(|row| (row, false))) {
            let mut ask = |id: QueryId| {
                let Some(query) = self.queries.get(&id) else { return };
                if query.plan.filter.accepts(schema.layout(), row_type, row) {
                    let (inserts, deletes) = changes.entry(id).or_default();
                    if is_insert { inserts.push(row) } else { deletes.push(row) }
                }
            };
            source.scanning.iter().copied().for_each(&mut ask);
            for (column, values) in &source.keyed {
                let value = &row[column_range(schema.layout(), row_type, Some(*column), row)];
                values.get(value).into_iter().flatten().copied().for_each(&mut ask);
            }
        }
        let is_event = schema.def.tables[key.0].is_event;
        updates.extend(changes.into_iter().map(|(id, changes)| (id, encode(&changes, is_event))));
    }
}

impl Source {
    /// The list where a query is found when rows change.
    fn list(&mut self, plan: &Plan) -> &mut Vec<QueryId> {
        match plan.filter.key() {
            Some((column, value)) => self.keyed.entry(column).or_default().entry(value.to_vec()).or_default(),
            None => &mut self.scanning,
        }
    }

    fn forget(&mut self, plan: &Plan, id: QueryId) {
        self.list(plan).retain(|other| *other != id);
        for values in self.keyed.values_mut() {
            values.retain(|_, queries| !queries.is_empty());
        }
        self.keyed.retain(|_, values| !values.is_empty());
    }

    fn is_empty(&self) -> bool {
        self.scanning.is_empty() && self.keyed.is_empty()
    }
}

fn encode((inserts, deletes): &Changes<'_>, is_event: bool) -> QueryUpdate {
    QueryUpdate {
        inserts: rows::encode(inserts.iter().map(|row| &***row)),
        deletes: rows::encode(deletes.iter().map(|row| &***row)),
        count: inserts.len() + deletes.len(),
        is_event,
    }
}
