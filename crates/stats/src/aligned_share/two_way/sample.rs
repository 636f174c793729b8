//! The figures of one draw of people, prompts and validated texts, and of all draws: the work behind a survey's share.

use rand::Rng;
use rayon::prelude::*;

use super::{Added, GroupShare, ModelShare, PlacedShare};
use crate::aligned_share::judge_error::{Correction, JudgeError};
use crate::aligned_share::places::{MAX_AXES, whole};
use crate::aligned_share::readings::{N_ADDED, N_READINGS, Yardstick};
use crate::aligned_share::scores::PromptScores;
use crate::aligned_share::survey::{Panel, Survey, SurveyError};
use crate::aligned_share::{AlignedShare, AlignedShareError};
use crate::bootstrap::{Bootstrap, BootstrapError, Strata, Target, summarise};
use crate::interval::{Estimate, Range};
use crate::weights::kish_design_effect;

/// The data, and what stays the same over resamples.
pub(super) struct Sample<'a> {
    panel: Panel,
    models: &'a PromptScores,
    pub(super) judge: Option<JudgeError>,
    n_axes: usize,
    prompts: Strata,
    /// People of each group and their design effect; everyone is group 0.
    groups: Vec<(usize, f64)>,
    fine_bins: usize,
}

/// How often a resample holds each unit.
pub(super) struct Draw {
    /// People, in the order of the panel.
    pub(super) people: Vec<u32>,
    /// Prompts.
    pub(super) prompts: Vec<f64>,
    /// Validated texts.
    pub(super) judge: Option<JudgeError>,
}

/// Room for the work on one resample.
pub(super) struct Scratch {
    /// Each distinct answer as often as its prompt was drawn: score and count.
    answers: Vec<[f64; 2]>,
    places: Vec<Vec<f64>>,
    /// As judged and, where there is a validation, corrected.
    yardsticks: Vec<Yardstick>,
    /// Sums over a profile.
    row: Vec<f64>,
    /// Sums over each group.
    sums: Vec<f64>,
}

impl<'a> Sample<'a> {
    pub(super) fn new(
        survey: &Survey,
        models: &'a PromptScores,
        judge: Option<JudgeError>,
        fine_bins: usize,
    ) -> Result<Self, SurveyError> {
        let panel = Panel::new(survey)?;
        let n_axes = survey.n_axes();
        let prompts = Strata::new(survey.axis_of_prompt().iter().copied());
        let mut weights = vec![Vec::new(); 1 + survey.n_groups()];
        for (people, groups) in &panel.profiles {
            for group in groups {
                weights[*group].extend_from_slice(&panel.weights[people.clone()]);
            }
        }
        let groups = weights.iter().map(|weights| (weights.len(), kish_design_effect(weights)));
        let groups = groups.collect();
        Ok(Self { panel, models, judge, n_axes, prompts, groups, fine_bins })
    }

    /// All people, prompts and validated texts once.
    pub(super) fn whole(&self) -> Draw {
        Draw {
            people: vec![1; self.panel.weights.len()],
            prompts: vec![1.0; self.models.axis_of_prompt().len()],
            judge: self.judge.clone(),
        }
    }

    pub(super) fn scratch(&self) -> Scratch {
        let n_ways = self.n_ways();
        let yardstick = Yardstick::new(self.n_axes, self.models.n_models(), self.fine_bins);
        let width = 1 + self.n_axes + n_ways * yardstick.max_width();
        Scratch {
            answers: vec![[0.0; 2]; self.panel.distinct.len()],
            places: vec![Vec::new(); n_ways],
            yardsticks: vec![yardstick; n_ways],
            row: vec![0.0; width],
            sums: vec![0.0; width * self.groups.len()],
        }
    }

    /// Ways of placing the models.
    fn n_ways(&self) -> usize {
        1 + usize::from(self.judge.is_some())
    }

    fn n_figures_of_group(&self) -> usize {
        N_READINGS + self.n_axes + self.models.n_models() * (1 + self.n_axes + N_ADDED)
    }

    /// Figures of one way of placing the models: places `[n_models, n_axes]`, then by group the readings, the mean place and by model
    /// distance, differences and what it adds.
    pub(super) fn n_figures_of_way(&self) -> usize {
        self.models.n_models() * self.n_axes + self.groups.len() * self.n_figures_of_group()
    }

    fn draw(&self, settings: &Bootstrap, resample: usize, draw: &mut Draw) {
        let mut rng = settings.rng_of(resample);
        draw.people.fill(0);
        for stratum in &self.panel.strata {
            let people = &mut draw.people[stratum.clone()];
            let size = u32::try_from(people.len()).expect("people are counted by 32 bits");
            for _ in 0..size {
                people[rng.random_range(0..size) as usize] += 1;
            }
        }
        self.prompts.draw(&mut rng, &mut draw.prompts);
        if let (Some(judge), Some(drawn)) = (&self.judge, &mut draw.judge) {
            judge.draw(&mut rng, drawn);
        }
    }

    /// Every figure with its interval, `None` where the data do not have it.
    pub(super) fn estimates(&self, settings: &Bootstrap) -> Vec<Option<Estimate>> {
        let n_figures = self.n_ways() * self.n_figures_of_way();
        let mut values = vec![0.0; n_figures];
        self.evaluate(&self.whole(), &mut self.scratch(), &mut values);
        let mut resamples = vec![0.0; n_figures * settings.resamples];
        resamples.par_chunks_mut(n_figures).enumerate().for_each_init(
            || (self.whole(), self.scratch()),
            |(draw, scratch), (resample, figures)| {
                self.draw(settings, resample, draw);
                self.evaluate(draw, scratch, figures);
            },
        );
        let targets = self.targets();
        // Some columns at a time: a single one would touch each row for 8 bytes of it.
        const COLUMNS: usize = 32;
        let blocks = values.par_chunks(COLUMNS).zip(targets.par_chunks(COLUMNS)).enumerate();
        let estimates = blocks.flat_map_iter(|(block, (values, targets))| {
            let mut columns = vec![Vec::with_capacity(settings.resamples); values.len()];
            for row in resamples.chunks_exact(n_figures) {
                for (column, figure) in columns.iter_mut().zip(&row[block * COLUMNS..]) {
                    column.push(*figure);
                }
            }
            let figures = values.iter().zip(targets).zip(columns);
            figures.map(|((value, target), column)| {
                summarise(*value, &column, None, *target, settings)
            })
        });
        estimates.collect()
    }

    /// What the intervals must know, in the order of the figures.
    fn targets(&self) -> Vec<Target> {
        let n_models = self.models.n_models();
        let mut targets = Vec::new();
        for _ in 0..self.n_ways() {
            for model in 0..n_models {
                targets.extend((0..self.n_axes).map(|axis| {
                    let n = self.models.n_scored(model, axis);
                    Target { range: Range::SHARE, n, n_clusters: n }
                }));
            }
            for (n, design_effect) in &self.groups {
                let target = |range| {
                    let n_clusters = whole(*n as f64 / design_effect);
                    Target { range, n: *n, n_clusters }
                };
                let furthest = Range { low: 0.0, high: (self.n_axes as f64).sqrt() };
                targets.extend([target(Range::SHARE); N_READINGS]);
                targets.extend((0..self.n_axes).map(|_| target(Range::SHARE)));
                for _ in 0..n_models {
                    targets.push(target(furthest));
                    targets.extend((0..self.n_axes).map(|_| target(Range::DIFFERENCE)));
                    targets.extend([Range::SHARE, Range::SHARE, Range::DIFFERENCE].map(target));
                }
            }
        }
        targets
    }

    /// Takes the figures of one way of placing the models.
    pub(super) fn assemble(
        &self,
        estimates: &mut impl Iterator<Item = Option<Estimate>>,
    ) -> Result<PlacedShare, SurveyError> {
        let mut i = 0;
        let mut next = || {
            i += 1;
            let found = estimates.next().flatten();
            found.ok_or(AlignedShareError::Bootstrap(BootstrapError::Undefined(i - 1)))
        };
        let mut row = |n: usize| (0..n).map(|_| next()).collect::<Vec<_>>();
        let known = |row: Vec<Result<Estimate, AlignedShareError>>| {
            row.into_iter().collect::<Result<Vec<_>, _>>()
        };
        let places = (0..self.models.n_models()).map(|_| known(row(self.n_axes)));
        let places = places.collect::<Result<_, _>>()?;
        let mut groups = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let figures = known(row(self.n_figures_of_group()));
            groups.push(figures.map(|figures| self.group(*group, &figures)));
        }
        let mut groups = groups.into_iter();
        let everyone = groups.next().expect("everyone is group 0")?;
        Ok(PlacedShare { places, everyone, groups: groups.map(Result::ok).collect() })
    }

    fn group(&self, (n_people, design_effect): (usize, f64), figures: &[Estimate]) -> GroupShare {
        let (readings, rest) = figures.split_at(N_READINGS);
        let (place, rest) = rest.split_at(self.n_axes);
        let models = rest.chunks_exact(1 + self.n_axes + N_ADDED).map(|model| {
            let (difference, added) = model[1..].split_at(self.n_axes);
            ModelShare {
                distance: model[0],
                difference: difference.to_vec(),
                added: Added { lower_corner: added[0], inside_box: added[1], overlap: added[2] },
            }
        });
        GroupShare {
            share: AlignedShare {
                lower_corner: readings[0],
                inside_box: readings[1],
                weakest_axis: readings[2],
                overlap: readings[3],
                overlap_fine: readings[4],
                quadrant: readings[5],
                fine_bins: self.fine_bins,
                n_people,
                n_models: self.models.n_models(),
                design_effect,
            },
            effective_n: n_people as f64 / design_effect,
            place: place.to_vec(),
            models: models.collect(),
        }
    }

    /// Writes the figures of a draw; NaN where it does not have them.
    pub(super) fn evaluate(&self, draw: &Draw, scratch: &mut Scratch, figures: &mut [f64]) {
        let Scratch { places, yardsticks, .. } = scratch;
        if self.models.place(&draw.prompts, &mut places[0]).is_err() {
            figures.fill(f64::NAN);
            return;
        }
        let mut is_corrected = false;
        if let Some(judge) = &draw.judge {
            let mut corrections = [Some(Correction::default()); MAX_AXES];
            corrections.iter_mut().zip(judge.corrections()).for_each(|(to, from)| *to = from);
            is_corrected = corrections.iter().all(Option::is_some);
            self.models.place_corrected(&draw.prompts, &mut places[1], |axis, shares| {
                corrections[axis].unwrap_or_default().apply(shares)
            });
        }
        for (yardstick, places) in yardsticks.iter_mut().zip(&*places) {
            yardstick.place(places);
        }
        for (to, (prompt, score)) in scratch.answers.iter_mut().zip(&self.panel.distinct) {
            let count = draw.prompts[*prompt];
            *to = [count * score, count];
        }
        macro_rules! with_axes {
            ($($n:literal)*) => {
                match self.n_axes {
                    $($n => self.sum_people::<$n>(draw, scratch),)*
                    _ => unreachable!("surveys have 1 to 8 axes"),
                }
            };
        }
        let width = with_axes!(1 2 3 4 5 6 7 8);
        self.read(scratch, width, figures);
        if self.judge.is_some() && !is_corrected {
            figures[self.n_figures_of_way()..].fill(f64::NAN);
        }
    }

    /// Sums over the people of each group, and how many sums a group has: weight, weighted places, the blocks of the yardsticks.
    fn sum_people<const N_AXES: usize>(&self, draw: &Draw, scratch: &mut Scratch) -> usize {
        let Scratch { answers, yardsticks, row, sums, .. } = scratch;
        let width = 1 + N_AXES + yardsticks.iter().map(Yardstick::width).sum::<usize>();
        let row = &mut row[..width];
        let sums = &mut sums[..width * self.groups.len()];
        sums.fill(0.0);
        for (people, groups) in &self.panel.profiles {
            row.fill(0.0);
            for person in people.clone() {
                if draw.people[person] == 0 {
                    continue;
                }
                let starts = &self.panel.starts[person * N_AXES..=(person + 1) * N_AXES];
                let mut place = [0.0; N_AXES];
                let mut is_placed = true;
                for (axis, h) in place.iter_mut().enumerate() {
                    let mut sum = [0.0; 2];
                    for answer in &self.panel.answers[starts[axis]..starts[axis + 1]] {
                        let [score, count] = answers[*answer as usize];
                        sum[0] += score;
                        sum[1] += count;
                    }
                    is_placed &= sum[1] > 0.0;
                    *h = (sum[0] / sum[1]).min(1.0);
                }
                if !is_placed {
                    continue;
                }
                let weight = f64::from(draw.people[person]) * self.panel.weights[person];
                row[0] += weight;
                for (axis, h) in place.iter().enumerate() {
                    row[1 + axis] += weight * h;
                }
                let mut rest = &mut row[1 + N_AXES..];
                for yardstick in yardsticks.iter() {
                    yardstick.add(rest, &place, weight);
                    rest = &mut rest[yardstick.width()..];
                }
            }
            for group in groups {
                for (sum, part) in sums[group * width..][..width].iter_mut().zip(&*row) {
                    *sum += part;
                }
            }
        }
        width
    }

    fn read(&self, scratch: &Scratch, width: usize, figures: &mut [f64]) {
        let n_axes = self.n_axes;
        let ways = figures.chunks_exact_mut(self.n_figures_of_way());
        let mut at = 1 + n_axes;
        for ((figures, yardstick), places) in ways.zip(&scratch.yardsticks).zip(&scratch.places) {
            let (own, figures) = figures.split_at_mut(places.len());
            own.copy_from_slice(places);
            let groups = figures.chunks_exact_mut(self.n_figures_of_group());
            for (figures, sums) in groups.zip(scratch.sums.chunks_exact(width)) {
                let total = sums[0];
                if total == 0.0 {
                    figures.fill(f64::NAN);
                    continue;
                }
                let block = &sums[at..][..yardstick.width()];
                let (readings, figures) = figures.split_at_mut(N_READINGS);
                readings.copy_from_slice(&yardstick.read(total, block));
                let (means, figures) = figures.split_at_mut(n_axes);
                for (mean, sum) in means.iter_mut().zip(&sums[1..]) {
                    *mean = sum / total;
                }
                let figures_of_model = 1 + n_axes + N_ADDED;
                let models = figures.chunks_exact_mut(figures_of_model);
                for (figures, place) in models.zip(places.chunks_exact(n_axes)) {
                    let mut squares = 0.0;
                    for (axis, (m, h)) in place.iter().zip(&*means).enumerate() {
                        figures[1 + axis] = m - h;
                        squares += (m - h) * (m - h);
                    }
                    figures[0] = f64::sqrt(squares);
                }
                yardstick.added(total, block, |model, added| {
                    figures[model * figures_of_model + 1 + n_axes..][..N_ADDED]
                        .copy_from_slice(&added);
                });
            }
            at += yardstick.width();
        }
    }
}
