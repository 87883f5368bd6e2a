//! Laws of the repository: checks that hold for every control and every file.
//!
//! Walks the catalogue and the sources. Names no control, except in exceptions that are listed with their reason.

mod cases;
mod declarations;
mod docs;
mod features;
mod permissions;
mod promises;
mod roles;
mod scope;
mod sources;
mod tree;
mod words;
