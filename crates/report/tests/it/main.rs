//! The page as a reader's browser, screen reader and spreadsheet would find it.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod fixture;
mod markup;
mod survey;

use markup::{Node, parse};
use polyculture_core::Results;
use polyculture_report::html;

fn pages() -> Vec<(&'static str, Results, String)> {
    let samples = [
        ("realistic", fixture::realistic()),
        ("minimal", fixture::minimal()),
        ("nasty", fixture::nasty()),
        ("one axis", fixture::axes(1)),
        ("three axes", fixture::axes(3)),
        ("survey", fixture::surveyed(2)),
        ("survey on one axis", fixture::surveyed(1)),
        ("survey on four axes", fixture::surveyed(4)),
        ("survey on eight axes", fixture::surveyed(8)),
    ];
    samples.map(|(name, results)| (name, results.clone(), html(&results).unwrap())).into()
}

#[test]
fn every_page_is_well_formed() {
    for (name, _, page) in pages() {
        if let Err(problem) = parse(&page) {
            panic!("{name}: {problem}");
        }
    }
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    for (name, _, page) in pages() {
        let nodes = parse(&page).unwrap();
        for node in &nodes {
            assert!(
                !["img", "iframe", "object", "embed", "form", "base"].contains(&node.tag.as_str()),
                "{name}: {node:?}"
            );
            assert!(
                !node.attributes.iter().any(|(key, _)| key.starts_with("on")),
                "{name}: {node:?}"
            );
            for key in ["src", "href", "action", "xlink:href"] {
                let Some(value) = node.get(key) else { continue };
                assert!(value.starts_with('#') || value == "data:,", "{name}: {node:?}");
            }
            if node.tag == "script" {
                assert_eq!(node.get("type"), Some("application/json"), "{name}");
            }
        }
        assert!(page.contains("default-src 'none'"), "{name}");
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        assert!(!style.contains("url(") && !style.contains("@import"), "{name}");
    }
}

#[test]
fn headings_descend_one_step_at_a_time() {
    for (name, _, page) in pages() {
        let levels: Vec<u8> = parse(&page).unwrap().iter().filter_map(heading_level).collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{name}");
        assert_eq!(levels[0], 1, "{name}");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: {levels:?}");
    }
}

fn heading_level(node: &Node) -> Option<u8> {
    let digit = node.tag.strip_prefix('h')?;
    digit.parse().ok().filter(|level| (1..=6).contains(level))
}

#[test]
fn what_is_pointed_at_is_there_once() {
    for (name, _, page) in pages() {
        let nodes = parse(&page).unwrap();
        let mut ids: Vec<&str> = nodes.iter().filter_map(|node| node.get("id")).collect();
        let pointers = nodes.iter().flat_map(|node| {
            let labels = node.get("aria-labelledby").into_iter().flat_map(str::split_whitespace);
            labels.chain(node.get("href").and_then(|href| href.strip_prefix('#')))
        });
        for pointer in pointers {
            assert!(ids.contains(&pointer), "{name}: nothing has the id `{pointer}`");
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}: an id stands twice");
    }
}

#[test]
fn every_plot_has_words_and_every_table_a_caption() {
    for (name, _, page) in pages() {
        for plot in
            page.split("<svg ").skip(1).filter(|plot| !plot.contains("aria-hidden=\"true\""))
        {
            assert!(
                plot.contains("role=\"img\"") && plot.contains("<title") && plot.contains("<desc"),
                "{name}"
            );
        }
        for figure in page.split("<figure").skip(1) {
            let figure = figure.split("</figure>").next().unwrap();
            assert!(figure.contains("<figcaption>") && figure.contains("<table>"), "{name}");
        }
        for table in page.split("<table").skip(1) {
            assert!(
                table.split_once('>').unwrap().1.trim_start().starts_with("<caption>"),
                "{name}"
            );
        }
        assert!(
            !parse(&page)
                .unwrap()
                .iter()
                .any(|node| node.tag == "th" && node.get("scope").is_none()),
            "{name}"
        );
    }
}

/// Each estimate of the results, found by walking their JSON, stands in "Every figure" with its n
/// and clusters; the values are checked against the figure written out in at least one unit.
#[test]
fn every_figure_is_in_the_tables() {
    let results = fixture::realistic();
    let page = html(&results).unwrap();
    let chapter =
        page.split("id=\"figures-h\"").nth(1).unwrap().split("id=\"made-h\"").next().unwrap();
    let mut json = serde_json::to_value(&results).unwrap();
    json["plane"]["people"] = serde_json::json!([]);
    let mut estimates = Vec::new();
    collect(&json, &mut estimates);
    assert_eq!(
        estimates.len(),
        chapter.matches("<td><b>").count() - 2 * 5,
        "five groups on two axes"
    );
    all_are_in(&estimates, chapter);
}

/// That each estimate stands in a table of `html`, written out in some unit, with its n.
fn all_are_in(estimates: &[&serde_json::Value], html: &str) {
    let cells: std::collections::HashSet<String> = html
        .split("<td><b>")
        .skip(1)
        .map(|cell| cell.split("</td>").next().unwrap().replace('\u{202f}', ""))
        .collect();
    // What is shown, to which precision, and with which n.
    let cells: Vec<(f64, f64, f64, &str)> = cells
        .iter()
        .filter_map(|cell| {
            let (value, rest) = cell.split_once("</b>").unwrap();
            let scale = if value.ends_with('%') || value.ends_with("pp") { 100.0 } else { 1.0 };
            let shown =
                value.trim_end_matches(['%', 'p']).replace('−', "-").replace(['+', ','], "");
            let decimals = shown.split_once('.').map_or(0, |(_, d)| d.len());
            let close = 0.500001 * 10f64.powi(-(decimals as i32));
            Some((shown.parse().ok()?, scale, close, rest))
        })
        .collect();
    for estimate in estimates {
        let n = format!("n = {}", thousands(estimate["n"].as_u64().unwrap()));
        let value = estimate["value"].as_f64().unwrap();
        let found = cells.iter().any(|(shown, scale, close, rest)| {
            (shown - value * scale).abs() <= *close && rest.contains(&n)
        });
        assert!(found, "{estimate}");
    }
}

fn collect<'a>(json: &'a serde_json::Value, found: &mut Vec<&'a serde_json::Value>) {
    match json {
        serde_json::Value::Object(map) if map.contains_key("n_clusters") => found.push(json),
        serde_json::Value::Object(map) => map.values().for_each(|value| collect(value, found)),
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

fn thousands(n: u64) -> String {
    if n < 1000 { n.to_string() } else { format!("{},{:03}", n / 1000, n % 1000) }
}

#[test]
fn what_is_no_number_is_nowhere() {
    for (name, _, page) in pages() {
        assert!(!page.contains("NaN"), "{name}");
        assert!(
            !page.contains("\"inf") && !page.contains("\"-inf") && !page.contains(">inf"),
            "{name}"
        );
    }
}

#[test]
fn the_embedded_json_reads_back_without_single_people() {
    let mut results = fixture::realistic();
    let page = html(&results).unwrap();
    let read: Results = serde_json::from_str(embedded(&page)).unwrap();
    results.plane.as_mut().unwrap().people.clear();
    // Through JSON on both sides: its reader may move the last bit of a number.
    let json = serde_json::to_string(&results).unwrap();
    assert_eq!(read, serde_json::from_str::<Results>(&json).unwrap());
}

#[test]
fn what_models_said_stays_text() {
    let results = fixture::nasty();
    let page = html(&results).unwrap();
    assert!(!page.contains("<script>") && !page.contains("<img"));
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(!page.contains(">NaN<") && !page.contains("\"NaN\"") && !page.contains("NaN,"));
    let said = page
        .split("<blockquote dir=\"auto\">")
        .nth(1)
        .unwrap()
        .split("</blockquote>")
        .next()
        .unwrap();
    let shown = said.split(" \u{202e}").next().unwrap();
    insta::assert_snapshot!(shown, @"&#60;/script&#62;&#60;script&#62;alert(1)&#60;/script&#62; &#60;img src=x onerror=&#39;a&#39;&#62; &#38; &#34;quoted&#34;");
    let json: serde_json::Value = serde_json::from_str(embedded(&page)).unwrap();
    assert_eq!(json["title"], results.title.as_str());
}

fn embedded(page: &str) -> &str {
    let json = page.split("<script type=\"application/json\" id=\"results\">").nth(1).unwrap();
    json.split("</script>").next().unwrap()
}

#[test]
fn an_empty_run_says_so_in_every_chapter() {
    let page = html(&fixture::minimal()).unwrap();
    assert_eq!(page.matches("class=\"empty\"").count(), 9);
    assert!(!page.contains("<figure"));
}

#[test]
fn synthetic_figures_are_tagged_wherever_they_stand() {
    for (name, results, page) in pages() {
        let tags = page.matches("<span class=\"tag\">synthetic</span>").count();
        if results.synthetic.is_none() {
            assert_eq!(tags, 0, "{name}");
            continue;
        }
        for caption in ["figcaption", "caption"] {
            for text in page.split(&format!("<{caption}>")).skip(1) {
                let text = text.split(&format!("</{caption}>")).next().unwrap();
                assert!(text.contains("class=\"tag\""), "{name}: {text}");
            }
        }
    }
}

#[test]
fn the_first_lines_are_made_from_the_figures() {
    let page = html(&fixture::realistic()).unwrap().replace('\u{202f}', " ");
    let list =
        page.split("<ul class=\"headlines\">").nth(1).unwrap().split("</ul>").next().unwrap();
    let lines: Vec<&str> =
        list.split("</p><p>").skip(1).map(|p| p.split("</p>").next().unwrap()).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    With temperature 0.7, 14 % [7–21] of sets of four hold a response whose value is traditional; with negatively correlated sampling, 55 % [45–65], the most of five other strategies.
    With temperature 0.7, 27 % [18–36] of sets of four hold a response whose value is survival; with negatively correlated sampling, 62 % [52–72], the most of five other strategies.
    The answers of five models speak for 9.0 % [8.1–9.9] of the people (reading O1; uniform chooser: 51 % [49–53]; people: 99.5 % [99.3–99.7]).
    ");
}

#[test]
fn a_large_study_stays_small() {
    let bytes = html(&fixture::sized(5, 15_000)).unwrap().len();
    assert!(bytes < 600_000, "{bytes} bytes");
}
