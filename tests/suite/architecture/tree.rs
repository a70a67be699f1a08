//! The working tree as text: paths relative to the root, in byte order, with `/` between parts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders that tools fill and nobody writes in.
const NOT_OURS: [&str; 6] = [".git", ".venv", "data", "runs", "state", "target"];

/// Where proptest keeps the seeds of failures: beside the folder of the crate's root file.
const SEEDS: &str = "proptest-regressions";

#[derive(Debug)]
pub(super) struct SourceFile {
    pub path: String,
    pub text: String,
}

impl SourceFile {
    /// A file that exists only in a test of a guard.
    pub(super) fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }
}

pub(super) fn read(path: &str) -> String {
    let bytes = fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// The folders directly under `path`, as `path/name`.
pub(super) fn folders(path: &str) -> Vec<String> {
    let folders = entries(&root().join(path)).into_iter().filter(|entry| entry.is_dir());
    folders.filter(|folder| !folder.ends_with(SEEDS)).map(name).collect()
}

/// The files directly under `path`, names only.
pub(super) fn files_in(path: &str) -> Vec<String> {
    let files = entries(&root().join(path)).into_iter().filter(|entry| entry.is_file()).map(name);
    files.map(|file| file[path.len() + 1..].to_owned()).collect()
}

/// Every Rust file under `path`, at any depth.
pub(super) fn rust_files(path: &str) -> Vec<SourceFile> {
    let mut files = Vec::new();
    walk(&root().join(path), &mut files);
    let paths = files.into_iter().map(name).filter(|path| path.ends_with(".rs"));
    paths.map(|path| SourceFile { text: read(&path), path }).collect()
}

/// Every file that git tracks; in a tree without git, every file.
pub(super) fn tracked_files() -> Vec<SourceFile> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let paths: Vec<String> = match listed {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.split_terminator('\0').map(str::to_owned).collect()
        }
        _ => {
            let mut files = Vec::new();
            walk(&root(), &mut files);
            files.into_iter().map(name).collect()
        }
    };
    // A tracked file may be deleted in the working tree and not yet in the index.
    let present = paths.into_iter().filter(|path| exists(path));
    present.map(|path| SourceFile { text: read(&path), path }).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in entries(folder) {
        let skipped = NOT_OURS.iter().any(|skip| entry == root().join(skip));
        if entry.is_dir() && !skipped {
            walk(&entry, files);
        } else if entry.is_file() {
            files.push(entry);
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listing =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> =
        listing.map(|entry| entry.expect("a directory entry reads").path()).collect();
    paths.sort();
    paths
}

fn name(path: PathBuf) -> String {
    let inside = path.strip_prefix(root()).expect("every path was made from the root");
    inside.to_str().expect("names in this tree are UTF-8").replace('\\', "/")
}
