//! The survey's chapter, the plane country by country, and the chapter on single models.

use crate::{all_are_in, collect, fixture};
use polyculture_core::Results;
use polyculture_report::html;

fn chapter<'a>(page: &'a str, id: &str) -> &'a str {
    let chapter = page.split(&format!("<section id=\"{id}\"")).nth(1).unwrap();
    chapter.split("<section id=").next().unwrap()
}

#[test]
fn every_figure_of_the_survey_is_in_its_tables() {
    let results = fixture::surveyed(4);
    let page = html(&results).unwrap();
    let json = serde_json::to_value(&results.survey).unwrap();
    let mut estimates = Vec::new();
    collect(&json, &mut estimates);
    assert!(estimates.len() > 2_000, "{}", estimates.len());
    let chapters = format!("{}{}", chapter(&page, "survey"), chapter(&page, "models"));
    all_are_in(&estimates, &chapters);
}

#[test]
fn without_a_survey_there_is_no_chapter_of_it() {
    let page = html(&fixture::realistic()).unwrap();
    for id in ["survey", "models"] {
        assert!(!page.contains(&format!("href=\"#{id}\"")), "{id}");
        assert!(!page.contains(&format!("<section id=\"{id}\"")), "{id}");
    }
    assert!(!page.contains("Ours: the survey"));
}

#[test]
fn items_are_sorted_by_their_high_response() {
    let page = html(&fixture::surveyed(2)).unwrap();
    let plots: Vec<&str> = page.split("aria-labelledby=\"items-").skip(1).collect();
    assert_eq!(plots.len(), 2);
    for plot in plots {
        let plot = plot.split("</svg>").next().unwrap();
        let shares: Vec<f64> = plot
            .split("<text class=\"value\"")
            .skip(1)
            .map(|text| text.split(['>', '\u{202f}']).nth(1).unwrap().parse().unwrap())
            .collect();
        assert_eq!(shares.len(), 30);
        assert!(shares.windows(2).all(|pair| pair[0] >= pair[1]), "{shares:?}");
    }
}

#[test]
fn many_models_are_numbered_with_one_legend() {
    let page = html(&fixture::surveyed(2)).unwrap();
    let plane = chapter(&page, "plane");
    assert_eq!(plane.matches("<ol class=\"numbers\"").count(), 1);
    let drawn: String =
        plane.split("<svg ").skip(1).map(|p| p.split("</svg>").next().unwrap()).collect();
    assert!(!drawn.contains("fennel") && drawn.contains(">21</text>"));
    let page = html(&fixture::realistic()).unwrap();
    let plane = chapter(&page, "plane");
    assert!(!plane.contains("class=\"numbers\"") && plane.contains(">fennel</text>"));
}

#[test]
fn countries_stand_side_by_side() {
    fn check(n_axes: usize, id: &str, plots: usize, rows_a_plot: usize) {
        let page = html(&fixture::surveyed(n_axes)).unwrap();
        let plots_found: Vec<&str> =
            page.split(&format!("aria-labelledby=\"{id}-")).skip(1).collect();
        assert_eq!(plots_found.len(), plots, "{n_axes} axes");
        for plot in plots_found {
            let plot = plot.split("</svg>").next().unwrap();
            assert_eq!(plot.matches("class=\"point group\"").count(), rows_a_plot, "{n_axes} axes");
            assert!(plot.matches("class=\"people\"").count() > 15, "{n_axes} axes");
        }
    }
    check(2, "plane-country", 5, 1);
    check(1, "ridges", 1, 5);
    check(4, "ridges", 4, 5);
    check(8, "ridges", 8, 5);
}

/// There are no single people in the results: what is drawn comes from the survey's cells.
#[test]
fn everyone_is_drawn_from_the_densities() {
    for n_axes in [1, 2, 4] {
        let page = html(&fixture::surveyed(n_axes)).unwrap();
        let id = if n_axes == 2 { "plane" } else { "strip-0" };
        let plot = page.split(&format!("aria-labelledby=\"{id}-t")).nth(1).unwrap();
        let plot = plot.split("</svg>").next().unwrap();
        assert!(plot.matches("class=\"people\"").count() > 15, "{n_axes} axes");
        assert!(chapter(&page, "plane").contains("Where 15,000 people"), "{n_axes} axes");
    }
}

#[test]
fn where_margins_are_many_the_largest_populations_are_drawn() {
    let count = |results: &Results| {
        let page = html(results).unwrap();
        let plots = page.matches("aria-labelledby=\"balance-").count();
        (plots, page.contains("Margins of the other populations"))
    };
    let mut results = fixture::surveyed(2);
    assert_eq!(count(&results), (6, false));
    let balance = &mut results.survey.as_mut().unwrap().balance;
    let mut more = Vec::new();
    for row in &*balance {
        for i in 0..4 {
            let category = format!("{} {i}", row.category);
            more.push(polyculture_core::results::BalanceRow { category, ..row.clone() });
        }
    }
    *balance = more;
    assert_eq!(count(&results), (3, true));
}

#[test]
fn order_and_chance_are_put_in_words() {
    let page = html(&fixture::surveyed(2)).unwrap();
    assert!(page.contains("in about 3 surveys in 100 (p = 0.031)."));
}

/// The same source has the same shape in all plots, whichever of them hold which sources.
#[test]
fn a_source_keeps_its_shape() {
    let page = html(&fixture::surveyed(2)).unwrap();
    for id in ["share-reading", "share-country"] {
        let plot = page.split(&format!("aria-labelledby=\"{id}-t")).nth(1).unwrap();
        let plot = plot.split("</svg>").next().unwrap();
        let lines: Vec<&str> = plot.split(">models, corrected</text>").skip(1).collect();
        assert_eq!(lines.len(), 5, "{id}");
        for line in lines {
            let mark = line.split("class=\"dot ").nth(1).unwrap();
            assert!(mark.starts_with("square"), "{id}: {mark}");
        }
    }
}

#[test]
fn a_survey_does_not_make_the_page_huge() {
    let bytes = html(&fixture::surveyed(2)).unwrap().len();
    assert!(bytes < 2_200_000, "{bytes} bytes");
}
