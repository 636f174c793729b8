//! Chapter: every figure with its interval, n and clusters. The survey and the dataset have so many that
//! theirs stand in their chapters.

use super::{coverage, plane, shares};
use crate::format::Unit;
use crate::names;
use crate::table::{Cell, Table};
use polyculture_core::Results;

/// One table a kind of figure; kinds that were not measured have none.
pub(super) fn tables(results: &Results) -> Vec<Table> {
    let mut tables = vec![
        coverage_table(results),
        gains_table(results),
        places_table(results),
        diversity_table(results),
    ];
    tables.extend(plane::tables(results));
    tables.push(shares::table("Share of people that places speak for", results.shares.iter()));
    tables.push(judges_table(results));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn coverage_table(results: &Results) -> Table {
    let columns = [
        "Value",
        "Strategy",
        "Model",
        "k",
        "Coverage",
        "Coverage, unbiased",
        "Share of responses",
        "Share that independent draws would need",
        "Covariance within sets",
        "Unscored",
    ];
    let mut table = Table::new("Coverage", &columns);
    for value in coverage::values(results) {
        for row in results.coverage.iter().filter(|row| row.value == *value) {
            let value = names::value(&results.frame, value);
            table.row(
                &[&value, &names::strategy(&row.strategy), &coverage::model(row)],
                vec![
                    Cell::count(row.k),
                    Cell::figure(&row.coverage, Unit::Share),
                    Cell::maybe(row.unbiased.as_ref(), Unit::Share),
                    Cell::figure(&row.share, Unit::Share),
                    Cell::figure(&row.implied_share, Unit::Share),
                    Cell::maybe(row.covariance.as_ref(), Unit::Plain),
                    Cell::count(row.unscored),
                ],
            );
        }
    }
    table
}

fn gains_table(results: &Results) -> Table {
    let columns =
        ["Value", "Strategy", "Held against", "Gain", "From more of it", "From dependence"];
    let mut table = Table::new("Gain in coverage", &columns);
    for row in &results.gains {
        let value = names::value(&results.frame, &row.value);
        let cells = [&row.gain, &row.marginal, &row.dependence];
        table.row(
            &[&value, &names::strategy(&row.strategy), &names::strategy(&row.baseline)],
            cells.map(|estimate| Cell::figure(estimate, Unit::Points)).into(),
        );
    }
    table
}

fn places_table(results: &Results) -> Table {
    let columns = ["Value", "Strategy", "Place in the set", "Share of responses"];
    let mut table = Table::new("Responses of each value by place in the set", &columns);
    for row in &results.places {
        let value = names::value(&results.frame, &row.value);
        table.row(
            &[&value, &names::strategy(&row.strategy), &row.candidate],
            vec![Cell::figure(&row.share, Unit::Share)],
        );
    }
    table
}

fn diversity_table(results: &Results) -> Table {
    let columns = [
        "Strategy",
        "Vendi score",
        "Distinct responses",
        "Distinct word pairs",
        "Words in a response",
        "Tokens a set cost",
        "Failed draws",
    ];
    let mut table = Table::new("Diversity and cost", &columns);
    for row in &results.diversity {
        table.row(
            &[&names::strategy(&row.strategy)],
            vec![
                Cell::maybe(row.vendi.as_ref(), Unit::Plain),
                Cell::maybe(row.distinct.as_ref(), Unit::Plain),
                Cell::maybe(row.distinct_2.as_ref(), Unit::Share),
                Cell::figure(&row.words, Unit::Plain),
                Cell::maybe(row.tokens.as_ref(), Unit::Plain),
                Cell::figure(&row.failed, Unit::Share),
            ],
        );
    }
    table
}

fn judges_table(results: &Results) -> Table {
    let columns = ["Judge", "Axis", "Language", "Tried on", "Accuracy"];
    let mut table = Table::new("Accuracy of the judge", &columns);
    for row in &results.judges {
        let axis = names::axis(&results.frame, &row.axis);
        table.row(
            &[&row.judge, &axis, &row.language, &row.data],
            vec![Cell::figure(&row.accuracy, Unit::Share)],
        );
    }
    table
}
