//! The text of a Python file: imports, names and lines as ruff's formatter and import sorter leave them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::HEADER;
use crate::types::Annotation;

const WIDTH: usize = 100;

/// Letters that look like digits, which linters refuse as names of variables unless told.
const AMBIGUOUS: [&str; 3] = ["I", "O", "l"];

/// What one file imports: names by module; without names the module itself.
#[derive(Debug, Default)]
pub struct Imports(BTreeMap<&'static str, BTreeSet<Sorted>>);

impl Imports {
    pub fn add(&mut self, module: &'static str, name: &str) {
        self.0.entry(module).or_default().insert(Sorted(name.to_owned()));
    }

    pub fn add_module(&mut self, module: &'static str) {
        self.0.entry(module).or_default();
    }

    /// In sections: the future, the standard library, installed packages, this package.
    fn text(&self) -> String {
        let section = |module: &str| match module {
            "__future__" => 0,
            module if module.starts_with('.') => 3,
            module if module.starts_with("spacetime_py") => 2,
            _ => 1,
        };
        let mut imports: Vec<_> = self.0.iter().collect();
        imports.sort_by_key(|(module, names)| (section(module), !names.is_empty(), **module));
        let mut text = String::new();
        let mut before = None;
        for (module, names) in imports {
            if before.is_some_and(|before| before != section(module)) {
                text.push('\n');
            }
            before = Some(section(module));
            text += &import(module, names);
        }
        text
    }
}

fn import(module: &str, names: &BTreeSet<Sorted>) -> String {
    if names.is_empty() {
        return format!("import {module}\n");
    }
    let names: Vec<&str> = names.iter().map(|name| name.0.as_str()).collect();
    let flat = format!("from {module} import {}\n", names.join(", "));
    if fits(&flat) { flat } else { format!("from {module} import (\n    {},\n)\n", names.join(",\n    ")) }
}

/// A name in the order of import sorters: constants, classes, others; then without regard to case, numbers by their value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorted(pub String);

impl Sorted {
    fn group(&self) -> u8 {
        let has_case = |char: char| char.is_uppercase() || char.is_lowercase();
        let is_constant =
            self.0.chars().count() > 1 && self.0.chars().any(has_case) && !self.0.chars().any(char::is_lowercase);
        match self.0.chars().next() {
            _ if is_constant => 0,
            Some(first) if first.is_uppercase() => 1,
            _ => 2,
        }
    }
}

impl Ord for Sorted {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = || natural(&self.0.to_lowercase(), &other.0.to_lowercase());
        self.group().cmp(&other.group()).then_with(lower).then_with(|| natural(&self.0, &other.0))
    }
}

impl PartialOrd for Sorted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Runs of digits count as numbers, unless one of them begins with 0: then digit by digit.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        let (Some(first), Some(second)) = (one.chars().next(), other.chars().next()) else {
            return one.len().cmp(&other.len());
        };
        let (digits, others) = (digits(one), digits(other));
        if !digits.is_empty() && !others.is_empty() {
            let as_numbers = first != '0' && second != '0';
            let lengths = if as_numbers { digits.len().cmp(&others.len()) } else { Ordering::Equal };
            let order = lengths.then_with(|| digits.cmp(others));
            if order != Ordering::Equal {
                return order;
            }
            (one, other) = (&one[digits.len()..], &other[others.len()..]);
        } else if first != second {
            return first.cmp(&second);
        } else {
            (one, other) = (&one[first.len_utf8()..], &other[second.len_utf8()..]);
        }
    }
}

fn digits(text: &str) -> &str {
    &text[..text.len() - text.trim_start_matches(|char: char| char.is_ascii_digit()).len()]
}

/// A file of the package while it is written.
#[derive(Debug, Default)]
pub struct File {
    pub imports: Imports,
    body: String,
    has_ambiguous_names: bool,
}

impl File {
    pub fn line(&mut self, line: &str) {
        self.body += line;
        self.body.push('\n');
    }

    pub fn blank(&mut self, lines: usize) {
        self.body += &"\n".repeat(lines);
    }

    /// The first of several ways to write a statement whose lines all fit. If none does, the first, and tools are told to bear it.
    fn fitting(&mut self, ways: impl IntoIterator<Item = Vec<String>>) {
        let mut ways = ways.into_iter().peekable();
        let flat = ways.peek().cloned().unwrap_or_default();
        match ways.find(|lines| lines.iter().all(|line| fits(line))) {
            Some(lines) => lines.iter().for_each(|line| self.line(line)),
            None => self.line(&format!("{}  # fmt: skip  # noqa: E501", flat.concat())),
        }
    }

    /// Lines that are as short as they can be.
    fn broken(&mut self, lines: &[String]) {
        for line in lines {
            let mark = if fits(line) { "" } else { "  # noqa: E501" };
            self.line(&format!("{line}{mark}"));
        }
    }

    /// `class Name(Base):` and its docstring.
    pub fn class(&mut self, name: &str, base: Option<&str>, docs: &str) {
        match base {
            None => self.fitting([vec![format!("class {name}:")]]),
            Some(base) => {
                let flat = vec![format!("class {name}({base}):")];
                let broken = vec![format!("class {name}("), format!("    {base}"), "):".to_owned()];
                self.fitting([flat, broken]);
            }
        }
        self.docstring(1, docs);
    }

    pub fn docstring(&mut self, indent: usize, docs: &str) {
        let indent = "    ".repeat(indent);
        let docs = escaped(docs, false);
        let flat = format!("{indent}\"\"\"{docs}\"\"\"");
        if fits(&flat) {
            return self.line(&flat);
        }
        // As if the last line had its quotes too: a formatter puts them there when they fit.
        let mut lines = wrapped(&docs, WIDTH - indent.len() - 6);
        let unbearable = lines.iter().any(|line| width(line) + indent.len() + 3 > WIDTH);
        let mark = if unbearable { "  # noqa: E501" } else { "" };
        lines[0].insert_str(0, "\"\"\"");
        lines.iter().for_each(|line| self.line(&format!("{indent}{line}")));
        self.line(&format!("{indent}\"\"\"{mark}"));
    }

    /// `name: annotation` in a class.
    pub fn field(&mut self, name: &str, annotation: &Annotation) {
        self.note(name);
        let head = format!("    {name}: ");
        let mut ways = vec![vec![format!("{head}{annotation}")]];
        if let Annotation::Union(parts) = annotation {
            ways.extend(parenthesized("    ", &head, parts));
        }
        ways.extend(subscripted("    ", &head, annotation, ""));
        self.fitting(ways);
    }

    /// `name: TypeAlias = one | other`.
    pub fn alias(&mut self, name: &str, parts: &[Annotation]) {
        let head = format!("{name}: TypeAlias = ");
        let flat = vec![format!("{head}{}", Annotation::Union(parts.to_vec()))];
        self.fitting([flat].into_iter().chain(parenthesized("", &head, parts)));
    }

    /// `NAME = number` in an Enum.
    pub fn member(&mut self, name: &str, number: usize) {
        self.note(name);
        self.fitting([vec![format!("    {name} = {number}")]]);
    }

    /// `name = "text"` in a class.
    pub fn text(&mut self, name: &str, text: &str) {
        self.fitting([vec![format!("    {name} = {}", quoted(text))]]);
    }

    /// `name = {"key": value, ...}` in a class.
    pub fn dict(&mut self, name: &str, entries: &[(String, String)]) {
        let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{}: {value}", quoted(key))).collect();
        let flat = format!("    {name} = {{{}}}", entries.join(", "));
        match fits(&flat) {
            true => self.line(&flat),
            false => self.broken(&bracketed("    ", &format!("{name} = {{"), &entries, "}")),
        }
    }

    /// `__all__ = [...]`.
    pub fn all(&mut self, names: impl IntoIterator<Item = String>) {
        let mut names: Vec<Sorted> = names.into_iter().map(Sorted).collect();
        // Unlike imports with regard to case.
        names.sort_by(|one, other| one.group().cmp(&other.group()).then_with(|| natural(&one.0, &other.0)));
        let names: Vec<String> = names.iter().map(|name| quoted(&name.0)).collect();
        bracketed("", "__all__ = [", &names, "]").iter().for_each(|line| self.line(line));
    }

    /// The head of a method: `self`, parameters, and a timeout.
    pub fn method(&mut self, name: &str, params: &[(String, Annotation)], returns: &Annotation) {
        params.iter().for_each(|(param, _)| self.note(param));
        let written: Vec<String> = params.iter().map(|(param, ty)| format!("{param}: {ty}, ")).collect();
        let flat = format!("    def {name}(self, {}*, {TIMEOUT}) -> {returns}:", written.concat());
        let ends = [vec![format!("    ) -> {returns}:")]].into_iter().chain(subscripted("    ", ") -> ", returns, ":"));
        let broken = ends.map(|end| {
            let mut lines = vec![format!("    def {name}("), "        self,".to_owned()];
            lines.extend(params.iter().flat_map(|(param, ty)| parameter(param, ty)));
            lines.extend(["        *,".to_owned(), format!("        {TIMEOUT},")]);
            lines.extend(end);
            lines
        });
        self.fitting([vec![flat]].into_iter().chain(broken));
    }

    /// `return self._call("name", (arguments), timeout)`.
    pub fn call(&mut self, name: &str, arguments: &[String]) {
        let name = quoted(name);
        let tuple = match arguments {
            [only] => format!("({only},)"),
            _ => format!("({})", arguments.join(", ")),
        };
        let flat = vec![format!("        return self._call({name}, {tuple}, timeout)")];
        let middle = vec![name.clone(), tuple, "timeout".to_owned()];
        let middle = bracketed("        ", "return self._call(", &middle, ")");
        let mut broken = vec!["        return self._call(".to_owned(), format!("            {name},")];
        broken.extend(bracketed("            ", "(", arguments, "),"));
        broken.extend(["            timeout,".to_owned(), "        )".to_owned()]);
        self.fitting([flat, middle, broken]);
    }

    fn note(&mut self, name: &str) {
        self.has_ambiguous_names |= AMBIGUOUS.contains(&name);
    }

    pub fn finish(self, docs: &str) -> String {
        let mut head = File::default();
        head.line(HEADER);
        if self.has_ambiguous_names {
            head.line("# ruff: noqa: E741");
        }
        head.docstring(0, docs);
        let mut text = head.body + "\n" + &self.imports.text();
        text += &self.body;
        text
    }
}

const TIMEOUT: &str = "timeout: float | None = None";

/// A parameter on a line of its own; a union may go over several, which ruff does not put in parentheses here.
fn parameter(name: &str, ty: &Annotation) -> Vec<String> {
    let line = format!("        {name}: {ty},");
    match ty {
        Annotation::Union(parts) if !fits(&line) => {
            let mut lines: Vec<String> = parts.iter().map(|part| format!("        | {part}")).collect();
            lines[0] = format!("        {name}: {}", parts[0]);
            lines.last_mut().into_iter().for_each(|line| line.push(','));
            lines
        }
        _ => vec![line],
    }
}

/// A union in parentheses: its parts on one line, or on one each.
fn parenthesized(indent: &str, head: &str, parts: &[Annotation]) -> [Vec<String>; 2] {
    let union = Annotation::Union(parts.to_vec());
    let open = format!("{head}(");
    let close = format!("{indent})");
    [
        vec![open.clone(), format!("{indent}    {union}"), close.clone()],
        [vec![open], one_each(indent, parts), vec![close]].concat(),
    ]
}

/// The parts of a union on one line each, one level further in than `indent`.
fn one_each(indent: &str, parts: &[Annotation]) -> Vec<String> {
    let line = |(index, part)| format!("{indent}    {}{part}", if index == 0 { "" } else { "| " });
    parts.iter().enumerate().map(line).collect()
}

/// A generic with what is between its brackets on one line, or, for a union, with its parts on one each.
fn subscripted(indent: &str, head: &str, annotation: &Annotation, tail: &str) -> Vec<Vec<String>> {
    let Annotation::Generic(name, arguments) = annotation else { return Vec::new() };
    let head = format!("{indent}{}{name}[", head.trim_start());
    let close = format!("{indent}]{tail}");
    let inner: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let mut ways = vec![vec![head.clone(), format!("{indent}    {}", inner.join(", ")), close.clone()]];
    if let [Annotation::Union(parts)] = &arguments[..] {
        ways.push([vec![head.clone()], one_each(indent, parts), vec![close.clone()]].concat());
    }
    if arguments.len() > 1 {
        let indented = |lines: Vec<String>| lines.into_iter().map(|line| format!("{indent}    {line}")).collect();
        let flat = inner.iter().map(|argument| format!("{argument},")).collect();
        let broken = arguments.iter().flat_map(argument_lines).collect();
        for lines in [flat, broken].map(indented) {
            ways.push([vec![head.clone()], lines, vec![close.clone()]].concat());
        }
    }
    ways
}

/// One of several arguments between brackets, with its comma; the parts of a union on one line each.
fn argument_lines(argument: &Annotation) -> Vec<String> {
    let Annotation::Union(parts) = argument else { return vec![format!("{argument},")] };
    let mut lines: Vec<String> = parts.iter().map(|part| format!("| {part}")).collect();
    lines[0] = parts[0].to_string();
    lines.last_mut().into_iter().for_each(|line| line.push(','));
    lines
}

/// Items on one line each, each with a comma: a formatter leaves them so.
fn bracketed(indent: &str, open: &str, items: &[String], close: &str) -> Vec<String> {
    let mut lines = vec![format!("{indent}{open}")];
    lines.extend(items.iter().map(|item| format!("{indent}    {item},")));
    lines.push(format!("{indent}{close}"));
    lines
}

fn fits(line: &str) -> bool {
    width(line.trim_end_matches('\n')) <= WIDTH
}

/// In columns, of which the scripts of East Asia take two for a character.
fn width(line: &str) -> usize {
    let is_wide = |char| {
        matches!(char, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3fffd}')
    };
    line.chars().map(|char| 1 + usize::from(is_wide(char))).sum()
}

fn wrapped(text: &str, width_of_line: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= width_of_line => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A string literal. Quotes are written as escapes, so that no formatter prefers the other kind.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text, true))
}

fn escaped(text: &str, quotes: bool) -> String {
    let escape = |char: char| match char {
        '\\' => "\\\\".to_owned(),
        '"' => "\\x22".to_owned(),
        '\'' if quotes => "\\x27".to_owned(),
        char if char.is_control() && u32::from(char) < 0x100 => format!("\\x{:02x}", u32::from(char)),
        char => char.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Lines of a bytes literal, for inside of parentheses.
pub fn bytes_lines(data: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for byte in data {
        let piece = match byte {
            b'\\' => "\\\\".to_owned(),
            b'"' | b'\'' => format!("\\x{byte:02x}"),
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        };
        if line.len() + piece.len() + "    b\"\"".len() > WIDTH {
            lines.push(format!("    b\"{line}\""));
            line.clear();
        }
        line += &piece;
    }
    lines.push(format!("    b\"{line}\""));
    lines
}
