//! Room on the disk, and what to do without it.

use std::io;
use std::path::{Path, PathBuf};

use qt_model::time::Ts;

/// What can be asked about a file system.
pub trait FreeSpace: Send {
    /// Bytes that we could still write below that folder.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
}

/// The file system itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileSystem;

impl FreeSpace for FileSystem {
    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// What to do when there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskPolicy {
    /// Stop recording, and say so.
    #[default]
    Halt,
    /// Drop market data and keep the rest.
    Degrade,
    /// Drop all, and count it.
    Drop,
}

#[derive(Clone, Copy, Debug)]
pub struct DiskLimits {
    pub free_bytes_min: u64,
    pub wal_warn_bytes: u64,
    pub wal_critical_bytes: u64,
    pub wal_halt_bytes: u64,
    pub every_ns: i64,
}

impl Default for DiskLimits {
    fn default() -> Self {
        Self {
            free_bytes_min: 500_000_000,
            wal_warn_bytes: 100_000_000,
            wal_critical_bytes: 300_000_000,
            wal_halt_bytes: 500_000_000,
            every_ns: 60_000_000_000,
        }
    }
}

/// How full the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum WalLevel {
    #[default]
    Normal,
    Warn,
    Critical,
    Halt,
}

impl DiskLimits {
    pub fn level(&self, wal_bytes: u64) -> WalLevel {
        match wal_bytes {
            bytes if bytes >= self.wal_halt_bytes => WalLevel::Halt,
            bytes if bytes >= self.wal_critical_bytes => WalLevel::Critical,
            bytes if bytes >= self.wal_warn_bytes => WalLevel::Warn,
            _ => WalLevel::Normal,
        }
    }
}

/// What the last look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskState {
    pub free_bytes: u64,
    pub wal_bytes: u64,
    pub level: WalLevel,
    /// Whether the policy applies.
    pub is_full: bool,
}

/// Looks at the disk now and then.
pub struct Disk {
    folder: PathBuf,
    limits: DiskLimits,
    pub policy: DiskPolicy,
    space: Box<dyn FreeSpace>,
    looked: Option<Ts>,
    state: DiskState,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Disk {
    pub fn new(
        folder: &Path,
        limits: DiskLimits,
        policy: DiskPolicy,
        space: Box<dyn FreeSpace>,
    ) -> Self {
        let folder = folder.to_owned();
        Self { folder, limits, policy, space, looked: None, state: DiskState::default() }
    }

    /// The state, looked up anew once the last look is old enough.
    pub fn check(&mut self, now: Ts, wal_bytes: impl FnOnce() -> u64) -> io::Result<DiskState> {
        let is_fresh = self.looked.is_some_and(|at| now.since(at) < self.limits.every_ns);
        if !is_fresh {
            let free_bytes = self.space.free_bytes(&self.folder)?;
            let wal_bytes = wal_bytes();
            let level = self.limits.level(wal_bytes);
            let is_full = free_bytes < self.limits.free_bytes_min || level == WalLevel::Halt;
            self.state = DiskState { free_bytes, wal_bytes, level, is_full };
            self.looked = Some(now);
        }
        Ok(self.state)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Fake(Arc<AtomicU64>);

    impl FreeSpace for Fake {
        fn free_bytes(&self, _: &Path) -> io::Result<u64> {
            Ok(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn levels_of_the_log_begin_where_they_say() {
        let limits = DiskLimits::default();
        for (bytes, expected) in [
            (0, WalLevel::Normal),
            (99_999_999, WalLevel::Normal),
            (100_000_000, WalLevel::Warn),
            (299_999_999, WalLevel::Warn),
            (300_000_000, WalLevel::Critical),
            (499_999_999, WalLevel::Critical),
            (500_000_000, WalLevel::Halt),
        ] {
            assert_eq!(limits.level(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn the_disk_is_looked_at_once_a_minute_and_full_below_the_limit() {
        let free = Arc::new(AtomicU64::new(500_000_000));
        let limits = DiskLimits::default();
        let fake = Box::new(Fake(Arc::clone(&free)));
        let mut disk = Disk::new(Path::new("."), limits, DiskPolicy::Halt, fake);
        let at = |second: i64| Ts::from_nanos(second * 1_000_000_000);
        assert!(!disk.check(at(0), || 0).unwrap().is_full);
        free.store(499_999_999, Ordering::Relaxed);
        assert!(!disk.check(at(59), || 0).unwrap().is_full);
        assert!(disk.check(at(60), || 0).unwrap().is_full);
        free.store(1 << 40, Ordering::Relaxed);
        assert!(disk.check(at(120), || 500_000_000).unwrap().is_full);
        assert!(!disk.check(at(180), || 499_999_999).unwrap().is_full);
    }

    #[test]
    fn the_real_file_system_answers() {
        assert!(FileSystem.free_bytes(Path::new(".")).unwrap() > 0);
    }
}
