//! Law 1 as users see it: a run that was kept, stepped again without its venue, asks for the same.

use super::{MAKER, day, path, write};
use crate::frame::{World, stdout};

fn json(world: &World, args: &str, code: i32) -> serde_json::Value {
    let assert = world.qt(args).env("PATH", path()).assert().code(code);
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

#[test]
fn every_run_stepped_again_asks_for_the_same() {
    let world = day();
    let drawn = "feed = \"lognormal(median=3ms,sigma=0.8)\"";
    write(&world, "maker.toml", &MAKER.replace("response = \"1ms\"", drawn));
    let bracket = "[entry]\nlong = \"ofi > 0\"\n[size]\nqty = \"lot * 3\"\n[orders]\n\
                   buy_at = \"best_bid\"\ntimeout = \"2s\"\n[bracket]\nstop = \"9 * tick\"\n\
                   target = \"5 * tick\"\n[account]\ncash = \"100000\"\n[venue]\naccount = \"margin\"\n";
    write(&world, "bracket.toml", bracket);
    for (at, strategy) in
        ["maker.toml", "bracket.toml", "imbalance", "regime", "ema-cross"].into_iter().enumerate()
    {
        let line = format!("backtest {strategy} -i day.arrow --run-dir run{at}");
        world.qt(&line).assert().success();
        let found = json(&world, &format!("parity ./run{at} --json"), 0);
        assert_eq!(found["same"], true, "{strategy}");
        for stream in ["decisions", "orders", "fills", "equity"] {
            let (kept, again) = (&found[stream]["kept"], &found[stream]["again"]);
            assert_eq!(kept, again, "{strategy}: {stream}");
            assert!(kept["records"].as_u64().unwrap() > 3, "{strategy}: {stream}: {found}");
        }
    }
    let text = stdout(&mut world.qt("parity ./run0"));
    assert!(text.contains("decisions: ") && text.contains(", the same, xxh3:"), "{text}");
}

/// Between two quotes lie three hours, in which a timer goes off again and again.
#[test]
fn a_gap_full_of_timers_is_kept_whole() {
    let world = World::new();
    let quote = |hour: u8| {
        format!(
            "{{\"k\":\"quote\",\"ts_recv\":\"2024-08-08T{hour}:00:00Z\",\"sym\":\"a:X\",\"seq\":{hour},\
             \"bid_px\":99.95,\"bid_qty\":9,\"ask_px\":100.05,\"ask_qty\":9}}\n"
        )
    };
    write(&world, "in.ndjson", &format!("{}{}", quote(10), quote(13)));
    write(&world, "maker.toml", &MAKER.replace("lot * 5", "1").replace("lot * 50", "9"));
    let line = "backtest maker.toml -i in.ndjson --allow-truncated --no-band --run-dir kept";
    world.qt(line).assert().success();
    // A timer each quarter of a second, and the reports of two quotes.
    let inputs = stdout(&mut world.qt("replay -i kept/inputs.parquet"));
    // The last is due with the end, behind everything.
    assert_eq!(inputs.matches("\"what\":\"timer\"").count(), 3 * 3_600 * 4 - 1);
    assert_eq!(json(&world, "parity ./kept --json", 0)["same"], true);
    world.qt("backtest verify ./kept").assert().success();
}

/// Buys each hundredth trade, and once more the second time that it is started: no function of what
/// it is told.
const MOODY: &str = r#"
i=0; n=50; [ -e seen ] && n=40; touch seen
read hello; echo '{"ready":1,"wants":["trade"]}'
while read line; do
  i=$((i+1))
  if [ $i -gt $n ]; then i=0; k=$((k+1)); echo '{"actions":[{"do":"submit","id":"'$k'","sym":"sim:S00001","side":"buy","qty":"1"}]}'
  else echo '{"actions":[]}'; fi
done
"#;

#[test]
fn the_first_difference_is_shown_with_both_states() {
    let world = day();
    write(&world, "moody.sh", MOODY);
    write(&world, "moody.toml", "[process]\ncommand = [\"sh\", \"moody.sh\"]\n");
    let line = "backtest moody.toml -i day.arrow --no-band --run-dir kept";
    world.qt(line).env("PATH", path()).assert().success();
    let assert = world.qt("parity ./kept").env("PATH", path()).assert().code(1);
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    for part in
        ["orders: ", "first difference: orders #1 at ", "before it: ", "kept:  no equity yet"]
    {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
    let found = json(&world, "parity ./kept --json", 1);
    assert_eq!((&found["same"], &found["first"]["stream"]), (&false.into(), &"orders".into()));
}

#[test]
fn a_run_that_cannot_be_stepped_again_says_why() {
    let world = day();
    world.qt("backtest imbalance -i day.arrow --run-dir kept").assert().success();
    world
        .qt("synth --seed 6 --symbols 2 --hours 0.08 -o arrow --out other.arrow")
        .assert()
        .success();
    let said = |args: &str| {
        let assert = world.qt(args).assert().code(2);
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    };
    let other = said("parity ./kept -i other.arrow");
    assert!(other.contains("the records are not those of the run"), "{other}");
    std::fs::remove_file(world.path().join("kept/inputs.parquet")).unwrap();
    let bare = said("parity ./kept");
    assert!(bare.contains("it kept no inputs"), "{bare}");
    assert!(said("parity ./nowhere").contains("nowhere"));
}
