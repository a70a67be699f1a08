//! The tables of a strategy file that make its rules.

use std::collections::BTreeMap;

use qt_model::record::Kind;
use qt_model::words::TimeInForce;
use qt_trade::script::{Definition, QuoteStyle, Size, Source, Trigger};
use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::hours::Hours;
use crate::toml_table::{TomlTable, decimal, digits};
use crate::toml_text::{TomlText, describe};

/// Reads tables into a definition.
pub(super) struct Reader<'r, 'a> {
    pub(super) text: &'r mut TomlText<'a>,
    pub(super) definition: &'r mut Definition,
    pub(super) places: &'r mut BTreeMap<String, usize>,
}

pub(super) fn trigger(word: &str) -> Option<Trigger> {
    Some(match word {
        "features" => Trigger::Features,
        "trade" => Trigger::Record(Kind::Trade),
        "quote" => Trigger::Record(Kind::Quote),
        "depth" => Trigger::Record(Kind::Depth),
        "bar" => Trigger::Record(Kind::Bar),
        _ => return None,
    })
}

/// A number or a text: an expression either way.
fn expression(value: &DeValue<'_>) -> Option<String> {
    value.as_str().or_else(|| digits(value)).map(str::to_owned)
}

/// An expression under a key; where it begins is noted.
fn source(
    table: &mut TomlTable<'_, '_>,
    places: &mut BTreeMap<String, usize>,
    (key, at): (&str, Option<usize>),
) -> Option<Source> {
    let text = table.value(key, "an expression in quotes", expression)?;
    let key = table.key(key);
    // The text begins behind its quote.
    places.insert(key.clone(), at.map_or(0, |at| at + 1));
    Some(Source { key, text })
}

fn places_of(table: &DeTable<'_>) -> BTreeMap<String, usize> {
    let place = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &std::borrow::Cow<'_, str> = key.get_ref();
        (key.to_string(), value.span().start)
    };
    table.iter().map(place).collect()
}

impl<'r, 'a> Reader<'r, 'a> {
    pub(super) fn new(
        text: &'r mut TomlText<'a>,
        definition: &'r mut Definition,
        places: &'r mut BTreeMap<String, usize>,
    ) -> Self {
        Self { text, definition, places }
    }

    /// Hands out a table and a getter of its expressions.
    fn with<T>(
        &mut self,
        name: &str,
        table: DeTable<'a>,
        read: impl FnOnce(
            &mut TomlTable<'_, 'a>,
            &mut dyn FnMut(&mut TomlTable<'_, 'a>, &str) -> Option<Source>,
            &mut Definition,
        ) -> T,
    ) -> T {
        let starts = places_of(&table);
        let mut table = TomlTable::new(self.text, &format!("{name}."), table);
        let places = &mut *self.places;
        let mut get = |table: &mut TomlTable<'_, 'a>, key: &str| {
            source(table, places, (key, starts.get(key).copied()))
        };
        let read = read(&mut table, &mut get, self.definition);
        table.finish();
        read
    }

    pub(super) fn features(&mut self, table: DeTable<'a>) {
        let names: Vec<String> = table.iter().map(|(key, _)| key.get_ref().to_string()).collect();
        self.with("features", table, |table, get, definition| {
            for name in names {
                let source = get(table, &name);
                definition.features.extend(source.map(|source| (name, source)));
            }
        });
    }

    pub(super) fn entry(&mut self, table: DeTable<'a>) {
        self.with("entry", table, |table, get, definition| {
            definition.entry.long = get(table, "long");
            definition.entry.short = get(table, "short");
        });
    }

    pub(super) fn exit(&mut self, table: DeTable<'a>) {
        self.with("exit", table, |table, get, definition| {
            definition.exit.long = get(table, "long");
            definition.exit.short = get(table, "short");
            let protect = &mut definition.protect;
            protect.stop_loss = get(table, "stop_loss");
            protect.take_profit = get(table, "take_profit");
            protect.trailing = get(table, "trailing");
            protect.max_holding_ns = table.duration("max_holding");
        });
    }

    /// `qty` or `notional`. A plain number stays exact; an expression is one.
    pub(super) fn size(&mut self, table: DeTable<'a>) {
        let at = table.iter().next().map_or(0, |(key, _)| key.span().start);
        let fixed = table.get("qty").and_then(|value| decimal(value.get_ref()));
        let notional = table.get("notional").and_then(|value| decimal(value.get_ref()));
        self.with("size", table, |table, get, definition| {
            for (key, number) in [("qty", fixed), ("notional", notional)] {
                if let Some(number) = number.filter(|number| *number <= Decimal::ZERO) {
                    let message = format!("expected a size above zero, found {number}");
                    table.complain(at, key, message);
                }
            }
            let (qty, notional) = (get(table, "qty"), get(table, "notional"));
            definition.size = match (fixed, qty, notional) {
                (_, Some(_), Some(_)) => {
                    table.complain(at, "notional", "`qty` and `notional` exclude each other");
                    return;
                }
                (Some(number), _, _) => Size::Fixed(number),
                (None, Some(qty), None) => Size::Qty(qty),
                (None, None, Some(notional)) => Size::Notional(notional),
                (None, None, None) => return,
            };
        });
    }

    pub(super) fn orders(&mut self, table: DeTable<'a>) {
        self.with("orders", table, |table, get, definition| {
            let style = &mut definition.style;
            style.buy_at = get(table, "buy_at");
            style.sell_at = get(table, "sell_at");
            if let Some(time) = table.word::<TimeInForce>("time_in_force") {
                style.time_in_force = time;
            }
            let exit = table.value("exit", "market or limit", |value| match value.as_str()? {
                "market" => Some(true),
                "limit" => Some(false),
                _ => None,
            });
            style.exit_at_market = exit.unwrap_or(true);
            style.requote_ticks = table.whole("requote_ticks").unwrap_or(style.requote_ticks);
            style.timeout_ns = table.duration("timeout");
            style.reverse = table.flag("reverse").unwrap_or(style.reverse);
            style.cooldown_ns = table.duration("cooldown").unwrap_or(0);
        });
    }

    pub(super) fn bracket(&mut self, table: DeTable<'a>) {
        self.with("bracket", table, |table, get, definition| {
            definition.bracket.stop = get(table, "stop");
            definition.bracket.target = get(table, "target");
        });
    }

    pub(super) fn quote(&mut self, table: DeTable<'a>) {
        let at = table.iter().next().map_or(0, |(key, _)| key.span().start);
        let most = table.get("max_position").and_then(|value| decimal(value.get_ref()));
        self.with("quote", table, |table, get, definition| {
            let (bid, ask) = (get(table, "bid"), get(table, "ask"));
            let requote_ticks = table.whole("requote_ticks").unwrap_or(1);
            let post_only = table.flag("post_only").unwrap_or(true);
            let max_position = get(table, "max_position");
            let max_position = most.map(Size::Fixed).or(max_position.map(Size::Qty));
            match (bid, ask) {
                (Some(bid), Some(ask)) => {
                    definition.quote =
                        Some(QuoteStyle { bid, ask, requote_ticks, post_only, max_position });
                }
                _ => table.complain(at, "bid", "quotes need a `bid` and an `ask`"),
            }
        });
    }
}

/// `[schedule]`: hours as in rules of data, and what becomes of positions outside of them.
pub(super) fn schedule<'a>(
    text: &mut TomlText<'a>,
    definition: &mut Definition,
    mut table: DeTable<'a>,
) -> Option<Hours> {
    let key = table.keys().find(|key| key.get_ref() == "flat_outside").cloned();
    if let Some(value) = key.and_then(|key| table.remove(&key)) {
        match value.get_ref().as_bool() {
            Some(flat) => definition.schedule.flat_outside = flat,
            None => {
                let found = describe(value.get_ref());
                let message = format!("expected true or false, found {found}");
                text.complain(value.span().start, "schedule.flat_outside", message);
            }
        }
    }
    Hours::read(text, "schedule", &table)
}
