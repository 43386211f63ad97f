//! SATS types to annotations of Python.

use crate::naming::Names;
use crate::python::Imports;
use crate::sats::{Scalar, Special, Type};
use crate::schema::Schema;

/// An annotation whose parts can be told apart, so that a long one can be broken into lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Annotation {
    Name(String),
    Generic(&'static str, Vec<Annotation>),
    Union(Vec<Annotation>),
}

impl Annotation {
    pub fn name(name: &str) -> Self {
        Annotation::Name(name.to_owned())
    }

    pub fn generic(name: &'static str, argument: Annotation) -> Self {
        Annotation::Generic(name, vec![argument])
    }

    /// A union in a union is one.
    fn or(self, other: Annotation) -> Self {
        let mut parts = Vec::new();
        for part in [self, other] {
            match part {
                Annotation::Union(inner) => parts.extend(inner),
                part => parts.push(part),
            }
        }
        Annotation::Union(parts)
    }
}

impl std::fmt::Display for Annotation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let join =
            |parts: &[Annotation], between| parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(between);
        match self {
            Annotation::Name(name) => f.write_str(name),
            Annotation::Generic(name, arguments) => write!(f, "{name}[{}]", join(arguments, ", ")),
            Annotation::Union(parts) => f.write_str(&join(parts, " | ")),
        }
    }
}

/// Writes annotations for one file, and notes what the file must import for them.
pub struct Annotations<'a> {
    pub schema: &'a Schema,
    pub names: &'a Names,
    /// Whether the file is the one where the types are.
    pub at_home: bool,
}

impl Annotations<'_> {
    pub fn of(&self, ty: &Type, imports: &mut Imports) -> Annotation {
        if let Some(special) = ty.special() {
            return self.special(special, imports);
        }
        match ty {
            Type::Scalar(scalar) => Annotation::name(scalar_name(*scalar)),
            Type::Array(element) if **element == Type::Scalar(Scalar::U8) => Annotation::name("bytes"),
            Type::Array(element) => Annotation::generic("list", self.of(element, imports)),
            Type::Ref(index) => match self.names.classes.get(index) {
                Some(class) => self.class(class, imports),
                None => self.of(&self.schema.typespace[*index as usize], imports),
            },
            // Other products and sums have places in the typespace; that of the unit type may have no name.
            Type::Product(_) | Type::Sum(_) => Annotation::name("None"),
        }
    }

    /// Whether the type is the unit type, itself or by a reference to one without a name.
    pub fn is_unit(&self, ty: &Type) -> bool {
        match ty {
            Type::Ref(index) if !self.names.classes.contains_key(index) => {
                self.is_unit(&self.schema.typespace[*index as usize])
            }
            ty => ty.is_unit(),
        }
    }

    pub fn class(&self, class: &str, imports: &mut Imports) -> Annotation {
        if !self.at_home {
            imports.add(".types", class);
        }
        Annotation::name(class)
    }

    fn special(&self, special: Special<'_>, imports: &mut Imports) -> Annotation {
        let mut own = |name| {
            imports.add("spacetime_py", name);
            Annotation::name(name)
        };
        match special {
            Special::Identity => own("Identity"),
            Special::ConnectionId => own("ConnectionId"),
            Special::Timestamp => own("Timestamp"),
            Special::TimeDuration => own("TimeDuration"),
            Special::ScheduleAt => own("ScheduleAt"),
            Special::Uuid => {
                imports.add("uuid", "UUID");
                Annotation::name("UUID")
            }
            Special::Option(some) => {
                let is_nullable = self.schema.is_nullable(some);
                let some = self.of(some, imports);
                if !is_nullable {
                    return some.or(Annotation::name("None"));
                }
                imports.add("spacetime_py", "Some");
                Annotation::generic("Some", some).or(Annotation::name("None"))
            }
            Special::Result(ok, err) => {
                imports.add("spacetime_py", "Ok");
                imports.add("spacetime_py", "Err");
                let ok = Annotation::generic("Ok", self.of(ok, imports));
                ok.or(Annotation::generic("Err", self.of(err, imports)))
            }
            Special::Query(row) => Annotation::generic("list", self.of(row, imports)),
        }
    }
}

fn scalar_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::String => "str",
        Scalar::Bool => "bool",
        Scalar::F32 | Scalar::F64 => "float",
        _ => "int",
    }
}
