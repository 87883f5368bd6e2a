//! The repository's files, for the laws.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One file, with its path from the root of the repository.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap_or(root)
}

/// The text of the file at `path`.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file with this extension under these folders, ordered by path.
pub(crate) fn files(folders: &[&str], extension: &str) -> Vec<SourceFile> {
    let root = root();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
        .into_iter()
        .map(|path| SourceFile {
            text: std::fs::read_to_string(&path).unwrap(),
            path: path.strip_prefix(&root).unwrap().display().to_string(),
        })
        .collect()
}

/// Rust sources under these folders without test code: modules under `#[cfg(test)]`, in their own files or at the end
/// of a file.
pub(crate) fn shipped(folders: &[&str]) -> Vec<SourceFile> {
    let files = files(folders, "rs");
    let tests: BTreeSet<PathBuf> = files.iter().flat_map(test_files).collect();
    files
        .into_iter()
        .filter(|file| {
            let path = Path::new(&file.path);
            // A test module, or a module of one.
            !tests.iter().any(|test| path == test || path.starts_with(test.with_extension("")))
        })
        .map(|file| SourceFile { text: before_tests(&file.text).to_owned(), path: file.path })
        .collect()
}

/// The files that a source declares as test modules.
fn test_files(file: &SourceFile) -> Vec<PathBuf> {
    let path = Path::new(&file.path);
    let folder = path.parent().unwrap();
    let stem = path.file_stem().unwrap().to_string_lossy();
    let children = if matches!(&*stem, "lib" | "main" | "mod") { folder.to_owned() } else { folder.join(&*stem) };
    file.text
        .match_indices("#[cfg(test)]")
        .filter_map(|(at, _)| {
            let (given, item) = below_attributes(&file.text[at..]);
            let module = item.strip_suffix(';').and_then(|it| it.split("mod ").nth(1))?;
            Some(given.map_or_else(|| children.join(format!("{module}.rs")), |name| folder.join(name)))
        })
        .collect()
}

/// The line below a stack of attributes, with the value of `#[path]` among them.
fn below_attributes(text: &str) -> (Option<&str>, &str) {
    let mut path = None;
    let mut open = false;
    for line in text.lines().map(str::trim) {
        if open || line.starts_with("#[") {
            open = !line.ends_with(']');
            path = path.or_else(|| line.strip_prefix("#[path = \"")?.strip_suffix("\"]"));
        } else if !line.is_empty() {
            return (path, line);
        }
    }
    (path, "")
}

/// A source without the test module at its end.
fn before_tests(text: &str) -> &str {
    let module = |at: usize| {
        let (_, item) = below_attributes(&text[at..]);
        item.contains("mod ") && item.ends_with('{')
    };
    text.match_indices("#[cfg(test)]").map(|(at, _)| at).find(|at| module(*at)).map_or(text, |at| &text[..at])
}

#[test]
fn test_code_is_left_out() {
    assert_eq!(before_tests("code\n#[cfg(test)]\nmod far;\nmore\n"), "code\n#[cfg(test)]\nmod far;\nmore\n");
    assert_eq!(before_tests("code\n#[cfg(test)]\n#[allow(\n    x\n)]\nmod tests {\n}\n"), "code\n");
    let file = |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
    let named = "#[cfg(test)]\n#[path = \"a_tests.rs\"]\nmod tests;\n";
    assert_eq!(test_files(&file("src/a.rs", named)), [PathBuf::from("src/a_tests.rs")]);
    assert_eq!(test_files(&file("src/a.rs", "#[cfg(test)]\nmod tests;\n")), [PathBuf::from("src/a/tests.rs")]);
    assert_eq!(test_files(&file("src/lib.rs", "#[cfg(test)]\npub(crate) mod b;\n")), [PathBuf::from("src/b.rs")]);
}
