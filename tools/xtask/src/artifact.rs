//! Generated files: their expected content, and how the files on disk differ.

use std::path::{Path, PathBuf};

use rectify_compliance::Entry;
use rectify_compliance::finding::Ticket;

use rectify_synth::{Settings, template};

use crate::{deployment, events, frameworks, page, programs};

/// The maximum number of lines shown on each side of a difference.
const SHOWN: usize = 6;

/// One generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its path from the root of the repository.
    pub path: String,
    /// Its expected content.
    pub content: String,
}

/// A generated file that is out of date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Its path.
    pub path: String,
    /// The difference in a few lines, `-` for the file on disk and `+` for the expected content.
    pub difference: String,
}

/// Every generated file.
///
/// # Errors
/// When a fragment of the template has a placeholder without a value, or a sample event below `root` cannot be read.
pub fn all(root: &Path, controls: &[&'static Entry]) -> Result<Vec<Artifact>, Box<dyn std::error::Error>> {
    let settings = Settings::read(&std::fs::read_to_string(root.join(SETTINGS))?, controls)?;
    let templates = template::render(&settings)?.into_iter();
    let mut artifacts: Vec<Artifact> = templates.map(|(path, content)| Artifact { path, content }).collect();
    artifacts.extend([
        Artifact { path: "docs/deployment.md".to_owned(), content: deployment::page()? },
        Artifact { path: "docs/rectify.schema.json".to_owned(), content: deployment::schema(controls) },
        Artifact { path: "docs/schemas/scan.v1.schema.json".to_owned(), content: rectify_scan::report::schema() },
        Artifact { path: "docs/schemas/finding.v1.schema.json".to_owned(), content: Ticket::schema() },
        Artifact { path: "docs/scan-policy.json".to_owned(), content: rectify_scan::permissions::policy(controls) },
        Artifact { path: "docs/frameworks.md".to_owned(), content: frameworks::render(controls) },
        Artifact { path: format!("{PAGES}/README.md"), content: page::index(controls) },
    ]);
    artifacts.extend(
        controls.iter().map(|control| Artifact {
            path: format!("{PAGES}/{}.md", control.meta.id),
            content: page::render(control),
        }),
    );
    artifacts.extend(programs::artifacts(controls));
    artifacts.extend(events::artifacts(root, controls)?);
    Ok(artifacts)
}

/// What is deployed.
const SETTINGS: &str = "rectify.yaml";
/// The folder of the nested templates. It contains nothing else.
const TEMPLATES: &str = "deploy/controls";
/// The folder of the generated pages. It contains nothing else.
const PAGES: &str = "docs/controls";

/// The files on disk that are out of date or missing, and pages and programs of deleted controls.
///
/// # Errors
/// When a file exists but cannot be read.
pub fn stale(root: &Path, artifacts: &[Artifact]) -> std::io::Result<Vec<Stale>> {
    let mut stale = Vec::new();
    for artifact in artifacts {
        match std::fs::read_to_string(root.join(&artifact.path)) {
            Ok(content) if content == artifact.content => {}
            Ok(content) => {
                stale.push(Stale { path: artifact.path.clone(), difference: difference(&content, &artifact.content) });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                stale.push(Stale { path: artifact.path.clone(), difference: "missing\n".to_owned() });
            }
            Err(error) => return Err(error),
        }
    }
    for path in orphans(root, artifacts)? {
        stale.push(Stale { path: path.display().to_string(), difference: "belongs to no control\n".to_owned() });
    }
    Ok(stale)
}

/// Writes stale files and removes pages and programs of deleted controls; returns the changed paths.
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
    for folder in programs.iter().map(String::as_str).chain([PAGES, TEMPLATES]) {
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

/// The lines from the first to the last difference, bounded.
fn difference(actual: &str, expected: &str) -> String {
    let (actual, expected): (Vec<&str>, Vec<&str>) = (actual.lines().collect(), expected.lines().collect());
    let same_start = actual.iter().zip(&expected).take_while(|(left, right)| left == right).count();
    let rest = actual.len().min(expected.len()) - same_start;
    let same_end =
        actual.iter().rev().zip(expected.iter().rev()).take(rest).take_while(|(left, right)| left == right).count();
    let mut text = format!("line {}\n", same_start + 1);
    for (sign, lines) in [('-', &actual), ('+', &expected)] {
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
    fn a_difference_shows_only_changed_lines() {
        assert_eq!(difference("a\nb\nc\n", "a\nB\nc\n"), "line 2\n- b\n+ B\n");
        assert_eq!(difference("a\nc\n", "a\nb\nc\n"), "line 2\n+ b\n");
        let long: String = (0..9).map(|it| format!("{it}\n")).collect();
        assert!(difference("", &long).ends_with("+ 5\n+ … and 3 more lines\n"));
    }

    #[test]
    fn write_updates_stale_files_and_removes_pages_of_deleted_controls() {
        let root = tempfile::tempdir().unwrap();
        let expected = [artifact("template.yaml", "new\n"), artifact("docs/controls/one.md", "page\n")];
        std::fs::create_dir_all(root.path().join("docs/controls")).unwrap();
        std::fs::write(root.path().join("template.yaml"), "old\n").unwrap();
        std::fs::write(root.path().join("docs/controls/gone.md"), "page\n").unwrap();

        let stale: Vec<(String, String)> =
            super::stale(root.path(), &expected).unwrap().into_iter().map(|it| (it.path, it.difference)).collect();
        let row = |path: &str, difference: &str| (path.to_owned(), difference.to_owned());
        assert_eq!(
            stale,
            [
                row("template.yaml", "line 1\n- old\n+ new\n"),
                row("docs/controls/one.md", "missing\n"),
                row("docs/controls/gone.md", "belongs to no control\n"),
            ]
        );

        write(root.path(), &expected).unwrap();
        assert_eq!(super::stale(root.path(), &expected).unwrap(), []);
        assert_eq!(write(root.path(), &expected).unwrap(), [""; 0]);
    }
}
