//! The readings from sums over people: what one person adds, and what is read off the sums of a group.
//!
//! Everything that a reading needs is a sum over people, so groups may be added up from smaller groups, and one pass over
//! the people serves all of them. Leaving out a model needs no second pass either: it moves an end of the models'
//! range only if it alone stands there, so that at most two models an axis matter, and the people between the old end and the new
//! one are all that it adds.

use super::places::{MAX_AXES, People};

pub(super) const N_READINGS: usize = 6;
pub(super) const TOLERANCE: f64 = 1e-9;

/// What a model adds: to O1, O2 and O4 with cells split at .5.
pub(super) const N_ADDED: usize = 3;

// Columns of a person's block of sums. After these come the people inside on each axis, those whom only one model holds in the
// corner, those whom only one holds in the box, and the cells.
const ABOVE: usize = 0;
const BOXED: usize = 1;
const ON_AXIS: usize = 2;

const fn first_in_corner(n_axes: usize) -> usize {
    ON_AXIS + n_axes
}

const fn first_in_box(n_axes: usize) -> usize {
    ON_AXIS + 3 * n_axes
}

const fn first_half(n_axes: usize) -> usize {
    ON_AXIS + 5 * n_axes
}

/// One placing of the models, made ready for measuring people by it.
#[derive(Debug, Clone)]
pub(super) struct Yardstick {
    n_axes: usize,
    n_models: usize,
    /// The models' range on each axis, and what it is without the model at its end.
    lows: [f64; MAX_AXES],
    highs: [f64; MAX_AXES],
    next_lows: [f64; MAX_AXES],
    next_highs: [f64; MAX_AXES],
    /// Models that stand at an end, and the ends at which they stand: bit k for the low one of axis k, `MAX_AXES + k` for the
    /// high one.
    at_ends: Vec<(usize, u32)>,
    halves: Cells,
    fine: Cells,
}

impl Yardstick {
    pub(super) fn new(n_axes: usize, n_models: usize, fine_bins: usize) -> Self {
        Self {
            n_axes,
            n_models,
            lows: [0.0; MAX_AXES],
            highs: [0.0; MAX_AXES],
            next_lows: [0.0; MAX_AXES],
            next_highs: [0.0; MAX_AXES],
            at_ends: Vec::with_capacity(2 * n_axes),
            halves: Cells::new(n_axes, n_models, 2),
            fine: Cells::new(n_axes, n_models, fine_bins),
        }
    }

    /// Takes the models' places, `[n_models, n_axes]`.
    pub(super) fn place(&mut self, models: &[f64]) {
        self.at_ends.clear();
        for axis in 0..self.n_axes {
            let (mut low, mut next_low, mut lowest) = (f64::INFINITY, f64::INFINITY, 0);
            let (mut high, mut next_high, mut highest) = (f64::NEG_INFINITY, f64::NEG_INFINITY, 0);
            for (model, place) in models.iter().skip(axis).step_by(self.n_axes).enumerate() {
                if *place < low {
                    (next_low, low, lowest) = (low, *place, model);
                } else {
                    next_low = next_low.min(*place);
                }
                if *place > high {
                    (next_high, high, highest) = (high, *place, model);
                } else {
                    next_high = next_high.max(*place);
                }
            }
            self.lows[axis] = low - TOLERANCE;
            self.next_lows[axis] = next_low - TOLERANCE;
            self.highs[axis] = high + TOLERANCE;
            self.next_highs[axis] = next_high + TOLERANCE;
            self.stands_at(lowest, 1 << axis);
            self.stands_at(highest, 1 << (MAX_AXES + axis));
        }
        self.halves.place(models);
        self.fine.place(models);
    }

    fn stands_at(&mut self, model: usize, end: u32) {
        match self.at_ends.iter_mut().find(|(known, _)| *known == model) {
            Some((_, ends)) => *ends |= end,
            None => self.at_ends.push((model, end)),
        }
    }

    /// The largest number of columns of a block, whatever the placing.
    pub(super) fn max_width(&self) -> usize {
        first_half(self.n_axes) + 2 * (1 + self.n_models)
    }

    /// The number of columns of a block.
    pub(super) fn width(&self) -> usize {
        self.first_fine() + self.fine.n_columns()
    }

    fn first_fine(&self) -> usize {
        first_half(self.n_axes) + self.halves.n_columns()
    }

    /// Adds a person of some weight to a block.
    #[inline(always)]
    pub(super) fn add<const N_AXES: usize>(
        &self,
        block: &mut [f64],
        place: &[f64; N_AXES],
        weight: f64,
    ) {
        let (mut is_above, mut is_boxed, mut ends) = (true, true, 0);
        for (axis, h) in place.iter().enumerate() {
            let (above, below) = (self.lows[axis] <= *h, *h <= self.highs[axis]);
            is_above &= above;
            is_boxed &= above & below;
            block[ON_AXIS + axis] += if above & below { weight } else { 0.0 };
            ends |= u32::from(*h < self.next_lows[axis]) << axis;
            ends |= u32::from(*h > self.next_highs[axis]) << (MAX_AXES + axis);
        }
        block[ABOVE] += if is_above { weight } else { 0.0 };
        block[BOXED] += if is_boxed { weight } else { 0.0 };
        if is_above && ends != 0 {
            let low_ends = ends & ((1 << MAX_AXES) - 1);
            for (slot, (_, at)) in self.at_ends.iter().enumerate() {
                block[first_in_corner(N_AXES) + slot] +=
                    if low_ends & at != 0 { weight } else { 0.0 };
                let only = is_boxed && ends & at != 0;
                block[first_in_box(N_AXES) + slot] += if only { weight } else { 0.0 };
            }
        }
        block[first_half(N_AXES) + self.halves.column(place)] += weight;
        block[first_half(N_AXES) + self.halves.n_columns() + self.fine.column(place)] += weight;
    }

    /// O1, O2, O3, O4, O4 fine, O5 of a group from its block and its weight; NaN for a group without weight.
    pub(super) fn read(&self, total: f64, block: &[f64]) -> [f64; N_READINGS] {
        if total == 0.0 {
            return [f64::NAN; N_READINGS];
        }
        let on_axis = &block[ON_AXIS..][..self.n_axes];
        let weakest = on_axis.iter().copied().fold(f64::INFINITY, f64::min);
        let (halves, fine) = (&block[first_half(self.n_axes)..], &block[self.first_fine()..]);
        [
            block[ABOVE] / total,
            block[BOXED] / total,
            weakest / total,
            self.halves.overlap(halves, total),
            self.fine.overlap(fine, total),
            self.halves.fullest(halves) / total,
        ]
    }

    /// Writes for each model what it adds, `[n_models, N_ADDED]`: the reading with all models less that without it. Without any
    /// model a reading is 0.
    pub(super) fn added(
        &self,
        total: f64,
        block: &[f64],
        mut write: impl FnMut(usize, [f64; N_ADDED]),
    ) {
        let halves = &block[first_half(self.n_axes)..];
        let overlap = self.halves.overlap(halves, total);
        for model in 0..self.n_models {
            let (mut corner, mut boxed) = (0.0, 0.0);
            if let Some(slot) = self.at_ends.iter().position(|(known, _)| *known == model) {
                corner = block[first_in_corner(self.n_axes) + slot] / total;
                boxed = block[first_in_box(self.n_axes) + slot] / total;
            }
            let without = self.halves.overlap_without(model, halves, total);
            write(model, [corner, boxed, overlap - without]);
        }
    }
}

/// The readings of weighted people.
pub(super) fn readings(
    people: &People,
    weights: &[f64],
    yardstick: &Yardstick,
) -> [f64; N_READINGS] {
    macro_rules! with_axes {
        ($($n:literal)*) => {
            match people.positions.n_axes {
                $($n => sums::<$n>(people, weights, yardstick),)*
                _ => unreachable!("points have 1 to 8 axes"),
            }
        };
    }
    let (total, block) = with_axes!(1 2 3 4 5 6 7 8);
    yardstick.read(total, &block)
}

fn sums<const N_AXES: usize>(
    people: &People,
    weights: &[f64],
    yardstick: &Yardstick,
) -> (f64, Vec<f64>) {
    let mut block = vec![0.0; yardstick.width()];
    let mut total = 0.0;
    let (places, _) = people.positions.coordinates.as_chunks::<N_AXES>();
    for (place, weight) in places.iter().zip(weights).filter(|(_, weight)| **weight != 0.0) {
        total += weight;
        yardstick.add(&mut block, place, *weight);
    }
    (total, block)
}

/// A grid over the space, of which only the cells count in which a model stands.
///
/// A cell has a column of sums; column 0 is for people in all other cells.
#[derive(Debug, Clone)]
struct Cells {
    n_axes: usize,
    bins: usize,
    /// Cells with a model by their code, and how many models stand there.
    taken: Vec<(u64, usize)>,
    /// Where each model stands in `taken`.
    of_model: Vec<usize>,
    /// Column of every code, where the grid is small enough for a table.
    columns: Vec<u32>,
    codes: Vec<u64>,
}

/// The largest grid for which a table is kept.
const MAX_TABLE: u64 = 1 << 16;

impl Cells {
    fn new(n_axes: usize, n_models: usize, bins: usize) -> Self {
        let n_cells = (bins as u64).pow(n_axes as u32);
        Self {
            n_axes,
            bins,
            taken: Vec::with_capacity(n_models),
            of_model: vec![0; n_models],
            columns: vec![0; if n_cells <= MAX_TABLE { n_cells as usize } else { 0 }],
            codes: Vec::with_capacity(n_models),
        }
    }

    fn place(&mut self, models: &[f64]) {
        for (code, _) in &self.taken {
            if let Some(column) = self.columns.get_mut(*code as usize) {
                *column = 0;
            }
        }
        self.codes.clear();
        self.codes.extend(models.chunks_exact(self.n_axes).map(|place| code(place, self.bins)));
        self.codes.sort_unstable();
        self.taken.clear();
        self.taken.extend(self.codes.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())));
        for (i, (code, _)) in self.taken.iter().enumerate() {
            if let Some(column) = self.columns.get_mut(*code as usize) {
                *column = i as u32 + 1;
            }
        }
        for (at, place) in self.of_model.iter_mut().zip(models.chunks_exact(self.n_axes)) {
            let code = code(place, self.bins);
            *at = self.taken.partition_point(|(taken, _)| *taken < code);
        }
    }

    fn n_columns(&self) -> usize {
        1 + self.taken.len()
    }

    /// The column of a person's cell.
    #[inline(always)]
    fn column<const N_AXES: usize>(&self, place: &[f64; N_AXES]) -> usize {
        let code = code(place, self.bins);
        if self.columns.is_empty() {
            self.taken.binary_search_by_key(&code, |(taken, _)| *taken).map_or(0, |i| i + 1)
        } else {
            self.columns[code as usize] as usize
        }
    }

    /// Sum over cells of `min(p_human, p_model)`.
    fn overlap(&self, in_cell: &[f64], total: f64) -> f64 {
        let n_models = self.of_model.len() as f64;
        self.taken
            .iter()
            .zip(&in_cell[1..])
            .map(|((_, n), weight)| (weight / total).min(*n as f64 / n_models))
            .sum()
    }

    /// The same with one model fewer; 0 without any.
    fn overlap_without(&self, model: usize, in_cell: &[f64], total: f64) -> f64 {
        let n_models = self.of_model.len();
        if n_models == 1 {
            return 0.0;
        }
        let cells = self.taken.iter().zip(&in_cell[1..]).enumerate();
        cells
            .map(|(i, ((_, n), weight))| {
                let n = n - usize::from(i == self.of_model[model]);
                (weight / total).min(n as f64 / (n_models - 1) as f64)
            })
            .sum()
    }

    /// Weight of the people in the cell with most models; the mean over cells that tie.
    fn fullest(&self, in_cell: &[f64]) -> f64 {
        let most = self.taken.iter().map(|(_, n)| *n).max().unwrap_or(0);
        let (mut sum, mut ties) = (0.0, 0.0);
        for ((_, n), weight) in self.taken.iter().zip(&in_cell[1..]) {
            if *n == most {
                sum += weight;
                ties += 1.0;
            }
        }
        sum / ties
    }
}

/// The number of a position's cell; at most 100^8, which fits.
pub(super) fn code(position: &[f64], bins: usize) -> u64 {
    position.iter().fold(0, |code, x| {
        let scaled = x * bins as f64 - TOLERANCE;
        // Rounds down but for whole numbers, which lie on a cut and fall low.
        let floor = scaled as u32;
        let bin = floor.saturating_sub(u32::from(scaled <= f64::from(floor)));
        code * bins as u64 + u64::from(bin)
    })
}
