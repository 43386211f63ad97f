//! Lines as the formatter leaves them: 100 columns, one item a line with a trailing comma where they do not fit.

use std::fmt::Display;

const WIDTH: usize = 100;

/// `head` + items + `tail` on one line, or exploded. `indent` in columns.
pub fn bracketed(indent: usize, head: &str, items: &[impl Display], tail: &str) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    let margin = " ".repeat(indent);
    let flat = format!("{margin}{head}{}{tail}", items.join(", "));
    if flat.chars().count() <= WIDTH && !flat.trim_end_matches('\n').contains('\n') {
        return flat;
    }
    let lines: String = items.iter().map(|item| format!("{margin}    {item},\n")).collect();
    format!("{margin}{head}\n{lines}{margin}{tail}")
}

/// `from module import a, b`, names in the order that import sorters like.
pub fn import(module: &str, names: &[String]) -> String {
    let mut names = names.to_vec();
    names.sort_by_key(|name| import_order(name));
    let flat = format!("from {module} import {}\n", names.join(", "));
    if flat.chars().count() <= WIDTH + 1 {
        return flat;
    }
    bracketed(0, &format!("from {module} import ("), &names, ")\n")
}

/// The order of `__all__`, as linters check it: the same as of imports.
pub fn export_order(name: &str) -> impl Ord + use<> {
    import_order(name)
}

/// Constants, then classes, then the rest; each by its characters (isort's `force_sort_within_sections = false`).
fn import_order(name: &str) -> (u8, String) {
    let letters = || name.chars().filter(|letter| letter.is_alphabetic());
    let kind = if name.chars().count() > 1 && letters().all(char::is_uppercase) {
        0
    } else if name.chars().next().is_some_and(char::is_uppercase) {
        1
    } else {
        2
    };
    (kind, natural(name))
}

/// Numbers inside of names compare as numbers.
fn natural(name: &str) -> String {
    let mut key = String::new();
    let mut digits = String::new();
    for letter in name.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        if !digits.is_empty() {
            key.push_str(&format!("{digits:0>20}"));
            digits.clear();
        }
        key.push(letter);
    }
    key
}

/// `name: TypeAlias = A | B`.
pub fn alias(name: &str, members: &[String]) -> String {
    let flat = format!("{name}: TypeAlias = {}\n", members.join(" | "));
    if flat.chars().count() <= WIDTH + 1 {
        return flat;
    }
    let line = format!("    {}\n", members.join(" | "));
    let body = if line.chars().count() <= WIDTH + 1 { line } else { format!("    {}\n", members.join("\n    | ")) };
    format!("{name}: TypeAlias = (\n{body})\n")
}

/// A line that cannot be broken at a comma.
pub fn line(indent: usize, text: &str) -> String {
    let line = format!("{}{text}", " ".repeat(indent));
    let note = if line.chars().count() > WIDTH { "  # fmt: skip  # noqa: E501" } else { "" };
    format!("{line}{note}\n")
}

/// Bytes as literals that fit the lines.
pub fn bytes_call(head: &str, data: &[u8]) -> String {
    let escaped: Vec<String> = data.iter().map(|byte| escape(*byte)).collect();
    let flat = format!("{head}(b\"{}\")\n", escaped.concat());
    if flat.len() <= WIDTH + 1 {
        return flat;
    }
    let mut lines = vec![String::new()];
    for byte in escaped {
        let last = lines.last_mut().expect("there is always a line");
        if last.len() + byte.len() > WIDTH - "    b\"\"".len() {
            lines.push(byte);
        } else {
            last.push_str(&byte);
        }
    }
    let lines: String = lines.iter().map(|line| format!("    b\"{line}\"\n")).collect();
    format!("{head}(\n{lines})\n")
}

fn escape(byte: u8) -> String {
    match byte {
        b'"' | b'\\' | b'\'' => format!("\\x{byte:02x}"),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    }
}
