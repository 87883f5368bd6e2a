//! Generators for docs pages, programs and new controls, from the controls' declarations; the templates are from
//! `rectify-synth`.
//!
//! Knows no control by name and links no SDK: it must be fast enough to run on every save.
//!
//! | module | output |
//! |---|---|
//! | [`artifact`] | the list of generated files, and how the files on disk differ |
//! | [`page`] | `docs/controls/*.md` |
//! | [`deployment`] | `docs/deployment.md` and `docs/rectify.schema.json` |
//! | [`frameworks`] | `docs/frameworks.md` |
//! | [`programs`] | the programs of the functions |
//! | [`events`] | sample events that several controls have |
//! | [`scaffold`] | a complete new control |
//! | [`book`] | the pages of the site, for mdBook |
//! | [`dist`] | the archive of the command line |
//! | [`package`] | `target/lambda/<binary>/bootstrap`, the functions for deployment |

pub mod artifact;
pub mod book;
pub mod deployment;
pub mod dist;
pub mod events;
pub mod frameworks;
pub mod package;
pub mod page;
pub mod parameter;
pub mod programs;
pub mod scaffold;
