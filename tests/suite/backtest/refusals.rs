//! Bad input of a backtest, case by case: where its message and its exit code are tested.
//!
//! | case | stated result | test |
//! | --- | --- | --- |
//! | strategy file: unknown key, wrong unit, feature that does not exist, circle, flag that does not fit | 2, all at once with line, column and mark | `mistakes` |
//! | division by zero in a rule | 0; the rule is not met | here |
//! | warm-up longer than the data | 0 and a warning | `mistakes` |
//! | size of zero or below in the file | 2 with its place | here |
//! | size that comes to less than one lot | 0, on record and a warning with the lot | here |
//! | program that dies, speaks nonsense, names what there is not | 4, with its answer | `processes` |
//! | program that stalls, floods | 4, with the limit | here |
//! | data out of order, cut, not there, of another format | 3, 3, 4, 3 | `mistakes` |
//! | order before there is a market, off the tick, off the lot, beyond the balance, while halted, for an auction that nobody knows | 0; rejected on record with its reason | here |
//! | order on a symbol that the input does not have | 2 in `symbols`, 4 from a program | `mistakes`, `processes` |
//! | instrument that appears behind the start, without a header | known from files; 2 and what to do in pipes | here |
//! | run folder that exists | 2 and the name | here |
//! | full disk | 4, told once | `mistakes` |

use super::processes::fails;
use super::{day, path, write};
use crate::frame::{World, stdout};

/// Records of one instrument with ticks of five cents and lots of a fifth, behind their header.
fn market(world: &World, records: &[&str]) {
    let header = r#"{"k":"stream","schema":1,"instruments":[{"sym":"a:X","px_scale":2,"qty_scale":1,"tick":"0.05","lot":"0.2","quote":"USD"}]}"#;
    let line = |(seq, record): (usize, &&str)| {
        format!(r#"{{"ts_recv":"2024-08-08T10:00:0{seq}Z","sym":"a:X","seq":{seq},{record}}}"#)
    };
    let lines: Vec<String> = records.iter().enumerate().map(line).collect();
    write(world, "in.ndjson", &format!("{header}\n{}\n", lines.join("\n")));
}

const QUOTE: &str = r#""k":"quote","bid_px":99.95,"bid_qty":9,"ask_px":100.05,"ask_qty":9"#;

#[test]
fn orders_that_the_venue_refuses_are_on_record_with_their_reasons() {
    let world = World::new();
    market(
        &world,
        &[r#""k":"status","status":"open""#, QUOTE, r#""k":"status","status":"halted""#, QUOTE],
    );
    // One answer for each message: orders at the records, nothing at the news of orders.
    let submit = |id: &str, rest: &str| {
        format!(r#"{{"do":"submit","id":"{id}","sym":"a:X","side":"buy",{rest}}}"#)
    };
    let answers = [
        submit("early", r#""qty":1"#),
        [
            submit("tick", r#""qty":1,"px":"99.97""#),
            submit("lot", r#""qty":0.1"#),
            submit("money", r#""qty":500"#),
        ]
        .join(","),
        submit("halt", r#""qty":1,"px":"99.95""#),
        submit("halt2", r#""qty":1"#),
    ];
    let cases: String =
        (0..4).map(|at| format!("{at}) echo '{{\"actions\":[{}]}}' ;;\n", answers[at])).collect();
    let script = format!(
        "read hello\necho '{{\"ready\":1,\"wants\":[\"status\",\"quote\"]}}'\nn=0\n\
         while read line; do case \"$line\" in\n*'\"record\"'*) case $n in\n{cases}esac; n=$((n+1)) ;;\n\
         *'\"stop\"'*) exit 0 ;;\n*) echo '{{\"actions\":[]}}' ;;\nesac; done\n"
    );
    write(&world, "orders.sh", &script);
    write(
        &world,
        "s.toml",
        "[process]\ncommand = [\"sh\", \"orders.sh\"]\n[account]\ncash = \"1000\"\n\
         [venue]\naccount = \"cash\"\n",
    );
    world
        .qt("backtest s.toml -i in.ndjson --allow-truncated --no-band --run-dir run")
        .env("PATH", path())
        .assert()
        .success();
    let orders = stdout(&mut world.qt("replay --input run/orders.parquet"));
    let reasons = orders.lines().filter_map(|line| {
        let order: serde_json::Value = serde_json::from_str(line).ok()?;
        (order["status"] == "rejected").then(|| order["reason"].as_str().unwrap().to_owned())
    });
    let expected =
        ["no_market", "off_tick", "off_lot", "insufficient_funds", "not_trading", "not_trading"];
    assert_eq!(reasons.collect::<Vec<_>>(), expected, "{orders}");
}

#[test]
fn an_auction_that_nobody_knows_is_refused() {
    let world = World::new();
    market(&world, &[QUOTE, QUOTE]);
    write(
        &world,
        "s.toml",
        "on = \"quote\"\n[entry]\nlong = \"position == 0\"\n[orders]\ntime_in_force = \"cls\"\n",
    );
    let args = "backtest s.toml -i in.ndjson --allow-truncated --no-band --run-dir run";
    world.qt(args).assert().success();
    let orders = stdout(&mut world.qt("replay --input run/orders.parquet"));
    assert!(orders.contains(r#""reason":"no_auction""#), "{orders}");
}

#[test]
fn a_rule_that_divides_by_zero_is_not_met() {
    let world = day();
    write(
        &world,
        "s.toml",
        "[entry]\nlong = \"1 / (mid - mid) > 0\"\nshort = \"1 / position > 0\"\n",
    );
    let text = stdout(&mut world.qt("backtest s.toml -i day.arrow --no-run --no-band --json"));
    let run: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(run["band"][0]["orders"], 0);
}

#[test]
fn a_size_below_one_lot_is_told_and_one_below_zero_refused() {
    let world = World::new();
    let quotes = [QUOTE; 4];
    market(&world, &quotes);
    let run = |size: &str, code: i32| {
        let file = format!("[entry]\nlong = \"mid > 0\"\n[size]\n{size}\n");
        write(&world, "s.toml", &file);
        let line = "backtest s.toml -i in.ndjson --no-run --no-band --allow-truncated";
        let assert = world.qt(line).assert().code(code);
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    let told =
        "a:X: a rule was met and the size came to less than one lot (0.2); nothing was asked";
    for size in ["qty = \"0.1\"", "qty = \"lot / 2\"", "notional = \"5\"", "qty = \"0 - lot\""] {
        let said = run(size, 0);
        assert_eq!(said.matches(told).count(), 1, "{size}: {said}");
    }
    assert!(!run("qty = \"0.39\"", 0).contains("less than one lot"), "it is one lot");
    // Without a value there is no size that could be too small.
    assert!(!run("qty = \"lag(mid, 9)\"", 0).contains("less than one lot"));
    for (size, found) in
        [("qty = \"-1\"", "found -1"), ("qty = 0", "found 0"), ("notional = 0.0", "found 0.0")]
    {
        let said = run(size, 2);
        assert!(
            said.contains("s.toml:4:") && said.contains("expected a size above zero"),
            "{said}"
        );
        assert!(said.contains(found), "{said}");
    }
}

#[test]
fn a_program_that_stalls_or_floods_is_given_up() {
    let world = day();
    let check = |script: &str, expected: &str| {
        fails(&world, script, "timeout = \"300ms\"\n", expected);
    };
    let ready = r#"read hello; echo '{"ready":1,"wants":["trade"]}';"#;
    check("read hello; sleep 5", "no answer to message 1 within 300 ms");
    check(&format!("{ready} sleep 5"), "no answer to message 2 within 300 ms");
    check(&format!("{ready} head -c 3000000 /dev/zero | tr '\\0' x"), "message 2");
}

/// Without a header a file is read through for its instruments; of a pipe the first batch counts.
#[test]
fn an_instrument_that_appears_behind_the_start_is_known_from_files_and_told_in_pipes() {
    let world = World::new();
    let line = |sym: &str, second: u8| {
        format!("{{\"ts_recv\":\"2024-08-08T10:00:0{second}Z\",\"sym\":\"{sym}\",{QUOTE}}}\n")
    };
    let terms = r#"{"k":"instrument","ts_recv":"2024-08-08T10:00:02Z","sym":"b:Y","px_scale":2,"qty_scale":0,"quote":"USD"}"#;
    let text = [
        line("a:X", 1).repeat(70_000),
        format!("{terms}\n"),
        line("b:Y", 2),
        line("b:Y", 3),
        line("a:X", 4),
    ]
    .concat();
    write(&world, "in.ndjson", &text);
    write(&world, "s.toml", "on = \"quote\"\n[entry]\nlong = \"position == 0\"\n");
    world.qt("backtest s.toml -i in.ndjson --no-band --run-dir run").assert().success();
    let fills = stdout(&mut world.qt("replay --input run/fills.parquet"));
    assert!(fills.contains("\"sym\":\"a:X\"") && fills.contains("\"sym\":\"b:Y\""), "{fills}");
    for command in ["parity ./run", "backtest verify ./run", "report ./run"] {
        world.qt(command).assert().success();
    }
    let mut pipe = world.qt("backtest s.toml --no-run");
    let assert = pipe.write_stdin(text).assert().code(2);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains("b:Y appears only later"), "{said}");
    assert!(said.contains("name the file with --input"), "{said}");
}

#[test]
fn a_run_folder_that_exists_is_kept() {
    let world = day();
    std::fs::create_dir(world.path().join("kept")).unwrap();
    write(&world, "kept/mine", "mine");
    let args = "backtest imbalance -i day.arrow --no-band --run-dir kept";
    let assert = world.qt(args).assert().code(2);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains("kept exists") && said.contains("never written over"), "{said}");
    assert_eq!(std::fs::read_to_string(world.path().join("kept/mine")).unwrap(), "mine");
}
