//! Strategy files with something wrong in them: understood or refused with a place, and never worse.

use std::path::Path;

use super::StrategyFile;
use super::builtin::BUILTIN;
use crate::damage::damaged;

#[test]
fn damage_is_refused_or_understood() {
    let path = Path::new("x.toml");
    let (mut refused, mut understood) = (0, 0);
    for (name, text) in BUILTIN {
        assert!(StrategyFile::parse(path, (*text).to_owned(), &[]).is_ok(), "{name}");
        for text in damaged(text, 11) {
            match StrategyFile::parse(path, text, &[]) {
                Ok(_) => understood += 1,
                Err(error) => {
                    refused += 1;
                    assert!(format!("{error:#}").contains("x.toml"), "no place: {error:#}");
                }
            }
        }
    }
    assert!(refused > 500 && understood > 100, "{refused} and {understood}");
}
