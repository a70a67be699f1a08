//! `qt report`.

use super::sample::{self, Plot};

#[test]
fn sample_is_written() {
    let root = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("runs");
    let _ = std::fs::remove_dir_all(&root);
    sample::write(&root, 1, Plot::SHORT);
    sample::write(&root, 2, Plot::LONG);
    sample::write(&root, 3, Plot { departs: Some(200), ..Plot::SHORT });
}
