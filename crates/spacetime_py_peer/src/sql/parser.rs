//! Tokens to statements. The words of the errors are a server's, where clients could look at them.

use super::lexer::{Token, tokens};

#[derive(Debug, PartialEq)]
pub enum Select {
    /// `SELECT * FROM *`.
    Everything,
    Rows {
        table: String,
        condition: Option<Condition>,
    },
}

#[derive(Debug, PartialEq)]
pub enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Compare { column: String, operator: Operator, literal: Literal },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    Text(String),
    Number(String),
    Bool(bool),
    /// `:sender`, the identity that asks.
    Sender,
}

pub fn parse(text: &str) -> Result<Select, String> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err("SubscriptionError: Empty string".into());
    }
    Parser { text, tokens: &tokens, at: 0 }.statement()
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn statement(&mut self) -> Result<Select, String> {
        if ["insert", "update", "delete", "set", "show"].iter().any(|word| self.keyword(word)) {
            return Err("Unsupported: Non-SELECT queries".into());
        }
        if !self.keyword("select") {
            return Err(self.expected("an SQL statement"));
        }
        let projection = self.projection();
        if !self.keyword("from") {
            return Err(match self.peek() {
                None if projection.is_empty() => "sql parser error: Expected an expression:, found: EOF".into(),
                _ => format!("Unsupported: {}", self.text),
            });
        }
        if self.symbol("*") && projection == [Token::Symbol("*")] && self.peek().is_none() {
            return Ok(Select::Everything);
        }
        let table = self.name()?;
        let alias = self.alias();
        self.check_projection(&projection, &[Some(&table), alias.as_ref()])?;
        let names = [Some(table.as_str()), alias.as_deref()];
        let condition = if self.keyword("where") { Some(self.any_of(&names)?) } else { None };
        self.symbol(";");
        match self.peek() {
            None => Ok(Select::Rows { table, condition }),
            Some(_) => Err(format!("Unsupported: {}", self.text)),
        }
    }

    /// Everything before FROM.
    fn projection(&mut self) -> Vec<Token> {
        let start = self.at;
        let is_from = |token: &Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("from"));
        self.at += self.tokens[start..].iter().position(is_from).unwrap_or(self.tokens.len() - start);
        self.tokens[start..self.at].to_vec()
    }

    /// Whole rows: `*`, or `name.*` for the name of the table.
    fn check_projection(&self, projection: &[Token], names: &[Option<&String>]) -> Result<(), String> {
        let is_whole = match projection {
            [Token::Symbol("*")] => true,
            [Token::Word(name) | Token::Quoted(name), Token::Symbol("."), Token::Symbol("*")] => {
                names.contains(&Some(name))
            }
            _ => false,
        };
        match is_whole {
            true => Ok(()),
            false => Err("Column projections are not supported in subscriptions; \
                          Subscriptions must return a table type"
                .into()),
        }
    }

    fn alias(&mut self) -> Option<String> {
        self.keyword("as");
        match self.peek() {
            Some(Token::Word(word))
                if !["where", "join", "inner", "limit", "order"].contains(&&*word.to_lowercase()) =>
            {
                self.name().ok()
            }
            _ => None,
        }
    }

    fn any_of(&mut self, names: &[Option<&str>]) -> Result<Condition, String> {
        let mut left = self.all_of(names)?;
        while self.keyword("or") {
            left = Condition::Or(left.into(), self.all_of(names)?.into());
        }
        Ok(left)
    }

    fn all_of(&mut self, names: &[Option<&str>]) -> Result<Condition, String> {
        let mut left = self.comparison(names)?;
        while self.keyword("and") {
            left = Condition::And(left.into(), self.comparison(names)?.into());
        }
        Ok(left)
    }

    fn comparison(&mut self, names: &[Option<&str>]) -> Result<Condition, String> {
        if self.symbol("(") {
            let inner = self.any_of(names)?;
            return if self.symbol(")") { Ok(inner) } else { Err(self.expected(")")) };
        }
        let mut column = self.name()?;
        if self.symbol(".") {
            if !names.contains(&Some(&*column)) {
                return Err(format!("`{column}` is not in scope"));
            }
            column = self.name()?;
        }
        let operator = self.operator()?;
        let literal = self.literal()?;
        Ok(Condition::Compare { column, operator, literal })
    }

    fn operator(&mut self) -> Result<Operator, String> {
        let operators = [
            ("=", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<>", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let found = operators.into_iter().find(|(symbol, _)| self.symbol(symbol));
        found.map(|(_, operator)| operator).ok_or_else(|| format!("Unsupported expression: {}", self.text))
    }

    fn literal(&mut self) -> Result<Literal, String> {
        let literal = match self.peek() {
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Number(number)) => Literal::Number(number.clone()),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => Literal::Bool(true),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => Literal::Bool(false),
            // X'..', the other way to write bytes in hex
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("x") => match self.tokens.get(self.at + 1) {
                Some(Token::Text(hex)) => {
                    let literal = Literal::Number(format!("0x{hex}"));
                    self.at += 1;
                    literal
                }
                _ => return Err(format!("Unsupported expression: {}", self.text)),
            },
            Some(Token::Parameter(name)) if name == "sender" => Literal::Sender,
            _ => return Err(format!("Unsupported expression: {}", self.text)),
        };
        self.at += 1;
        Ok(literal)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    fn name(&mut self) -> Result<String, String> {
        let name = match self.peek() {
            Some(Token::Word(name) | Token::Quoted(name)) => name.clone(),
            _ => return Err(self.expected("identifier")),
        };
        self.at += 1;
        Ok(name)
    }

    fn expected(&self, what: &str) -> String {
        let Some(token) = self.peek() else {
            return format!("sql parser error: Expected {what}, found: EOF");
        };
        let found = match token {
            Token::Word(text) | Token::Quoted(text) | Token::Text(text) | Token::Number(text) => text,
            Token::Parameter(text) => text,
            Token::Symbol(symbol) => *symbol,
        };
        let column = self.text.find(found).unwrap_or(0) + 1;
        format!("sql parser error: Expected {what}, found: {found} at Line: 1, Column {column}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(column: &str, operator: Operator, literal: Literal) -> Condition {
        Condition::Compare { column: column.into(), operator, literal }
    }

    #[test]
    fn statements() {
        assert_eq!(parse(" select * FROM * ").unwrap(), Select::Everything);
        assert_eq!(parse("SELECT t.* FROM t").unwrap(), Select::Rows { table: "t".into(), condition: None });
        let level = compare("level", Operator::GreaterOrEqual, Literal::Number("-3".into()));
        let name = compare("name", Operator::NotEqual, Literal::Text("it's".into()));
        let on = compare("on", Operator::Equal, Literal::Bool(true));
        let condition = Condition::Or(Condition::And(level.into(), name.into()).into(), on.into());
        let text = "SELECT * FROM \"T\" AS x WHERE x.level >= -3 AND name <> 'it''s' OR on = TRUE";
        assert_eq!(parse(text).unwrap(), Select::Rows { table: "T".into(), condition: Some(condition) });
    }

    #[test]
    fn errors_in_the_words_of_a_server() {
        assert_eq!(parse("").unwrap_err(), "SubscriptionError: Empty string");
        assert_eq!(
            parse("hello").unwrap_err(),
            "sql parser error: Expected an SQL statement, found: hello at Line: 1, Column 1"
        );
        assert_eq!(parse("SELECT * FROM t LIMIT 1").unwrap_err(), "Unsupported: SELECT * FROM t LIMIT 1");
        assert!(parse("SELECT COUNT(*) AS n FROM t").unwrap_err().starts_with("Column projections"));
        assert_eq!(parse("INSERT INTO t (a) VALUES (1)").unwrap_err(), "Unsupported: Non-SELECT queries");
        for text in ["SELECT", "SELECT * FROM", "SELECT * FROM t WHERE", "SELECT * FROM t WHERE a =", "'", "é ! 1", "-"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
