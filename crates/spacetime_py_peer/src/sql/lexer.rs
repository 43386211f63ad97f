//! SQL text cut into tokens.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A word: a keyword or a name.
    Word(String),
    /// A name in double quotes, never a keyword.
    Quoted(String),
    /// A string in single quotes.
    Text(String),
    /// A number as it was written, with its sign.
    Number(String),
    /// `=`, `!=`, `<>`, `<`, `>`, `<=`, `>=`, `*`, `.`, `,`, `(`, `)`, `;`.
    Symbol(&'static str),
    /// `:sender`.
    Parameter(String),
}

/// Longer ones first.
const SYMBOLS: [&str; 13] = ["!=", "<>", "<=", ">=", "=", "<", ">", "*", ".", ",", "(", ")", ";"];

/// Statements of more tokens than this are refused: conditions nest as deep as they are long.
const MOST_TOKENS: usize = 1000;

pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' => quoted(rest, '\'').map(|(text, length)| (Token::Text(text), length))?,
            '"' => quoted(rest, '"').map(|(text, length)| (Token::Quoted(text), length))?,
            ':' => {
                let length = 1 + word_length(&rest[1..]);
                (Token::Parameter(rest[1..length].to_owned()), length)
            }
            '0'..='9' | '-' | '+' => {
                let length = number_length(rest);
                (Token::Number(rest[..length].to_owned()), length)
            }
            first if first == '_' || first.is_alphabetic() => {
                let length = word_length(rest);
                (Token::Word(rest[..length].to_owned()), length)
            }
            first => {
                let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
                let symbol = symbol.ok_or_else(|| format!("sql parser error: unexpected character {first:?}"))?;
                (Token::Symbol(symbol), symbol.len())
            }
        };
        found.push(token);
        if found.len() > MOST_TOKENS {
            return Err("sql parser error: recursion limit exceeded".into());
        }
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

/// The text between quotes, which stand for themselves when they are doubled, and how long all of it is.
fn quoted(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut inside = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((index, char)) = chars.next() {
        if char != quote {
            inside.push(char);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            inside.push(quote);
            chars.next();
        } else {
            return Ok((inside, index + 1));
        }
    }
    Err("sql parser error: Unterminated string literal".into())
}

fn word_length(text: &str) -> usize {
    text.find(|char: char| char != '_' && !char.is_alphanumeric()).unwrap_or(text.len())
}

/// Digits, hex digits, a point, an exponent with its sign.
fn number_length(text: &str) -> usize {
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    let mut previous = ' ';
    let end = text.char_indices().find(|(index, char)| {
        let is_sign = matches!(char, '+' | '-') && (*index == 0 || (!is_hex && matches!(previous, 'e' | 'E')));
        previous = *char;
        !is_sign && *char != '.' && !char.is_ascii_alphanumeric()
    });
    end.map_or(text.len(), |(index, _)| index).max(1)
}
