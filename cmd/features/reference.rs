//! What expressions can be made of, as a list and as a page.

use qt_market::features::{
    Arg, ArgKind, Base, Body, Clock, Function, LOB27, Plan, SETS, functions, parse_list,
};

use crate::context::Context;
use crate::listing::{Cell, Table};
use crate::outcome::Outcome;

/// A line each: columns, functions, sets.
pub(super) fn list(context: &Context) -> anyhow::Result<Outcome> {
    let mut table = Table::new(&["kind", "name", "unit", "warm", "meaning"]);
    let text = |text: &str| Cell::Text(if text.is_empty() { "-" } else { text }.to_owned());
    for base in Base::ALL {
        table.row([
            text("column"),
            text(base.name()),
            text(base.unit()),
            Cell::Number(1),
            text(base.doc()),
        ]);
    }
    for function in functions() {
        let warm = warm(function.example);
        let call = signature(function);
        table.row([
            text("function"),
            text(&call),
            text(function.unit),
            Cell::Number(warm),
            text(function.doc),
        ]);
    }
    for set in SETS {
        let plan = Plan::new(&set.members()).expect("sets compile");
        for (at, (name, expression)) in set.features.iter().enumerate() {
            let member = format!("{}.{name}", set.name);
            table.row([
                text("set"),
                text(&member),
                text(""),
                Cell::Number(plan.warm_at(at)),
                text(expression),
            ]);
        }
    }
    for (name, event) in LOB27 {
        let member = format!("lob27.{name}");
        table.row([text("set"), text(&member), text("integer"), Cell::Number(event), text("")]);
    }
    table.print(context)
}

/// The event at which an expression has its first value.
fn warm(expression: &str) -> u64 {
    let list = parse_list(expression).expect("the expressions of the registry are sound");
    Plan::new(&list).expect("and compile").warm_at(0)
}

fn signature(function: &Function) -> String {
    let arg = |arg: &Arg| match arg.default {
        Some(default) => format!("{}={default}", arg.name),
        None => arg.name.to_owned(),
    };
    let args: Vec<_> = function.args.iter().map(arg).collect();
    format!("{}({})", function.name, args.join(", "))
}

/// The reference page.
pub(super) fn markdown() -> String {
    let mut page = String::from(
        "# Features: reference\n\n\
         Made by `qt features --reference`; `docs/features.md` says how to use them.\n\n\
         ## Columns\n\n\
         | column | at each | unit | meaning |\n| --- | --- | --- | --- |\n",
    );
    for base in Base::ALL {
        let clock = match base.clock() {
            Clock::Book => "best bid and ask",
            Clock::Trade => "print",
            Clock::Bar => "bar",
            Clock::Any => "any event",
        };
        let (name, unit, doc) = (base.name(), base.unit(), base.doc());
        page.push_str(&format!("| `{name}` | {clock} | {unit} | {doc} |\n"));
    }
    page.push_str(
        "\n## Functions\n\n\
         Warm-up is the event at which the example has its first value.\n\n\
         | function | meaning | unit | example | warm-up |\n| --- | --- | --- | --- | --- |\n",
    );
    for function in functions() {
        let meaning = match function.body {
            Body::Node { .. } | Body::Over { .. } | Body::Window(_) => escape(function.doc),
            Body::Formula(formula) => format!("{}: `{}`", escape(function.doc), escape(formula)),
        };
        let (call, example) = (signature(function), function.example);
        let (unit, warm) = (function.unit, warm(example));
        page.push_str(&format!("| `{call}` | {meaning} | {unit} | `{example}` | {warm} |\n"));
    }
    page.push_str("\nParameters are whole numbers of events");
    let ranges = functions().flat_map(|function| function.args).filter_map(|arg| match arg.kind {
        ArgKind::Events(_, most) | ArgKind::Window(_, most) => Some(most),
        ArgKind::Column | ArgKind::Number(..) | ArgKind::Length => None,
    });
    let most = ranges.max().unwrap_or_default();
    page.push_str(&format!(
        ", at most {most}, lengths of time, or numbers. These take either events or a "
    ));
    page.push_str("length of time, as in `ret(mid, 10)` and `ret(mid, 10s)`:\n");
    let both = functions()
        .filter(|function| function.args.iter().any(|arg| matches!(arg.kind, ArgKind::Window(..))));
    let names: Vec<_> = both.map(|function| format!("`{}`", function.name)).collect();
    page.push_str(&format!("{}.\n", names.join(", ")));
    for set in SETS {
        page.push_str(&format!(
            "\n## Set `{}`\n\n{}, version {}.\n\n| # | feature | expression | warm-up |\n| --- | --- | --- | --- |\n",
            set.name, set.doc, set.version
        ));
        let plan = Plan::new(&set.members()).expect("sets compile");
        for (at, (name, expression)) in set.features.iter().enumerate() {
            let warm = plan.warm_at(at);
            page.push_str(&format!("| {at} | `{name}` | `{expression}` | {warm} |\n"));
        }
    }
    page.push_str(
        "\n## Sets `lob16`, `lob22`, `lob27`\n\n\
         Integer features of the best five levels, in mantissas of the instrument: indices 0 to 15, 21 and\n\
         26. Values are there from the first event on; the warm mask says which may be used.\n\n\
         | # | feature | warm-up |\n| --- | --- | --- |\n",
    );
    for (at, (name, event)) in LOB27.iter().enumerate() {
        page.push_str(&format!("| {at} | `{name}` | {event} |\n"));
    }
    page
}

/// A bar would end the cell.
fn escape(text: &str) -> String {
    text.replace('|', "\\|")
}
