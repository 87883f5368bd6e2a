//! The functions of the EFS controls. Their rules evaluate items alone, so there is no client.

mod functions;

pub use functions::{FUNCTIONS, OPERATIONS};
