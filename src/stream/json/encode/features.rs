//! Lines of features, whether their rows are records or stand beside a batch.

use std::sync::Arc;

use qt_model::record::{Feature, Head};

use super::super::line::FLOATS;
use super::{Encoder, string};
use crate::annotated::{Annotated, Item};

impl Encoder {
    /// The records and rows of an annotated batch, a line each. The text lies here until the next call.
    pub(crate) fn annotated(&mut self, annotated: &Annotated<'_>) -> &[u8] {
        let Annotated { batch, rows, .. } = *annotated;
        self.know(batch.instruments());
        self.page.clear();
        annotated.each(|item| match item {
            Item::Record(at) => self.line(batch, at),
            Item::Row(at, row) => {
                let value = |value: &f64| Some(*value).filter(|value| !value.is_nan());
                let marks = [row.warm, Some(row.flags)];
                self.feature_of(batch.head(at), rows.set(), (row.values, value), marks);
            }
        });
        self.page.text()
    }

    #[inline]
    pub(super) fn feature(&mut self, row: &Feature) {
        let marks = [row.warm, row.flags];
        self.feature_of(&row.head, &row.set, (&row.values, |value: &Option<f64>| *value), marks);
    }

    #[inline]
    fn feature_of<V>(
        &mut self,
        head: &Head,
        set: &Arc<str>,
        (values, of): (&[V], impl Fn(&V) -> Option<f64>),
        [warm, flags]: [Option<u64>; 2],
    ) {
        let (mut pen, clocks, known) = self.begin(head);
        pen.put(br#"{"k":"feature""#);
        clocks.head(&mut pen, head, known);
        let written = pen.written();
        self.page.take(written);
        if self.set.as_ref().is_none_or(|(written, _)| written != set) {
            let mut text = br#","set":"#.to_vec();
            string(set, &mut text);
            text.extend_from_slice(br#","values":["#);
            self.set = Some((Arc::clone(set), text));
        }
        if let Some((_, text)) = &self.set {
            self.page.extend(text);
        }
        let mut is_first = true;
        for values in values.chunks(FLOATS) {
            let mut pen = self.page.pen();
            for value in values {
                if !std::mem::take(&mut is_first) {
                    pen.put(b",");
                }
                match of(value) {
                    Some(value) => pen.float(value),
                    None => pen.put(b"null"),
                }
            }
            let written = pen.written();
            self.page.take(written);
        }
        let mut pen = self.page.pen();
        pen.put(b"]");
        pen.id(br#","warm":"#, warm);
        pen.id(br#","flags":"#, flags);
        pen.tail(head.seq);
        let written = pen.written();
        self.page.take(written);
    }
}
