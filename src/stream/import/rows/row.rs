//! One line as fields.

use std::borrow::Cow;

use crate::error::Problem;

/// A line, cut at its separators.
#[derive(Debug, Default)]
pub(in crate::import) struct Fields {
    /// Where each field begins and ends, without its quotes.
    spans: Vec<(u32, u32)>,
    /// Text of fields that had quotes within quotes.
    unquoted: Vec<u8>,
}

/// A row to decode.
#[derive(Clone, Copy, Debug)]
pub(in crate::import) struct Row<'a> {
    text: &'a [u8],
    spans: &'a [(u32, u32)],
}

impl Fields {
    /// Cuts a line. Quotes keep separators inside a field.
    pub(in crate::import) fn cut<'a>(
        &'a mut self,
        line: &'a [u8],
        at: u8,
    ) -> Result<Row<'a>, Problem> {
        self.spans.clear();
        if memchr::memchr(b'"', line).is_some() {
            self.unquote(line, at)?;
            return Ok(Row { text: &self.unquoted, spans: &self.spans });
        }
        let mut start = 0;
        for end in memchr::memchr_iter(at, line).chain([line.len()]) {
            self.spans.push((start as u32, end as u32));
            start = end + 1;
        }
        Ok(Row { text: line, spans: &self.spans })
    }

    /// A line as one field, whatever stands in it.
    pub(super) fn whole<'a>(&'a mut self, line: &'a [u8]) -> Row<'a> {
        self.spans.clear();
        self.spans.push((0, line.len() as u32));
        Row { text: line, spans: &self.spans }
    }

    /// Begins a row that is put together field by field.
    pub(in crate::import) fn begin(&mut self) {
        self.spans.clear();
        self.unquoted.clear();
    }

    pub(in crate::import) fn push(&mut self, field: &[u8]) {
        let start = self.unquoted.len() as u32;
        self.unquoted.extend_from_slice(field);
        self.spans.push((start, self.unquoted.len() as u32));
    }

    pub(in crate::import) fn row(&self) -> Row<'_> {
        Row { text: &self.unquoted, spans: &self.spans }
    }

    fn unquote(&mut self, line: &[u8], at: u8) -> Result<(), Problem> {
        self.unquoted.clear();
        let (mut start, mut is_inside, mut byte) = (0, false, 0);
        while byte < line.len() {
            match (line[byte], is_inside) {
                (b'"', true) if line.get(byte + 1) == Some(&b'"') => {
                    self.unquoted.push(b'"');
                    byte += 1;
                }
                (b'"', _) => is_inside = !is_inside,
                (found, false) if found == at => {
                    self.spans.push((start, self.unquoted.len() as u32));
                    start = self.unquoted.len() as u32;
                }
                (found, _) => self.unquoted.push(found),
            }
            byte += 1;
        }
        self.spans.push((start, self.unquoted.len() as u32));
        if is_inside {
            let message = "a quote is opened and not closed on its line".to_owned();
            return Err(Problem::Row { message });
        }
        Ok(())
    }
}

impl<'a> Row<'a> {
    pub(in crate::import) fn len(&self) -> usize {
        self.spans.len()
    }

    /// All of it.
    pub(in crate::import) fn line(&self) -> &'a [u8] {
        self.text
    }

    /// A field without the spaces around it; empty where there is none.
    #[inline]
    pub(in crate::import) fn get(&self, at: usize) -> &'a [u8] {
        let Some(&(start, end)) = self.spans.get(at) else { return b"" };
        let field = &self.text[start as usize..end as usize];
        match field {
            [b' ' | b'\t', ..] | [.., b' ' | b'\t'] => field.trim_ascii(),
            plain => plain,
        }
    }

    pub(in crate::import) fn text(&self, at: usize) -> Cow<'a, str> {
        String::from_utf8_lossy(self.get(at))
    }

    pub(in crate::import) fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'_, 'a> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The position of a column, whatever its case.
    pub(in crate::import) fn find(&self, name: &str) -> Option<usize> {
        self.iter().position(|field| field.eq_ignore_ascii_case(name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &[&str]) {
        let mut fields = Fields::default();
        let row = fields.cut(line.as_bytes(), b',').unwrap();
        let found: Vec<_> = (0..row.len()).map(|at| row.text(at).into_owned()).collect();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn a_line_is_cut_at_commas_outside_of_quotes() {
        check("", &[""]);
        check("a,b", &["a", "b"]);
        check(",a,", &["", "a", ""]);
        check(" a ,\tb", &["a", "b"]);
        check(r#""1,234.5",b"#, &["1,234.5", "b"]);
        check(r#""a ""b""",c"#, &["a \"b\"", "c"]);
        assert!(Fields::default().cut(b"\"a,b", b',').is_err());
    }

    #[test]
    fn columns_are_found_by_name_and_missing_fields_are_empty() {
        let mut fields = Fields::default();
        let row = fields.cut(b"Price,QTY", b',').unwrap();
        assert_eq!((row.find("qty"), row.find("side")), (Some(1), None));
        assert_eq!(row.get(7), b"");
    }
}
