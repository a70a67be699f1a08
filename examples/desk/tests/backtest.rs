//! The strategies of this desk in backtests, run as a user would run them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rules of `cross.rs` as text.
const RULES: &str = r#"
[entry]
long = "fast > slow"
short = "fast < slow"

[size]
notional = "share * equity"
"#;

/// A folder of this test that goes away.
struct World(PathBuf);

impl World {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// What the desk prints; it has to succeed.
    fn desk(&self, line: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_my-desk"));
        let output = command.args(line.split(' ')).current_dir(&self.0).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "my-desk {line}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_type_trades_as_the_same_rules_in_text_do() {
    let world = World::new("same-fills");
    let text = include_str!("../src/cross.toml").replace("native = \"cross\"\n", "") + RULES;
    fs::write(world.0.join("rules.toml"), text).unwrap();
    world.desk("synth --seed 3 --symbols 2 --hours 0.1 -o arrow --out day.arrow");
    let terms = "-i day.arrow --param fast_n=20 --param slow_n=90";
    let fills = |strategy: &str, run: &str| {
        world.desk(&format!("backtest {strategy} {terms} --run-dir {run}"));
        let lines = world.desk(&format!("replay -i {run}/fills.parquet"));
        lines.lines().filter(|line| line.contains("\"k\":\"fill\"")).map(str::to_owned).collect()
    };
    let (code, rules): (Vec<_>, Vec<_>) = (fills("cross", "code"), fills("rules.toml", "rules"));
    assert!(code.len() > 20, "{} fills say little", code.len());
    assert_eq!(code, rules);
    world.desk("backtest verify ./code");
}

#[test]
fn a_copy_of_its_file_runs_on_other_terms_and_in_sweeps() {
    let world = World::new("other-terms");
    let text = include_str!("../src/cross.toml").replace("taker_bps = 5", "taker_bps = 50");
    fs::write(world.0.join("dear.toml"), text).unwrap();
    world.desk("synth --seed 3 --symbols 1 --hours 0.05 -o arrow --out day.arrow");
    let summary = world.desk("backtest dear.toml -i day.arrow --no-run --param fast_n=20");
    assert!(summary.contains("taker 50 bps"), "{summary}");
    let table = world.desk("backtest cross -i day.arrow --no-run --sweep fast_n=10..30:10 --json");
    assert_eq!(table.lines().count(), 3, "{table}");
}
