//! Types as Python annotations, and what a file has to import for them.

use std::collections::BTreeSet;

use crate::names::Named;
use crate::schema::{Scalar, Special, Type};

/// Collects what the annotations of one file mention.
#[derive(Default)]
pub struct Mentions {
    /// Names that `spacetime_py` exports.
    pub sdk: BTreeSet<&'static str>,
    /// Names that `types.py` of the package defines.
    pub own: BTreeSet<String>,
    pub uuid: bool,
}

impl Mentions {
    pub fn annotation(&mut self, ty: &Type, named: &Named<'_>) -> String {
        match ty {
            Type::Ref(index) => {
                let name = named.types[*index].name.clone();
                self.own.insert(name.clone());
                name
            }
            Type::Array(element) if **element == Type::Scalar(Scalar::U8) => "bytes".into(),
            Type::Array(element) => format!("list[{}]", self.annotation(element, named)),
            Type::Option(inner) if matches!(**inner, Type::Option(_) | Type::Unit) => {
                format!("{}[{}] | None", self.sdk("Some"), self.annotation(inner, named))
            }
            Type::Option(inner) => format!("{} | None", self.annotation(inner, named)),
            Type::Result(ok, err) => {
                let (ok, err) = (self.annotation(ok, named), self.annotation(err, named));
                format!("{}[{ok}] | {}[{err}]", self.sdk("Ok"), self.sdk("Err"))
            }
            Type::Unit => "None".into(),
            Type::Scalar(Scalar::Bool) => "bool".into(),
            Type::Scalar(Scalar::String) => "str".into(),
            Type::Scalar(Scalar::F32 | Scalar::F64) => "float".into(),
            Type::Scalar(_) => "int".into(),
            Type::Special(Special::Uuid) => {
                self.uuid = true;
                "UUID".into()
            }
            Type::Special(special) => self
                .sdk(match special {
                    Special::Identity => "Identity",
                    Special::ConnectionId => "ConnectionId",
                    Special::Timestamp => "Timestamp",
                    Special::TimeDuration => "TimeDuration",
                    Special::ScheduleAt | Special::Uuid => "ScheduleAt",
                })
                .into(),
        }
    }

    fn sdk(&mut self, name: &'static str) -> &'static str {
        self.sdk.insert(name);
        name
    }
}
