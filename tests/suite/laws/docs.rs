//! The pages: every one is on the site, every relative link resolves, and a page that lists what the code has lists all
//! of it.

use std::collections::BTreeSet;

use xtask::book::{CONTENTS, links, prose};

use super::tree::{SourceFile, files, read, root};

/// Pages outside of `docs` that the site has too.
const OTHERS: [&str; 6] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "tools/local/README.md"];

fn pages() -> Vec<SourceFile> {
    let mut pages = files(&["docs"], "md");
    pages.extend(OTHERS.map(|path| SourceFile { path: path.to_owned(), text: read(path) }));
    pages
}

#[test]
fn every_page_is_on_the_site_once() {
    let listed = xtask::book::pages(&root()).unwrap();
    let distinct: BTreeSet<&String> = listed.iter().collect();
    assert_eq!(distinct.len(), listed.len(), "{CONTENTS} lists a page twice");
    let pages = pages();
    let expected: BTreeSet<&String> = pages.iter().map(|it| &it.path).filter(|path| *path != CONTENTS).collect();
    let missing: Vec<_> = expected.difference(&distinct).collect();
    let unknown: Vec<_> = distinct.difference(&expected).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "{CONTENTS}: missing {missing:?}, unknown {unknown:?}");
}

#[test]
fn every_relative_link_resolves() {
    let mut broken = Vec::new();
    let mut count = 0;
    for page in pages() {
        for link in links(&page.path, &page.text) {
            count += 1;
            if link.file == CONTENTS {
                broken.push(format!("{}: `{}`: the site has no page for it", page.path, link.target));
            } else if !root().join(&link.file).is_file() {
                broken.push(format!("{}: `{}`: no file {}", page.path, link.target, link.file));
            } else if let Some(anchor) = link.anchor
                && !anchors(&read(&link.file)).contains(&anchor)
            {
                broken.push(format!("{}: `{}`: no such heading in {}", page.path, link.target, link.file));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(count > 500, "only {count} links were found");
}

#[test]
fn no_page_has_html_that_a_browser_would_swallow() {
    let is_tag = |line: &str| {
        let mut after = line.split('<').skip(1);
        after.any(|it| it.starts_with(|letter: char| letter == '/' || letter.is_ascii_alphabetic()))
    };
    let pages = pages();
    let lines = pages.iter().flat_map(|page| prose(&page.text).into_iter().map(|line| (page.path.clone(), line)));
    let found: Vec<_> = lines.filter(|(_, line)| is_tag(line)).collect();
    assert!(found.is_empty(), "write `&lt;`, or code: {found:#?}");
}

#[test]
fn troubleshooting_has_every_error_type_once_and_no_other() {
    let mut types = BTreeSet::new();
    for (path, function) in [
        ("shared/runtime/src/error.rs", "Error::kind"),
        ("shared/runtime/src/aws_error.rs", "AwsError::name"),
        ("tools/rectify/src/cli_error.rs", "CliError::kind"),
    ] {
        let found = results(path, function);
        assert!(found.len() >= 3, "{path}: {function}: {found:?}");
        types.extend(found);
    }
    let page = read("docs/troubleshooting.md");
    let sections = page.split("\n## ").filter(|section| section.starts_with("Error types"));
    let rows: Vec<String> = sections.flat_map(rows).collect();
    assert_eq!(rows.iter().collect::<BTreeSet<_>>(), types.iter().collect::<BTreeSet<_>>());
    assert_eq!(rows.len(), types.len(), "a type has two rows: {rows:?}");
}

#[test]
fn concepts_have_every_mode_level_and_outcome() {
    let page = read("docs/concepts.md");
    let section = |title: &str| page.split("\n## ").find(|it| it.starts_with(title)).unwrap_or_default();
    assert_eq!(rows(section("Modes")), results("shared/compliance/src/mode.rs", "Mode::name"));
    assert_eq!(rows(section("Levels")), results("shared/compliance/src/plan.rs", "Level::fmt"));
    let outcomes = results("shared/runtime/src/ledger/attempt.rs", "Outcome::name");
    assert!(outcomes.len() > 8, "{outcomes:?}");
    let missing: Vec<_> = outcomes.iter().filter(|it| !section("The gates").contains(it.as_str())).collect();
    assert!(missing.is_empty(), "the picture of the gates lacks {missing:?}");
}

#[test]
fn every_decision_has_a_row() {
    let index = "docs/adr/README.md";
    let linked: Vec<String> = links(index, &read(index)).into_iter().map(|link| link.file).collect();
    let decisions = files(&["docs/adr"], "md");
    let missing: Vec<_> =
        decisions.iter().map(|it| &it.path).filter(|it| *it != index && !linked.contains(it)).collect();
    assert!(decisions.len() > 40 && missing.is_empty(), "{index}: missing {missing:?}");
}

/// The first cells of the rows of all tables below their heads, without backticks.
fn rows(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |(index, line): &(usize, &&str)| {
        let is_head = lines.get(index + 1).is_some_and(|next| next.starts_with("|---"));
        line.starts_with("| ") && !is_head
    };
    let cells = lines.iter().enumerate().filter(is_row).filter_map(|(_, line)| line.get(2..)?.split(" |").next());
    cells.map(|cell| cell.trim_matches('`').to_owned()).collect()
}

/// The texts that the `match` of a method, `Type::method`, returns in the source at `path`.
fn results(path: &str, method: &str) -> Vec<String> {
    let source = read(path);
    let (item, name) = method.split_once("::").unwrap_or_else(|| panic!("{method}"));
    let is_of_item = |it: &&str| it.starts_with(&format!("{item} {{")) || it.contains(&format!(" for {item} {{"));
    let bodies = source.split("\nimpl ").filter(is_of_item).filter_map(|it| it.split_once(&format!("fn {name}(")));
    let bodies = bodies.map(|(_, body)| body.split("\n    }\n").next().unwrap_or_default());
    let results = bodies.flat_map(str::lines).filter_map(|line| line.split_once("=> \"")?.1.split_once('"'));
    results.map(|(text, _)| text.to_owned()).collect()
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let heading = |line: &str| line.starts_with('#').then(|| line.trim_start_matches('#').trim().to_lowercase());
    let kept = |letter: char| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        other => other.is_alphanumeric().then_some(other),
    };
    let headings = text.lines().filter_map(heading);
    headings.map(|heading| heading.chars().filter_map(kept).collect()).collect()
}

#[test]
fn rows_and_anchors_are_read_as_they_are_shown() {
    let text = "# One\n\n| type | b |\n|---|---|\n| `A` | c |\n| B | d |\n\n### `a`: B?\n## How often it requests\n";
    assert_eq!(rows(text), ["A", "B"]);
    assert_eq!(anchors(text).into_iter().collect::<Vec<_>>(), ["a-b", "how-often-it-requests", "one"]);
}
