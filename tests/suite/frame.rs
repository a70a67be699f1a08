//! The command frame as users and other programs meet it: exit codes, streams, signals, terminal,
//! configuration and manuals. Every test runs the real binary in a world of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

mod configuration;
mod exit_codes;
mod flags;
mod manual;
mod signals;
mod terminal;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder to work in, with no environment but what a test gives.
pub(crate) struct World {
    folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A file, in folders that are made as needed.
    pub(crate) fn with(self, path: &str, text: &str) -> Self {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn std(&self, args: &str) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_qt"));
        command.args(args.split_whitespace()).current_dir(self.path()).env_clear();
        command.env("HOME", self.path().join("home"));
        command
    }

    pub(crate) fn qt(&self, args: &str) -> Command {
        Command::from_std(self.std(args))
    }
}

/// Runs in an empty world.
pub(crate) fn qt(args: &str) -> Command {
    // The command keeps the path, not the folder; an empty world needs none.
    let mut command = World::new().std(args);
    command.current_dir(std::env::temp_dir());
    Command::from_std(command)
}

pub(crate) fn stdout(command: &mut Command) -> String {
    String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
}

pub(crate) fn stderr(command: &mut Command) -> String {
    String::from_utf8(command.assert().get_output().stderr.clone()).unwrap()
}

/// Compares with a committed file, or writes it if `QT_UPDATE` is set.
pub(crate) fn golden(path: impl AsRef<Path>, found: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("QT_UPDATE").is_some_and(|it| it != OsStr::new("")) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        expected == found,
        "{} is out of date; QT_UPDATE=1 cargo test --test suite writes it anew",
        file.display()
    );
}
