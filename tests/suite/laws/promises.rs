//! For every sentence of the pages below, `tests/promises/<page>.txt` names the tests that verify it.
//!
//! A block is `> ` and the sentence as on the page, then one line per test, `path::function`. A sentence that only
//! advises and promises no behavior is followed by `advice: ` and the reason. The page and the list have the same
//! sentences in the same order, so that an untested sentence cannot enter the page.

use std::path::Path;

use super::tree::{read, root};

const PAGES: [&str; 2] = ["switching-it-on", "concepts"];

fn page(name: &str) -> String {
    format!("docs/{name}.md")
}

fn list(name: &str) -> String {
    format!("tests/promises/{name}.txt")
}

/// One sentence, and the tests that verify it.
struct Promise {
    sentence: String,
    tests: Vec<String>,
    advice: Option<String>,
}

#[test]
fn every_sentence_of_the_page_is_listed_in_order() {
    for (page, list) in PAGES.map(|it| (page(it), list(it))) {
        let sentences = sentences(&read(&page));
        let listed: Vec<String> = promises(&read(&list)).into_iter().map(|it| it.sentence).collect();
        for (sentence, listed) in sentences.iter().zip(&listed) {
            assert_eq!(sentence, listed, "{list} differs from {page} here");
        }
        let (all, have) = (sentences.len(), listed.len());
        assert_eq!(all, have, "{page} has {all} sentences, {list} has {have}");
    }
}

#[test]
fn every_promise_names_tests_that_exist() {
    let mut missing = Vec::new();
    for list in PAGES.map(list) {
        for Promise { sentence, tests, advice } in promises(&read(&list)) {
            if tests.is_empty() && advice.as_ref().is_none_or(|why| why.len() < 10) {
                missing.push(format!("{list}: `{sentence}`: no test"));
            }
            let unknown = tests.iter().filter(|test| !exists(test));
            missing.extend(unknown.map(|test| format!("{list}: `{sentence}`: no test `{test}`")));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The sentences of a page, one per line; each row of a table below its head is one too. A block of code has none.
fn sentences(page: &str) -> Vec<String> {
    let mut is_code = false;
    let is_sentence = |line: &&str| {
        let fence = line.starts_with("```");
        is_code ^= fence;
        !fence && !is_code
    };
    let lines: Vec<&str> = page.lines().map(str::trim).filter(is_sentence).collect();
    let states = |(index, line): &(usize, &&str)| {
        let head = lines.get(index + 1).is_some_and(|next| next.starts_with("|---"));
        let frames = line.starts_with('#') || line.starts_with("|---") || (line.starts_with('|') && head);
        !line.is_empty() && !frames
    };
    lines.iter().enumerate().filter(states).map(|(_, line)| (*line).to_owned()).collect()
}

fn promises(list: &str) -> Vec<Promise> {
    let mut promises: Vec<Promise> = Vec::new();
    for line in list.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(sentence) = line.strip_prefix("> ") {
            promises.push(Promise { sentence: sentence.to_owned(), tests: Vec::new(), advice: None });
            continue;
        }
        let last = promises.last_mut().unwrap_or_else(|| panic!("expected `> sentence` first: `{line}`"));
        match line.strip_prefix("advice: ") {
            Some(why) => last.advice = Some(why.to_owned()),
            None => last.tests.push(line.to_owned()),
        }
    }
    promises
}

/// Whether `path::function` is a test: the function is in the file, below a test attribute.
fn exists(test: &str) -> bool {
    let Some((path, function)) = test.rsplit_once("::") else { return false };
    let Ok(text) = std::fs::read_to_string(root().join(Path::new(path))) else { return false };
    let Some(at) = text.find(&format!("fn {function}(")) else { return false };
    let above = text.get(..at).unwrap_or_default();
    above.lines().rev().take(8).any(|line| line.contains("test]") || line.contains("#[tokio::test"))
}

#[test]
fn sentences_are_lines_or_rows_and_tests_are_found_by_their_attribute() {
    let page = "# Title\n\nOne.\n- Two,\n  and three.\n\n| head | b |\n|---|---|\n| row | c |\n\n```text\ncode\n```\n";
    assert_eq!(sentences(page), ["One.", "- Two,", "and three.", "| row | c |"]);
    let here = "tests/suite/laws/promises.rs";
    assert!(exists(&format!("{here}::every_promise_names_tests_that_exist")));
    assert!(!exists(&format!("{here}::sentences")) && !exists(&format!("{here}::nothing")));
}
