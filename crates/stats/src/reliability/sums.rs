//! Sums of products over people, from which the people of a group can be taken again.

/// Sums over people of the means `x` and `y` of their halves, for each group and each split, `[n_groups, n_splits]`.
pub(super) struct HalfSums {
    /// Of w, wx, wy, wxx, wyy, wxy.
    rows: Vec<[f64; 6]>,
    /// The same over all groups, `[n_splits]`.
    totals: Vec<[f64; 6]>,
}

impl HalfSums {
    pub(super) fn new(n_groups: usize, n_splits: usize) -> Self {
        Self { rows: vec![[0.0; 6]; n_groups * n_splits], totals: vec![[0.0; 6]; n_splits] }
    }

    pub(super) fn add(&mut self, group: usize, split: usize, w: f64, x: f64, y: f64) {
        let (wx, wy) = (w * x, w * y);
        let amounts = [w, wx, wy, wx * x, wy * y, wx * y];
        let row = group * self.totals.len() + split;
        for sums in [&mut self.rows[row], &mut self.totals[split]] {
            sums.iter_mut().zip(&amounts).for_each(|(sum, amount)| *sum += amount);
        }
    }

    /// The mean correlation over splits, without a group; `None` where one of the splits has no variance above `floor`.
    pub(super) fn correlation(&self, without: Option<usize>, floor: f64) -> Option<f64> {
        let mut sum = 0.0;
        for (split, total) in self.totals.iter().enumerate() {
            let mut rest = *total;
            if let Some(group) = without {
                let row = &self.rows[group * self.totals.len() + split];
                rest.iter_mut().zip(row).for_each(|(rest, sum)| *rest -= sum);
            }
            sum += pearson(rest, floor)?;
        }
        Some(sum / self.totals.len() as f64)
    }

    /// The mean correlation without each group in turn.
    pub(super) fn without_each(&self, floor: f64) -> impl Iterator<Item = Option<f64>> {
        let n_groups = self.rows.len() / self.totals.len();
        (0..n_groups).map(move |group| self.correlation(Some(group), floor))
    }
}

/// The correlation that sums of w, wx, wy, wxx, wyy, wxy hold; `None` where a variance is not above `floor`.
fn pearson([w, wx, wy, wxx, wyy, wxy]: [f64; 6], floor: f64) -> Option<f64> {
    let (x, y) = (wx / w, wy / w);
    let (xx, yy) = (wxx / w - x * x, wyy / w - y * y);
    // Not `<=`: nothing left is NaN.
    (xx > floor && yy > floor).then(|| ((wxy / w - x * y) / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}

/// Sums over the people who answered two items, for each pair of items (an item with itself among them).
pub(super) struct PairSums {
    n_items: usize,
    /// Of 1, w, ww, wx, wy, wxy; the pair i <= j is at `j (j + 1) / 2 + i`.
    rows: Vec<[f64; 6]>,
}

impl PairSums {
    pub(super) fn new(n_items: usize) -> Self {
        Self { n_items, rows: vec![[0.0; 6]; n_items * (n_items + 1) / 2] }
    }

    /// Adds a person, the answers in the order of the items.
    pub(super) fn add(&mut self, answers: &[(usize, f64)], w: f64) {
        for (at, (j, y)) in answers.iter().enumerate() {
            for (i, x) in &answers[..=at] {
                let row = &mut self.rows[j * (j + 1) / 2 + i];
                for (sum, amount) in row.iter_mut().zip([1.0, w, w * w, w * x, w * y, w * x * y]) {
                    *sum += amount;
                }
            }
        }
    }

    /// Pairs of two items that at least two people answered.
    pub(super) fn n_pairs(&self) -> usize {
        let pairs = (0..self.n_items).flat_map(|j| (0..j).map(move |i| (i, j)));
        pairs.filter(|(i, j)| self.covariance(*i, *j, None).is_some()).count()
    }

    /// The mean covariance of two items over the mean variance of one, without a group; `None` without a pair, or without a variance
    /// above `floor`.
    pub(super) fn correlation(&self, without: Option<&Self>, floor: f64) -> Option<f64> {
        let mut in_a_pair = vec![false; self.n_items];
        let mut covariances = Mean::default();
        for j in 0..self.n_items {
            for i in 0..j {
                let Some(covariance) = self.covariance(i, j, without) else { continue };
                covariances.add(covariance);
                in_a_pair[i] = true;
                in_a_pair[j] = true;
            }
        }
        let mut variances = Mean::default();
        for item in (0..self.n_items).filter(|item| in_a_pair[*item]) {
            variances.add(self.covariance(item, item, without)?);
        }
        let variance = variances.get();
        // NaN is not above it either.
        (variance > floor).then(|| covariances.get() / variance)
    }

    /// `None` for fewer than two people.
    fn covariance(&self, i: usize, j: usize, without: Option<&Self>) -> Option<f64> {
        let at = j * (j + 1) / 2 + i;
        let mut rest = self.rows[at];
        if let Some(group) = without {
            rest.iter_mut().zip(&group.rows[at]).for_each(|(rest, sum)| *rest -= sum);
        }
        let [n, w, ww, wx, wy, wxy] = rest;
        let freedom = w - ww / w;
        (n >= 2.0 && freedom > 0.0).then(|| (wxy - wx * wy / w) / freedom)
    }
}

#[derive(Default)]
struct Mean {
    sum: f64,
    n: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.n += 1.0;
    }

    /// NaN of nothing.
    fn get(&self) -> f64 {
        self.sum / self.n
    }
}
