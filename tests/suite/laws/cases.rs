//! Every case of `tests/cases/<service>.txt` has a test that names it.

use std::collections::BTreeSet;

use super::tree::files;

#[test]
fn every_case_has_a_test_that_names_it() {
    let list = listed();
    let mut sources = files(&["functions", "shared", "tests", "tools"], "rs");
    sources.extend(files(&["tests"], "py"));
    let mut seen = BTreeSet::new();
    let mut untested = Vec::new();
    for line in list.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let (case, text) =
            line.split_once("  ").unwrap_or_else(|| panic!("tests/cases: expected `id  text`: `{line}`"));
        assert!(seen.insert(case.to_owned()), "tests/cases: {case}: listed twice");
        assert!(text.trim().len() > 15, "tests/cases: {case}: description too short");
        if !sources.iter().any(|file| names(&file.text, case)) {
            untested.push(line);
        }
    }
    assert!(!seen.is_empty(), "tests/cases: empty");
    assert!(untested.is_empty(), "no test names these cases:\n{}", untested.join("\n"));
}

#[test]
fn every_case_named_by_a_test_is_listed() {
    let list = listed();
    let known: BTreeSet<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let families: BTreeSet<&str> =
        known.iter().filter_map(|case| case.rsplit_once('/')).map(|(family, _)| family).collect();
    for file in files(&["functions", "shared", "tests"], "rs") {
        for family in &families {
            for (at, _) in file.text.match_indices(&format!("{family}/")) {
                let number: String =
                    file.text[at + family.len() + 1..].chars().take_while(char::is_ascii_digit).collect();
                let case = format!("{family}/{number}");
                let whole =
                    file.text[..at].chars().next_back().is_none_or(|it| !it.is_ascii_alphanumeric() && it != '/');
                let listed = number.is_empty() || !whole || known.contains(case.as_str());
                assert!(listed, "{}: {case} is not in tests/cases", file.path);
            }
        }
    }
}

/// All lists, concatenated.
fn listed() -> String {
    files(&["tests/cases"], "txt").into_iter().map(|file| file.text + "\n").collect()
}

/// Whether `text` names exactly this case: `a/11` does not name `a/1`.
fn names(text: &str, case: &str) -> bool {
    text.match_indices(case).any(|(at, _)| !text[at + case.len()..].starts_with(|it: char| it.is_ascii_digit()))
}

#[test]
fn a_longer_number_is_another_case() {
    assert!(names("(\"a/1\", 2)", "a/1"));
    assert!(!names("(\"a/11\", 2)", "a/1"));
}
