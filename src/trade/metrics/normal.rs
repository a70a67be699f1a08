//! The normal distribution, with the same bits on every machine.

use libm::{erfc, exp, log, sqrt};

/// The density.
pub fn density(x: f64) -> f64 {
    exp(-0.5 * x * x) / sqrt(2.0 * std::f64::consts::PI)
}

/// The probability of at most `x`; exact in the lower tail, where it is small.
pub fn cdf(x: f64) -> f64 {
    0.5 * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

// Acklam's rational approximation, within 1.2e-9 of the quantile.
const A: [f64; 6] = [
    -3.969_683_028_665_376e1,
    2.209_460_984_245_205e2,
    -2.759_285_104_469_687e2,
    1.383_577_518_672_69e2,
    -3.066_479_806_614_716e1,
    2.506_628_277_459_239,
];
const B: [f64; 5] = [
    -5.447_609_879_822_406e1,
    1.615_858_368_580_409e2,
    -1.556_989_798_598_866e2,
    6.680_131_188_771_972e1,
    -1.328_068_155_288_572e1,
];
const C: [f64; 6] = [
    -7.784_894_002_430_293e-3,
    -3.223_964_580_411_365e-1,
    -2.400_758_277_161_838,
    -2.549_732_539_343_734,
    4.374_664_141_464_968,
    2.938_163_982_698_783,
];
const D: [f64; 4] = [
    7.784_695_709_041_462e-3,
    3.224_671_290_700_398e-1,
    2.445_134_137_142_996,
    3.754_408_661_907_416,
];

/// The value that a share `p` of draws lies below; `p` between 0 and 1, both excluded.
pub fn quantile(p: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0, "a quantile needs a share between 0 and 1: {p}");
    if p > 0.5 {
        // The lower tail is the exact one.
        return -quantile(1.0 - p);
    }
    let x = approximation(p);
    // One step of Halley's method: three times as many digits.
    let error = (cdf(x) - p) / density(x);
    x - error / (1.0 + 0.5 * x * error)
}

fn approximation(p: f64) -> f64 {
    let polynomial = |table: &[f64], x: f64| table.iter().fold(0.0, |sum, c| sum * x + c);
    if p < 0.02425 {
        let q = sqrt(-2.0 * log(p));
        return polynomial(&C, q) / (polynomial(&D, q) * q + 1.0);
    }
    let q = p - 0.5;
    let r = q * q;
    polynomial(&A, r) * q / (polynomial(&B, r) * r + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_the_last_digits() {
        // Computed with fifty digits.
        for (p, expected) in [
            (0.5, 0.0),
            (0.05, -1.644_853_626_951_472_7),
            (0.01, -2.326_347_874_040_841),
            (0.975, 1.959_963_984_540_054),
            (0.024_25, -1.972_961_051_311_884_6),
            (1e-10, -6.361_340_902_404_056),
            (1e-300, -37.047_096_299_361_2),
        ] {
            let found = quantile(p);
            assert!(
                (found - expected).abs() <= 1e-14 * f64::max(1.0, expected.abs()),
                "{p}: {found}"
            );
        }
    }

    #[test]
    fn a_quantile_is_the_inverse() {
        for at in 1..1000 {
            let p = f64::from(at) / 1000.0;
            assert!((cdf(quantile(p)) - p).abs() < 1e-15, "{p}");
        }
    }
}
