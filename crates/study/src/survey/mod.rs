//! `survey`: what people prefer, so that what models answer can be held against it: who is shown what, what they
//! chose, and people made up to try an analysis on.

pub mod careless;
pub mod design;
pub mod import;
pub mod languages;
pub mod panel;
pub mod population;
pub mod simulate;
pub mod table;
pub mod weight;

pub use design::{Dealing, DesignError, Quota, design};
pub use import::{Imported, Importer};
pub use languages::{LanguageCheck, check_languages};
pub use panel::{Panel, synthetic_panel};
pub use population::{Population, PopulationError};
pub use simulate::{Behaviour, SimulateError, Simulator};
pub use table::{SurveyFiles, SurveyTable, TableError};
pub use weight::{MarginRow, Weighted, Weighting, weigh};
