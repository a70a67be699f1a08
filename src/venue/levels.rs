//! Lists of price and size, as nearly every venue sends its book.

use qt_model::record::Level;
use qt_model::words::Side;

use crate::frame::DecodeError;
use crate::json::Value;
use crate::listing::{Listed, Sighting};

/// The text of one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextLevel<'a> {
    pub side: Side,
    pub px: &'a str,
    pub qty: &'a str,
    /// What stands behind the size, a time for one venue.
    pub third: Option<&'a str>,
}

/// Reads `[["price","size",…],…]`; what stands behind the third part is passed over.
pub(crate) fn read<'a>(
    list: Value<'a, '_>,
    side: Side,
    out: &mut Vec<TextLevel<'a>>,
) -> Result<(), DecodeError> {
    let had = out.len();
    if quick(list.raw(), side, out).is_some() {
        return Ok(());
    }
    out.truncate(had);
    general(list, side, out)
}

fn general<'a>(
    list: Value<'a, '_>,
    side: Side,
    out: &mut Vec<TextLevel<'a>>,
) -> Result<(), DecodeError> {
    for pair in list.array()? {
        let pair = pair.array()?;
        let [px, qty, rest @ ..] = pair.as_slice() else {
            return Err(list.refuse("pairs of price and size"));
        };
        let third = rest.first().filter(|third| third.is_text());
        let third = third.and_then(|third| third.digits().ok());
        out.push(TextLevel { side, px: px.digits()?, qty: qty.digits()?, third });
    }
    Ok(())
}

/// The same for lists of texts without white space, as nearly all are: without a list of lists in
/// between. `None` leaves the list to the general road.
fn quick<'a>(list: &'a str, side: Side, out: &mut Vec<TextLevel<'a>>) -> Option<()> {
    let mut rest = list.strip_prefix('[')?;
    if rest == "]" {
        return Some(());
    }
    loop {
        rest = rest.strip_prefix('[')?;
        let (px, behind) = number(rest)?;
        let (qty, behind) = number(behind.strip_prefix(',')?)?;
        let (third, behind) = match behind.strip_prefix(',').map(number) {
            Some(Some((third, behind))) => (Some(third), behind),
            _ => (None, behind),
        };
        out.push(TextLevel { side, px, qty, third });
        // Further parts are short texts and numbers: none of them holds a bracket.
        let end = behind.find(['[', ']'])?;
        rest = behind[end..].strip_prefix(']')?;
        match rest.as_bytes() {
            [b',', ..] => rest = &rest[1..],
            [b']'] => return Some(()),
            _ => return None,
        }
    }
}

/// A number in quotes, and what stands behind it.
fn number(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let end = inner.bytes().position(|byte| byte == b'"')?;
    let number = &inner[..end];
    let is_number = number.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    is_number.then(|| (number, &inner[end + 1..]))
}

/// What the levels show of their instrument.
pub(crate) fn sighting<'a>(levels: &[TextLevel<'a>]) -> Sighting<'a> {
    let mut sighting = Sighting::default();
    for level in levels {
        sighting.px(level.px);
        sighting.qty(level.qty);
    }
    sighting
}

/// The levels at the scales of their instrument.
pub(crate) fn resolve(
    levels: &[TextLevel<'_>],
    listed: Listed,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    for level in levels {
        let (px, qty) = (listed.px("price", level.px)?, listed.qty("size", level.qty)?);
        out.push(Level { px, qty, side: level.side });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn both(text: &str) -> Result<Vec<(String, String, Option<String>)>, String> {
        let list = json::root(text.as_bytes()).map_err(|error| error.to_string())?;
        let (mut slow, mut fast) = (Vec::new(), Vec::new());
        let outcome = general(list, Side::Buy, &mut slow).map_err(|error| error.to_string());
        if quick(list.raw(), Side::Buy, &mut fast).is_some() {
            assert_eq!((&slow, outcome.is_ok()), (&fast, true), "{text}");
        }
        let owned = |level: TextLevel<'_>| {
            (level.px.to_owned(), level.qty.to_owned(), level.third.map(str::to_owned))
        };
        outcome.map(|()| slow.into_iter().map(owned).collect())
    }

    #[test]
    fn both_roads_read_the_same_levels() {
        for (text, count) in [
            ("[]", 0),
            (r#"[["1.0","2"]]"#, 1),
            (r#"[["1.0","2"],["3","4"]]"#, 2),
            (r#"[["1.0","2","0","1"],["3","4","1618678123.48","r"]]"#, 2),
            (r#"[ ["1.0", "2"] ]"#, 1),
            (r#"[[1.5,2]]"#, 1),
            (r#"[["1","2",7]]"#, 1),
            (r#"[["1","2",[]]]"#, 1),
            (r#"[["1","2",7,"]"]]"#, 1),
        ] {
            assert_eq!(both(text).map(|levels| levels.len()), Ok(count), "{text}");
        }
        assert_eq!(both(r#"[["1","2","3.5"]]"#).unwrap()[0].2.as_deref(), Some("3.5"));
        for text in [r#"[["1"]]"#, r#"[["x","2"]]"#, r#"["1","2"]"#, "{}", r#"[["1","2"],[]]"#] {
            assert!(both(text).is_err(), "{text}");
        }
    }
}
