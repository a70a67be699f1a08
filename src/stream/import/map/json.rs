//! A line of JSON as the fields of a row.
//!
//! Numbers keep the digits that they are written with. A dot in the name of a column steps into an
//! object.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::super::rows::{Fields, Row};
use crate::error::Problem;

type Object<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// Puts the members that are asked for into a row, in the order of the names.
pub(super) fn row<'a>(
    line: &[u8],
    names: &[String],
    fields: &'a mut Fields,
) -> Result<Row<'a>, Problem> {
    let object: Object<'_> = serde_json::from_slice(line)
        .map_err(|error| Problem::Json { column: error.column(), message: error.to_string() })?;
    fields.begin();
    for name in names {
        let text = find(&object, name)?;
        fields.push(text.as_deref().unwrap_or_default().as_bytes());
    }
    Ok(fields.row())
}

fn find(object: &Object<'_>, name: &str) -> Result<Option<String>, Problem> {
    let Some(value) = object.get(name) else {
        let Some((first, rest)) = name.split_once('.') else { return Ok(None) };
        let Some(inner) = object.get(first) else { return Ok(None) };
        let inner: Object<'_> = serde_json::from_str(inner.get())
            .map_err(|_| Problem::field(first, "an object", inner.get().as_bytes()))?;
        return find(&inner, rest);
    };
    let text = value.get();
    Ok(match text.as_bytes() {
        b"null" => None,
        [b'"', ..] => Some(serde_json::from_str(text).map_err(|error| Problem::Json {
            column: error.column(),
            message: error.to_string(),
        })?),
        _ => Some(text.to_owned()),
    })
}
