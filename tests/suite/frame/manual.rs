//! Manual pages, reference and completions match the commands.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command as Process;

use predicates::str::{contains, is_empty};

use super::{World, golden, qt, stdout};

#[test]
fn the_committed_pages_are_what_the_commands_say() {
    let world = World::new();
    world.qt("man --to pages").assert().code(0).stdout(is_empty()).stderr(is_empty());
    let mut written = BTreeSet::new();
    for page in fs::read_dir(world.path().join("pages")).unwrap() {
        let page = page.unwrap();
        let name = page.file_name().into_string().unwrap();
        golden(Path::new("man").join(&name), &fs::read_to_string(page.path()).unwrap());
        written.insert(name);
    }
    let committed = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("man")).unwrap();
    let committed = committed.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(written, committed, "a page of a command that is gone, or the reverse");
}

#[test]
fn the_committed_reference_is_what_the_commands_say() {
    golden("docs/cli.md", &stdout(&mut qt("man --markdown")));
}

#[test]
fn one_page_goes_to_stdout() {
    let page = stdout(&mut qt("man config show"));
    assert!(page.contains(".TH QT-CONFIG-SHOW 1"), "{page}");
    assert!(page.contains("EXIT STATUS"), "{page}");
}

#[test]
fn pages_are_not_overwritten_unless_forced() {
    let world = World::new().with("pages/qt-man.1", "mine");
    let answer = world.qt("man --to pages").assert().code(2);
    answer.stderr("qt: pages/qt-man.1 exists\nhint: `--force` overwrites it\n");
    let count = || fs::read_dir(world.path().join("pages")).unwrap().count();
    assert_eq!(count(), 1, "nothing is written when one page is in the way");
    let dry = world.qt("man --to pages --force --dry-run").assert().code(0);
    dry.stderr(contains("qt: would write pages/qt-config-show.1\n"));
    assert_eq!(count(), 1);
    world.qt("man --to pages --force").assert().code(0).stderr(is_empty());
    assert!(count() > 4, "{}", count());
}

#[test]
fn every_shell_gets_a_script_and_bash_accepts_its_own() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&mut qt(&format!("completions {shell}")));
        assert!(script.contains("completions"), "{shell}");
    }
    let world = World::new().with("qt.bash", &stdout(&mut qt("completions bash")));
    let checked = Process::new("bash").arg("-n").arg(world.path().join("qt.bash")).status();
    assert!(checked.unwrap().success());
}

#[test]
fn every_file_of_the_frame_is_compiled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cmd");
    let root = fs::read_to_string(folder.join("lib.rs")).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").unwrap_or(&name);
        let is_named = root.lines().any(|line| line == format!("mod {module};"));
        let is_frame = ["lib", "Cargo.toml"].contains(&module);
        assert!(is_named || is_frame, "cmd/{name} has no `mod` line in cmd/lib.rs");
    }
}
