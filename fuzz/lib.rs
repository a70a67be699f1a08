//! What the fuzz targets share: read anything to its end, and hold what comes out to its word.

mod vendor;
mod wire;

pub use vendor::{read_mapped, read_vendor, unpack};
pub use wire::{decode_messages, import_capture};

use std::io::{Cursor, Write};
use std::panic;
use std::sync::Once;

use qt_model::record::{Batch, Key, Source};
use qt_model::time::Date;
use qt_stream::braid::Strand;
use qt_stream::error::ReadError;
use qt_stream::frame::{End, Header};
use qt_stream::import::{Hints, ImportInput, Notes};
use qt_stream::input::{AnyReader, Input};
use qt_stream::parquet_file::Span;
use qt_stream::read::Options;
use qt_stream::tolerance::Tolerance;
use qt_stream::write::{Format, StreamWriter};

/// The fuzzer takes every panic for a finding. Those of decoders that are caught are none.
fn hush_contained_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !qt_stream::contain::is_contained() {
                report(info);
            }
        }));
    });
}

/// Reads bytes as a pipe would bring them, then writes the records and reads them again: what was
/// accepted once must be accepted always, with one digest, by the road of rows and by that of columns.
pub fn read_bytes(data: &[u8]) {
    hush_contained_panics();
    let input = || Input::Pipe("fuzz", Box::new(Cursor::new(data.to_vec())));
    let accepted = drain(input(), options());
    if let Ok((bytes, digest)) = accepted {
        let again = Input::Pipe("again", Box::new(Cursor::new(bytes)));
        let verified = Options { verify: true, ..Options::default() };
        let second = drain(again, verified);
        let (_, second) = second.unwrap_or_else(|error| panic!("what we wrote: {error}"));
        assert_eq!(digest, second, "one stream, one digest");
        let columns = drain_as(input(), options(), Strand::to_batch);
        let (_, columns) = columns.unwrap_or_else(|error| panic!("as columns: {error}"));
        assert_eq!(digest, columns, "columns say what rows say");
    }
}

/// Reads bytes as a file: Parquet has its directory at the end.
pub fn read_file(data: &[u8]) {
    hush_contained_panics();
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(data).expect("a temporary file takes bytes");
    let _ = drain(Input::File(file.path().to_owned()), options());
}

fn options() -> Options {
    Options { tolerance: Tolerance::skip(), allow_truncated: true, ..Options::default() }
}

/// All records as NDJSON, and their digest.
fn drain(input: Input, options: Options) -> Result<(Vec<u8>, String), ReadError> {
    drain_as(input, options, Batch::clone)
}

/// The same of what comes in another form.
fn drain_as<B: Default>(
    input: Input,
    options: Options,
    to_batch: impl Fn(&B) -> Batch,
) -> Result<(Vec<u8>, String), ReadError>
where
    AnyReader: Source<B, Error = ReadError>,
{
    let universe = options.universe.clone();
    let mut reader = AnyReader::open(input, Span::ALL, options)?;
    let (mut batches, mut read) = (Vec::new(), B::default());
    while reader.next(&mut read)? {
        batches.push(to_batch(&read));
    }
    let header = Header::new(universe.snapshot());
    let mut writer = StreamWriter::new(Vec::new(), Format::Ndjson, &header, 1)
        .expect("a vector takes every byte");
    for batch in &batches {
        writer.write(batch).expect("a vector takes every byte");
    }
    let (bytes, end) = finish(writer);
    Ok((bytes, end.digest))
}

fn finish(writer: StreamWriter<Vec<u8>>) -> (Vec<u8>, End) {
    writer.finish(End::default()).expect("a vector takes every byte")
}

/// Reads bytes as a file of a vendor; what comes out is in order, and reads back once written.
pub fn read_import(format: &str, name: &str, data: &[u8]) {
    let hints = Hints { date: Date::new(2019, 1, 30), ..Hints::default() };
    import(format, name, data, &hints);
}

fn import(format: &str, name: &str, data: &[u8], hints: &Hints) {
    hush_contained_panics();
    let options = options();
    let importer = qt_stream::import::IMPORTERS
        .iter()
        .find(|it| it.about().name == format)
        .expect("the format has an importer");
    let path = std::path::PathBuf::from(name);
    let input = ImportInput {
        name: name.into(),
        path: Some(path),
        bytes: Box::new(Cursor::new(data.to_vec())),
        notes: Notes::default(),
        is_packed: false,
    };
    let Ok(mut source) = importer.open(input, hints, &options) else { return };
    let mut batches = Vec::new();
    let mut last = None;
    loop {
        let mut batch = Batch::default();
        match source.next(&mut batch) {
            Ok(true) => {}
            Ok(false) | Err(_) => break,
        }
        for record in batch.iter() {
            let key = Key::of(&record);
            if let Some(last) = last.replace(key) {
                assert!(last.compare(&key, batch.instruments()).is_lt(), "records are in order");
            }
        }
        batches.push(batch);
    }
    let header = Header::new(options.universe.snapshot());
    let mut writer = StreamWriter::new(Vec::new(), Format::Ndjson, &header, 1)
        .expect("a vector takes every byte");
    for batch in &batches {
        writer.write(batch).expect("a vector takes every byte");
    }
    let (bytes, _) = finish(writer);
    let verified = Options { verify: true, ..Options::default() };
    let again = Input::Pipe("again", Box::new(Cursor::new(bytes)));
    drain(again, verified).unwrap_or_else(|error| panic!("what we wrote: {error}"));
}
