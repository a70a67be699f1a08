//! One writer at a time.
//!
//! The lock belongs to the open file, so it is gone with its process, however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use crate::error::WriteError;

/// Held while a process writes to the catalog. Clones hold the same lock.
#[derive(Clone, Debug)]
pub struct WriterLock {
    _file: Arc<File>,
}

impl WriterLock {
    pub fn take(root: &Path) -> Result<Self, WriteError> {
        std::fs::create_dir_all(root)?;
        let path = root.join(".writer.lock");
        let file = File::options().create(true).append(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Arc::new(file) }),
            Err(TryLockError::WouldBlock) => {
                Err(WriteError::Busy { place: root.display().to_string().into() })
            }
            Err(TryLockError::Error(source)) => Err(WriteError::Io(source)),
        }
    }
}
