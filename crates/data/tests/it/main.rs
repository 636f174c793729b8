//! Files for other tools, loaded by those tools.

mod publish;
mod trl;
