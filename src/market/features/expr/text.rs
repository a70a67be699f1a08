//! Expressions as text, in one fixed form.

use std::fmt;

use qt_model::time::DAY_NANOS;

use super::{Expr, ExprKind};

/// What units of time are worth in nanoseconds, the longest first.
const UNITS: [(&str, i64); 7] = [
    ("d", DAY_NANOS),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A length of time as it is written: in the longest unit that takes it whole.
fn length_text(nanos: i64) -> String {
    let (unit, worth) =
        UNITS.iter().find(|(_, worth)| nanos % worth == 0).expect("one divides all");
    format!("{}{unit}", nanos / worth)
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number(value) => write!(f, "{value}"),
            ExprKind::Length(nanos) => f.write_str(&length_text(*nanos)),
            ExprKind::Name(name) => f.write_str(name),
            ExprKind::Negate(inner) => write!(f, "(-{inner})"),
            ExprKind::Not(inner) => write!(f, "(not {inner})"),
            ExprKind::Binary(operator, left, right) => {
                write!(f, "({left} {} {right})", operator.sign())
            }
            ExprKind::Call(name, arguments) => {
                write!(f, "{name}(")?;
                for (at, argument) in arguments.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    f.write_str(comma)?;
                    if let Some(name) = &argument.name {
                        write!(f, "{name}=")?;
                    }
                    write!(f, "{}", argument.value)?;
                }
                f.write_str(")")
            }
        }
    }
}
