use super::*;

#[test]
fn a_map_says_all_that_is_wrong_in_it() {
    let good = "kind = \"trade\"\ntime = { column = 1 }\ncolumns = { px = 2, qty = 3 }";
    assert!(Plan::parse(good).is_ok());
    for (text, said) in [
        ("kind = \"trade\"", "time"),
        ("kind = \"trad\"\ntime = { column = 1 }", "trade"),
        ("kind = \"trade\"\ntime = { column = 1 }\ncolumns = { px = 2 }", "lacks `qty`"),
        (
            "kind = \"trade\"\ntime = { column = 1 }\ncolumns = { px = 1, qty = 2, size = 3 }",
            "has `size`",
        ),
        (
            "kind = \"trade\"\ntime = { column = 1 }\ncolumns = { px = 1, qty = 2, side = 3 }",
            "[side]",
        ),
        (
            "kind = \"bar\"\ntime = { column = 1 }\ncolumns = { open = 1, high = 1, low = 1, close = 1 }",
            "[bar]",
        ),
        ("kind = \"trade\"\ntimes = 1", "times"),
    ] {
        let error = Plan::parse(text).unwrap_err();
        assert!(error.contains(said), "{text}: {error}");
    }
}
