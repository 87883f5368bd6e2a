//! Laws over the repository: what must hold for every control and every file, so that nobody has to remember it.
//!
//! Walks the catalogue and the sources. Knows no control by name, but for exceptions that are listed with their reason.

mod cases;
mod declarations;
mod features;
mod permissions;
mod promises;
mod roles;
mod scope;
mod sources;
mod tree;
