//! Rows of scheduled tables call their reducer when their time has come.

use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::{Call, Caller, Database, now_micros};
use crate::store::{Delta, Row, column_range};

/// What a ScheduleAt says.
enum When {
    Every(i64),
    At(i64),
}

impl Database {
    /// Sets a timer for each new row of a scheduled table. A row that goes away is found missing when its time comes.
    pub(super) fn schedule(self: &Rc<Self>, deltas: &BTreeMap<usize, Delta>) {
        for (table, delta) in deltas.iter().filter(|(table, _)| self.schema.tables[**table].schedule.is_some()) {
            for row in &delta.inserts {
                if let Some(when) = self.when(*table, row) {
                    tokio::task::spawn_local(wait(Rc::downgrade(self), *table, row.clone(), when));
                }
            }
        }
    }

    fn when(&self, table: usize, row: &[u8]) -> Option<When> {
        let schedule = self.schema.tables[table].schedule.as_ref()?;
        let row_type = self.schema.def.tables[table].row;
        let value = &row[column_range(self.schema.layout(), row_type, Some(schedule.column), row)];
        let (tag, micros) = value.split_first()?;
        let micros = i64::from_le_bytes(micros.try_into().ok()?);
        Some(if *tag == 0 { When::Every(micros) } else { When::At(micros) })
    }

    /// False when the row is there no more.
    fn fire(self: &Rc<Self>, table: usize, row: &Row, is_last: bool) -> bool {
        let is_there = {
            let state = self.state.borrow();
            !state.is_deleted && state.tables.table(table).get(self.schema.layout(), row).is_some()
        };
        let Some(schedule) = self.schema.tables[table].schedule.as_ref().filter(|_| is_there) else { return false };
        let caller = Caller { identity: self.identity, connection_id: None };
        let call = Call::unanswered(caller, &schedule.reducer, row);
        let _ = self.run(call, |context| self.module.reducer(&schedule.reducer, row, context));
        if is_last {
            // A transaction of its own, as on the real server.
            let _ = self.run(Call::unanswered(caller, "", &[]), |context| {
                context.delete(table, row);
                Ok(())
            });
        }
        true
    }
}

async fn wait(database: Weak<Database>, table: usize, row: Row, when: When) {
    let (pause, is_last) = match when {
        When::Every(micros) => (micros, false),
        When::At(time) => (time.saturating_sub(now_micros()), true),
    };
    let pause = Duration::from_micros(pause.max(0) as u64).max(Duration::from_millis(u64::from(!is_last)));
    loop {
        tokio::time::sleep(pause).await;
        let Some(database) = database.upgrade() else { return };
        if !database.fire(table, &row, is_last) || is_last {
            return;
        }
    }
}
