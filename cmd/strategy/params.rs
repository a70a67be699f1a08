//! `[params]`: numbers with a default, and bounds where they are given as a table.

use qt_trade::script::Param;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::sections::Reader;
use crate::toml_table::{TomlTable, number};
use crate::toml_text::describe;

pub(super) fn read<'a>(reader: &mut Reader<'_, 'a>, table: DeTable<'a>) {
    for (key, value) in &table {
        let name = key.get_ref().to_string();
        let at = value.span().start;
        reader.places.insert(format!("params.{name}"), at);
        if let Some(param) = param(reader, &name, value) {
            reader.definition.params.push(param);
        }
    }
}

fn param<'a>(
    reader: &mut Reader<'_, 'a>,
    name: &str,
    value: &Spanned<DeValue<'a>>,
) -> Option<Param> {
    let is_whole = |value: &DeValue<'_>| matches!(value, DeValue::Integer(_));
    let bare = |default, is_whole| Param {
        name: name.to_owned(),
        default,
        min: None,
        max: None,
        is_whole,
        about: String::new(),
    };
    if let Some(table) = value.get_ref().as_table() {
        let integer = table.get("default").is_some_and(|it| is_whole(it.get_ref()));
        let mut table = TomlTable::new(reader.text, &format!("params.{name}."), table.clone());
        let default = table.number("default");
        let (min, max) = (table.number("min"), table.number("max"));
        let about = table.text("about", "a text").map(|(text, _)| text).unwrap_or_default();
        if default.is_none() {
            table.complain(value.span().start, "default", "a parameter needs a default");
        }
        table.finish();
        return Some(Param { min, max, about, ..bare(default?, integer) });
    }
    let Some(default) = number(value.get_ref()) else {
        let found = describe(value.get_ref());
        let message =
            format!("expected a number, or a table with default, min and max; found {found}");
        reader.text.complain(value.span().start, &format!("params.{name}"), message);
        return None;
    };
    Some(bare(default, is_whole(value.get_ref())))
}
