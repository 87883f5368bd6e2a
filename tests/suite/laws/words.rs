//! Words of a translated idiom, which readers stumble over: no file of the repository has them, in a name or in a
//! sentence.

use super::tree;

/// Each with what to write instead.
const BANNED: &[(&[&str], &str)] = &[
    (&["told", "tell", "tells", "telling", "untold"], "announce, report, say, identify, distinguish"),
    (&["asked", "ask", "asks", "asking"], "call, read, request, require, prompt for"),
    (&["mend", "mends", "mended", "mending"], "fix"),
    (&["ours"], "own, local, in this account"),
    (&["obstacle", "obstacles"], "blocker"),
    (&["footprint", "footprints"], "touched fields"),
    (&["complaint", "complaints"], "error"),
    (&["whoever", "whom", "somebody", "nobody"], "the operator, a principal, no one; or the passive"),
    (&["seldom"], "rarely"),
    (&["manieth"], "a number"),
];

/// Phrases, for which single words are not at fault.
const PHRASES: &[(&str, &str)] = &[
    ("taken for", "treated as"),
    ("stands for", "replaces, means"),
    ("by machine", "automatically"),
    ("for ever", "forever"),
];

/// Where a word stays: the file, the word, and why.
const KEPT: &[(&str, &str, &str)] = &[
    ("CHANGELOG.md", "obstacle", "the old name of a key"),
    ("CHANGELOG.md", "asked", "the same"),
    ("CHANGELOG.md", "told", "the same"),
    ("docs/ledger.md", "asks", "a key of the ledger, as it is stored"),
    ("shared/runtime/src/ledger/key.rs", "asks", "the same"),
    ("functions/kms/src/resources/key.rs", "untold", "a variant, as it is stored"),
];

#[test]
fn no_file_has_a_word_of_the_translated_idiom() {
    let mut files = tree::files(&["functions", "shared", "tools", "tests", "docs"], "rs");
    for extension in ["md", "in", "yaml", "txt", "py", "toml"] {
        files.extend(tree::files(&["functions", "shared", "tools", "tests", "docs"], extension));
    }
    for file in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Makefile"] {
        files.push(tree::SourceFile { path: file.to_owned(), text: tree::read(file) });
    }
    // This file names the words. An ADR's file keeps its name for the links to it.
    files.retain(|file| !file.path.ends_with("laws/words.rs"));
    let found: Vec<String> = files.iter().flat_map(offences).collect();
    assert!(found.is_empty(), "{} lines:\n{}", found.len(), found.join("\n"));
}

/// The lines of a file with a banned word.
fn offences(file: &tree::SourceFile) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let line = without_links(line);
        let words = words(&line);
        let is_kept = |word: &str| KEPT.iter().any(|(path, kept, _)| *path == file.path && *kept == word);
        for (banned, instead) in BANNED {
            for word in words.iter().filter(|word| banned.contains(&word.as_str()) && !is_kept(word)) {
                found.push(format!("{}:{}: `{word}`: write {instead}", file.path, number + 1));
            }
        }
        let sentence = words.join(" ");
        for (phrase, instead) in PHRASES {
            if format!(" {sentence} ").contains(&format!(" {phrase} ")) {
                found.push(format!("{}:{}: `{phrase}`: write {instead}", file.path, number + 1));
            }
        }
    }
    found
}

/// The line without the targets of its links, which are names of files.
fn without_links(line: &str) -> String {
    let mut parts = line.split("](");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push(' ');
        text.push_str(part.split_once(')').map_or(part, |(_, after)| after));
    }
    text
}

/// The words of a line in lowercase; `snake_case` and `camelCase` are divided.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous = ' ';
    for letter in line.chars() {
        if letter.is_alphabetic() {
            let starts = !previous.is_alphabetic() || (letter.is_uppercase() && previous.is_lowercase());
            if starts {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(letter.to_lowercase());
            }
        }
        previous = letter;
    }
    words
}

#[test]
fn words_are_found_in_names_and_sentences_and_not_in_links() {
    let of = |text: &str| offences(&tree::SourceFile { path: "a.rs".to_owned(), text: text.to_owned() }).len();
    for text in ["fn is_told()", "struct AskAgain;", "// It is Told.", "an exception is taken for an error"] {
        assert_eq!(of(text), 1, "{text}");
    }
    for text in ["fn task()", "a mask", "hours", "[0028](adr/0028-what-keeps-failing-is-asked-less.md)", "taken apart"]
    {
        assert_eq!(of(text), 0, "{text}");
    }
}
