//! Functions of one event.

use super::{Arg, Body, Function, column, number};
use crate::features::nodes::arithmetic::{self as math, Choose, Clamp, Join, Map, Ratio, Round};

const X: &[Arg] = &[column("x")];
const XY: &[Arg] = &[column("x"), column("y")];

const fn map(
    name: &'static str,
    doc: &'static str,
    example: &'static str,
    build: fn(&[f64]) -> Box<dyn crate::features::node::Node>,
) -> Function {
    Function {
        name,
        args: X,
        doc,
        unit: "",
        example,
        body: Body::Node { build, warm: |_| 1 },
        timed: None,
    }
}

const fn join(
    name: &'static str,
    doc: &'static str,
    example: &'static str,
    build: fn(&[f64]) -> Box<dyn crate::features::node::Node>,
) -> Function {
    Function {
        name,
        args: XY,
        doc,
        unit: "",
        example,
        body: Body::Node { build, warm: |_| 1 },
        timed: None,
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    map("abs", "|x|", "abs(imbalance)", |_| Box::new(Map(f64::abs))),
    map("sqrt", "√x; no value below zero", "sqrt(qty)", |_| Box::new(Map(math::sqrt))),
    map("log", "the natural logarithm; no value at or below zero", "log(mid)", |_| {
        Box::new(Map(math::log))
    }),
    map("exp", "e to the x", "exp(imbalance)", |_| Box::new(Map(math::exp))),
    map("tanh", "the hyperbolic tangent", "tanh(imbalance)", |_| Box::new(Map(math::tanh))),
    map("sign", "1, 0 or −1", "sign(imbalance)", |_| Box::new(Map(math::sign))),
    map(
        "positive",
        "x where it is above zero; else the event does not count",
        "positive(spread)",
        |_| Box::new(Map(math::positive)),
    ),
    join("max", "the larger of two", "max(bid_qty, ask_qty)", |_| Box::new(Join::new(f64::max))),
    join("min", "the smaller of two", "min(bid_qty, ask_qty)", |_| Box::new(Join::new(f64::min))),
    Function {
        name: "ratio",
        args: &[column("x"), column("y"), number("otherwise", (f64::MIN, f64::MAX), "0")],
        doc: "x/y, and otherwise where y is zero",
        unit: "",
        example: "ratio(spread, mid, 0)",
        body: Body::Node { build: |p| Box::new(Ratio::new(p[0])), warm: |_| 1 },
        timed: None,
    },
    Function {
        name: "if",
        args: &[column("condition"), column("x"), column("y")],
        doc: "x where the condition is not zero, else y",
        unit: "",
        example: "if(spread > 0.05, microprice, mid)",
        body: Body::Node { build: |_| Box::new(Choose::new()), warm: |_| 1 },
        timed: None,
    },
    Function {
        name: "round",
        args: &[column("x"), number("decimals", (0.0, 15.0), "8")],
        doc: "x to so many decimals, halves to even",
        unit: "",
        example: "round(mid, 2)",
        body: Body::Node { build: |p| Box::new(Round::new(p[0])), warm: |_| 1 },
        timed: None,
    },
    Function {
        name: "clamp",
        args: &[
            column("x"),
            number("low", (f64::MIN, f64::MAX), "-1"),
            number("high", (f64::MIN, f64::MAX), "1"),
        ],
        doc: "x, but no less than low and no more than high",
        unit: "",
        example: "clamp(imbalance, -0.5, 0.5)",
        body: Body::Node { build: |p| Box::new(Clamp { low: p[0], high: p[1] }), warm: |_| 1 },
        timed: None,
    },
];
