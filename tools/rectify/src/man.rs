//! The manual pages, one for each command, from the definition of the arguments.

use std::path::Path;

use serde_json::json;

use crate::arguments;
use crate::cli_error::CliError;
use crate::report::Report;

/// Writes `rectify.1`, `rectify-scan.1` and so on to `folder`, which is created if it does not exist.
///
/// # Errors
/// [`CliError::Machine`] when a file cannot be written.
pub(crate) fn run(folder: &Path) -> Result<Report, CliError> {
    let failed = |error: std::io::Error| CliError::Machine(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(arguments::command(), folder).map_err(failed)?;
    Ok(Report::fine("", json!({ "folder": folder })))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_help_and_examples() {
        let folder = tempfile::tempdir().unwrap();
        run(&folder.path().join("man/man1")).unwrap();
        let page = |name: &str| std::fs::read_to_string(folder.path().join("man/man1").join(name)).expect(name);
        for command in arguments::command().get_subcommands() {
            assert!(page(&format!("rectify-{}.1", command.get_name())).contains(".SH SYNOPSIS"));
        }
        assert!(page("rectify.1").contains("Exit codes:"));
        assert!(page("rectify-exempt-list.1").contains(".TH "));
        assert!(page("rectify-scan.1").contains("rectify scan \\-\\-control restricted\\-ssh"));
    }

    #[test]
    fn a_folder_that_cannot_be_created_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = run(&file.join("man1")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", file.join("man1").display())), "{error}");
    }
}
