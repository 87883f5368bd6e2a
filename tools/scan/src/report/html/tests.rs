#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use rectify_compliance::Framework;
use rectify_compliance::Framework::{Cis50, Fsbp};

use super::compliance::Answer;
use super::*;
use crate::example::{HOSTILE, example, hostile, repeated};
use crate::{Outcome, Source};

/// The names of the tags in order, e.g. `td` and `/td`. Exact since no value has a bare `<` or `>`.
fn tags(html: &str) -> Vec<&str> {
    let names = html.split('<').skip(1).map(|it| it.split(|it: char| it == '>' || it.is_whitespace()).next().unwrap());
    names.collect()
}

#[test]
fn hostile_text_does_not_change_the_markup() {
    let report = html(&hostile(example()));
    let harmless = html(&example());
    assert!(tags(&report) == tags(&harmless), "other tags than with harmless text");
    // Each text is there, visible: as often as the scan has it.
    let shown = maud::html! { (text(HOSTILE[0])) (text(HOSTILE[1])) }.into_string();
    assert!(report.matches(shown.as_str()).count() > 100);
    assert!(report.contains(r"\u{202e}gpj.exe\u{2066}\u{200b}\u{0}\u{1b}[31m"));
    assert!(!report.contains(['\u{202e}', '\u{2066}', '\u{200b}', '\u{0}', '\u{1b}', '\r']));
}

#[test]
fn the_report_names_no_address_and_admits_only_its_own_style_and_script() {
    let report = html(&example());
    for address in ["http:", "https:", "src=", "url(", "@import", "unsafe-inline"] {
        assert!(!report.contains(address), "{address}");
    }
    assert!(report.contains("default-src 'none'; style-src 'sha256-"), "{report:.900}");
    assert!(!report.contains(" style="), "the policy would refuse an attribute `style`");
    assert_eq!(tags(&report).iter().filter(|tag| **tag == "script" || **tag == "style").count(), 2);
}

#[test]
fn every_row_is_a_result_with_its_reason() {
    let scan = example();
    let report = html(&scan);
    assert_eq!(report.matches("data-status=").count(), scan.rows.len());
    for row in &scan.rows {
        let (value, reason) = group::status(&row.outcome);
        assert!(report.contains(&format!("data-status=\"{value}\"")), "{value}");
        assert!(report.contains(&maud::html! { (reason) }.into_string()), "{reason}");
    }
}

#[test]
fn a_finding_shows_changes_commands_manual_steps_and_what_blocks_them() {
    let report = html(&example());
    for part in [
        "<del>- DeletionProtection: false</del>",
        "<ins>+ DeletionProtection: true</ins>",
        "<code>aws rds modify-db-instance --region eu-west-1 --db-instance-identifier orders --deletion-protection</code>",
        "By an operator: sign in as root",
        "<strong>Not automatic: </strong>the bucket serves a website.",
        "<code>allowL2: true</code>",
        // A call without a command.
        "<code>UpdateAccessKey {&quot;AccessKeyId&quot;",
        "docs/controls/restricted-ssh.md",
    ] {
        assert!(report.contains(part), "{part}");
    }
}

#[test]
fn a_declared_resource_shows_its_file_and_line_and_where_to_fix_it() {
    let mut scan = example();
    let row = scan.rows.iter_mut().find(|row| row.outcome.is_failed()).unwrap();
    row.source = Some(Source { file: "<stacks>/my\u{202e}network.yaml".to_owned(), line: Some(12) });
    row.outcome = Outcome::Failed { reason: "open".to_owned(), plan: None };
    let report = html(&scan);
    assert!(report.contains(r"<code>&lt;stacks&gt;/my\u{202e}network.yaml:12</code>"), "{report}");
    assert!(report.contains("<p>The resource does not exist yet: fix its declaration in the file."));
    assert_eq!(tags(&html(&hostile(scan.clone()))), tags(&report));
}

#[test]
fn the_most_severe_come_first() {
    let report = html(&example());
    let order = [
        "iam-root-access-key-check",
        "restricted-ssh",
        "access-keys-rotated",
        "rds-instance-deletion-protection-enabled",
    ];
    let places = order.map(|id| report.find(&format!("<section class=\"control\" id=\"c-{id}\"")).unwrap());
    assert!(places.is_sorted(), "{places:?}");
}

/// The answer to a requirement in the example, after a change of its outcomes.
fn answer(framework: Framework, id: &str, change: impl Fn(&str, &mut Outcome)) -> Answer {
    let mut scan = example();
    for row in &mut scan.rows {
        change(&row.control, &mut row.outcome);
    }
    let frameworks = compliance::frameworks(&groups(&scan), scan.finished.to_zoned(TimeZone::UTC).date());
    let (_, requirements) = frameworks.iter().find(|(it, _)| *it == framework).unwrap();
    requirements.iter().find(|it| it.id == id).unwrap().answer
}

#[test]
fn a_requirement_passes_only_if_everything_that_answers_it_was_judged() {
    let unchanged = |_: &str, _: &mut Outcome| ();
    let rows = [
        (Fsbp, "RDS.8", Answer::Failed),
        (Cis50, "1.4", Answer::Passed),      // root MFA
        (Cis50, "1.1", Answer::NotJudged),   // no API shows it
        (Cis50, "3.8", Answer::NotJudged),   // no control yet
        (Cis50, "2.3.1", Answer::NotJudged), // evaluated, without a resource
        (Cis50, "1.7", Answer::NotJudged),   // not in this scan
    ];
    for (framework, id, expected) in rows {
        assert_eq!(answer(framework, id, unchanged), expected, "{id}");
    }
    let with = |outcome: Outcome| {
        move |control: &str, it: &mut Outcome| {
            if control == "root-account-mfa-enabled" {
                *it = outcome.clone();
            }
        }
    };
    // SSH alone passes; the requirement has other controls, which the example did not scan.
    let pass = |control: &str, it: &mut Outcome| {
        if control == "restricted-ssh" {
            *it = Outcome::Passed { reason: None };
        }
    };
    assert_eq!(answer(Cis50, "5.3", unchanged), Answer::Failed);
    assert_eq!(answer(Cis50, "5.3", pass), Answer::NotJudged);
    let reason = || "why".to_owned();
    assert_eq!(answer(Cis50, "1.4", with(Outcome::Unreadable { reason: reason() })), Answer::Unreadable);
    assert_eq!(answer(Cis50, "1.4", with(Outcome::NotScanned { reason: reason() })), Answer::NotJudged);
    assert_eq!(answer(Cis50, "1.4", with(Outcome::NotApplicable { reason: reason() })), Answer::NotJudged);
}

#[test]
fn an_empty_scan_does_not_claim_that_anything_passed() {
    let report = html(&Scan { rows: Vec::new(), controls: Vec::new(), ..example() });
    assert!(report.contains("<strong>No findings</strong>"));
    assert!(!report.contains("class=\"answer passed\""));
}

#[test]
fn a_control_that_this_version_lacks_is_listed_by_its_id() {
    let mut scan = example();
    scan.rows.retain(|row| row.control == "restricted-ssh");
    scan.rows.iter_mut().for_each(|row| row.control = "<new control>".to_owned());
    let report = html(&scan);
    assert!(report.contains("This version of Rectify does not have the control <code>&lt;new control&gt;</code>."));
    assert!(report.contains("id=\"c-&lt;new control&gt;\" data-severity=\"low\" data-service=\"unknown\""));
}

#[test]
fn every_control_has_a_sentence_that_needs_no_links() {
    for control in rectify_catalogue::controls() {
        for heading in ["What it checks", "Why it matters"] {
            let sentence = text::first_sentence(control.meta.docs, heading);
            assert!(sentence.len() > 10 && !sentence.contains("]("), "{}: {heading}: {sentence}", control.meta.id);
        }
    }
}

#[test]
fn ten_thousand_findings_take_seconds_and_megabytes() {
    let mut scan = example();
    scan.rows.retain(|row| row.outcome.is_failed());
    let scan = repeated(&scan, 10_000);
    let began = Instant::now();
    let report = html(&scan);
    assert_eq!(report.matches("data-status=\"failed\"").count(), 10_000);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(report.len() < 20_000_000, "{} bytes", report.len());
}
