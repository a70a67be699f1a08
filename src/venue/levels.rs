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
    for pair in list.array()? {
        let Some(([px, qty], mut rest)) = pair.array()?.first() else {
            return Err(list.refuse("pairs of price and size"));
        };
        let third = rest.next().filter(Value::is_text).and_then(|third| third.digits().ok());
        out.push(TextLevel { side, px: px.digits()?, qty: qty.digits()?, third });
    }
    Ok(())
}

/// What the levels show of their instrument.
pub(crate) fn sighting<'a>(levels: &[TextLevel<'a>]) -> Sighting<'a> {
    Sighting::of_all(levels.iter().map(|level| (level.px, level.qty)))
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
    use crate::json::Tape;

    fn check(text: &str, expected: Option<&[(&str, &str, Option<&str>)]>) {
        let (mut tape, mut found) = (Tape::default(), Vec::new());
        let list = tape.read(text.as_bytes()).unwrap();
        let outcome = read(list, Side::Buy, &mut found);
        let found: Vec<_> = found.iter().map(|it| (it.px, it.qty, it.third)).collect();
        assert_eq!(outcome.ok().map(|()| found.as_slice()), expected, "{text}");
    }

    #[test]
    fn levels_are_lists_of_texts_or_numbers() {
        check("[]", Some(&[]));
        check(r#"[["1.0","2"]]"#, Some(&[("1.0", "2", None)]));
        check(r#"[ ["1.0", "2"], ["3","4"] ]"#, Some(&[("1.0", "2", None), ("3", "4", None)]));
        check(
            r#"[["1.0","2","0","1"],["3","4","1618678123.48","r"]]"#,
            Some(&[("1.0", "2", Some("0")), ("3", "4", Some("1618678123.48"))]),
        );
        check("[[1.5,2]]", Some(&[("1.5", "2", None)]));
        check(r#"[["1","2",7]]"#, Some(&[("1", "2", None)]));
        check(r#"[["1","2",[],"]"]]"#, Some(&[("1", "2", None)]));
        check(r#"[["1","2","x"]]"#, Some(&[("1", "2", None)]));
        for text in [r#"[["1"]]"#, r#"[["x","2"]]"#, r#"["1","2"]"#, "{}", r#"[["1","2"],[]]"#] {
            check(text, None);
        }
    }
}
