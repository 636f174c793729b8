//! Plots as SVG text: no script, no colours of their own (the page's style has them), and each with
//! a title and a description for those who do not see it.

pub(crate) mod bars;
pub(crate) mod dots;
mod label;
pub(crate) mod love;
pub(crate) mod plane;
pub(crate) mod ridges;
mod scale;
pub(crate) mod steps;
pub(crate) mod strip;
mod svg;
