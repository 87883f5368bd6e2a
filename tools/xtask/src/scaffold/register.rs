//! Registers a new control: the lines that others' files need.

use std::path::{Path, PathBuf};

use super::ScaffoldError;
use super::word::Words;

const LIST: &str = "pub const CONTROLS: &[Entry]";

/// The files that change, whole, as they will be.
pub(super) fn edits(
    root: &Path,
    service: &Path,
    words: &Words,
    facts: &str,
) -> Result<Vec<(PathBuf, String)>, ScaffoldError> {
    let read = |file: &Path| {
        std::fs::read_to_string(root.join(file)).map_err(|error| ScaffoldError::File { file: file.to_owned(), error })
    };
    let library = service.join("src/lib.rs");
    let lambda = service.join("lambda/src/lib.rs");
    let no_place = |file: &Path, sought| ScaffoldError::NoPlace { file: file.to_owned(), sought };

    let listed = list(&read(&library)?, words).ok_or_else(|| no_place(&library, LIST))?;
    let called = before_tests(&read(&lambda)?, facts);
    Ok(vec![(library, listed), (lambda, called)])
}

/// The library with the module, its row in the map and its entry in the list.
fn list(library: &str, words: &Words) -> Option<String> {
    let start = library.find(LIST)?;
    let end = start + library.get(start..)?.find("];")?;
    let (before, after) = (library.get(..end)?.trim_end(), library.get(end..)?);
    let comma = if before.ends_with(['[', ',']) { "" } else { "," };
    let entry =
        format!("rectify_compliance::entry::on_change(&{}::{}).reported()", words.module, words.module.to_uppercase());
    let listed = format!("{before}{comma}\n    {entry},\n{after}");
    let with_module = after_last(&listed, "pub mod ", &format!("pub mod {};", words.module))?;
    let row = format!("//! | [`{}`] | {} |", words.module, words.fault());
    Some(after_last(&with_module, "//! | [`", &row).unwrap_or(with_module))
}

/// `text` with `line` after the last line that starts so and has no attribute above it.
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

fn before_tests(client: &str, addition: &str) -> String {
    match client.find("\n#[cfg(test)]") {
        Some(at) => {
            let (code, tests) = client.split_at(at);
            format!("{}\n\n{addition}{tests}", code.trim_end())
        }
        None => format!("{}\n\n{addition}", client.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_after_the_last_of_its_kind_that_is_always_compiled() {
        let text = "pub mod a;\npub mod b;\n#[cfg(feature = \"lambda\")]\npub mod client;\n\nuse x;\n";
        assert_eq!(
            after_last(text, "pub mod ", "pub mod c;").as_deref(),
            Some("pub mod a;\npub mod b;\npub mod c;\n#[cfg(feature = \"lambda\")]\npub mod client;\n\nuse x;\n")
        );
        assert_eq!(after_last("use x;\n", "pub mod ", "pub mod c;"), None);
    }

    #[test]
    fn a_client_with_tests_keeps_them_last() {
        assert_eq!(
            before_tests("code\n\n#[cfg(test)]\nmod tests {}\n", "new\n"),
            "code\n\nnew\n\n#[cfg(test)]\nmod tests {}\n"
        );
        assert_eq!(before_tests("code\n", "new\n"), "code\n\nnew\n");
    }
}
