//! The report as one HTML file, for a reader who has nothing else.
//!
//! It loads nothing: the content security policy admits its own style and script by their hashes, and no address at all.
//! Without script everything can be read; the script filters and copies.
//! `maud` escapes every value, and [`text`] makes visible what a browser would hide or reorder.

mod compliance;
mod findings;
mod group;
mod others;
mod summary;
mod text;

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, PreEscaped, html as markup};
use rectify_compliance::{Severity, Timestamp};
use sha2::{Digest, Sha256};

use crate::{Place, Scan};
use group::{Group, STATUSES, groups, severity_name};
use text::{count, text};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// The most severe first.
const SEVERITIES: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

/// The report of a scan.
#[must_use]
pub fn html(scan: &Scan) -> String {
    let groups = groups(scan);
    let places = places(scan);
    let accounts: BTreeSet<&str> = places.iter().map(|place| place.account.as_str()).collect();
    let regions: BTreeSet<&str> = places.iter().map(|place| place.region.as_str()).collect();
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        source(STYLE),
        source(SCRIPT)
    );
    let on = scan.finished.to_zoned(TimeZone::UTC).date();
    let frameworks = compliance::frameworks(&groups, on);
    let title = format!("Security scan of {}", list(&accounts, 3, "account"));
    markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (text(&title)) ", " (on) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#findings" { "Skip to the findings" }
                (header(scan, &title, &accounts, &regions))
                main {
                    (summary::render(&groups, &places, &frameworks))
                    (filters(&groups, &accounts, &regions))
                    (findings::render(&groups, on))
                    (others::missing(&groups))
                    (others::verdicts(&groups))
                    (compliance::lists(&frameworks, &groups))
                }
                footer {
                    "Rectify " (text(&scan.tool_version)) ". A finding is evidence against a requirement; a passed requirement is \
                     one against which this scan has no evidence."
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
        + "\n"
}

fn header(scan: &Scan, title: &str, accounts: &BTreeSet<&str>, regions: &BTreeSet<&str>) -> Markup {
    let seconds = scan.finished.duration_since(scan.started).as_secs();
    let source = match scan.source.as_str() {
        "live" => "the accounts' own APIs, live".to_owned(),
        file => format!("the file {file}"),
    };
    markup! {
        header {
            h1 { (text(title)) }
            dl.facts {
                div { dt { (if accounts.len() == 1 { "Account" } else { "Accounts" }) } dd { (text(&list(accounts, 50, "account"))) } }
                div { dt { (if regions.len() == 1 { "Region" } else { "Regions" }) } dd { (text(&list(regions, 50, "region"))) } }
                div { dt { "Read" } dd { (text(&source)) } }
                div { dt { "Time" } dd { (instant(scan.started)) ", for " (count(usize::try_from(seconds).unwrap_or(0), "second")) } }
                @if let Some(since) = &scan.since { div { dt { "Changes" } dd { (text(&since.text(scan))) } } }
                div { dt { "Scope" } dd { (count(scan.controls.len(), "control")) ", " (count(scan.rows.len(), "result")) } }
            }
            nav aria-label="Sections" {
                a href="#summary" { "Summary" }
                a href="#findings" { "Findings" }
                a href="#missing" { "No verdict" }
                a href="#verdicts" { "Passed" }
                a href="#compliance" { "Compliance" }
            }
        }
    }
}

/// The filters, which the script shows.
fn filters(groups: &[Group<'_>], accounts: &BTreeSet<&str>, regions: &BTreeSet<&str>) -> Markup {
    let services: BTreeSet<&str> = groups.iter().map(Group::service).collect();
    let select = |name: &str, label: &str, options: Vec<(&str, &str)>| {
        markup! {
            label { (label)
                select data-filter=(name) {
                    option value="" { "all" }
                    @for (value, shown) in options { option value=(text(value)) { (text(shown)) } }
                }
            }
        }
    };
    let severities = SEVERITIES.map(|it| (severity_name(it), severity_name(it))).to_vec();
    markup! {
        div #filters role="search" aria-label="Filter the results" hidden {
            label.find { "Search" input #query type="search" autocomplete="off" spellcheck="false"; }
            (select("severity", "Severity", severities))
            (select("status", "Status", STATUSES.to_vec()))
            (select("service", "Service", same(&services)))
            (select("account", "Account", same(accounts)))
            (select("region", "Region", same(regions)))
            button #reset type="button" { "Reset" }
            button #plans type="button" aria-pressed="false" { "Open plans" }
            output #shown role="status" {}
        }
    }
}

/// Options that are shown as they are.
fn same<'a>(values: &BTreeSet<&'a str>) -> Vec<(&'a str, &'a str)> {
    values.iter().map(|it| (*it, *it)).collect()
}

/// The scanned places, and those of rows elsewhere.
fn places(scan: &Scan) -> BTreeSet<&Place> {
    scan.places.iter().chain(scan.rows.iter().map(|row| &row.place)).collect()
}

/// The values; only their number if there are more than `limit`.
fn list(values: &BTreeSet<&str>, limit: usize, noun: &str) -> String {
    match values.len() {
        0 => format!("no {noun}"),
        few if few <= limit => values.iter().copied().collect::<Vec<_>>().join(", "),
        many => count(many, noun),
    }
}

fn instant(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The source expression that admits exactly this inline text.
fn source(inline: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inline)))
}

#[cfg(test)]
mod tests;
