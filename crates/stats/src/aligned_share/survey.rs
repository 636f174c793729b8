//! People placed by what they answered: respondents of a survey whose prompts the models were asked too.

use std::collections::HashMap;
use std::ops::Range;

use super::AlignedShareError;
use super::places::{People, Points, clip};
use super::scores::check_prompts;

/// Respondents and their answers to prompts of one axis each.
///
/// A person's place on an axis is the mean score of their answers to that axis' prompts. Who has no answer on some axis has no place:
/// such people are left out and counted in [`Self::n_unplaced`]. What was not answered or not scored is not in the lists.
///
/// ```
/// use polyculture_stats::aligned_share::{Respondent, Survey};
///
/// // Prompts 0 and 1 probe axis 0, prompt 2 probes axis 1. One group beside everyone.
/// let mut survey = Survey::new(2, vec![0, 0, 1], 1)?;
/// let answers = [(0, 1.0), (1, 0.5), (2, 0.0)];
/// assert!(survey.push(&Respondent { answers: &answers, weight: 1.2, stratum: 0, groups: &[0] })?);
/// assert!(!survey.push(&Respondent { answers: &answers[..2], weight: 1.0, stratum: 0, groups: &[] })?);
/// assert_eq!((survey.n_people(), survey.n_unplaced()), (1, 1));
/// assert_eq!(survey.people()?.positions().row(0), [0.75, 0.0]);
/// # Ok::<(), polyculture_stats::aligned_share::SurveyError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Survey {
    n_axes: usize,
    axis_of_prompt: Vec<usize>,
    n_groups: usize,
    /// The distinct answers: a prompt with a score. What a person answered is a list of indices into it.
    distinct: Vec<(usize, f64)>,
    index_of_answer: HashMap<(usize, u64), u32>,
    /// `[n_answers]`, a person's answers by axis.
    answers: Vec<u32>,
    /// Where in `answers` those of a person on an axis start, `[n_people * n_axes + 1]`.
    starts: Vec<usize>,
    weights: Vec<f64>,
    profile_of_person: Vec<u32>,
    profiles: Vec<Profile>,
    index_of_profile: HashMap<Profile, u32>,
    n_unplaced: usize,
}

/// One person of a [`Survey`].
#[derive(Debug, Clone, Copy)]
pub struct Respondent<'a> {
    /// Prompts with the scores in [0, 1] of what the person chose; each counts once.
    pub answers: &'a [(usize, f64)],
    /// Survey weight, at least 0; the scale does not matter.
    pub weight: f64,
    /// Where the person was sampled (country).
    pub stratum: usize,
    /// Groups that the person belongs to beside everyone, counted from 0: country, language, age band. In any order,
    /// they may overlap.
    pub groups: &'a [usize],
}

/// Why there is no survey, or no share from it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SurveyError {
    /// A prompt that does not exist.
    #[error(
        "read answer of person `{person}` to prompt `{prompt}`: there are `{n_prompts}`, counted from 0"
    )]
    Prompt {
        /// The person, counted with those left out.
        person: usize,
        /// The prompt.
        prompt: usize,
        /// Prompts that exist.
        n_prompts: usize,
    },
    /// A score outside [0, 1].
    #[error("read score `{value}` of person `{person}`: not in [0, 1]")]
    Score {
        /// The person, counted with those left out.
        person: usize,
        /// What was found.
        value: f64,
    },
    /// A weight that is negative or not finite.
    #[error("weigh person `{person}` with `{value}`: weights are at least 0 and finite")]
    Weight {
        /// The person, counted with those left out.
        person: usize,
        /// What was found.
        value: f64,
    },
    /// A group that does not exist.
    #[error("put person `{person}` into group `{group}`: there are `{n_groups}`, counted from 0")]
    Group {
        /// The person, counted with those left out.
        person: usize,
        /// The group.
        group: usize,
        /// Groups that exist.
        n_groups: usize,
    },
    /// Nobody has a place and a weight above 0.
    #[error(
        "find any people with a weight and a place: `{n_unplaced}` lack an answer on some axis"
    )]
    Nobody {
        /// People without a place.
        n_unplaced: usize,
    },
    /// The readings do not exist.
    #[error(transparent)]
    Share(#[from] AlignedShareError),
}

/// People of one stratum who belong to the same groups. Sums over people are sums over profiles, of which there are fewer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Profile {
    stratum: usize,
    groups: Vec<usize>,
}

impl Survey {
    /// A survey without respondents. `axis_of_prompt` is `[n_prompts]`; there are `n_groups` groups beside everyone.
    ///
    /// # Errors
    /// Axes outside 1..=8, a prompt of an unknown axis.
    pub fn new(
        n_axes: usize,
        axis_of_prompt: Vec<usize>,
        n_groups: usize,
    ) -> Result<Self, SurveyError> {
        check_prompts(n_axes, &axis_of_prompt)?;
        Ok(Self {
            n_axes,
            axis_of_prompt,
            n_groups,
            distinct: Vec::new(),
            index_of_answer: HashMap::new(),
            answers: Vec::new(),
            starts: vec![0],
            weights: Vec::new(),
            profile_of_person: Vec::new(),
            profiles: Vec::new(),
            index_of_profile: HashMap::new(),
            n_unplaced: 0,
        })
    }

    /// Adds a person and says whether they have a place.
    ///
    /// # Errors
    /// An unknown prompt or group, a score outside [0, 1], a weight that is negative or not finite. The survey is then as
    /// it was.
    pub fn push(&mut self, respondent: &Respondent) -> Result<bool, SurveyError> {
        self.check(respondent)?;
        let has_answer = |axis: usize| {
            respondent.answers.iter().any(|(prompt, _)| self.axis_of_prompt[*prompt] == axis)
        };
        if !(0..self.n_axes).all(has_answer) {
            self.n_unplaced += 1;
            return Ok(false);
        }
        for axis in 0..self.n_axes {
            for (prompt, score) in respondent.answers {
                if self.axis_of_prompt[*prompt] == axis {
                    let next = index(self.distinct.len());
                    let known = self.index_of_answer.entry((*prompt, score.to_bits()));
                    let answer = *known.or_insert_with(|| {
                        self.distinct.push((*prompt, *score));
                        next
                    });
                    self.answers.push(answer);
                }
            }
            self.starts.push(self.answers.len());
        }
        self.weights.push(respondent.weight);
        let mut groups = respondent.groups.to_vec();
        groups.sort_unstable();
        groups.dedup();
        let profile = Profile { stratum: respondent.stratum, groups };
        let found = self.index_of_profile.get(&profile).copied().unwrap_or_else(|| {
            let next = index(self.profiles.len());
            self.profiles.push(profile.clone());
            self.index_of_profile.insert(profile, next);
            next
        });
        self.profile_of_person.push(found);
        Ok(true)
    }

    fn check(&self, respondent: &Respondent) -> Result<(), SurveyError> {
        let person = self.n_people() + self.n_unplaced;
        for (prompt, score) in respondent.answers {
            if *prompt >= self.axis_of_prompt.len() {
                let n_prompts = self.axis_of_prompt.len();
                return Err(SurveyError::Prompt { person, prompt: *prompt, n_prompts });
            }
            if !(0.0..=1.0).contains(score) {
                return Err(SurveyError::Score { person, value: *score });
            }
        }
        if !respondent.weight.is_finite() || respondent.weight < 0.0 {
            return Err(SurveyError::Weight { person, value: respondent.weight });
        }
        if let Some(group) = respondent.groups.iter().find(|group| **group >= self.n_groups) {
            return Err(SurveyError::Group { person, group: *group, n_groups: self.n_groups });
        }
        Ok(())
    }

    /// Number of people who have a place.
    pub fn n_people(&self) -> usize {
        self.weights.len()
    }

    /// Number of people who were left out, for want of an answer on some axis.
    pub fn n_unplaced(&self) -> usize {
        self.n_unplaced
    }

    /// The people who have a place, in the order in which they came, with weights and strata.
    ///
    /// # Errors
    /// Nobody with a place and a weight.
    pub fn people(&self) -> Result<People, SurveyError> {
        self.check_somebody()?;
        let mean = |answers: &[u32]| {
            let sum: f64 = answers.iter().map(|answer| self.distinct[*answer as usize].1).sum();
            clip(sum / answers.len() as f64)
        };
        let coordinates =
            self.starts.windows(2).map(|ends| mean(&self.answers[ends[0]..ends[1]])).collect();
        let strata = self.profile_of_person.iter();
        let strata = strata.map(|profile| self.profiles[*profile as usize].stratum).collect();
        let people = People::new(Points::new(self.n_axes, coordinates)?);
        Ok(people.with_weights(self.weights.clone())?.with_strata(strata)?)
    }

    fn check_somebody(&self) -> Result<(), SurveyError> {
        if self.weights.iter().any(|weight| *weight > 0.0) {
            return Ok(());
        }
        Err(SurveyError::Nobody { n_unplaced: self.n_unplaced })
    }

    /// Number of axes.
    pub fn n_axes(&self) -> usize {
        self.n_axes
    }

    pub(super) fn axis_of_prompt(&self) -> &[usize] {
        &self.axis_of_prompt
    }

    /// Number of groups beside everyone.
    pub(super) fn n_groups(&self) -> usize {
        self.n_groups
    }

    /// The people in the order of a [`Panel`]: those of a stratum stand together, and in it those of a profile.
    pub(super) fn order(&self) -> Vec<u32> {
        let mut by_name: Vec<usize> = (0..self.profiles.len()).collect();
        by_name.sort_unstable_by_key(|profile| &self.profiles[*profile]);
        let mut rank = vec![0; self.profiles.len()];
        for (i, profile) in by_name.into_iter().enumerate() {
            rank[profile] = i;
        }
        let mut order: Vec<u32> = (0..index(self.n_people())).collect();
        order.sort_by_key(|person| rank[self.profile_of_person[*person as usize] as usize]);
        order
    }
}

/// A survey laid out for passing over it many times.
#[derive(Debug)]
pub(super) struct Panel {
    /// The distinct answers: prompt and score.
    pub(super) distinct: Vec<(usize, f64)>,
    pub(super) answers: Vec<u32>,
    pub(super) starts: Vec<usize>,
    pub(super) weights: Vec<f64>,
    /// The people of each stratum.
    pub(super) strata: Vec<Range<usize>>,
    /// The people of each profile, and their groups: 0 is everyone, others count from 1.
    pub(super) profiles: Vec<(Range<usize>, Vec<usize>)>,
}

impl Panel {
    pub(super) fn new(survey: &Survey) -> Result<Self, SurveyError> {
        survey.check_somebody()?;
        let n_axes = survey.n_axes;
        let mut panel = Self {
            distinct: survey.distinct.clone(),
            answers: Vec::with_capacity(survey.answers.len()),
            starts: Vec::with_capacity(survey.starts.len()),
            weights: Vec::with_capacity(survey.n_people()),
            strata: Vec::new(),
            profiles: Vec::new(),
        };
        panel.starts.push(0);
        let order = survey.order();
        for person in &order {
            let person = *person as usize;
            panel.weights.push(survey.weights[person]);
            for ends in survey.starts[person * n_axes..=(person + 1) * n_axes].windows(2) {
                panel.answers.extend_from_slice(&survey.answers[ends[0]..ends[1]]);
                panel.starts.push(panel.answers.len());
            }
        }
        let profile =
            |person: &u32| &survey.profiles[survey.profile_of_person[*person as usize] as usize];
        let runs = |same: fn(&Profile, &Profile) -> bool| {
            let mut start = 0;
            let runs = order.chunk_by(move |a, b| same(profile(a), profile(b)));
            runs.map(move |run| {
                start += run.len();
                (start - run.len()..start, profile(&run[0]))
            })
        };
        panel.strata = runs(|a, b| a.stratum == b.stratum).map(|(people, _)| people).collect();
        panel.profiles = runs(|a, b| a == b)
            .map(|(people, profile)| {
                let groups = profile.groups.iter().map(|group| group + 1);
                (people, std::iter::once(0).chain(groups).collect())
            })
            .collect();
        Ok(panel)
    }
}

/// Indices are 32 bits wide: half the memory of a large survey.
fn index(i: usize) -> u32 {
    u32::try_from(i).expect("more than 4 billion people do not fit in memory")
}
