//! The pages of the site, arranged for mdBook: the repository's own files under the same paths, so that relative links
//! work in both.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// The table of contents; its links are relative to `docs`. A page in the folder of a `README.md` that it lists is
/// listed below that one.
pub const CONTENTS: &str = "docs/SUMMARY.md";

/// One relative link of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its target as written.
    pub target: String,
    /// The path of the file from the root.
    pub file: String,
    /// The heading in it.
    pub anchor: Option<String>,
}

/// The relative links of the page at `path`, outside of code.
pub fn links(path: &str, text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for line in prose(text) {
        for part in line.split("](").skip(1) {
            let Some((target, _)) = part.split_once(')') else { continue };
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
            let file = if file.is_empty() { path.to_owned() } else { from_root(path, file) };
            found.push(Link { target: target.to_owned(), file, anchor: anchor.map(str::to_owned) });
        }
    }
    found
}

/// The lines outside of code blocks, without code spans.
pub fn prose(text: &str) -> Vec<String> {
    let mut is_code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code && !line.starts_with("    ") {
            lines.push(line.split('`').step_by(2).collect());
        }
    }
    lines
}

/// The path of `target`, as the page at `path` names it, from the root.
fn from_root(path: &str, target: &str) -> String {
    let mut parts = PathBuf::new();
    for part in Path::new(path).parent().unwrap_or(Path::new("")).join(target).components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.display().to_string()
}

/// The paths of all pages in the order of the table of contents, from the root.
///
/// # Errors
/// When a file or folder cannot be read.
pub fn pages(root: &Path) -> std::io::Result<Vec<String>> {
    let contents = contents(root)?;
    Ok(links("SUMMARY.md", &contents).into_iter().map(|link| link.file).collect())
}

/// The table of contents with all pages, and with links from the root.
fn contents(root: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    for line in std::fs::read_to_string(root.join(CONTENTS))?.lines() {
        let Some(link) = links(CONTENTS, line).into_iter().next() else {
            text.push_str(&format!("{line}\n"));
            continue;
        };
        text.push_str(&format!("{}\n", line.replace(&format!("]({})", link.target), &format!("]({})", link.file))));
        if let Some(folder) = link.file.strip_prefix("docs/").and_then(|it| it.strip_suffix("/README.md")) {
            for (path, title) in siblings(root, &format!("docs/{folder}"))? {
                text.push_str(&format!("  - [{title}]({path})\n"));
            }
        }
    }
    Ok(text)
}

/// The pages beside a folder's `README.md` with their titles, ordered by path.
fn siblings(root: &Path, folder: &str) -> std::io::Result<Vec<(String, String)>> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(root.join(folder))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") && name != "README.md" {
            let path = format!("{folder}/{name}");
            let text = std::fs::read_to_string(root.join(&path))?;
            let title = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(&name).to_owned();
            pages.push((path, title));
        }
    }
    pages.sort();
    Ok(pages)
}

/// Writes the pages, the files that they link to, the table of contents and `book.toml` to `target`; returns how many
/// pages there are. What was in `target` before is removed.
///
/// # Errors
/// When a file cannot be read or written.
pub fn arrange(root: &Path, target: &Path) -> std::io::Result<usize> {
    match std::fs::remove_dir_all(target) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let pages = pages(root)?;
    let mut files: BTreeSet<String> = pages.iter().cloned().collect();
    for page in &pages {
        let text = std::fs::read_to_string(root.join(page))?;
        files.extend(links(page, &text).into_iter().map(|link| link.file));
    }
    let source = target.join("src");
    for file in files {
        let to = source.join(&file);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::copy(root.join(&file), to)
            .map_err(|error| std::io::Error::new(error.kind(), format!("{file}: {error}")))?;
    }
    std::fs::write(source.join("SUMMARY.md"), contents(root)?)?;
    std::fs::copy(root.join("docs/book.toml"), target.join("book.toml"))?;
    Ok(pages.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_outside_of_code() {
        let text =
            "[a](b.md#c-d), [`x`](../e.md), `[no](f.md)`, [far](https://example.com)\n```\n[no](g.md)\n```\n[h](#i)\n";
        let found: Vec<_> = links("docs/adr/page.md", text).into_iter().map(|it| (it.file, it.anchor)).collect();
        let expected = [("docs/adr/b.md", Some("c-d")), ("docs/e.md", None), ("docs/adr/page.md", Some("i"))];
        assert_eq!(found, expected.map(|(file, anchor)| (file.to_owned(), anchor.map(str::to_owned))));
    }

    #[test]
    fn pages_keep_their_paths_and_folders_are_listed_below_their_readme() {
        let (root, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (path, text) in [
            ("README.md", "# Start\n[schema](docs/a.json) and [one](docs/adr/0001-one.md)\n"),
            ("docs/SUMMARY.md", "# Summary\n\n[Start](../README.md)\n\n# More\n\n- [Decisions](adr/README.md)\n"),
            ("docs/adr/README.md", "# Decisions\n"),
            ("docs/adr/0002-two.md", "# 0002: Two\n"),
            ("docs/adr/0001-one.md", "<!-- generated -->\n\n# 0001: One\n"),
            ("docs/a.json", "{}"),
            ("docs/unlinked.txt", ""),
            ("docs/book.toml", "[book]\n"),
        ] {
            std::fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
            std::fs::write(root.path().join(path), text).unwrap();
        }
        std::fs::create_dir_all(target.path().join("src")).unwrap();
        std::fs::write(target.path().join("src/deleted.md"), "").unwrap();
        assert_eq!(arrange(root.path(), target.path()).unwrap(), 4);
        let written = |path: &str| std::fs::read_to_string(target.path().join("src").join(path));
        let expected = "# Summary\n\n[Start](README.md)\n\n# More\n\n- [Decisions](docs/adr/README.md)\n  \
                        - [0001: One](docs/adr/0001-one.md)\n  - [0002: Two](docs/adr/0002-two.md)\n";
        assert_eq!(written("SUMMARY.md").unwrap(), expected);
        assert_eq!(written("docs/a.json").unwrap(), "{}");
        assert!(written("docs/unlinked.txt").is_err() && written("deleted.md").is_err());
    }
}
