//! Which input a command was given: files, the catalog, or standard input.
//!
//! The rule is the same everywhere: `--input` names files; a range asks for the catalog; else standard
//! input is read, and the catalog where that is a terminal or nothing. Symbols and kinds choose from
//! whichever it is.

use std::fs;
use std::path::PathBuf;

use qt_stream::catalog::Selection;
use qt_stream::parquet_file::Span;

use super::source::{Rules, Sources};
use crate::context::Context;
use crate::select_args::SelectArgs;
use crate::stream_args::ReadArgs;

/// An input that was opened.
#[derive(Debug)]
pub(crate) struct Given {
    /// Its name, for reports.
    pub(crate) place: String,
    /// Whether every record of it is wanted: the catalog is chosen by names and trimmed.
    pub(crate) is_whole: bool,
}

/// Whether the flags, or the lack of an input, choose the catalog.
pub(crate) fn is_catalog(read: &ReadArgs, select: &SelectArgs, catalog: bool) -> bool {
    read.input.is_empty() && (catalog || select.has_range() || !has_input())
}

/// Opens what the flags name.
pub(crate) fn open_given(
    sources: &mut Sources,
    (read, select, catalog): (&ReadArgs, &SelectArgs, bool),
    selection: &Selection,
    rules: &Rules,
    context: &Context,
) -> anyhow::Result<Given> {
    if is_catalog(read, select, catalog) {
        sources.open_catalog(selection, rules, context)?;
        let place = context.settings()?.data().display().to_string();
        return Ok(Given { place, is_whole: true });
    }
    let standard = [PathBuf::from("-")];
    let inputs = if read.input.is_empty() { &standard[..] } else { &read.input };
    for path in inputs {
        sources.open_named(path, selection, rules, context)?;
    }
    let names: Vec<String> = inputs.iter().map(|path| path.display().to_string()).collect();
    let is_everything = selection.kinds.is_none() && selection.symbols.is_empty();
    Ok(Given { place: names.join(" "), is_whole: is_everything && selection.span == Span::ALL })
}

/// Whether standard input is something to read: a pipe or a file, not a terminal or nothing.
fn has_input() -> bool {
    use std::os::unix::fs::FileTypeExt;
    let kind = fs::metadata("/dev/stdin").map(|standard| standard.file_type());
    kind.is_ok_and(|kind| kind.is_fifo() || kind.is_file() || kind.is_socket())
}
