//! `qt backtest` as users run it: from files and pipes, with good strategies and bad ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop where they stand, like tests")]

mod mistakes;
mod parity;
mod processes;
mod refusals;
mod sessions;
mod sets;
mod sweeps;

use std::fs;

use rust_decimal::Decimal;

use crate::frame::{World, stdout};

/// Five minutes of two instruments, as a file.
pub(crate) fn day() -> World {
    let world = World::new();
    let args = "synth --seed 5 --symbols 2 --hours 0.08 -o arrow --out day.arrow";
    world.qt(args).assert().success();
    world
}

/// What a line of a shell prints, in which `qt` is the binary under test.
pub(crate) fn shell(world: &World, line: &str) -> String {
    let line = format!("qt() {{ {} \"$@\"; }}; {line}", env!("CARGO_BIN_EXE_qt"));
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &line]).current_dir(world.path()).env_clear();
    command.env("HOME", world.path().join("home")).env("PATH", path());
    stdout(&mut assert_cmd::Command::from_std(command))
}

/// Where programs are found: worlds have no environment of their own.
pub(crate) fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

pub(crate) fn write(world: &World, name: &str, text: &str) {
    fs::write(world.path().join(name), text).unwrap();
}

/// The digest of what went into a run and what came out.
fn content(world: &World, folder: &str) -> String {
    let text = fs::read_to_string(world.path().join(folder).join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["status"], "done");
    manifest["content_sha256"].as_str().unwrap().to_owned()
}

const MAKER: &str = r#"
name = "maker"
every = "250ms"

[size]
qty = "lot * 5"

[quote]
bid = "best_bid - tick * position / lot / 20"
ask = "best_ask - tick * position / lot / 20"
max_position = "lot * 50"

[venue]
maker_bps = "-0.5"
taker_bps = 5
latency = { place = "2ms", cancel = "1ms", response = "1ms" }
"#;

/// Three at one price and four at the next have a mean without an end; interest has none either.
#[test]
fn amounts_without_an_end_are_kept_to_eighteen_decimals() {
    let world = World::new();
    let depth = |seq: u8, time: &str, action: &str, bid: &str| {
        let sides = format!(r#""bids":[[{bid},9]],"asks":[[100.01,3],[100.02,9]]"#);
        format!(
            r#"{{"k":"depth","ts_recv":"2024-08-08T{time}Z","sym":"a:X","action":"{action}",{sides},"seq":{seq}}}"#
        )
    };
    let header =
        r#"{"k":"stream","schema":1,"instruments":[{"sym":"a:X","px_scale":2,"qty_scale":0}]}"#;
    let lines = [
        header.to_owned(),
        depth(0, "10:00:00", "snapshot", "99.99"),
        depth(1, "10:00:01", "delta", "99.98"),
        depth(2, "13:00:00", "delta", "99.97"),
        String::new(),
    ];
    write(&world, "in.ndjson", &lines.join("\n"));
    let strategy = "name = \"buyer\"\non = \"depth\"\n[entry]\nlong = \"position == 0\"\n\
                    [size]\nqty = \"7\"\n[account]\ncash = \"400\"\n\
                    [venue]\naccount = \"margin\"\nleverage = 5\nborrow_per_year = 0.07\ntaker_bps = 3\n";
    write(&world, "buyer.toml", strategy);
    let args = "backtest buyer.toml --input in.ndjson --allow-truncated --no-band --run-dir run";
    world.qt(args).assert().success();
    let orders = stdout(&mut world.qt("replay --input run/orders.parquet"));
    assert!(orders.contains(r#""avg_px":"100.015714285714285714"#), "{orders}");
    let inputs = stdout(&mut world.qt("replay --input run/inputs.parquet"));
    assert!(inputs.contains("borrow"), "{inputs}");
    world.qt("report run").assert().success();
    world.qt("parity run").assert().success();
}

/// Symbols choose from whatever is read: only a range asks for the catalog.
#[test]
fn symbols_in_a_pipe_choose_from_the_pipe() {
    let world = day();
    let run = |more: &str| {
        let backtest = format!("qt backtest imbalance --no-run --no-band --json {more}");
        shell(&world, &format!("qt replay -i day.arrow -o arrow | {backtest}"))
    };
    let symbols = shell(&world, "qt replay -i day.arrow --kinds trade | grep -o 'sym\":\"[^\"]*'");
    let first = symbols.lines().next().unwrap().trim_start_matches("sym\":\"").to_owned();
    let all: serde_json::Value = serde_json::from_str(&run("")).unwrap();
    let one: serde_json::Value =
        serde_json::from_str(&run(&format!("--symbols '{first}'"))).unwrap();
    assert!(one["records"].as_u64() < all["records"].as_u64() && one["records"].as_u64() > Some(0));
    // A range asks for the catalog, which is not there.
    let mut range = world.qt("backtest imbalance --no-run --date 2024-08-08");
    let output = range.write_stdin("").assert().failure();
    let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(said.contains("data"), "{said}");
    shell(&world, &format!("qt replay -i day.arrow | qt bars --every 1m --symbols '{first}'"));
}

/// Law 2: piped or from a file, in any encoding, cut into any batches, it is one run.
#[test]
fn piped_equals_fused_to_the_byte() {
    let world = day();
    write(&world, "maker.toml", MAKER);
    for strategy in ["maker.toml", "imbalance"] {
        let run = |n: &str, line: String| {
            let folder = format!("{}-{n}", strategy.replace('.', "-"));
            shell(
                &world,
                &line.replace("BACKTEST", &format!("qt backtest {strategy} --run-dir {folder}")),
            );
            content(&world, &folder)
        };
        let fused = run("fused", "BACKTEST -i day.arrow".to_owned());
        let lines = [
            "qt replay -i day.arrow | BACKTEST",
            "qt replay -i day.arrow -o arrow | BACKTEST --threads 1",
            "qt replay -i day.arrow | qt features --set core15 | BACKTEST",
            "qt replay -i day.arrow -o arrow | BACKTEST --threads 2",
        ];
        for (at, line) in lines.iter().enumerate() {
            assert_eq!(run(&at.to_string(), (*line).to_owned()), fused, "{strategy}: {line}");
        }
    }
}

/// Quotes alone come as tables, of which nobody who sleeps needs a row.
#[test]
fn tables_of_quotes_are_their_records() {
    let world = day();
    let backtests = [
        "--param fast_n=9 --param slow_n=40",
        "--param slow_n=200 --latency feed=30ms --latency place=5ms",
        "--param slow_n=90 --sweep fast_n=5..20:5",
    ];
    for symbols in ["", "--symbols '*:S00001'"] {
        let replay = format!("qt replay -i day.arrow --kinds quote {symbols}");
        for flags in backtests {
            let backtest = format!("qt backtest ema-cross --no-run --json {flags}");
            let by_row = shell(&world, &format!("{replay} | {backtest}"));
            assert!(by_row.contains("\"fills\""), "{by_row}");
            for threads in [1, 2] {
                let line = format!("{replay} -o arrow | {backtest} --threads {threads}");
                assert_eq!(shell(&world, &line), by_row, "{line}");
            }
        }
    }
}

#[test]
fn a_run_is_the_same_again_and_other_data_is_told() {
    let world = day();
    write(&world, "maker.toml", MAKER);
    world.qt("backtest maker.toml -i day.arrow --run-dir kept").assert().success();
    world.qt("backtest verify ./kept").assert().success();
    world
        .qt("synth --seed 6 --symbols 2 --hours 0.08 -o arrow --out other.arrow")
        .assert()
        .success();
    let other = world.qt("backtest verify ./kept -i other.arrow").assert().code(1);
    let text = String::from_utf8(other.get_output().stdout.clone()).unwrap();
    assert!(text.contains("data: was") && text.contains("fills.parquet: was"), "{text}");
    let again = world.qt("backtest maker.toml -i day.arrow --run-dir kept").assert().code(2);
    let said = String::from_utf8(again.get_output().stderr.clone()).unwrap();
    assert!(said.contains("kept exists"), "{said}");
}

#[test]
fn the_summary_opens_with_what_was_assumed_and_shows_the_band() {
    let world = day();
    write(&world, "maker.toml", MAKER);
    let text = stdout(&mut world.qt("backtest maker.toml -i day.arrow --no-run"));
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("no `{part}` in {text}"));
    assert!(place("Assumed") < place("profit"));
    assert!(text.contains("maker -0.5 bps, taker 5 bps, place 2 ms, cancel 1 ms, response 1 ms"));
    for model in ["pessimistic", "calibrated", "optimistic"] {
        assert!(text.lines().any(|line| line.starts_with(model)), "{model}: {text}");
    }
    assert!(text.contains("n/a (n<"), "too short for returns, and says so: {text}");
    let json = stdout(&mut world.qt("backtest maker.toml -i day.arrow --no-run --json"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["band"].as_array().unwrap().len(), 3);
    // As in the file of a kept run: null, and why; a count is a number.
    let metrics = &json["metrics"];
    assert!(metrics["sharpe"].is_null() && metrics["fills"].is_u64(), "{metrics}");
    assert_eq!(metrics["sharpe_reason"], "n<2");
}

/// A market in two currencies, of which one instrument is asked for: no account in two is needed.
#[test]
fn symbols_on_the_command_line_are_those_that_are_traded() {
    let world = World::new();
    world.qt("synth --seed 5 --events 9000 --out day.ndjson").assert().success();
    let mut whole = world.qt("backtest ema-cross -i day.ndjson --no-run");
    whole.assert().code(2).stderr(predicates::str::contains("settle in USD, USDT"));
    let line = "backtest ema-cross -i day.ndjson --symbols sim:BTCUSDT";
    let json = stdout(&mut world.qt(&format!("{line} --no-run --json")));
    let direct: serde_json::Value = serde_json::from_str(&json).unwrap();
    let piped =
        "qt replay -i day.ndjson --symbols sim:BTCUSDT | qt backtest ema-cross --no-run --json";
    let piped: serde_json::Value = serde_json::from_str(&shell(&world, piped)).unwrap();
    assert!(direct["metrics"] == piped["metrics"], "{direct}\n{piped}");
    world.qt(&format!("{line} --run-dir kept")).assert().success();
    world.qt("backtest verify ./kept").assert().success();
    world.qt("parity ./kept").assert().success();
}

/// What is held at the end of a contract is settled, and the metrics know of it.
#[test]
fn a_contract_that_ends_is_a_trade_that_closes() {
    let world = day();
    let line = "replay -i day.arrow --symbols S00001 --limit 3000";
    let text = stdout(&mut world.qt(line)).replace(
        "\"class\":\"spot\"",
        "\"class\":\"future\",\"payoff\":\"linear\",\"expiry\":\"2024-01-01T00:01:00Z\"",
    );
    write(&world, "future.ndjson", &text);
    let line = "backtest buy-and-hold -i future.ndjson --run-dir kept --json";
    let json: serde_json::Value = serde_json::from_str(&stdout(&mut world.qt(line))).unwrap();
    let metric = |name: &str| json["metrics"][name].clone();
    assert_eq!((metric("trades"), metric("fills")), (1.into(), 1.into()), "{json}");
    assert_eq!(metric("pnl_unattributed"), 0, "{json}");
    let told = stdout(&mut world.qt("replay -i kept/inputs.parquet"));
    assert!(told.contains("\"what\":\"closure\""), "{told}");
    let orders =
        |folder: &str| stdout(&mut world.qt(&format!("replay -i {folder}/orders.parquet")));
    assert!(orders("kept").lines().count() > 2);
    world.qt("parity ./kept").assert().success();
}

/// Profit of an inverse contract is a quotient, yet what is read adds up to the last digit.
#[test]
fn the_parts_of_a_profit_add_up_as_they_are_read() {
    let world = day();
    let line = "replay -i day.arrow --symbols S00001 --limit 6000";
    let text = stdout(&mut world.qt(line))
        .replace("\"class\":\"spot\"", "\"class\":\"perpetual\",\"payoff\":\"inverse\"");
    write(&world, "inverse.ndjson", &text);
    for strategy in ["market-maker", "imbalance", "buy-and-hold"] {
        let line = format!("backtest {strategy} -i inverse.ndjson --run-dir {strategy}");
        world.qt(&line).assert().success();
        let path = world.path().join(strategy).join("metrics.json");
        let text = fs::read_to_string(path).unwrap();
        let read = |name: &str| -> Decimal {
            let at = text.find(&format!("\"{name}\": ")).unwrap() + name.len() + 4;
            let value = text[at..].lines().next().unwrap().trim_matches([',', '"']);
            value.parse().unwrap()
        };
        let parts = ["spread", "adverse", "inventory", "fees", "funding", "unattributed"];
        let sum: Decimal = parts.map(|part| read(&format!("pnl_{part}"))).into_iter().sum();
        assert_eq!(sum, read("pnl_total"), "{strategy}: {text}");
        assert_eq!(read("equity_end") - read("equity_start"), sum, "{strategy}: {text}");
        assert!(!sum.is_zero(), "{strategy}: {text}");
    }
}

/// A decision, its orders and their fills are one thread.
#[test]
fn fills_lead_back_to_their_decisions() {
    let world = day();
    write(&world, "maker.toml", MAKER);
    for strategy in ["maker.toml", "ema-cross", "regime"] {
        let folder = format!("run-{}", strategy.replace('.', "-"));
        world
            .qt(&format!("backtest {strategy} -i day.arrow --no-band --run-dir {folder}"))
            .assert()
            .success();
        let rows = |stream: &str| -> Vec<serde_json::Value> {
            let text = stdout(&mut world.qt(&format!("replay -i {folder}/{stream}.parquet")));
            let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
            let is_row = |row: &serde_json::Value| row["k"] != "stream" && row["k"] != "end";
            rows.filter(is_row).collect()
        };
        let decisions = rows("decisions");
        let (orders, fills) = (rows("orders"), rows("fills"));
        assert!(fills.len() > 3, "{strategy}");
        for fill in &fills {
            let decision = decisions.iter().find(|it| it["trace_id"] == fill["trace_id"]).unwrap();
            assert_eq!(decision["decision_id"], decision["trace_id"]);
            assert_eq!((&decision["sym"], &decision["side"]), (&fill["sym"], &fill["side"]));
            let mut orders = orders.iter().filter(|it| it["order_id"] == fill["order_id"]);
            let order = orders.next().unwrap();
            assert_eq!(
                (&order["trace_id"], &order["ts_recv"]),
                (&fill["trace_id"], &decision["ts_recv"])
            );
        }
        let story = stdout(&mut world.qt(&format!("explain ./{folder} --fill 2")));
        assert!(story.contains("its trace, which order and fill carry"), "{story}");
    }
}

/// What was measured holds from its time on, and is part of what a run was given.
#[test]
fn delays_can_be_those_that_were_measured() {
    let world = day();
    let said = "latency = { place = \"2ms\", cancel = \"1ms\", response = \"1ms\" }";
    let seen = MAKER.replace(said, "latency = { place = \"recorded(seen.csv)\" }");
    assert_ne!(seen, MAKER);
    write(&world, "seen.toml", &seen);
    write(&world, "seen.csv", "0,7ms\n");
    let run = |folder: &str, args: &str| {
        world
            .qt(&format!("backtest seen.toml -i day.arrow --run-dir {folder} {args}"))
            .assert()
            .success();
        stdout(&mut world.qt(&format!("replay -i {folder}/fills.parquet")))
    };
    let constant = run("constant", "--latency place=7ms");
    assert!(constant.lines().count() > 10);
    assert_eq!(run("seen", ""), constant, "one delay for all is a constant");
    world.qt("backtest verify ./seen").assert().success();
    write(&world, "seen.csv", "0,7ms\n2024-01-01T00:00:30Z,90ms\n");
    let other = world.qt("backtest verify ./seen").assert().code(1);
    let text = String::from_utf8(other.get_output().stdout.clone()).unwrap();
    assert!(text.contains("configuration: was"), "{text}");
}

#[test]
fn every_strategy_that_comes_along_runs() {
    let world = day();
    let names = [
        "market-maker",
        "ema-cross",
        "sma-cross",
        "imbalance",
        "bollinger",
        "buy-and-hold",
        "regime",
        "regime-baseline",
    ];
    for name in names {
        let bars = if name == "sma-cross" {
            "qt bars --every 2s -i day.arrow"
        } else {
            "qt replay -i day.arrow"
        };
        let text = shell(&world, &format!("{bars} | qt backtest {name} --no-run --json"));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let orders = json["band"][0]["orders"].as_u64().unwrap();
        assert!(orders > 0, "{name} sends orders");
    }
}

#[test]
fn a_strategy_trades_in_its_hours_and_closes_outside_of_them() {
    let world = day();
    let orders = |hours: &str| {
        write(&world, "timed.toml", &format!("{MAKER}\n[schedule]\n{hours}\n"));
        let text = stdout(&mut world.qt("backtest timed.toml -i day.arrow --no-run --json"));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["band"][0]["orders"].as_u64().unwrap()
    };
    let always = orders("flat_outside = false");
    assert_eq!(orders("open = \"09:00\"\nclose = \"17:00\""), 0, "the data begins at midnight");
    let part = orders("open = \"00:00\"\nclose = \"00:02\"\nflat_outside = true");
    assert!(0 < part && part < always, "{part} of {always}");
}
