//! Writes the tests' made-up results as a page, to look at: `cargo run --example sample -- page.html`.

#[path = "../tests/it/fixture.rs"]
#[allow(clippy::unwrap_used, reason = "it is the tests'")]
mod fixture;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or(
        "usage: sample PATH [survey|survey-AXES|realistic|large|minimal|nasty|one-axis|three-axes]",
    )?;
    let results = match args.next().as_deref() {
        None | Some("survey") => fixture::surveyed(2),
        Some(name) if name.starts_with("survey-") => {
            let n_axes: usize = name["survey-".len()..].parse()?;
            fixture::surveyed(n_axes.clamp(1, polyculture_core::frame::MAX_AXES))
        }
        Some("realistic") => fixture::realistic(),
        Some("large") => fixture::sized(22, 15_000),
        Some("minimal") => fixture::minimal(),
        Some("nasty") => fixture::nasty(),
        Some("one-axis") => fixture::axes(1),
        Some("three-axes") => fixture::axes(3),
        Some(other) => return Err(format!("there is no sample `{other}`").into()),
    };
    std::fs::write(path, polyculture_report::html(&results)?)?;
    Ok(())
}
