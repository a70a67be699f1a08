use qt_model::instrument::Symbol;

use super::*;

fn table() -> Arc<Instruments> {
    let mut table = Instruments::default();
    let scale = Scale::new(2).unwrap();
    table.declare(Instrument::new(Symbol::new("x:A").unwrap(), scale, scale)).unwrap();
    Arc::new(table)
}

/// A process that runs these lines of a shell.
fn start(script: &str) -> Result<Process, ProcessError> {
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    let limit = Duration::from_secs(20);
    let strategy = "test".to_owned();
    let options =
        ProcessOptions { strategy, command, folder: None, limit, params: BTreeMap::new(), seed: 1 };
    Process::start(&options, table())
}

fn failure(script: &str) -> String {
    start(script).expect_err("it is not ready").to_string()
}

#[test]
fn a_process_says_what_it_wants() {
    let ready = r#"{"ready":1,"wants":["trade"],"features":["ema(mid, 3)"]}"#;
    let process = start(&format!("read hello; echo '{ready}'; read rest")).unwrap();
    assert!(process.wants().wants(Kind::Trade) && !process.wants().wants(Kind::Quote));
    assert_eq!(process.features(), ["ema(mid, 3)"]);
}

#[test]
fn what_is_not_ready_says_how() {
    assert!(failure("exit 3").contains("ended (exit status: 3) where an answer to message 1"));
    assert!(failure("read hello; echo hi").contains("makes no sense"));
    let newer = failure(r#"read hello; echo '{"ready":9}'; read rest"#);
    assert!(newer.contains("it speaks version 9, we speak 1"), "{newer}");
    let unknown = failure(r#"read hello; echo '{"ready":1,"wants":["trades"]}'; read rest"#);
    assert!(unknown.contains("no kind `trades`"), "{unknown}");
    let misspelt = failure(r#"read hello; echo '{"ready":1,"want":[]}'; read rest"#);
    assert!(misspelt.contains("unknown field `want`"), "{misspelt}");
    let flood = failure("read hello; head -c 3000000 /dev/zero | tr '\\0' x; read rest");
    assert!(flood.contains("longer than a megabyte"), "{flood}");
    let command = vec!["/no/such/program".to_owned()];
    let options = ProcessOptions {
        strategy: String::new(),
        command,
        folder: None,
        limit: Duration::from_secs(1),
        params: BTreeMap::new(),
        seed: 1,
    };
    let missing = Process::start(&options, table()).unwrap_err().to_string();
    assert!(missing.starts_with("/no/such/program: cannot be started"), "{missing}");
}

#[test]
fn a_process_that_does_not_answer_is_given_up() {
    let command = ["sh", "-c", "read hello; read never"].map(str::to_owned).to_vec();
    let options = ProcessOptions {
        strategy: String::new(),
        command,
        folder: None,
        limit: Duration::from_millis(1),
        params: BTreeMap::new(),
        seed: 1,
    };
    let stalled = Process::start(&options, table()).unwrap_err();
    assert!(matches!(stalled, ProcessError::Stalled { message: 1, limit_ms: 1, .. }), "{stalled}");
}

#[test]
fn actions_are_read_by_their_name_and_strictly() {
    let check = |text: &str, expected: &str| {
        let error = Action::parse(text).expect_err("it is no action");
        assert!(error.contains(expected), "{text}: {error}");
    };
    let submit = r#"{"do":"submit","id":"a","sym":"x:A","side":"buy","qty":90071992547409.93}"#;
    let Ok(Action::Submit(submit)) = Action::parse(submit) else { panic!("it is sound") };
    assert_eq!(submit.qty.text(), "90071992547409.93", "no double in between");
    check(r#"{"do":"buy"}"#, "there is no action `buy`");
    check(r#"{"id":"a"}"#, "missing field `do`");
    check(r#"{"do":"cancel","order":"a"}"#, "unknown field `order`");
    check(r#"{"do":"timer","id":1,"at":"soon"}"#, "invalid type");
}

#[test]
fn damaged_lines_are_refused_or_understood() {
    let lines = [
        r#"{"ready":1,"wants":["trade"],"features":["mid"]}"#,
        r#"{"actions":[{"do":"cancel","id":"a"}]}"#,
        r#"{"do":"submit","id":"a","sym":"x:A","side":"buy","qty":1.5,"px":"2e-3","reduce_only":true}"#,
        r#"{"do":"amend","id":"a","qty":-0,"px":null}"#,
        r#"{"do":"timer","id":1,"at":-9223372036854775808}"#,
        r#"{"do":"note","sym":null,"text":"\u00e9"}"#,
    ];
    let (scale, mut understood) = (Scale::new(2).unwrap(), 0);
    for line in lines {
        for at in 0..line.len() {
            for sign in ["", "\"", "{", "9", "-", ".", "e", "\\", "é", ","] {
                let text = [&line[..at], sign, &line[at + 1..]].concat();
                let _ = serde_json::from_str::<Ready>(&text);
                let _ = serde_json::from_str::<Answer>(&text);
                let Ok(action) = Action::parse(&text) else { continue };
                understood += 1;
                if let Action::Submit(submit) = action {
                    let _ = price(submit.qty.text(), scale);
                    let _ = submit.px.map(|px| price(px.text(), scale));
                }
            }
        }
    }
    assert!(understood > 100, "{understood}");
}

#[test]
fn digits_are_read_exactly_and_refused_where_they_do_not_fit() {
    let digits = |text: &str| serde_json::from_str::<protocol::Digits>(text).unwrap();
    let scale = Scale::new(2).unwrap();
    assert_eq!(price(digits("0.10").text(), scale), Ok(Px::new(10)));
    assert_eq!(
        price(digits("\"90071992547409.93\"").text(), scale),
        Ok(Px::new(9_007_199_254_740_993))
    );
    assert!(price(digits("0.101").text(), scale).is_err());
    assert!(size("-1", table().get(table().find("x:A").unwrap())).is_err());
}
