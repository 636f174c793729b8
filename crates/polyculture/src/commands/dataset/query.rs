//! `dataset query`: a question in SQL.

use super::{chain, open, tell};
use crate::args::DatasetQueryArgs;
use crate::failure::Failure;
use polyculture_data::{QueryError, RowFormat, query};
use std::io::{BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

pub(super) fn run(args: &DatasetQueryArgs) -> Result<(), Failure> {
    let dataset = Arc::new(open(&args.source)?);
    let rows = if args.json { RowFormat::Json } else { args.rows };
    let queried = match &args.out {
        Some(path) => whole(path, |file| query(&dataset, &args.sql, rows, file))?,
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

/// A file that has its name only when it is whole.
fn whole<T>(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<T, QueryError>,
) -> Result<T, Failure> {
    let failed = |error: std::io::Error| {
        Failure::world(
            anyhow::Error::new(error).context(format!("could not write `{}`", path.display())),
        )
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    let written = write(&mut file).map_err(failure)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(written)
}

fn failure(error: QueryError) -> Failure {
    if error.is_world() { Failure::world(anyhow::Error::new(error)) } else { chain(error) }
}
