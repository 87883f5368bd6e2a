//! Generated files: what they must hold, and how the ones on disk differ.

use std::path::{Path, PathBuf};

use rectify_compliance::Entry;

use crate::fragment::Unfilled;
use crate::{frameworks, page, programs, template};

/// How many lines of each side of a difference are shown.
const SHOWN: usize = 6;

/// One generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Where it belongs, from the root of the repository.
    pub path: String,
    /// What it must hold.
    pub content: String,
}

/// A generated file that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Which.
    pub path: String,
    /// The difference in a few lines, `-` for what is there and `+` for what must be.
    pub difference: String,
}

/// Every generated file.
///
/// # Errors
/// [`Unfilled`] when a fragment of the template names something that nothing fills.
pub fn all(controls: &[&'static Entry]) -> Result<Vec<Artifact>, Unfilled> {
    let mut artifacts = vec![
        Artifact { path: "template.yaml".to_owned(), content: template::render(controls)? },
        Artifact { path: "docs/frameworks.md".to_owned(), content: frameworks::render(controls) },
        Artifact { path: format!("{PAGES}/README.md"), content: page::index(controls) },
    ];
    artifacts.extend(
        controls.iter().map(|control| Artifact {
            path: format!("{PAGES}/{}.md", control.meta.id),
            content: page::render(control),
        }),
    );
    artifacts.extend(programs::artifacts(controls));
    Ok(artifacts)
}

/// The folder that holds generated pages and nothing else.
const PAGES: &str = "docs/controls";

/// What is on disk but not as it must be, and pages and programs of controls that are gone.
///
/// # Errors
/// When a file is there but cannot be read.
pub fn stale(root: &Path, artifacts: &[Artifact]) -> std::io::Result<Vec<Stale>> {
    let mut stale = Vec::new();
    for artifact in artifacts {
        match std::fs::read_to_string(root.join(&artifact.path)) {
            Ok(content) if content == artifact.content => {}
            Ok(content) => {
                stale.push(Stale { path: artifact.path.clone(), difference: difference(&content, &artifact.content) });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                stale.push(Stale { path: artifact.path.clone(), difference: "is missing\n".to_owned() });
            }
            Err(error) => return Err(error),
        }
    }
    for path in orphans(root, artifacts)? {
        stale.push(Stale { path: path.display().to_string(), difference: "belongs to no control\n".to_owned() });
    }
    Ok(stale)
}

/// Writes what is stale and removes pages and programs of controls that are gone; returns what was touched.
///
/// # Errors
/// When a file cannot be read, written or removed.
pub fn write(root: &Path, artifacts: &[Artifact]) -> std::io::Result<Vec<String>> {
    let stale = stale(root, artifacts)?;
    for old in &stale {
        let path = root.join(&old.path);
        match artifacts.iter().find(|artifact| artifact.path == old.path) {
            Some(artifact) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                std::fs::write(path, &artifact.content)?;
            }
            None => std::fs::remove_file(path)?,
        }
    }
    Ok(stale.into_iter().map(|old| old.path).collect())
}

fn orphans(root: &Path, artifacts: &[Artifact]) -> std::io::Result<Vec<PathBuf>> {
    let programs = rectify_catalogue::SERVICES.map(programs::folder);
    let mut orphans = Vec::new();
    for folder in programs.iter().map(String::as_str).chain([PAGES]) {
        let entries = match std::fs::read_dir(root.join(folder)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let path = Path::new(folder).join(entry?.file_name());
            if !artifacts.iter().any(|artifact| Path::new(&artifact.path) == path) {
                orphans.push(path);
            }
        }
    }
    orphans.sort();
    Ok(orphans)
}

/// The lines that differ between the first and the last difference, bounded.
fn difference(there: &str, wanted: &str) -> String {
    let (there, wanted): (Vec<&str>, Vec<&str>) = (there.lines().collect(), wanted.lines().collect());
    let same_start = there.iter().zip(&wanted).take_while(|(left, right)| left == right).count();
    let rest = there.len().min(wanted.len()) - same_start;
    let same_end =
        there.iter().rev().zip(wanted.iter().rev()).take(rest).take_while(|(left, right)| left == right).count();
    let mut text = format!("line {}\n", same_start + 1);
    for (sign, lines) in [('-', &there), ('+', &wanted)] {
        let changed = lines.get(same_start..lines.len() - same_end).unwrap_or_default();
        for line in changed.iter().take(SHOWN) {
            text.push_str(&format!("{sign} {line}\n"));
        }
        if changed.len() > SHOWN {
            text.push_str(&format!("{sign} … and {} more lines\n", changed.len() - SHOWN));
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn artifact(path: &str, content: &str) -> Artifact {
        Artifact { path: path.to_owned(), content: content.to_owned() }
    }

    #[test]
    fn a_difference_shows_what_changed_and_nothing_else() {
        assert_eq!(difference("a\nb\nc\n", "a\nB\nc\n"), "line 2\n- b\n+ B\n");
        assert_eq!(difference("a\nc\n", "a\nb\nc\n"), "line 2\n+ b\n");
        let long: String = (0..9).map(|it| format!("{it}\n")).collect();
        assert!(difference("", &long).ends_with("+ 5\n+ … and 3 more lines\n"));
    }

    #[test]
    fn writing_makes_fresh_and_sweeps_pages_of_controls_that_are_gone() {
        let root = tempfile::tempdir().unwrap();
        let wanted = [artifact("template.yaml", "new\n"), artifact("docs/controls/one.md", "page\n")];
        std::fs::create_dir_all(root.path().join("docs/controls")).unwrap();
        std::fs::write(root.path().join("template.yaml"), "old\n").unwrap();
        std::fs::write(root.path().join("docs/controls/gone.md"), "page\n").unwrap();

        let stale: Vec<(String, String)> =
            super::stale(root.path(), &wanted).unwrap().into_iter().map(|it| (it.path, it.difference)).collect();
        let row = |path: &str, difference: &str| (path.to_owned(), difference.to_owned());
        assert_eq!(
            stale,
            [
                row("template.yaml", "line 1\n- old\n+ new\n"),
                row("docs/controls/one.md", "is missing\n"),
                row("docs/controls/gone.md", "belongs to no control\n"),
            ]
        );

        write(root.path(), &wanted).unwrap();
        assert_eq!(super::stale(root.path(), &wanted).unwrap(), []);
        assert_eq!(write(root.path(), &wanted).unwrap(), [""; 0]);
    }
}
