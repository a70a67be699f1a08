//! The language of features: `ema(mid, 20) - ema(mid, 50)`, `spread > 2 * sma(spread, 100)`.
//!
//! A text becomes a tree whose every part knows where it stands, so that an error can point there.

mod text;

use std::ops::Range;

use qt_model::time::duration_ns;

/// A part of an expression, and the bytes that it was written in.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub span: Range<usize>,
    pub kind: ExprKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Number(f64),
    /// A length of time in nanoseconds, written `10s`.
    Length(i64),
    Name(String),
    Call(String, Vec<Argument>),
    Negate(Box<Expr>),
    Not(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
}

/// An argument of a call, by place or by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    pub name: Option<String>,
    pub value: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Or,
    And,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Operator {
    /// How tightly it binds.
    fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Less
            | Self::LessEqual
            | Self::Greater
            | Self::GreaterEqual
            | Self::Equal
            | Self::NotEqual => 3,
            Self::Add | Self::Subtract => 4,
            Self::Multiply | Self::Divide => 5,
        }
    }

    pub fn sign(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }

    const ALL: [Self; 12] = [
        Self::Or,
        Self::And,
        Self::LessEqual,
        Self::GreaterEqual,
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::Greater,
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
    ];
}

/// What is wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    pub span: Range<usize>,
    pub message: String,
}

impl ExprError {
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }

    /// The text with a mark under the place.
    pub fn pointing_into(&self, text: &str) -> String {
        let start = self.span.start.min(text.len());
        let before = text[..start].chars().count();
        let width = text[start..self.span.end.clamp(start, text.len())].chars().count().max(1);
        format!("{}\n  {text}\n  {}{}", self.message, " ".repeat(before), "^".repeat(width))
    }
}

/// An expression with the name that its value goes by.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub name: String,
    pub expr: Expr,
}

/// Reads one expression.
pub fn parse(text: &str) -> Result<Expr, ExprError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expr = parser.expression(0)?;
    parser.end()?;
    Ok(expr)
}

/// Reads a list such as `fast = ema(mid, 10), fast - ema(mid, 50)`; an expression without a name
/// goes by its own text.
pub fn parse_list(text: &str) -> Result<Vec<Named>, ExprError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let mut list = Vec::new();
    loop {
        let name = parser.name_before_equals();
        let expr = parser.expression(0)?;
        let name = name.unwrap_or_else(|| text[expr.span.clone()].trim().to_owned());
        list.push(Named { name, expr });
        if !parser.take(",") {
            break;
        }
    }
    parser.end()?;
    Ok(list)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

/// Deeper than anybody writes, and far from the end of the stack.
const DEPTH_MAX: u32 = 64;

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, sign: &str) -> bool {
        self.space();
        let is_there = self.rest().starts_with(sign);
        self.at += if is_there { sign.len() } else { 0 };
        is_there
    }

    fn end(&mut self) -> Result<(), ExprError> {
        self.space();
        if self.rest().is_empty() { Ok(()) } else { Err(self.expected("an operator or the end")) }
    }

    fn expected(&mut self, what: &str) -> ExprError {
        self.space();
        match self.rest().chars().next() {
            Some(found) => {
                let span = self.at..self.at + found.len_utf8();
                ExprError::new(span, format!("expected {what}, found `{found}`"))
            }
            None => ExprError::new(self.at..self.at, format!("expected {what}, found the end")),
        }
    }

    fn word(&mut self) -> Option<&str> {
        self.space();
        let rest = self.rest();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let starts = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let start = self.at;
        if !starts {
            return None;
        }
        self.at += length;
        Some(&self.text[start..self.at])
    }

    /// The name in `name = …`, if there is one.
    fn name_before_equals(&mut self) -> Option<String> {
        let start = self.at;
        let name = self.word().map(str::to_owned);
        self.space();
        let is_given = self.rest().starts_with('=') && !self.rest().starts_with("==");
        if name.is_some() && is_given {
            self.at += 1;
            return name;
        }
        self.at = start;
        None
    }

    fn operator(&mut self) -> Option<Operator> {
        self.space();
        let rest = self.rest();
        Operator::ALL.into_iter().find(|operator| {
            let is_word = operator.sign().starts_with(|c: char| c.is_ascii_alphabetic());
            let after = rest.strip_prefix(operator.sign());
            after.is_some_and(|after| {
                !is_word || !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            })
        })
    }

    fn expression(&mut self, least: u8) -> Result<Expr, ExprError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ExprError::new(self.at..self.at + 1, "nested too deeply"));
        }
        let mut left = self.operand()?;
        while let Some(operator) = self.operator().filter(|it| it.strength() > least) {
            self.at += operator.sign().len();
            let right = self.expression(operator.strength())?;
            let span = left.span.start..right.span.end;
            let kind = ExprKind::Binary(operator, Box::new(left), Box::new(right));
            left = Expr { span, kind };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expr, ExprError> {
        self.space();
        let start = self.at;
        if self.take("-") {
            let inner = self.expression(Operator::Multiply.strength())?;
            let span = start..inner.span.end;
            return Ok(Expr { span, kind: ExprKind::Negate(Box::new(inner)) });
        }
        if self.take("(") {
            let inner = self.expression(0)?;
            if !self.take(")") {
                return Err(self.expected("`)`"));
            }
            return Ok(Expr { span: start..self.at, kind: inner.kind });
        }
        if self.rest().starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return self.number();
        }
        let Some(word) = self.word().map(str::to_owned) else {
            return Err(self.expected("a number, a name or `(`"));
        };
        if word == "not" {
            let inner = self.expression(Operator::And.strength())?;
            let span = start..inner.span.end;
            return Ok(Expr { span, kind: ExprKind::Not(Box::new(inner)) });
        }
        let name_end = self.at;
        if !self.take("(") {
            self.at = name_end;
            return Ok(Expr { span: start..name_end, kind: ExprKind::Name(word) });
        }
        let arguments = self.arguments()?;
        Ok(Expr { span: start..self.at, kind: ExprKind::Call(word, arguments) })
    }

    fn arguments(&mut self) -> Result<Vec<Argument>, ExprError> {
        let mut arguments = Vec::new();
        if self.take(")") {
            return Ok(arguments);
        }
        loop {
            let name = self.name_before_equals();
            arguments.push(Argument { name, value: self.expression(0)? });
            if self.take(")") {
                return Ok(arguments);
            }
            if !self.take(",") {
                return Err(self.expected("`,` or `)`"));
            }
        }
    }

    /// A length of time, where a unit stands behind the digits.
    fn length(&mut self, digits: usize) -> Option<Result<Expr, ExprError>> {
        let rest = self.rest();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = rest[digits..].find(|c| !is_word(c)).map_or(rest.len(), |at| digits + at);
        if end == digits {
            return None;
        }
        let span = self.at..self.at + end;
        let text = rest[..end].to_owned();
        self.at = span.end;
        let length = duration_ns(&text).filter(|nanos| *nanos > 0);
        Some(match length {
            Some(nanos) => Ok(Expr { span, kind: ExprKind::Length(nanos) }),
            None => Err(ExprError::new(
                span,
                format!("`{text}` is no length of time: write 500ms, 10s, 5m or 1h"),
            )),
        })
    }

    fn number(&mut self) -> Result<Expr, ExprError> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let mut length = 0;
        while let Some(byte) = bytes.get(length) {
            let is_sign_of_exponent =
                b"+-".contains(byte) && length > 0 && b"eE".contains(&bytes[length - 1]);
            let is_part = byte.is_ascii_digit() || b".eE_".contains(byte) || is_sign_of_exponent;
            if !is_part {
                break;
            }
            length += 1;
        }
        if let Some(expr) = self.length(length) {
            return expr;
        }
        let rest = self.rest();
        let span = self.at..self.at + length;
        let digits = rest[..length].replace('_', "");
        let value = digits.parse::<f64>().ok().filter(|value| value.is_finite());
        self.at = span.end;
        let message = || format!("`{digits}` is no number");
        let value = value.ok_or_else(|| ExprError::new(span.clone(), message()))?;
        Ok(Expr { span, kind: ExprKind::Number(value) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_bind_as_people_expect() {
        let cases = [
            ("1 + 2 * 3", "(1 + (2 * 3))"),
            ("1 - 2 - 3", "((1 - 2) - 3)"),
            ("-a * b", "((-a) * b)"),
            ("a < b and not c > d or e", "(((a < b) and (not (c > d))) or e)"),
            ("ema( mid ,n = 20)/2", "(ema(mid, n=20) / 2)"),
            ("(1 + 2) * 1e-3", "((1 + 2) * 0.001)"),
            ("tr()", "tr()"),
            ("order - oracle", "(order - oracle)"),
            ("ret(mid, 90s) - ret(mid,1500ms)", "(ret(mid, 90s) - ret(mid, 1500ms))"),
            ("sum(qty, 60s)", "sum(qty, 1m)"),
        ];
        for (text, tree) in cases {
            assert_eq!(parse(text).map(|expr| expr.to_string()), Ok(tree.to_owned()), "{text}");
        }
    }

    #[test]
    fn lists_name_their_members() {
        let list = parse_list("fast = ema(mid, 10), fast == 1, z(imbalance,200)").unwrap();
        let names: Vec<_> = list.iter().map(|named| named.name.as_str()).collect();
        assert_eq!(names, ["fast", "fast == 1", "z(imbalance,200)"]);
    }

    #[test]
    fn errors_point_at_their_place() {
        let cases = [
            ("ema(mid, 20", 11..11, "expected `,` or `)`, found the end"),
            ("1 + * 2", 4..5, "expected a number, a name or `(`, found `*`"),
            ("mid $ 2", 4..5, "expected an operator or the end, found `$`"),
            ("1.2.3", 0..5, "`1.2.3` is no number"),
            ("1.5s", 0..4, "`1.5s` is no length of time: write 500ms, 10s, 5m or 1h"),
            ("a + 5x", 4..6, "`5x` is no length of time: write 500ms, 10s, 5m or 1h"),
            ("", 0..0, "expected a number, a name or `(`, found the end"),
        ];
        for (text, span, message) in cases {
            assert_eq!(parse(text), Err(ExprError::new(span, message)), "{text}");
        }
        let deep = "(".repeat(1_000);
        assert!(parse(&deep).is_err());
        let error = parse("mid + é").unwrap_err();
        assert_eq!(error.pointing_into("mid + é").lines().last(), Some("        ^"));
    }
}
