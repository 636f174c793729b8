//! `dataset query`: a question in SQL.

use super::{chain, open, tell};
use crate::args::DatasetQueryArgs;
use crate::failure::Failure;
use polyculture_data::{QueryError, RowFormat, query, whole_file};
use std::io::{BufWriter, IsTerminal, Write};
use std::sync::Arc;

pub(super) fn run(args: &DatasetQueryArgs) -> Result<(), Failure> {
    let dataset = Arc::new(open(&args.source)?);
    let rows = if args.json { RowFormat::Json } else { args.rows };
    let queried = match &args.out {
        Some(path) => {
            let failed = |error| {
                let error = anyhow::Error::new(error);
                Failure::world(error.context(format!("could not write `{}`", path.display())))
            };
            whole_file(path, failed, |file| {
                query(&dataset, &args.sql, rows, file).map_err(failure)
            })?
        }
        None if rows == RowFormat::Parquet && std::io::stdout().is_terminal() => {
            return Err(Failure::wrong_use(
                "Parquet is not for a terminal; name a file with --out",
            ));
        }
        None => {
            let mut out = BufWriter::new(std::io::stdout());
            let queried = query(&dataset, &args.sql, rows, &mut out).map_err(failure)?;
            out.flush().map_err(|error| Failure::world(anyhow::Error::new(error)))?;
            queried
        }
    };
    tell(&queried.findings);
    Ok(())
}

fn failure(error: QueryError) -> Failure {
    if error.is_world() { Failure::world(anyhow::Error::new(error)) } else { chain(error) }
}
