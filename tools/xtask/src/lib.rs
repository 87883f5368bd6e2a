//! Generators: `template.yaml`, the docs pages and new controls, all from the controls' declarations.
//!
//! Knows no control by name and links no SDK: it must stay cheap enough to run on every save.
//!
//! | module | makes |
//! |---|---|
//! | [`artifact`] | the list of generated files, and how the ones on disk differ |
//! | [`template`] | `template.yaml` |
//! | [`page`] | `docs/controls/*.md` |
//! | [`frameworks`] | `docs/frameworks.md` |
//! | [`programs`] | the programs of the functions |
//! | [`scaffold`] | a new control, complete |
//! | [`package`] | `target/lambda/<binary>/bootstrap`, the functions for deployment |

pub mod artifact;
pub mod fragment;
pub mod frameworks;
pub mod package;
pub mod page;
pub mod parameter;
pub mod programs;
pub mod scaffold;
pub mod template;
