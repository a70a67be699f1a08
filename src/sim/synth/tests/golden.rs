//! The records themselves, pinned: a change of the market is a decision, not an accident.

use super::super::{Faults, Spec};
use super::{Config, Digest, events};

fn check(config: Config, expected: u64) {
    let found = Digest::of(&config).0;
    assert_eq!(found, expected, "seed {}: found {found:#018x}", config.seed);
}

#[test]
fn the_first_hundred_thousand_records_of_two_seeds() {
    check(Config { seed: 1, ..events(100_000, Spec::known()) }, 0xc8aa_606f_d0f4_0789);
    check(Config { seed: 20_240_808, ..events(100_000, Spec::known()) }, 0xcc58_0666_d691_770d);
}

#[test]
fn the_first_records_with_every_fault() {
    let all = "gaps,duplicates,reorder,crossed,stale,clock-skew";
    let faults: Faults = all.parse().unwrap();
    check(Config { faults, ..events(50_000, Spec::known()) }, 0x2bef_3ddd_1bc2_e4fb);
}

#[test]
fn the_first_records_of_instruments_made_from_names() {
    check(events(20_000, Spec::many(50)), 0xb506_656e_ab5f_5496);
}
