//! Registers a new control: its module and its row in the list of the service.

use std::path::{Path, PathBuf};

use super::ScaffoldError;

const LIST: &str = "pub const CONTROLS: &[Entry]";

/// How a row is constructed and completed: `on_item(…).reported()`.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) constructor: &'static str,
    pub(super) end: &'static str,
}

/// The path and the new content of the file that changes.
pub(super) fn edit(root: &Path, service: &Path, module: &str, row: Row) -> Result<(PathBuf, String), ScaffoldError> {
    let library = service.join("src/controls.rs");
    let text = std::fs::read_to_string(root.join(&library))
        .map_err(|error| ScaffoldError::File { file: library.clone(), error })?;
    match list(&text, module, row) {
        Some(listed) => Ok((library, listed)),
        None => Err(ScaffoldError::NoPlace { file: library, sought: LIST.to_owned() }),
    }
}

/// The file with the added module and row.
fn list(library: &str, module: &str, row: Row) -> Option<String> {
    let start = library.find(LIST)?;
    let close = start + library.get(start..)?.find("];")?;
    let (before, after) = (library.get(..close)?.trim_end(), library.get(close..)?);
    let comma = if before.ends_with(['[', ',']) { "" } else { "," };
    let Row { constructor, end } = row;
    let entry = format!("rectify_compliance::entry::{constructor}(&{module}::{}).{end}()", module.to_uppercase());
    let listed = format!("{before}{comma}\n    {entry},\n{after}");
    after_last(&listed, "pub mod ", &format!("pub mod {module};"))
}

/// Inserts `line` after the last line that begins with `start` and has no attribute above it.
fn after_last(text: &str, start: &str, line: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let at = (0..lines.len()).rfind(|&at| {
        let plain = at == 0 || !lines.get(at - 1).is_some_and(|above| above.starts_with("#["));
        lines.get(at).is_some_and(|it| it.starts_with(start)) && plain
    })?;
    let (head, tail) = lines.split_at(at + 1);
    let all: Vec<&str> = head.iter().copied().chain([line]).chain(tail.iter().copied()).collect();
    Some(all.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_inserted_after_the_last_unconditional_one_of_its_kind() {
        let text = "pub mod a;\npub mod b;\n#[cfg(feature = \"lambda\")]\npub mod client;\n\nuse x;\n";
        assert_eq!(
            after_last(text, "pub mod ", "pub mod c;").as_deref(),
            Some("pub mod a;\npub mod b;\npub mod c;\n#[cfg(feature = \"lambda\")]\npub mod client;\n\nuse x;\n")
        );
        assert_eq!(after_last("use x;\n", "pub mod ", "pub mod c;"), None);
    }
}
