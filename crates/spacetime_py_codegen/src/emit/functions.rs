use super::{literal, quoted};
use crate::layout::{bracketed, import};
use crate::names::{Named, NamedFunction};
use crate::schema::Function;
use crate::types::Mentions;

/// `reducers.py`: a method for each reducer that clients may call.
pub fn emit_reducers(named: &Named<'_>) -> String {
    emit(named, &KIND_REDUCER, &named.schema.reducers, &named.reducers)
}

/// `procedures.py`: a method for each procedure.
pub fn emit_procedures(named: &Named<'_>) -> String {
    emit(named, &KIND_PROCEDURE, &named.schema.procedures, &named.procedures)
}

struct FunctionKind {
    word: &'static str,
    class: &'static str,
    base: &'static str,
    call: &'static str,
}

const KIND_REDUCER: FunctionKind =
    FunctionKind { word: "reducer", class: "RemoteReducers", base: "Reducers", call: "ReducerCall" };
const KIND_PROCEDURE: FunctionKind =
    FunctionKind { word: "procedure", class: "RemoteProcedures", base: "Procedures", call: "ProcedureCall" };

fn emit(named: &Named<'_>, kind: &FunctionKind, functions: &[Function], names: &[NamedFunction]) -> String {
    let mut mentions = Mentions::default();
    let FunctionKind { word, class, base, call } = kind;
    let mut body = format!("\n\nclass {class}({base}):\n    \"\"\"The {word}s of the module: `connection.{word}s`.\"\"\"\n");
    for (function, names) in functions.iter().zip(names) {
        body.push_str(&method(function, names, kind, named, &mut mentions));
    }
    let mut text = format!("\"\"\"The {word}s of the module.\"\"\"\n\nfrom __future__ import annotations\n\n");
    if mentions.uuid {
        text.push_str("from uuid import UUID\n\n");
    }
    if !mentions.sdk.is_empty() {
        let names: Vec<String> = mentions.sdk.iter().map(|name| (*name).to_owned()).collect();
        text.push_str(&import("spacetime_py", &names));
    }
    let used: Vec<String> = if functions.is_empty() { vec![(*base).into()] } else { vec![(*call).into(), (*base).into()] };
    text.push_str(&import("spacetime_py.bindings", &used));
    if !mentions.own.is_empty() {
        let names: Vec<String> = mentions.own.into_iter().collect();
        text.push_str(&format!("\n{}", import(".types", &names)));
    }
    text + &body
}

fn method(
    function: &Function,
    names: &NamedFunction,
    kind: &FunctionKind,
    named: &Named<'_>,
    mentions: &mut Mentions,
) -> String {
    let mut params = vec!["self".to_owned()];
    for (param, name) in function.params.iter().zip(&names.params) {
        params.push(format!("{name}: {}", mentions.annotation(&param.ty, named)));
    }
    params.extend(["*".to_owned(), "timeout: float | None = None".to_owned()]);
    let returns = match kind.word {
        "procedure" => format!("{}[{}]", kind.call, mentions.annotation(&function.returns, named)),
        _ => kind.call.to_owned(),
    };
    let head = bracketed(4, &format!("def {}(", names.method), &params, &format!(") -> {returns}:\n"));
    let values = match &names.params[..] {
        [] => "()".to_owned(),
        [only] => format!("({only},)"),
        several => bracketed(12, "(", several, ")").trim_start().to_owned(),
    };
    let call = bracketed(8, "return self._call(", &[literal(&function.name), values, "timeout".to_owned()], ")\n");
    format!("\n{head}        \"\"\"Call {} {}.\"\"\"\n{call}", kind.word, quoted(&function.name))
}
