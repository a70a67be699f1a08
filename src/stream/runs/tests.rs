//! Runs written, read back, listed, refused and left behind.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::Strategy as Drawn;

use qt_model::ids::FillId;
use qt_model::record::{Batch, Fill, Head, Kind, Metric};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty};
use qt_model::words::{RunKind, RunStatus, Side};

use super::manifest::Strategy;
use super::*;
use crate::sample;

fn ts(at: i64) -> Ts {
    Ts::from_nanos(1_700_000_000_000_000_000 + at)
}

fn manifest(run_id: &str) -> Manifest {
    let strategy = Strategy { id: "maker".into(), family: "maker".into(), ..Strategy::default() };
    let input = Input { strategy, config_sha256: "00".into(), seed: Some(7), ..Input::default() };
    Manifest::begin(run_id, RunKind::Backtest, ts(0), input)
}

fn fills(count: u64) -> Batch {
    let table = sample::instruments();
    let mut batch = Batch::new(Arc::clone(&table));
    for seq in 1..=count {
        let at = ts(seq.cast_signed());
        batch.push_row(
            Fill {
                head: Head::new(at, at, seq, table.find("b:BTCUSDT")),
                fill_id: FillId::from(seq.to_string().as_str()),
                order_id: None,
                client_order_id: None,
                venue_order_id: None,
                account: None,
                strategy: None,
                side: Side::Buy,
                px: Px::new(6_182_099),
                qty: Qty::new(1_200).unwrap(),
                fee: Some("-0.01".parse().unwrap()),
                fee_currency: None,
                liquidity: None,
                trace_id: None,
            },
            &[],
        );
    }
    batch
}

fn metric(name: &str, value: Option<f64>, exact: Option<&str>, reason: Option<&str>) -> Metric {
    Metric {
        head: Head::new(ts(9), ts(9), 1, None),
        name: name.into(),
        value,
        exact: exact.map(|text| text.parse().unwrap()),
        reason: reason.map(str::to_owned),
    }
}

fn written(root: &Path, run_id: &str, count: u64) -> Manifest {
    let mut writer =
        RunWriter::create(root, manifest(run_id), &["calibrated", "pessimistic"]).unwrap();
    for _ in 0..2 {
        writer.write(0, &fills(count)).unwrap();
    }
    writer.write(1, &fills(1)).unwrap();
    writer
        .metrics(
            0,
            &[
                metric("sharpe", None, None, Some("n<2")),
                metric("net_fees", Some(0.25), Some("0.250"), None),
                metric("equity_end", Some(1e15), Some("1234567890123456.5"), None),
                metric("vol_ann", Some(0.1), None, None),
            ],
        )
        .unwrap();
    writer.finish(RunStatus::Done, ts(5_000_000)).unwrap()
}

#[test]
fn a_run_reads_back_with_its_digests() {
    let root = tempfile::tempdir().unwrap();
    let manifest = written(root.path(), "run-1", 9000);
    assert_eq!(manifest.duration_ms, Some(5));
    let run = RunReader::open(&root.path().join("backtest/2023-11-14/run-1")).unwrap();
    assert_eq!(run.manifest(), &manifest);
    let rows: Vec<Fill> = run.rows(0).unwrap();
    assert_eq!(rows.len(), 18_000);
    assert_eq!(run.rows::<Fill>(1).unwrap().len(), 1);
    assert!(run.rows::<qt_model::record::Equity>(0).unwrap().is_empty());
    let files: Vec<_> =
        manifest.output.files.iter().map(|file| (file.path.as_str(), file.records)).collect();
    assert_eq!(files, [("fills.parquet", 18_000), ("lanes/pessimistic/fills.parquet", 1)]);
    let metrics = run.metrics(0).unwrap();
    assert_eq!(metrics[0].reason.as_deref(), Some("n<2"));
    assert_eq!(metrics[1].exact.unwrap().to_string(), "0.25");
    assert_eq!(metrics[2].exact.unwrap().to_string(), "1234567890123456.5");
    assert_eq!((metrics[3].name.as_str(), metrics[3].value), ("vol_ann", Some(0.1)));
    let text = fs::read_to_string(run.folder().join("metrics.json")).unwrap();
    assert_eq!(
        text,
        "{\n  \"sharpe\": null,\n  \"sharpe_reason\": \"n<2\",\n  \"net_fees\": 0.25,\n  \
         \"equity_end\": \"1234567890123456.5\",\n  \"vol_ann\": 0.1\n}\n"
    );
}

#[test]
fn equal_runs_have_equal_content_whatever_their_name_and_time() {
    let root = tempfile::tempdir().unwrap();
    let (one, two) = (written(root.path(), "run-1", 3), written(root.path(), "run-2", 3));
    assert_eq!(one.content_sha256, two.content_sha256);
    assert_ne!(one.content_sha256, written(root.path(), "run-3", 4).content_sha256);
    let mut other = manifest("run-4");
    assert_eq!(one.trial_digest(), other.trial_digest());
    other.input.seed = Some(8);
    assert_ne!(one.trial_digest(), other.trial_digest());
}

#[test]
fn an_existing_folder_is_refused_and_stays_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    written(root.path(), "run-1", 1);
    let before = fs::read(root.path().join("backtest/2023-11-14/run-1/manifest.json")).unwrap();
    let error = RunWriter::create(root.path(), manifest("run-1"), &["main"]).unwrap_err();
    assert!(matches!(error, RunError::Exists { .. }), "{error}");
    assert_eq!(
        fs::read(root.path().join("backtest/2023-11-14/run-1/manifest.json")).unwrap(),
        before
    );
}

#[test]
fn a_run_is_running_while_it_is_written_and_crashed_once_its_process_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let mut writer = RunWriter::create(root.path(), manifest("run-1"), &["main"]).unwrap();
    writer.write(0, &fills(3)).unwrap();
    let folder = writer.folder().to_owned();
    let status = || RunReader::open(&folder).unwrap().manifest().status;
    assert_eq!(status(), RunStatus::Running);
    assert_eq!(RunReader::open(&folder).unwrap().path(0, Kind::Fill), None, "not whole yet");
    drop(writer);
    assert_eq!(status(), RunStatus::Crashed);
    let (runs, troubles) = list(root.path()).unwrap();
    assert_eq!((runs[0].status.as_str(), troubles.len()), ("crashed", 0));
}

#[test]
fn a_write_that_fails_names_its_file_and_leaves_the_run_running() {
    let root = tempfile::tempdir().unwrap();
    let mut writer = RunWriter::create(root.path(), manifest("run-1"), &["main"]).unwrap();
    // Something stands where the stream would be staged.
    fs::create_dir(writer.folder().join(".staged-fills.parquet")).unwrap();
    let error = writer.write(0, &fills(1)).unwrap_err().to_string();
    assert!(error.contains("run-1/fills.parquet: "), "{error}");
    assert_eq!(RunReader::open(writer.folder()).unwrap().manifest().status, RunStatus::Running);
}

#[test]
fn runs_are_listed_from_their_manifests_with_or_without_the_index() {
    let root = tempfile::tempdir().unwrap();
    assert!(list(&root.path().join("nowhere")).unwrap().0.is_empty());
    written(root.path(), "0190-aa", 1);
    written(root.path(), "0190-bb", 1);
    fs::create_dir_all(root.path().join("backtest/2023-11-14/stray")).unwrap();
    let broken = root.path().join("backtest/2023-11-14/broken");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join("manifest.json"), "{").unwrap();
    let (first, troubles) = list(root.path()).unwrap();
    assert_eq!(
        first.iter().map(|run| run.run_id.as_str()).collect::<Vec<_>>(),
        ["0190-aa", "0190-bb"]
    );
    assert!(troubles[0].to_string().contains("broken/manifest.json: "), "{troubles:?}");
    assert!(root.path().join("index.ndjson").is_file());
    assert_eq!(list(root.path()).unwrap().0, first);
    fs::write(root.path().join("index.ndjson"), "nonsense\n").unwrap();
    assert_eq!(list(root.path()).unwrap().0, first);
    // A manifest that changed is read again.
    let path = root.path().join(&first[0].path).join("manifest.json");
    let text = fs::read_to_string(&path).unwrap().replace("\"maker\"", "\"taker\"");
    fs::write(&path, text).unwrap();
    assert_eq!(list(root.path()).unwrap().0[0].strategy, "taker");
    let found = |name| find(root.path(), name).map(|path| path.file_name().unwrap().to_owned());
    assert_eq!(found("bb").unwrap(), "0190-bb");
    assert!(matches!(found("0190"), Err(RunError::Ambiguous { count: 2, .. })));
    assert!(matches!(found("cc"), Err(RunError::NotFound { .. })));
}

/// What somebody wrote into a file of ours by hand or by accident.
fn text() -> impl Drawn<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\[\\]{}\",:0-9a-z.eE-]{0,60}",
        ("[a-z_]{1,8}", "-?[0-9]{0,30}(\\.[0-9]{0,30})?([eE][0-9]{1,4})?")
            .prop_map(|(name, number)| format!("{{\"{name}\": {number}}}")),
    ]
}

proptest! {
    #[test]
    fn what_stands_in_a_file_is_read_or_refused(text in text()) {
        let root = tempfile::tempdir().unwrap();
        for name in ["metrics.json", "manifest.json", "trials.ndjson", "index.ndjson"] {
            fs::write(root.path().join(name), &text).unwrap();
        }
        if let Ok(rows) = metrics::read(root.path()) {
            prop_assert!(rows.iter().all(|row| row.value.is_none_or(f64::is_finite)));
        }
        prop_assert!(RunReader::open(root.path()).is_err());
        prop_assert!(Trials::of(root.path()).family("x").is_ok());
        prop_assert!(list(root.path()).is_ok());
    }
}

#[test]
fn trials_count_once_by_configuration_and_data() {
    let root = tempfile::tempdir().unwrap();
    let trials = Trials::of(&root.path().join("runs"));
    assert!(trials.family("maker").unwrap().is_empty());
    let trial = |family: &str, digest: &str, sharpe_period| Trial {
        family: family.into(),
        digest: digest.into(),
        sharpe_period,
        periods: 30,
    };
    trials.append(&[trial("maker", "a", Some(0.1)), trial("taker", "a", None)]).unwrap();
    trials.append(&[trial("maker", "b", None), trial("maker", "a", Some(0.2))]).unwrap();
    let found = trials.family("maker").unwrap();
    assert_eq!(found, [trial("maker", "a", Some(0.2)), trial("maker", "b", None)]);
    // A line that a crash cut, and a line after it.
    let path = root.path().join("runs/trials.ndjson");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}{{\"family\":\"mak")).unwrap();
    trials.append(&[trial("maker", "c", Some(0.3))]).unwrap();
    assert_eq!(trials.family("maker").unwrap().len(), 3);
}
