//! `dataset import`: any dataset as one Parquet file.

use super::{chain, open, tell};
use crate::args::DatasetImportArgs;
use crate::failure::Failure;
use polyculture_data::ImportError;

pub(super) fn run(args: &DatasetImportArgs) -> Result<(), Failure> {
    let dataset = open(&args.source)?;
    let scan = polyculture_data::import(&dataset, &args.out).map_err(|error| match error {
        ImportError::Write { .. } => Failure::world(anyhow::Error::new(error)),
        ImportError::Read(error) => chain(error),
    })?;
    eprintln!("{}: {} records of {}", args.out.display(), scan.n_records, dataset.format().id());
    tell(&scan.findings);
    Ok(())
}
