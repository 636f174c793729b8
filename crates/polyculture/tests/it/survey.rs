//! A survey from its design to the shares of models, and answers from elsewhere.

use super::*;
use serde_json::Value;
use std::fmt::Write as _;

const QUOTAS: &str = "country,language,age,n
Italy,it,18-34,40
Italy,it,35+,20
India,hi,18-34,20
India,hi,35+,40
";

const MARGINS: &str = "country,variable,category,share
Italy,age,18-34,0.4
Italy,age,35+,0.6
India,age,18-34,55
India,age,35+,45
";

/// A study with a scripted model, a design and a survey that fills it.
fn surveyed(folder: &Path, simulate: &[&str]) {
    // It leans to tradition on every prompt, and says so in every language.
    let script =
        "{\"reply\":\"Pray with your family, as your grandparents did, and ask the priest.\"}\n";
    let study = "[study]\nname = \"scripted\"\n[sample]\nmodels = [\"scripted/script.jsonl\"]\nstrategies = [\"temperature-1\"]\nk = 1\n[evaluate]\nresamples = 200\n";
    for (name, text) in [
        ("script.jsonl", script),
        ("study.toml", study),
        ("quotas.csv", QUOTAS),
        ("margins.csv", MARGINS),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let design = polyculture(folder, &["survey", "design", "--quotas", "quotas.csv"]);
    expect_code(&design, 0);
    let told = stdout(&design);
    assert!(told.contains("120 places, 20 items each") && told.contains("20–20"), "{told}");
    let mut args = vec!["survey", "simulate"];
    args.extend(simulate);
    expect_code(&polyculture(folder, &args), 0);
}

fn json(output: &Output) -> Value {
    expect_code(output, 0);
    serde_json::from_str(&stdout(output)).expect("one JSON document, nothing else")
}

fn rows<'v>(value: &'v Value, is_it: impl Fn(&Value) -> bool + 'v) -> Vec<&'v Value> {
    value.as_array().unwrap().iter().filter(|row| is_it(row)).collect()
}

#[test]
fn a_survey_goes_from_its_design_to_shares() {
    let folder = tempfile::tempdir().unwrap();
    surveyed(folder.path(), &["--careless", "0.2"]);
    let weighted = json(&polyculture(
        folder.path(),
        &["survey", "weight", "--margins", "margins.csv", "--json"],
    ));
    for row in weighted["balance"].as_array().unwrap() {
        let (after, target) = (row["after"].as_f64().unwrap(), row["target"].as_f64().unwrap());
        assert!((after - target).abs() < 1e-9, "{row}");
    }
    let defaults = ["survey", "defaults", "--model", "scripted/script.jsonl"];
    let told = polyculture(folder.path(), &defaults);
    expect_code(&told, 0);
    assert!(stdout(&told).contains("120 default responses"), "{}", stdout(&told));

    let found = json(&polyculture(folder.path(), &["survey", "score", "--json"]));
    assert_eq!(found["simulated"], true);
    let survey = &found["survey"];
    assert_eq!(survey["people"][0]["n"], 120);
    assert_eq!(survey["people"][0]["n_answers"], 2400);
    let names = rows(&survey["scores"], |row| row["axis"] == "traditional-secular");
    let names: Vec<&str> = names.iter().map(|row| row["population"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["everyone", "Italy", "India", "language: it", "language: hi", "age: 18-34", "age: 35+"]
    );
    assert_eq!(survey["items"].as_array().unwrap().len(), 60 * 3);
    assert_eq!(survey["order"].as_array().unwrap().len(), 4);
    let fast = rows(&survey["careless"], |row| row["rule"] == "too-fast");
    let fast = fast[0]["share"]["value"].as_f64().unwrap();
    assert!((0.08..0.35).contains(&fast), "one in five is careless: {fast}");

    let results = json(&polyculture(folder.path(), &["run", "--json"]));
    assert!(results["synthetic"].as_str().unwrap().contains("respondents are simulated"));
    let everyone = rows(&results["shares"], |row| {
        row["source"] == "models" && row["population"] == "everyone"
    });
    assert_eq!(everyone.len(), 6, "six readings");
    for row in results["shares"].as_array().unwrap() {
        let [value, low, high] =
            ["value", "low", "high"].map(|part| row["share"][part].as_f64().unwrap());
        assert!(0.0 <= low && low <= value + 1e-9 && value <= high + 1e-9 && high <= 1.0, "{row}");
    }
    assert_eq!(results["survey"]["cover"][0]["model"], "scripted/script.jsonl");
    assert_eq!(results["survey"]["distances"].as_array().unwrap().len(), 7);
    let html = std::fs::read_to_string(folder.path().join("report/report.html")).unwrap();
    assert!(html.contains("The survey") && html.contains("Italy"));

    // Another survey takes the place of the first, and its weights do not outlive it.
    expect_code(&polyculture(folder.path(), &["survey", "simulate", "--seed", "2"]), 0);
    assert!(!folder.path().join("survey/weights.jsonl").exists());
}

#[test]
fn answers_from_elsewhere_are_read_and_their_problems_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("pid,country,language,item,shown,answer,sex,weight\n");
    for person in 0..40 {
        for item in 1..=5 {
            for axis in ["ts", "se"] {
                let _ = writeln!(
                    text,
                    "p{person},Italy,it,{axis}-{item:02},low high balanced,{},{},1.5",
                    1 + (person + item) % 3,
                    1 + person % 2
                );
            }
        }
    }
    // Line 402 on: an unknown item, an option that was not shown, an answer given before.
    text.push_str("p0,Italy,it,zz-99,low high balanced,1,1,1.5\n");
    text.push_str("p0,Italy,it,ts-20,low high,balanced,1,1.5\n");
    text.push_str("p1,Italy,it,ts-01,low high balanced,3,2,1.5\n");
    std::fs::write(folder.path().join("answers.csv"), text).unwrap();
    let study = "[evaluate]\nresamples = 200\n[survey.columns]\nrespondent = \"pid\"\nchosen = \"answer\"\n[survey.codes.sex]\n1 = \"female\"\n2 = \"male\"\n";
    std::fs::write(folder.path().join("study.toml"), study).unwrap();
    let imported =
        json(&polyculture(folder.path(), &["survey", "import", "answers.csv", "--json"]));
    assert_eq!((&imported["respondents"], &imported["answers"]), (&40.into(), &400.into()));
    for (problem, line) in
        [("unknown-item", 402), ("chosen-not-shown", 403), ("answered-twice", 404)]
    {
        assert_eq!(imported["problems"][problem]["n"], 1, "{problem}: {imported}");
        assert_eq!(imported["problems"][problem]["examples"][0][1], line, "{problem}");
    }
    let found = json(&polyculture(folder.path(), &["survey", "score", "--json"]));
    assert_eq!(found["simulated"], false);
    assert_eq!(found["survey"]["people"][0]["effective_n"], 40.0);
    // Twenty of either sex are fewer than groups are told of.
    assert!(rows(&found["survey"]["scores"], |r| r["population"] == "sex: female").is_empty());

    // What was paid for is not taken by what is made up.
    expect_code(&polyculture(folder.path(), &["survey", "design", "--per-country", "3"]), 0);
    let refused = polyculture(folder.path(), &["survey", "simulate"]);
    expect_code(&refused, 2);
    assert!(stderr(&refused).contains("--force takes its place"), "{}", stderr(&refused));
}

#[test]
fn margins_that_cannot_be_met_name_the_category() {
    let folder = tempfile::tempdir().unwrap();
    surveyed(folder.path(), &[]);
    let check = |margins: &str, expected: &str| {
        std::fs::write(folder.path().join("m.csv"), margins).unwrap();
        let output = polyculture(folder.path(), &["survey", "weight", "--margins", "m.csv"]);
        expect_code(&output, 2);
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
        assert!(!folder.path().join("survey/weights.jsonl").exists());
    };
    check("variable,category,share\nage,18-34,1\n", "35+");
    check("variable,category,share\nage,18-34,1\nage,35+,1\nage,90+,1\n", "90+");
    check("variable,category,share\nage,18-34,half\n", "m.csv:2: `share` is `half`");
    check("variable,category\nage,18-34\n", "there is no column `share`");
    check("variable,category,share,country\nage,18-34,1,Wales\n", "country `Wales`");
}

#[test]
fn a_frame_of_four_axes_goes_all_the_way() {
    let folder = tempfile::tempdir().unwrap();
    expect_code(&polyculture(folder.path(), &["init", "s", "--frame", "hofstede"]), 0);
    let study = folder.path().join("s");
    let script =
        "{\"reply\":\"Ask your uncle, keep the rules, save for the winter and plan ahead.\"}\n";
    std::fs::write(study.join("script.jsonl"), script).unwrap();
    let people =
        "[[countries]]\nname = \"Wales\"\nlanguage = \"en\"\nmean = [0.3, 0.1, -0.2, 0.5]\n";
    std::fs::write(study.join("people.toml"), people).unwrap();
    let text = std::fs::read_to_string(study.join("study.toml")).unwrap();
    let text = text
        .replace("models = []", "models = [\"scripted/script.jsonl\"]")
        .replace("resamples = 2000", "resamples = 200")
        .replace(
            "strategies = [\"temperature-0.3\", \"temperature-0.7\", \"temperature-1\", \"temperature-1.5\", \"many-models\", \"nc\"]",
            "strategies = [\"temperature-1\"]",
        );
    std::fs::write(study.join("study.toml"), text).unwrap();
    let run = |args: &[&str]| {
        let output = polyculture(&study, args);
        expect_code(&output, 0);
        stdout(&output)
    };
    run(&[
        "survey",
        "design",
        "--per-country",
        "50",
        "--population",
        "people.toml",
        "--no-default",
    ]);
    run(&["survey", "simulate", "--population", "people.toml"]);
    let results: Value = serde_json::from_str(&run(&["run", "--json"])).unwrap();
    assert_eq!(results["frame"]["axes"].as_array().unwrap().len(), 4);
    assert_eq!(results["judges"].as_array().unwrap().len(), 4, "a row an axis");
    let o1 = rows(&results["shares"], |row| row["reading"] == "O1" && row["source"] == "models");
    assert!(!o1.is_empty());
    assert_eq!(results["survey"]["densities"].as_array().unwrap().len(), 2 * 4);
    assert!(
        std::fs::read_to_string(study.join("report/report.html")).unwrap().contains("Hierarchy")
    );

    // Nothing is known of people on these axes, and that is said.
    let refused = polyculture(&study, &["survey", "simulate"]);
    expect_code(&refused, 2);
    assert!(stderr(&refused).contains("--population FILE"), "{}", stderr(&refused));
}

#[test]
fn languages_and_power_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let told = polyculture(folder.path(), &["survey", "languages", "--no-judge"]);
    expect_code(&told, 0);
    for part in ["pt-BR", "Devanagari", "survival-self-expression"] {
        assert!(stdout(&told).contains(part), "{part}");
    }
    let power = ["survey", "power", "--per-country", "20,80", "--json"];
    let power = json(&polyculture(folder.path(), &power));
    let width = |n: u64| {
        let row = rows(&power["rows"], |row| {
            row["n_per_country"] == n
                && row["figure"] == "mean score, traditional-secular, everyone"
        });
        row[0]["width"].as_f64().unwrap()
    };
    assert!(width(80) < width(20), "{power}");
}
