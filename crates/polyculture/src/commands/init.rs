//! `init`: a new study.

use crate::args::InitArgs;
use crate::failure::Failure;
use polyculture_core::{Instrument, ValueFrame};
use polyculture_study::{Folder, config, pipeline};

pub(crate) fn run(args: &InitArgs) -> Result<(), Failure> {
    let file = Folder::new(&args.study).config();
    if file.exists() {
        return Err(Failure::wrong_use(format!("{} is there already", file.display())));
    }
    let frame = pipeline::frame(&args.frame)?;
    let mut settings = config::DEFAULT.to_owned();
    let mut copies = Vec::new();
    if ValueFrame::built_in(&args.frame).is_some() {
        settings = settings.replacen(
            "frame = \"inglehart-welzel\"",
            &format!("frame = \"{}\"", args.frame),
            1,
        );
    } else {
        settings = settings.replacen("frame = \"inglehart-welzel\"", "frame = \"frame.json\"", 1);
        copies.push((args.frame.clone().into(), "frame.json"));
    }
    if let Some(instrument) = &args.instrument {
        // What does not fit the frame is said now, and not when it has been paid for.
        Instrument::read(instrument, &frame).map_err(Failure::wrong_use)?;
        settings = settings.replacen(
            "instrument = \"instrument\"",
            "instrument = \"instrument.jsonl\"",
            1,
        );
        copies.push((instrument.clone(), "instrument.jsonl"));
    }
    let write = || {
        std::fs::create_dir_all(&args.study)?;
        for (from, to) in &copies {
            std::fs::copy(from, args.study.join(to))?;
        }
        std::fs::write(&file, settings)
    };
    write()
        .map_err(|error: std::io::Error| Failure::world(format!("{}: {error}", file.display())))?;
    if args.instrument.is_none() && Instrument::built_in(&frame).is_none() {
        println!(
            "frame `{}` has no prompts in the program: write some, and name the file at `instrument` in {}",
            frame.id,
            file.display()
        );
    }
    println!(
        "{}: name your models in it, then `polyculture run --study {}`",
        file.display(),
        args.study.display()
    );
    Ok(())
}
