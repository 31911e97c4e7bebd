//! Programs that read a file and write one.

mod csv;
mod npy;
mod table;
mod worker;

pub(crate) use table::Tables;
pub(crate) use worker::FileWorker;
