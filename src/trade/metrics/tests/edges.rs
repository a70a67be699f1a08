//! Where a figure has no value, and which reason it gives.

use crate::metrics::returns::{Against, Mode, Returns, Terms};
use crate::metrics::tail::Sorted;
use crate::metrics::value::{Absent, Figure};

fn names(series: &[f64]) -> Vec<(&'static str, Figure)> {
    let it = Returns::new(series, Terms::DAILY);
    vec![
        ("total", it.total_return()),
        ("cagr", it.cagr_periods()),
        ("mean", it.mean()),
        ("vol", it.vol_period()),
        ("sharpe", it.sharpe()),
        ("downside", it.downside_dev_period()),
        ("sortino", it.sortino()),
        ("omega", it.omega()),
        ("pain", it.gain_to_pain()),
        ("skew", it.skew()),
        ("skew_adj", it.skew_adj()),
        ("wins", it.win_rate()),
        ("stability", it.stability()),
        ("autocorr", it.autocorrelation(1)),
        ("lo", it.sharpe_lo(5)),
    ]
}

/// Each name that has no value, with its reason, as `name:reason`.
#[track_caller]
fn check(series: &[f64], expected: &str) {
    let absent =
        names(series).into_iter().filter_map(|(name, it)| Some(format!("{name}:{}", it.err()?)));
    assert_eq!(absent.collect::<Vec<_>>().join(" "), expected, "{series:?}");
    let finite = names(series).into_iter().filter_map(|(_, it)| it.ok()).all(f64::is_finite);
    assert!(finite, "{series:?}");
}

#[test]
fn short_flat_and_ruined_series() {
    check(
        &[],
        "total:n<1 cagr:n<1 mean:n<1 vol:n<2 sharpe:n<2 downside:n<1 sortino:n<2 omega:n<1 pain:n<1 \
         skew:n<2 skew_adj:n<4 wins:none_decided stability:n<2 autocorr:n<2 lo:n<2",
    );
    check(
        &[0.01],
        "vol:n<2 sharpe:n<2 sortino:n<2 omega:no_losses pain:no_losses skew:n<2 skew_adj:n<4 \
         stability:n<2 autocorr:n<2 lo:n<2",
    );
    check(
        &[0.0; 6],
        "sharpe:zero_variance sortino:no_losses omega:no_losses pain:no_losses skew:zero_variance \
         skew_adj:zero_variance wins:none_decided stability:zero_variance autocorr:zero_variance \
         lo:zero_variance",
    );
    // Constant and not zero: rounding alone would leave a variance.
    check(
        &[0.1 / 3.0; 7],
        "sharpe:zero_variance sortino:no_losses omega:no_losses pain:no_losses skew:zero_variance \
         skew_adj:zero_variance autocorr:zero_variance lo:zero_variance",
    );
    check(&[0.1, -1.0, 0.2, 0.1, -0.3], "cagr:ruin stability:ruin");
    check(&[-0.1, -0.2, -0.1, -0.3], "");
}

#[test]
fn fixed_capital_adds_up() {
    let terms = Terms { mode: Mode::FixedCapital, ..Terms::DAILY };
    let returns = Returns::new(&[0.5, -0.25, 0.125], terms);
    super::figure("total", returns.total_return(), 0.375);
    assert_eq!(Returns::new(&[-0.9, -0.9], terms).cagr_periods(), Err(Absent::Ruin));
    assert_eq!(returns.cagr_act365(0), Err(Absent::ZeroElapsed));
}

#[test]
fn a_calendar_year_with_a_leap_day() {
    let from: qt_model::time::Ts = "2024-02-28T00:00:00Z".parse().unwrap();
    let to: qt_model::time::Ts = "2025-02-27T00:00:00Z".parse().unwrap();
    let returns = Returns::new(&[0.1, 0.1], Terms::DAILY);
    super::figure("cagr_act365", returns.cagr_act365(to.since(from)), 0.21);
}

#[test]
fn quantiles_and_benchmarks_at_the_edge() {
    assert_eq!(Sorted::new([]).quantile(0.05), Err(Absent::None));
    assert_eq!(Sorted::new([0.3]).quantile(0.05), Ok(0.3));
    assert_eq!(Sorted::new([0.0, 0.0]).tail_ratio(0.05), Err(Absent::ZeroDenominator));
    let flat = Against::new(&Returns::new(&[0.1, 0.2], Terms::DAILY), &[0.0, 0.0]);
    assert_eq!(flat.beta, Err(Absent::ZeroVariance));
    assert_eq!(flat.correlation, Err(Absent::ZeroVariance));
    assert!(flat.tracking_error.is_ok());
}
