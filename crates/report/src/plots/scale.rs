//! From figures to places on a plot, and the round numbers between.

use super::label::room;

/// A linear scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    domain: (f64, f64),
    range: (f64, f64),
}

impl Scale {
    pub(super) fn new(domain: (f64, f64), range: (f64, f64)) -> Self {
        Self { domain, range }
    }

    /// Where `x` stands. What lies outside the domain is put on its edge.
    pub(super) fn at(&self, x: f64) -> f64 {
        let (from, to) = self.domain;
        let part = ((x.clamp(from, to) - from) / (to - from)).clamp(0.0, 1.0);
        self.range.0 + part * (self.range.1 - self.range.0)
    }

    /// Round numbers in the domain, as many as have room side by side when they are written: about four, or two.
    pub(super) fn ticks_with_room(&self, write: impl Fn(f64) -> String) -> Vec<f64> {
        let many = self.ticks(4);
        let needed: f64 = many.iter().map(|tick| room(&write(*tick)) + 4.0).sum();
        if needed > self.length() + 24.0 { self.ticks(2) } else { many }
    }

    /// How long it is on the plot.
    pub(super) fn length(&self) -> f64 {
        (self.range.1 - self.range.0).abs()
    }

    /// Round numbers in the domain, about `wanted` of them.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<f64> {
        let (from, to) = self.domain;
        let step = step((to - from) / wanted as f64);
        let first = (from / step - 1e-9).ceil() as i64;
        let last = (to / step + 1e-9).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }
}

/// The smallest domain with round ends that holds `values` and `always`.
pub(super) fn domain(values: impl Iterator<Item = f64>, always: (f64, f64)) -> (f64, f64) {
    let (low, high) =
        values.filter(|x| x.is_finite()).fold(always, |(low, high), x| (low.min(x), high.max(x)));
    if high <= low {
        return (low, low + 1.0);
    }
    let step = step((high - low) / 8.0);
    ((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step)
}

/// The next of 1, 2, 2.5 and 5 times a power of ten.
fn step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|f| f * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        fn check(domain: (f64, f64), wanted: usize, expected: &[f64]) {
            let ticks = Scale::new(domain, (0.0, 1.0)).ticks(wanted);
            assert_eq!(ticks.len(), expected.len(), "{ticks:?}");
            assert!(ticks.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{ticks:?}");
        }
        check((0.0, 1.0), 4, &[0.0, 0.25, 0.5, 0.75, 1.0]);
        check((-0.2, 0.6), 4, &[-0.2, 0.0, 0.2, 0.4, 0.6]);
        check((0.0, 900.0), 4, &[0.0, 250.0, 500.0, 750.0]);
    }

    #[test]
    fn a_domain_is_round_and_holds_everything() {
        fn check(values: &[f64], always: (f64, f64), expected: (f64, f64)) {
            let (low, high) = domain(values.iter().copied(), always);
            assert!(
                (low - expected.0).abs() < 1e-9 && (high - expected.1).abs() < 1e-9,
                "{low} {high}"
            );
        }
        check(&[-0.13, 0.57, f64::NAN], (0.0, 0.0), (-0.2, 0.6));
        check(&[-0.04, 0.46], (0.0, 0.1), (-0.1, 0.5));
        check(&[], (0.0, 0.0), (0.0, 1.0));
        check(&[3.9], (1.0, 4.0), (1.0, 4.0));
    }

    #[test]
    fn what_lies_outside_stands_on_the_edge() {
        let scale = Scale::new((0.0, 1.0), (10.0, 20.0));
        assert_eq!((scale.at(-3.0), scale.at(0.5), scale.at(9.0)), (10.0, 15.0, 20.0));
    }
}
