//! One name at a time: to an identifier of Python in the case that its place asks for.

use unicode_normalization::UnicodeNormalization;

/// Always taken by the language. Soft keywords (`match`, `type`) are names like others.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

pub fn is_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

/// The name as it is, but for what Python does not take. Leading underscores move to the end: in a class body they hide or
/// change a name.
pub fn member(name: &str) -> String {
    let name = plain(name);
    let inner = name.trim_start_matches('_');
    let underscores = name.len() - inner.len();
    led_by_letter("x", &format!("{inner}{}", "_".repeat(underscores)))
}

/// `DarkBlue`, from `DarkBlue`, `darkBlue` or `dark_blue`. Without underscores, a name with a capital first is kept.
pub fn class(path: &[&str]) -> String {
    let name: String = path.iter().map(|part| plain(part)).flat_map(|part| pieces(&part)).collect();
    led_by_letter("X", &name)
}

fn pieces(part: &str) -> Vec<String> {
    part.split('_').filter(|piece| !piece.is_empty()).map(capitalized).collect()
}

fn capitalized(piece: &str) -> String {
    let mut chars = piece.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

/// `DARK_BLUE`, from the same. A run of capitals is one word (`HTTPServer`, `HTTP_SERVER`) and digits end one (`V8Engine`).
pub fn constant(name: &str) -> String {
    let chars: Vec<char> = plain(name).chars().collect();
    let mut constant = String::new();
    for (index, char) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(index + 1);
        let begins_word = char.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_numeric()
                    || before.is_uppercase() && after.is_some_and(|c| c.is_lowercase())
            });
        if begins_word && !constant.ends_with('_') {
            constant.push('_');
        }
        constant.extend(char.to_uppercase());
    }
    led_by_letter("X", constant.trim_matches('_'))
}

/// With nothing that no identifier has, in the form to which Python brings identifiers when it reads them.
fn plain(name: &str) -> String {
    let allowed = |char: char| char == '_' || unicode_ident::is_xid_continue(char);
    name.nfkc().map(|char| if allowed(char) { char } else { '_' }).collect()
}

fn led_by_letter(letter: &str, name: &str) -> String {
    if name.starts_with(unicode_ident::is_xid_start) { name.to_owned() } else { format!("{letter}{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_kept_but_for_leading_underscores() {
        for (given, expected) in [
            ("name", "name"),
            ("bookCount", "bookCount"),
            ("_x", "x_"),
            ("__x", "x__"),
            ("__init__", "init____"),
            ("_", "x_"),
            ("_2", "x2_"),
            ("2", "x2"),
            ("ns.table", "ns_table"),
            ("zażółć", "zażółć"),
            ("ﬁsh", "fish"),
        ] {
            assert_eq!(member(given), expected, "{given}");
        }
    }

    #[test]
    fn classes_are_in_pascal_case() {
        for (given, expected) in [
            ("User", "User"),
            ("ring_note", "RingNote"),
            ("darkBlue", "DarkBlue"),
            ("HTTPServer", "HTTPServer"),
            ("__x", "X"),
            ("_", "X"),
            ("a.b_c", "ABC"),
            ("_2", "X2"),
            ("élan", "Élan"),
        ] {
            assert_eq!(class(&[given]), expected, "{given}");
        }
        assert_eq!(class(&["shop", "Item"]), "ShopItem");
    }

    #[test]
    fn constants_are_in_upper_snake_case() {
        for (given, expected) in [
            ("Red", "RED"),
            ("darkBlue", "DARK_BLUE"),
            ("DarkBlue", "DARK_BLUE"),
            ("dark_blue", "DARK_BLUE"),
            ("HTTPServer", "HTTP_SERVER"),
            ("Utf8", "UTF8"),
            ("V8Engine", "V8_ENGINE"),
            ("RED", "RED"),
            ("_a", "A"),
            ("2D", "X2_D"),
            ("__", "X"),
        ] {
            assert_eq!(constant(given), expected, "{given}");
        }
    }
}
