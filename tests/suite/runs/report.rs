//! `qt report`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use predicates::str::contains;

use super::sample::{self, Plot};
use crate::frame::{World, golden, qt, stdout};

/// A world with one run, and its name.
fn world(plot: Plot) -> (World, String) {
    let world = World::new();
    let manifest = sample::write(&world.path().join("runs"), 1, plot);
    (world, manifest.run_id)
}

#[test]
fn a_summary_opens_with_what_was_assumed() {
    let (world, run) = world(Plot::SHORT);
    let text = stdout(&mut world.qt(&format!("report {run}")));
    golden("tests/suite/runs/summary.txt", &text);
    assert!(text.find("Assumed").unwrap() < text.find("Returns").unwrap());
    // The path of the folder and the end of the name are the run too.
    let folder = format!("runs/backtest/2024-08-08/{run}");
    assert_eq!(stdout(&mut world.qt(&format!("report {folder}"))), text);
    assert_eq!(stdout(&mut world.qt("report 010101")), text);
}

#[test]
fn markdown_and_json_say_the_same_figures() {
    let (world, run) = world(Plot::SHORT);
    golden("tests/suite/runs/report.md", &stdout(&mut world.qt(&format!("report {run} --md"))));
    let json = stdout(&mut world.qt(&format!("report {run} --json")));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["dsr_neff"], serde_json::Value::Null);
    assert_eq!(json["dsr_neff_reason"], "not_asked");
    assert_eq!(json["orders_submitted"], 11);
}

#[test]
fn a_page_is_whole_in_itself_and_the_same_each_time() {
    let (world, run) = world(Plot::SHORT);
    let write = |name: &str| {
        world.qt(&format!("report {run} --html {name}")).assert().code(0);
        fs::read_to_string(world.path().join(name)).unwrap()
    };
    let page = write("one.html");
    assert_eq!(page, write("two.html"));
    for foreign in ["http:", "https:", "<script", "@import", "url(", "NaN", "inf\""] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for tag in ["section", "svg", "table", "dl", "div", "tr", "td"] {
        let (open, closed) = (format!("<{tag}"), format!("</{tag}>"));
        let opened = page
            .match_indices(&open)
            .filter(|(at, _)| matches!(page.as_bytes()[at + open.len()], b'>' | b' '));
        assert_eq!(opened.count(), page.matches(&closed).count(), "{tag}");
    }
    assert!(page.matches("<svg").count() >= 9, "{}", page.matches("<svg").count());
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
    let again = world.qt(&format!("report {run} --html one.html")).assert().code(2);
    again.stderr("qt: one.html exists\nhint: `--force` overwrites it\n");
    let dry = world.qt(&format!("report {run} --html three.html --dry-run")).assert().code(0);
    dry.stderr("qt: would write three.html\n");
}

/// The sides of a PNG, which stand in its first chunk.
fn sides(image: &[u8]) -> (u32, u32) {
    assert_eq!(&image[..8], b"\x89PNG\r\n\x1a\n");
    let side = |at: usize| u32::from_be_bytes(image[at..at + 4].try_into().unwrap());
    (side(16), side(20))
}

#[test]
fn an_image_has_the_pictures_of_the_page() {
    let (world, run) = world(Plot::SHORT);
    world.qt(&format!("report {run} --png report.png")).assert().code(0);
    let image = fs::read(world.path().join("report.png")).unwrap();
    let (width, height) = sides(&image);
    assert_eq!(width, 1816);
    // Nine pictures need room, and lines and letters need bytes.
    assert!(height > 3000 && image.len() > 100_000, "{height} {}", image.len());
    let again = world.qt(&format!("report {run} --png report.png")).assert().code(2);
    again.stderr("qt: report.png exists\nhint: `--force` overwrites it\n");
    world.qt(&format!("report {run} --png a.png --html a.html")).assert().code(2);
}

#[test]
fn runs_that_are_not_whole_or_do_not_add_up_are_refused() {
    let (world, run) = world(Plot::SHORT);
    let folder = world.path().join("runs/backtest/2024-08-08").join(&run);
    let metrics = fs::read_to_string(folder.join("metrics.json")).unwrap();
    let line = metrics.lines().find(|line| line.contains("\"pnl_spread\"")).unwrap();
    let bent = metrics.replace(line, "  \"pnl_spread\": 5,");
    fs::write(folder.join("metrics.json"), bent).unwrap();
    let answer = world.qt(&format!("report {run}")).assert().code(3);
    answer.stderr(contains("the parts of the profit add up to "));
    let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
    fs::write(folder.join("manifest.json"), manifest.replace("\"done\"", "\"running\"")).unwrap();
    let answer = world.qt(&format!("report {run}")).assert().code(1);
    answer.stderr(contains("qt: the run is crashed: its streams are not whole\nhint: "));
    world.qt("report").assert().code(2);
}

#[test]
fn a_run_of_which_nothing_was_kept_has_a_report_all_the_same() {
    use qt_model::words::{RunKind, RunStatus};
    use qt_stream::runs::{Input, Manifest, RunWriter};
    let world = World::new();
    let manifest = Manifest::begin("bare", RunKind::Replay, Default::default(), Input::default());
    let writer = RunWriter::create(&world.path().join("runs"), manifest, &["main"]).unwrap();
    writer.finish(RunStatus::Stopped, Default::default()).unwrap();
    assert!(stdout(&mut world.qt("report bare")).contains("Assumed"));
    world.qt("report bare --html bare.html").assert().code(0);
    let page = fs::read_to_string(world.path().join("bare.html")).unwrap();
    assert!(!page.contains("NaN") && !page.contains("<svg"), "{page}");
    let image = |name: &str| {
        world.qt(&format!("report bare --png {name}")).assert().code(0);
        fs::read(world.path().join(name)).unwrap()
    };
    let one = image("one.png");
    assert!(sides(&one).1 < 500, "{:?}", sides(&one));
    assert_eq!(one, image("two.png"));
    world.qt("diff bare bare").assert().code(0);
}

#[test]
fn metrics_are_explained_without_a_run_too() {
    let world = World::new();
    let said = stdout(&mut world.qt("backtest --explain sharpe"));
    assert_eq!(said, stdout(&mut world.qt("report --explain sharpe")));
    assert!(said.starts_with("sharpe\n  mean of (r - rf) / s"), "{said}");
    let kin = world.qt("backtest --explain mae").assert().code(2);
    kin.stderr("qt: there is no metric `mae`\nhint: there are mae_mean, mae_mean_bps\n");
    world.qt("backtest --explain sharpe -i x").assert().code(2);
    world.qt("backtest").assert().code(2);
}

#[test]
fn a_metric_is_explained_with_its_inputs() {
    let (world, run) = world(Plot::SHORT);
    let text = stdout(&mut world.qt(&format!("report {run} --explain net_fees")));
    assert!(text.contains("fees_paid - rebates_received"), "{text}");
    assert!(text.contains("  net_fees = -") && text.contains("  rebates_received = 1"), "{text}");
    let text = stdout(&mut qt("report --explain markout_250ms_bps"));
    assert!(text.starts_with("markout_250ms_bps\n") && text.contains("unit: bps"), "{text}");
    let answer = qt("report --explain sharp").assert().code(2);
    answer.stderr("qt: there is no metric `sharp`\nhint: did you mean `sharpe`?\n");
}

#[test]
fn the_committed_reference_is_what_the_registry_says() {
    golden("docs/metrics-reference.md", &stdout(&mut qt("report --reference")));
}

/// A browser that can be run without a screen: `QT_TEST_BROWSER`, or one of the usual names.
fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("QT_TEST_BROWSER") {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|it| it.is_file())
}

fn browse(browser: &Path, world: &World, flag: &str) -> std::process::Output {
    let page = format!("file://{}", world.path().join("page.html").display());
    let profile = format!("--user-data-dir={}", world.path().join("profile").display());
    let mut command = Command::new(browser);
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]);
    command.args(["--window-size=1000,3000", "--no-first-run", &profile, flag, &page]);
    command.output().unwrap()
}

#[test]
fn a_browser_draws_the_page_without_complaint() {
    let Some(browser) = browser() else {
        println!("skipped: no browser; QT_TEST_BROWSER names one");
        return;
    };
    let (world, run) = world(Plot { steps: 2880 * 3, ..Plot::LONG });
    world.qt(&format!("report {run} --html page.html")).assert().code(0);
    let found = browse(&browser, &world, "--dump-dom");
    let dom = String::from_utf8_lossy(&found.stdout);
    let log = String::from_utf8_lossy(&found.stderr);
    assert!(dom.matches("<svg").count() >= 9, "{log}");
    assert!(!log.contains(":CONSOLE("), "{log}");
    let image = world.path().join("page.png");
    browse(&browser, &world, &format!("--screenshot={}", image.display()));
    let bytes = fs::read(&image).unwrap();
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 40_000, "{}", bytes.len());
}
