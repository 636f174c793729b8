//! Numbers as text, in one way everywhere: as many decimals as the interval warrants, a real minus
//! sign, and never "NaN".

use polyculture_core::Estimate;

/// Between a number and its unit: narrow, and no line breaks at it.
const THIN: char = '\u{202f}';

/// What a figure counts, and so how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A share, shown in per cent.
    Share,
    /// A difference of shares, shown in percentage points with its sign.
    Points,
    /// A place on an axis, a distance of places, or another number whose second digit in doubt says nothing.
    Place,
    /// A number as it is.
    Plain,
}

/// A figure as it is read: `66 %` and `55–76`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) value: String,
    pub(crate) interval: String,
}

impl Written {
    /// `66 % [55–76]`.
    pub(crate) fn with_interval(&self) -> String {
        format!("{} [{}]", self.value, self.interval)
    }
}

impl Unit {
    /// The figure and its interval, to the last decimal that the interval's width leaves in doubt.
    pub(crate) fn write(self, estimate: &Estimate) -> Written {
        let Estimate { value, low, high, .. } = *estimate;
        if !value.is_finite() {
            return Written { value: "not estimable".into(), interval: "no interval".into() };
        }
        let scale = self.scale();
        let decimals = self.decimals((high - low) / 2.0 * scale);
        let number = |x: f64, signed| number(x * scale, decimals, signed);
        let value = number(value, self == Unit::Points);
        let interval = match (low.is_finite() && high.is_finite(), self) {
            (false, _) => "no interval".into(),
            (true, Unit::Share | Unit::Place | Unit::Plain) if low >= 0.0 => {
                format!("{}–{}", number(low, false), number(high, false))
            }
            (true, unit) => {
                let signed = unit == Unit::Points;
                format!("{} to {}", number(low, signed), number(high, signed))
            }
        };
        Written { value: format!("{value}{}", self.suffix()), interval }
    }

    /// A round number on a scale.
    pub(crate) fn tick(self, x: f64) -> String {
        let x = x * self.scale();
        let rest = |x: f64| (x - x.round()).abs() > 1e-6;
        let decimals = usize::from(rest(x)) + usize::from(rest(x * 10.0));
        format!(
            "{}{}",
            number(x, decimals, self == Unit::Points),
            if self == Unit::Share { self.suffix() } else { String::new() }
        )
    }

    fn scale(self) -> f64 {
        match self {
            Unit::Share | Unit::Points => 100.0,
            Unit::Place | Unit::Plain => 1.0,
        }
    }

    fn suffix(self) -> String {
        match self {
            Unit::Share => format!("{THIN}%"),
            Unit::Points => format!("{THIN}pp"),
            Unit::Place | Unit::Plain => String::new(),
        }
    }

    /// As many decimals as leave the interval's half width one digit, or two for plain numbers.
    fn decimals(self, half_width: f64) -> usize {
        let (extra, most, default) = match self {
            Unit::Share | Unit::Points => (0.0, 2.0, 0),
            Unit::Place => (0.0, 3.0, 2),
            Unit::Plain => (1.0, 4.0, 2),
        };
        if !half_width.is_finite() || half_width <= 0.0 {
            return default;
        }
        (extra - half_width.log10().floor()).clamp(0.0, most) as usize
    }
}

/// What a figure rests on: `n = 240 in 60 clusters`.
pub(crate) fn n_of(estimate: &Estimate) -> String {
    let n = count(estimate.n);
    if estimate.n == estimate.n_clusters {
        return format!("n = {n}");
    }
    format!("n = {n} in {}", count(estimate.n_clusters))
}

/// What several figures rest on: `n = 60 to 240`.
pub(crate) fn n_range<'a>(estimates: impl IntoIterator<Item = &'a Estimate>) -> String {
    let ns: Vec<usize> = estimates.into_iter().map(|e| e.n).collect();
    match (ns.iter().min(), ns.iter().max()) {
        (Some(low), Some(high)) if low == high => format!("n = {}", count(*low)),
        (Some(low), Some(high)) => format!("n = {} to {}", count(*low), count(*high)),
        _ => "n = 0".into(),
    }
}

/// A count with its thousands apart: `15,000`.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number that has no interval, to so many decimals.
pub(crate) fn plain(x: f64, decimals: usize) -> String {
    if x.is_finite() { number(x, decimals, false) } else { "not estimable".into() }
}

/// A difference that has no interval, with its sign.
pub(crate) fn signed(x: f64, decimals: usize) -> String {
    if x.is_finite() { number(x, decimals, true) } else { "not estimable".into() }
}

/// A share that has no interval, to so many decimals.
pub(crate) fn per_cent(x: f64, decimals: usize) -> String {
    let written = plain(x * 100.0, decimals);
    if x.is_finite() { format!("{written}{THIN}%") } else { written }
}

/// A probability as how often: `about 3 surveys in 100`.
pub(crate) fn surveys_in(p: f64) -> String {
    let many = |n: f64, of: &str| match n.round() as usize {
        1 => format!("about 1 survey in {of}"),
        n => format!("about {n} surveys in {of}"),
    };
    match p {
        p if p < 0.001 => "fewer than 1 survey in 1,000".into(),
        p if p < 0.0095 => many(p * 1000.0, "1,000"),
        p => many(p * 100.0, "100"),
    }
}

/// A small number in words.
pub(crate) fn in_words(n: usize) -> String {
    const WORDS: [&str; 11] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    WORDS.get(n).map_or_else(|| count(n), |word| (*word).to_owned())
}

/// How long something took.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 120.0 {
        return format!("{seconds:.1}{THIN}s");
    }
    let minutes = (seconds / 60.0).round() as u64;
    match minutes / 60 {
        0 => format!("{minutes}{THIN}min"),
        hours => format!("{hours}{THIN}h {:02}{THIN}min", minutes % 60),
    }
}

/// A text cut to at most `most` characters.
pub(crate) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

fn number(x: f64, decimals: usize, signed: bool) -> String {
    let text = format!("{:.decimals$}", x.abs());
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    match (is_zero, x < 0.0, signed) {
        (false, true, _) => format!("\u{2212}{text}"),
        (false, false, true) => format!("+{text}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate { value, low, high, level: 0.95, n: 2400, n_clusters: 60 }
    }

    #[test]
    fn decimals_follow_the_interval() {
        fn check(unit: Unit, (value, low, high): (f64, f64, f64), expected: &str) {
            let text = unit.write(&estimate(value, low, high)).with_interval();
            assert_eq!(text.replace('\u{202f}', " "), expected);
        }
        check(Unit::Share, (0.1432, 0.091, 0.2), "14 % [9–20]");
        check(Unit::Share, (0.1432, 0.1401, 0.1468), "14.3 % [14.0–14.7]");
        check(Unit::Share, (1.0, 1.0, 1.0), "100 % [100–100]");
        check(Unit::Points, (0.52, 0.38, 0.63), "+52 pp [+38 to +63]");
        check(Unit::Points, (-0.004, -0.05, 0.04), "0 pp [−5 to +4]");
        check(Unit::Plain, (2.806, 2.7, 2.93), "2.81 [2.70–2.93]");
        check(Unit::Plain, (-0.0213, -0.035, -0.008), "−0.021 [−0.035 to −0.008]");
        check(Unit::Place, (0.5512, 0.5423, 0.5577), "0.551 [0.542–0.558]");
        check(Unit::Place, (-0.12, -0.16, -0.08), "−0.12 [−0.16 to −0.08]");
        check(Unit::Plain, (812.4, 760.0, 871.0), "812 [760–871]");
        check(Unit::Plain, (3.0, 3.0, 3.0), "3.00 [3.00–3.00]");
        check(Unit::Share, (f64::NAN, 0.0, 1.0), "not estimable [no interval]");
        check(Unit::Share, (0.5, f64::NEG_INFINITY, 1.0), "50 % [no interval]");
    }

    #[test]
    fn counts_times_and_cuts() {
        fn check(found: &str, expected: &str) {
            assert_eq!(found.replace('\u{202f}', " "), expected);
        }
        check(&count(999), "999");
        check(&count(15_000), "15,000");
        check(&count(1_234_567), "1,234,567");
        check(&n_of(&estimate(0.0, 0.0, 0.0)), "n = 2,400 in 60");
        check(&duration(41.26), "41.3 s");
        check(&duration(7_500.0), "2 h 05 min");
        check(&in_words(4), "four");
        check(&plain(f64::NAN, 2), "not estimable");
        check(&plain(1.237, 2), "1.24");
        check(&signed(-0.004, 2), "0.00");
        check(&signed(0.31, 2), "+0.31");
        check(&per_cent(0.1234, 1), "12.3 %");
        check(&per_cent(f64::NAN, 1), "not estimable");
        check(&surveys_in(0.0004), "fewer than 1 survey in 1,000");
        check(&surveys_in(0.0012), "about 1 survey in 1,000");
        check(&surveys_in(0.0099), "about 1 survey in 100");
        check(&surveys_in(0.314), "about 31 surveys in 100");
        check(&in_words(40), "40");
        check(&short("a long name", 8), "a long…");
        check(&Unit::Share.tick(0.25), "25 %");
        check(&Unit::Plain.tick(2.5), "2.5");
        check(&Unit::Place.tick(-0.75), "−0.75");
        check(&Unit::Place.tick(3.0 * 0.1), "0.3");
        check(&Unit::Points.tick(-0.2), "−20");
    }
}
