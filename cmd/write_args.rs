//! Writing whole files: flags, the refusal to overwrite, and the atomic write itself.
//!
//! Invariant: a crash leaves the old file or the new one. Absent on purpose: streams and catalogs,
//! whose writers live in the `stream` room.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;

use crate::context::Context;
use crate::failure::{Failure, FailureExt};
use crate::outcome::Exit;

/// For commands that write files.
#[derive(Debug, Args)]
pub(crate) struct WriteArgs {
    /// Say what would be written, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Overwrite existing files
    #[arg(long)]
    pub(crate) force: bool,
}

impl WriteArgs {
    /// Writes a file, unless this is a dry run or the file exists and nobody said `--force`.
    pub(crate) fn write(&self, context: &Context, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        self.check(path)?;
        if self.dry_run {
            context.note(format_args!("would write {}", path.display()));
            return Ok(());
        }
        replace(path, bytes)
            .with_context(|| format!("writing {}", path.display()))
            .exit(Exit::Outside)
    }

    /// Refuses a path that exists, unless told to overwrite. Ask before starting long work.
    pub(crate) fn check(&self, path: &Path) -> anyhow::Result<()> {
        if self.force || !path.exists() {
            return Ok(());
        }
        let refusal = Failure::usage(format!("{} exists", path.display()));
        Err(refusal.with_hint("`--force` overwrites it").into())
    }
}

/// Stage, sync, rename, sync.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory)?;
    let mut staged = tempfile::Builder::new().permissions(shared()).tempfile_in(directory)?;
    staged.write_all(bytes)?;
    staged.as_file().sync_all()?;
    staged.persist(path)?;
    // The new name is durable once its directory is.
    File::open(directory)?.sync_all()?;
    Ok(())
}

/// Temporary files are private unless told otherwise; the umask still applies.
pub(crate) fn shared() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}
