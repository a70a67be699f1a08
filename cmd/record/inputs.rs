//! What there is to import: files, folders, archives, a pipe.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use qt_model::time::Ts;
use qt_stream::import::{Hints, ImportInput, Look, Member, Meter, Notes, Piped, members, piped};
use qt_stream::read::Options;
use sha2::{Digest as _, Sha256};

use super::recognise::{Chosen, Format, Unknown};
use crate::context::Context;
use crate::failure::Failure;

/// All inputs of an import.
pub(super) struct Inputs {
    pub(super) files: Vec<FileInput>,
    pub(super) pipe: Option<(ImportInput, Format)>,
    pub(super) notes: Notes,
    pub(super) meter: Meter,
    /// Kept until the end: an archive that came through a pipe.
    pub(super) aside: Vec<Piped>,
}

pub(super) struct FileInput {
    pub(super) member: Member,
    pub(super) format: Format,
    /// When its first record was received; `None` for a file without records.
    pub(super) first: Option<Ts>,
}

impl Inputs {
    /// Opens paths, walks folders, looks into archives, recognises what is there and surveys it.
    pub(super) fn find(
        paths: &[PathBuf],
        chosen: Chosen,
        hints: &Hints,
        options: &Options,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let (notes, meter) = (Notes::default(), Meter::default());
        let mut inputs = Self { files: Vec::new(), pipe: None, notes, meter, aside: Vec::new() };
        for path in paths {
            if path == Path::new("-") {
                inputs.take_pipe(chosen, paths.len() == 1, context)?;
            } else if path.is_dir() {
                inputs.take_folder(path, chosen)?;
            } else {
                inputs.take_members(members(path)?, chosen)?;
            }
        }
        if inputs.files.is_empty() && inputs.pipe.is_none() {
            let left_out =
                inputs.notes.all().into_iter().map(|(note, files)| format!(": {files} {note}"));
            let left_out: String = left_out.collect();
            let failure = Failure::usage(format!("there is nothing to import{left_out}"));
            return Err(failure.with_hint("`qt record formats` lists what can be imported").into());
        }
        for file in &mut inputs.files {
            // What it has to say is said when it is imported.
            let input = file.member.open(options, &Notes::default(), &inputs.meter)?;
            file.first = file.format.survey(input, hints, options)?;
        }
        Ok(inputs)
    }

    fn take_members(&mut self, members: Vec<Member>, chosen: Chosen) -> anyhow::Result<()> {
        for member in members {
            let format = chosen.of(&member.look(), member.name()).map_err(Unknown::raise)?;
            self.files.push(FileInput { member, format, first: None });
        }
        Ok(())
    }

    fn take_pipe(
        &mut self,
        chosen: Chosen,
        is_alone: bool,
        context: &Context,
    ) -> anyhow::Result<()> {
        let name = "standard input";
        match piped(name, Box::new(context.stdin()?), &self.notes)? {
            Piped::Bytes { start, input } => {
                if !is_alone {
                    let failure = Failure::usage("standard input cannot be merged with files");
                    return Err(failure.with_hint("import them one after the other").into());
                }
                let look = Look { start: &start, path: None };
                let format = chosen.of(&look, name).map_err(Unknown::raise)?;
                self.pipe = Some((input, format));
                Ok(())
            }
            Piped::Archive { members, file } => {
                self.take_members(members, chosen)?;
                self.aside.push(Piped::Archive { members: Vec::new(), file });
                Ok(())
            }
        }
    }

    /// Takes what it recognises in a folder; what it does not is counted and said.
    fn take_folder(&mut self, folder: &Path, chosen: Chosen) -> anyhow::Result<()> {
        let mut left_out = Vec::new();
        for path in walk(folder).with_context(|| format!("walking {}", folder.display()))? {
            for member in members(&path)? {
                match chosen.of(&member.look(), member.name()) {
                    Ok(format) => self.files.push(FileInput { member, format, first: None }),
                    Err(Unknown::Part { .. }) => {}
                    Err(Unknown::Nobody { .. }) => left_out.push(member.name().to_string()),
                    Err(other) => return Err(other.raise()),
                }
            }
        }
        if let Some(first) = left_out.first() {
            let note = format!("files of no known format were left out, the first: {first}");
            self.notes.add(note, left_out.len() as u64);
        }
        Ok(())
    }

    /// Says what would be imported.
    pub(super) fn describe(&self, context: &Context) {
        for FileInput { member, format, first } in &self.files {
            let (name, format) = (member.name(), format.about().name);
            match first {
                Some(first) => {
                    context.note(format_args!("would import {name}: {format} from {first} on"));
                }
                None => context.note(format_args!("would import {name}: {format} without records")),
            }
        }
        if let Some((input, format)) = &self.pipe {
            context.note(format_args!("would import {}: {}", input.name, format.about().name));
        }
    }

    /// How many bytes there are to read, where that is known.
    pub(super) fn bytes(&self) -> anyhow::Result<Option<u64>> {
        if self.pipe.is_some() {
            return Ok(None);
        }
        let bytes = self.files.iter().map(|file| file.member.bytes());
        Ok(Some(bytes.sum::<io::Result<u64>>()?))
    }

    /// Where the records come from, for the header: the same files say the same on any machine.
    pub(super) fn provenance(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let mut formats: Vec<_> = self.files.iter().map(|file| file.format.about().name).collect();
        formats.extend(self.pipe.iter().map(|(_, format)| format.about().name));
        formats.sort_unstable();
        formats.dedup();
        let mut said = BTreeMap::new();
        let mut say = |key: &str, value: String| said.insert(key.to_owned(), value);
        say("source", "import".to_owned());
        say("format", formats.join(" "));
        let mut paths: Vec<_> = self.files.iter().map(|file| file.member.file()).collect();
        paths.dedup();
        let name = |path: &Path| match self.aside.is_empty() {
            true => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            false => "standard input".to_owned(),
        };
        let mut sums = Vec::new();
        for path in &paths {
            let sum = sha256_of(path).with_context(|| format!("reading {}", path.display()))?;
            sums.push((sum, name(path)));
        }
        match sums.as_slice() {
            [] => {}
            [(sum, name)] => {
                say("file", name.clone());
                say("sha256", sum.clone());
            }
            [first, .., last] => {
                // One sum for all: that of the list as `sha256sum` prints it.
                let list: String =
                    sums.iter().map(|(sum, name)| format!("{sum}  {name}\n")).collect();
                say("file", format!("{} to {}", first.1, last.1));
                say("files", sums.len().to_string());
                say("sha256", hex(&Sha256::digest(list.as_bytes())));
            }
        }
        Ok(said)
    }
}

/// All files below a folder: folders and files in the order of their names, hidden ones left out.
fn walk(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        let is_hidden =
            entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden {
            continue;
        }
        // A link to a folder may lead back here.
        if entry.is_dir() && !entry.is_symlink() {
            files.extend(walk(&entry)?);
        } else if entry.is_file() {
            files.push(entry);
        }
    }
    Ok(files)
}

fn sha256_of(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
