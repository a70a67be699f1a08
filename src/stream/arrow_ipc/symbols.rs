//! What a file of plain Arrow says of its symbols without its rows.
//!
//! Absent on purpose: an error. What cannot be told here is told by whoever reads the rows.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use arrow::ipc::{MessageHeader, root_as_message};

use super::IPC_MARK;

/// The longest description of a table that is looked at.
const DESCRIPTION_MAX: u32 = 1 << 20;

/// Whether a file is a plain stream whose rows are of one symbol: its dictionary of symbols comes once
/// and has one text. Bodies of tables are passed over. What can be read only once is not opened.
pub fn has_one_symbol(path: &Path) -> bool {
    path.is_file() && File::open(path).ok().and_then(|mut file| texts(&mut file)) == Some(1)
}

/// How many texts the one dictionary of symbols has; nothing where there are several, or none.
fn texts(file: &mut File) -> Option<i64> {
    let (mut dictionary, mut texts) = (None, None);
    let length = file.metadata().ok()?.len();
    let mut description = Vec::new();
    loop {
        let at = file.stream_position().ok()?;
        if at == length {
            return texts;
        }
        let [mark, size] = [word(file)?, word(file)?];
        let size = u32::from_le_bytes(size);
        if mark != IPC_MARK || size > DESCRIPTION_MAX {
            return None;
        }
        if size == 0 {
            return texts;
        }
        description.resize(size as usize, 0);
        file.read_exact(&mut description).ok()?;
        let message = root_as_message(&description).ok()?;
        match message.header_type() {
            MessageHeader::Schema => {
                let mut fields = message.header_as_schema()?.fields()?.iter();
                let symbol = fields.find(|field| field.name() == Some("sym"))?;
                dictionary = Some(symbol.dictionary()?.id());
            }
            MessageHeader::DictionaryBatch => {
                let batch = message.header_as_dictionary_batch()?;
                if Some(batch.id()) == dictionary && texts.replace(batch.data()?.length()).is_some()
                {
                    return None;
                }
            }
            _ => {}
        }
        let next = file.seek(SeekFrom::Current(message.bodyLength())).ok()?;
        if next > length || message.bodyLength() < 0 {
            return None;
        }
    }
}

fn word(file: &mut File) -> Option<[u8; 4]> {
    let mut word = [0; 4];
    file.read_exact(&mut word).ok().map(|()| word)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray};
    use arrow::datatypes::Int32Type;
    use arrow::ipc::writer::StreamWriter;

    use super::*;

    type Symbols<'a> = &'a [&'a str];

    /// A stream of tables with a row for each symbol.
    fn stream(tables: &[Symbols<'_>], is_dictionary: bool) -> Vec<u8> {
        let table = |symbols: &Symbols<'_>| {
            let rows = Int64Array::from_iter_values(symbols.iter().map(|_| 7));
            let column: ArrayRef = match is_dictionary {
                true => Arc::new(symbols.iter().copied().collect::<DictionaryArray<Int32Type>>()),
                false => Arc::new(StringArray::from_iter_values(symbols.iter())),
            };
            let columns = [("sym", column), ("ts_recv", Arc::new(rows) as ArrayRef)];
            RecordBatch::try_from_iter(columns).unwrap()
        };
        let tables: Vec<_> = tables.iter().map(table).collect();
        let mut writer = StreamWriter::try_new(Vec::new(), &tables[0].schema()).unwrap();
        tables.iter().for_each(|table| writer.write(table).unwrap());
        writer.finish().unwrap();
        writer.into_inner().unwrap()
    }

    #[test]
    fn a_file_tells_of_one_symbol_by_its_dictionary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("quotes.arrow");
        let found = |bytes: &[u8]| {
            File::create(&path).unwrap().write_all(bytes).unwrap();
            has_one_symbol(&path)
        };
        let one: &[Symbols<'_>] = &[&["x:A", "x:A"], &["x:A"]];
        assert!(found(&stream(one, true)));
        // Without its mark at the end it is a stream as well.
        let whole = stream(one, true);
        assert!(found(&whole[..whole.len() - 8]));
        let others: [(&[Symbols<'_>], bool); 3] =
            [(&[&["x:A", "x:B"]], true), (&[&["x:A"], &["x:B"]], true), (one, false)];
        for (tables, is_dictionary) in others {
            assert!(!found(&stream(tables, is_dictionary)), "{tables:?} {is_dictionary}");
        }
        for cut in [0, 3, 100, whole.len() / 2, whole.len() - 9] {
            assert!(!found(&whole[..cut]), "cut at {cut}");
        }
        assert!(!found(b"{\"k\":\"stream\"}"));
        assert!(!has_one_symbol(&folder.path().join("nowhere.arrow")));
    }
}
