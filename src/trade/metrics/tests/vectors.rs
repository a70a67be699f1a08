//! Thirty days of returns with a benchmark and trials; a bootstrap; sixteen days of five trials.

use qt_model::time::{DAY_NANOS, Ts};

use super::{close, figure};
use crate::metrics::bootstrap::{Bootstrap, Plan, SplitMix64};
use crate::metrics::drawdown::Drawdown;
use crate::metrics::inference::{Measured, Trials};
use crate::metrics::overfit::overfit;
use crate::metrics::returns::{Against, Mode, Returns, Terms};
use crate::metrics::tail::{self, Sorted};

pub(super) const RETURNS: [f64; 30] = [
    -0.0040, 0.0125, 0.0031, -0.0078, 0.0000, 0.0214, -0.0156, 0.0047, 0.0098, -0.0023, -0.0311,
    0.0052, 0.0177, 0.0008, -0.0064, 0.0143, 0.0029, -0.0102, 0.0066, 0.0000, 0.0195, -0.0049,
    0.0038, -0.0187, 0.0081, 0.0112, -0.0015, 0.0059, -0.0091, 0.0026,
];

const BENCHMARK: [f64; 30] = [
    -0.0021, 0.0083, 0.0010, -0.0052, 0.0017, 0.0121, -0.0104, 0.0012, 0.0061, -0.0034, -0.0188,
    0.0043, 0.0092, -0.0006, -0.0031, 0.0107, 0.0002, -0.0066, 0.0049, 0.0013, 0.0110, -0.0058,
    0.0019, -0.0125, 0.0072, 0.0056, 0.0004, 0.0027, -0.0079, 0.0015,
];

const TRIALS: [f64; 12] =
    [0.031, 0.112, -0.045, 0.067, 0.154, 0.009, -0.082, 0.098, 0.041, 0.126, -0.017, 0.073];

fn terms(periods_per_year: f64) -> Terms {
    Terms { periods_per_year, risk_free: 0.0, target: 0.0, mode: Mode::Compounded }
}

/// Drawdowns of the wealth that the returns make, and its ulcer index.
fn underwater(series: &[f64]) -> (f64, f64, f64) {
    let day = |at: usize| Ts::from_nanos(i64::try_from(at).unwrap() * DAY_NANOS);
    let mut drawdown = Drawdown::new(day(0), 1.0_f64, None, 5);
    let (mut wealth, mut squares, mut losses) = (1.0, 0.0, 0.0);
    for (at, r) in series.iter().enumerate() {
        wealth *= 1.0 + r;
        drawdown.observe(day(at + 1), wealth);
        let loss = drawdown.loss(wealth);
        squares += loss * loss;
        losses += loss;
    }
    let count = series.len() as f64;
    (drawdown.finish(day(series.len())).max, (squares / count).sqrt(), losses / count)
}

#[test]
fn returns_of_thirty_days() {
    let table = [
        (
            252.0,
            [
                0.359_528_810_849_451_93,
                0.182_044_225_395_918_55,
                1.776_491_395_410_396,
                0.000_117_303_713_834_490_54,
                1.614_110_326_623_391_4,
                0.126_215_149_645_357_54,
                2.562_291_459_533_165,
                2.312_070_347_842_75,
                10.401_034_530_709_923,
                30.890_294_314_992_22,
            ],
        ),
        (
            365.0,
            [
                0.560_276_167_257_246_2,
                0.219_090_259_177_962_24,
                2.138_007_725_328_318,
                8.098_629_905_311_846e-5,
                2.003_086_167_129_889,
                0.151_899_956_111_470_5,
                3.083_718_248_890_889,
                2.875_381_280_202_714_8,
                16.208_580_749_364_746,
                48.138_272_043_792_526,
            ],
        ),
    ];
    for (
        per_year,
        [cagr, vol, sharpe, rf, sharpe_rf, downside, sortino, sortino_rf, calmar, upi],
    ) in table
    {
        let plain = Returns::new(&RETURNS, terms(per_year));
        let rated = Terms { risk_free: 0.03, ..terms(per_year) };
        let excess = Returns::new(&RETURNS, Terms { target: rated.risk_free_period(), ..rated });
        figure("total_return", plain.total_return(), 0.037_240_756_558_937_695);
        figure("cagr_periods", plain.cagr_periods(), cagr);
        figure("mean", plain.mean(), 0.001_283_333_333_333_333_4);
        figure("vol_period", plain.vol_period(), 0.011_467_708_286_023_556);
        figure("vol_ann", plain.vol_ann(), vol);
        figure("sharpe", plain.sharpe(), sharpe);
        close("rf_period", rated.risk_free_period(), rf);
        figure("sharpe at 3 %", excess.sharpe(), sharpe_rf);
        figure("downside_dev_period", plain.downside_dev_period(), 0.007_950_807_086_914_72);
        figure("downside_dev_ann", plain.downside_dev_ann(), downside);
        figure("sortino", plain.sortino(), sortino);
        figure("sortino at 3 %", excess.sortino(), sortino_rf);
        let (deepest, ulcer, mean_loss) = underwater(&RETURNS);
        figure("max_drawdown of returns", plain.max_drawdown(), -0.034_566_639_480_708_68);
        close("max_drawdown", deepest, -0.034_566_639_480_708_68);
        close("ulcer_index", ulcer, 0.011_638_892_371_283_075);
        close("mean loss", mean_loss, -0.007_954_860_030_416_278);
        close("calmar", plain.cagr_periods().unwrap() / -deepest, calmar);
        close("ulcer_performance_index", plain.cagr_periods().unwrap() / ulcer, upi);
        close("recovery_factor", plain.total_return().unwrap() / -deepest, 1.077_361_210_647_087);
    }
}

#[test]
fn tails_and_shape() {
    let returns = Returns::new(&RETURNS, terms(252.0));
    let sorted = Sorted::new(RETURNS);
    figure("var_hist_95", sorted.quantile(0.05), -0.017_305);
    figure("cvar_hist_95", sorted.mean_below(0.05), -0.0249);
    figure("var_gauss_95", tail::var_gauss(&returns, 0.05), -0.017_579_368_233_753_97);
    figure("cvar_gauss_95", tail::cvar_gauss(&returns, 0.05), -0.022_371_255_421_006_49);
    figure("var_cf_95", tail::var_cornish_fisher(&returns, 0.05), -0.019_347_513_978_864_257);
    figure("var_hist_99", sorted.quantile(0.01), -0.027_504);
    figure("cvar_hist_99", sorted.mean_below(0.01), -0.0311);
    figure("var_gauss_99", tail::var_gauss(&returns, 0.01), -0.025_394_545_457_978_104);
    figure("cvar_gauss_99", tail::cvar_gauss(&returns, 0.01), -0.029_280_565_865_354_064);
    figure("var_cf_99", tail::var_cornish_fisher(&returns, 0.01), -0.030_821_278_747_556_195);
    figure("skew", returns.skew(), -0.617_003_969_166_199_4);
    figure("kurtosis", returns.kurtosis(), 3.696_338_480_082_211_7);
    figure("skew_adj", returns.skew_adj(), -0.649_964_374_250_496_9);
    figure("excess_kurtosis_adj", returns.excess_kurtosis_adj(), 1.058_212_028_563_370_7);
    figure("best", returns.best(), 0.0214);
    figure("worst", returns.worst(), -0.0311);
    figure("win_rate", returns.win_rate(), 0.607_142_857_142_857_1);
    figure("omega", returns.omega(), 1.344_982_078_853_046_7);
    figure("gain_to_pain", returns.gain_to_pain(), 0.344_982_078_853_046_6);
    figure("tail_ratio", sorted.tail_ratio(0.05), 1.080_034_672_060_098_2);
    figure("stability", returns.stability(), 0.580_987_778_464_209_5);
    figure("autocorr 1", returns.autocorrelation(1), -0.250_924_689_736_748_75);
    figure("autocorr 2", returns.autocorrelation(2), -0.341_277_849_764_047_7);
    figure("sharpe_lo", returns.sharpe_lo(5), 0.449_399_339_699_175_1);
    let lo = returns.sharpe_lo(5).unwrap() / returns.sharpe_period().unwrap();
    close("lo's factor", lo, 4.015_777_037_611_749);
}

#[test]
fn against_a_benchmark() {
    let found = Against::new(&Returns::new(&RETURNS, terms(252.0)), &BENCHMARK);
    figure("beta", found.beta, 1.557_186_694_526_410_3);
    figure("alpha_period", found.alpha_period, 0.000_509_930_608_385_216);
    figure("alpha_ann", found.alpha_ann, 0.137_087_036_128_722_08);
    figure("tracking_error", found.tracking_error, 0.071_977_260_777_036_5);
    figure("information_ratio", found.information_ratio, 2.754_203_172_778_230_3);
    figure("correlation", found.correlation, 0.983_641_075_560_329_8);
}

#[test]
fn is_it_luck() {
    let measured = Measured::of(&Returns::new(&RETURNS, terms(252.0))).unwrap();
    close("sr_period", measured.sharpe, 0.111_908_439_011_952_84);
    figure("sharpe_se", measured.standard_error(), 0.192_755_862_107_823_5);
    figure("psr 0", measured.psr(0.0), 0.719_235_145_930_173_3);
    figure("psr 0.05", measured.psr(0.05), 0.625_961_259_193_369_4);
    figure("psr 1 a year", measured.psr(1.0 / 252.0_f64.sqrt()), 0.600_160_779_083_557_4);
    figure("min_trl", measured.min_track_record(0.95, 0.0), 233.778_049_674_484_24);
    let trials = Trials::of(&TRIALS.map(Some));
    close("trials", trials.count, 12.0);
    close("variance", trials.variance, 0.005_138_931_818_181_818_5);
    close("sr0", trials.expected_max(), 0.119_344_240_716_643_53);
    figure("dsr", measured.psr(trials.expected_max()), 0.484_614_111_986_252_7);
    let effective = trials.effective(0.3);
    close("n_eff", effective.count, 8.7);
    close("sr0_neff", effective.expected_max(), 0.107_757_406_262_995_53);
    figure("dsr_neff", measured.psr(effective.expected_max()), 0.508_590_630_972_552_4);
    close("one trial", Trials::of(&[Some(0.3)]).expected_max(), 0.0);
}

#[test]
fn a_bootstrap_is_the_same_to_the_bit() {
    let mut draws = SplitMix64::new(42);
    let first = [draws.next_u64(), draws.next_u64(), draws.next_u64()];
    assert_eq!(
        first,
        [13_679_457_532_755_275_413, 2_949_826_092_126_892_291, 5_139_283_748_462_763_858]
    );
    let plan = Plan { replicates: 2000, block: Some(5), seed: 42 };
    let mut indices = Vec::new();
    plan.indices(0, 30, &mut indices);
    assert_eq!(
        indices,
        [
            10, 11, 12, 20, 5, 6, 21, 22, 6, 7, 8, 9, 10, 11, 12, 20, 21, 22, 21, 22, 23, 24, 25,
            26, 27, 28, 29, 0, 1, 2
        ]
    );
    let drawn: Vec<f64> = indices.iter().map(|at| RETURNS[*at]).collect();
    figure("sharpe of 0", Returns::new(&drawn, terms(252.0)).sharpe(), 1.236_044_197_053_943_7);
    plan.indices(1, 30, &mut indices);
    assert_eq!(
        indices,
        [
            29, 0, 1, 2, 3, 4, 5, 6, 7, 23, 24, 25, 26, 27, 28, 29, 0, 1, 22, 23, 24, 25, 26, 27,
            28, 3, 4, 5, 6, 7
        ]
    );
    let drawn: Vec<f64> = indices.iter().map(|at| RETURNS[*at]).collect();
    figure("sharpe of 1", Returns::new(&drawn, terms(252.0)).sharpe(), 1.314_851_507_350_126);
    let found = Bootstrap::run(&plan, &Returns::new(&RETURNS, terms(252.0))).unwrap();
    figure("low", found.sharpe.low(), -1.166_705_842_957_755_5);
    figure("high", found.sharpe.high(), 5.473_805_691_816_135);
    figure("median", found.sharpe.median(), 1.865_941_306_414_074);
    figure("se", found.sharpe.standard_error(), 1.678_090_470_921_424_2);
    figure("mean low", found.mean.low(), -0.000_92);
    figure("mean high", found.mean.high(), 0.003_470_166_666_666_665_7);
    figure("p", found.sharpe.p_value(), 0.118_440_779_610_194_9);
    assert_eq!(found.sharpe.dropped, 0);
    assert_eq!(Plan::new(1).block_for(30), 3);
}

const ROWS: [[i32; 5]; 16] = [
    [-5407, -19828, 16030, 3817, -902],
    [-11023, -1782, -6877, -14130, -2474],
    [-16858, 17895, 16721, 15353, 15560],
    [931, 14685, -6946, 5265, 11293],
    [5983, -16232, -6222, -2549, 17102],
    [17413, -17433, -3718, 16574, -2399],
    [17845, -18330, -4673, -8196, 3299],
    [3271, -17470, 17407, -11081, -11961],
    [4755, 16293, -4719, -17162, -17395],
    [-8218, 759, 13116, 14314, 6753],
    [5823, -6037, -17407, -9398, 3941],
    [-12115, -555, -6572, 3323, 5651],
    [-6792, -5677, 14969, -3437, -462],
    [-6668, 11368, 11115, 19899, 19163],
    [-6434, -19498, 1083, -414, 7217],
    [16610, -11669, -5689, 1638, 9335],
];

#[test]
fn overfitting_of_five_trials() {
    let trial = |m: usize| ROWS.iter().map(|row| f64::from(row[m]) / 1e6).collect();
    let trials: Vec<Vec<f64>> = (0..5).map(trial).collect();
    let found = overfit(&trials, 4).unwrap();
    let expected = [
        1.609_437_912_434_100_3,
        1.609_437_912_434_100_3,
        std::f64::consts::LN_2,
        -1.609_437_912_434_100_3,
        1.609_437_912_434_100_3,
        1.609_437_912_434_100_3,
    ];
    for (found, expected) in found.logits.iter().zip(expected) {
        close("logit", *found, expected);
    }
    close("pbo", found.probability, 1.0 / 6.0);
    assert!(overfit(&trials, 3).is_err() && overfit(&trials, 6).is_err());
    assert!(overfit(&trials[..1], 4).is_err());
}
