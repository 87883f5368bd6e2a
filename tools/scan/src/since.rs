//! What a scan has that an earlier one of the same account had not.

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judges::ALL;
use crate::result::{LIVE, SCHEMA_VERSION};
use crate::{Outcome, Place, Row, Scan};

/// How many names an error or a note lists.
const NAMED: usize = 5;

/// The difference from an earlier scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Since {
    /// When the earlier scan began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started: Timestamp,
    /// The positions in `rows`, from 0, of what is new: findings that the earlier scan did not have or had for another
    /// reason, and results whose verdict is missing now and was not then.
    pub new: Vec<usize>,
    /// The number of findings of both scans with the same reason.
    pub unchanged: usize,
    /// The number of findings of the earlier scan whose resource meets the requirement now, or is gone.
    pub resolved: usize,
    /// Controls and places that only this scan has: all their findings are new.
    pub added: Vec<String>,
}

/// Why two scans cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// It is no report, or one of another version.
    #[error("expected a report of `rectify scan --output json`, schemaVersion {SCHEMA_VERSION}: {0}")]
    NotAReport(String),
    /// One reads recorded items and the other the account, whose rows differ in places and reasons.
    #[error("expected a report from the same kind of source: received one of `{earlier}`, and this scan is of `{now}`")]
    Source {
        /// The earlier source.
        earlier: String,
        /// The source of this scan.
        now: String,
    },
    /// No account and region is in both.
    #[error("expected a report of an account and region of this scan: received one of {0}")]
    Places(String),
    /// No control is in both.
    #[error("expected a report of a control of this scan: received one of {0}")]
    Controls(String),
}

/// A report that `--output json` wrote.
///
/// # Errors
/// [`Incomparable::NotAReport`] if it is another document, or one of another version.
pub fn read(text: &str) -> Result<Scan, Incomparable> {
    let invalid = |error: serde_json::Error| Incomparable::NotAReport(error.to_string());
    let value: serde_json::Value = serde_json::from_str(text).map_err(invalid)?;
    match value.get("schemaVersion") {
        Some(version) if *version == SCHEMA_VERSION => serde_json::from_value(value).map_err(invalid),
        Some(version) => Err(Incomparable::NotAReport(format!("received schemaVersion {version}"))),
        None => Err(Incomparable::NotAReport("received a document without schemaVersion".to_owned())),
    }
}

impl Since {
    /// The difference of `now` from `earlier`.
    ///
    /// # Errors
    /// [`Incomparable`] if both have nothing in common. What only one has is in [`added`](Self::added), or is left out.
    pub fn between(earlier: &Scan, now: &Scan) -> Result<Self, Incomparable> {
        if (earlier.source == LIVE) != (now.source == LIVE) {
            return Err(Incomparable::Source { earlier: earlier.source.clone(), now: now.source.clone() });
        }
        let controls: BTreeSet<&String> = earlier.controls.iter().collect();
        let places: BTreeSet<&Place> = earlier.places.iter().collect();
        if !now.controls.iter().any(|it| controls.contains(it)) {
            return Err(Incomparable::Controls(named(earlier.controls.iter().cloned())));
        }
        // A file without resources has no places.
        if !places.is_empty() && !now.places.is_empty() && !now.places.iter().any(|it| places.contains(it)) {
            return Err(Incomparable::Places(named(earlier.places.iter().map(text_of))));
        }
        let before: BTreeMap<Key<'_>, &Row> = earlier.rows.iter().map(|row| (key(row), row)).collect();
        let after: BTreeMap<Key<'_>, &Row> = now.rows.iter().map(|row| (key(row), row)).collect();
        let (mut new, mut unchanged) = (Vec::new(), 0);
        for (at, row) in now.rows.iter().enumerate() {
            let earlier = before.get(&key(row)).map(|row| &row.outcome);
            match (&row.outcome, earlier) {
                (Outcome::Failed { reason, .. }, Some(Outcome::Failed { reason: earlier, .. }))
                    if without_ages(reason) == without_ages(earlier) =>
                {
                    unchanged += 1;
                }
                (Outcome::Failed { .. }, _) => new.push(at),
                (now, earlier) if now.is_unknown() && !earlier.is_some_and(Outcome::is_unknown) => new.push(at),
                _ => {}
            }
        }
        let scanned: BTreeSet<&String> = now.controls.iter().collect();
        let gone = |row: &Row| match after.get(&key(row)) {
            Some(row) => !row.outcome.is_failed() && !row.outcome.is_unknown(),
            None => scanned.contains(&row.control) && now.places.contains(&row.place) && !is_hidden(&now.rows, row),
        };
        let resolved = earlier.rows.iter().filter(|row| row.outcome.is_failed() && gone(row)).count();
        let added_controls = now.controls.iter().filter(|it| !controls.contains(it)).cloned();
        let added_places = now.places.iter().filter(|it| !places.contains(it)).map(text_of);
        Ok(Self {
            started: earlier.started,
            new,
            unchanged,
            resolved,
            added: added_controls.chain(added_places).collect(),
        })
    }

    /// What changed, in one line; `scan` is the later one.
    pub fn text(&self, scan: &Scan) -> String {
        let rows = self.new.iter().filter_map(|at| scan.rows.get(*at));
        let new = rows.filter(|row| row.outcome.is_failed()).count();
        let lost = self.new.len() - new;
        let lost = if lost == 0 { String::new() } else { format!(", {lost} without a verdict now") };
        let added = match self.added.len() {
            0 => String::new(),
            _ => format!("; all is new of {}", named(self.added.iter().cloned())),
        };
        let since = self.started.strftime("%Y-%m-%d %H:%M:%SZ");
        let Self { resolved, unchanged, .. } = self;
        format!("Since {since}: {new} new, {resolved} resolved, {unchanged} unchanged{lost}{added}")
    }
}

/// A control and its resource, with the file that declares it.
type Key<'a> = (&'a str, &'a Place, &'a str, &'a str, Option<&'a str>);

fn key(row: &Row) -> Key<'_> {
    let file = row.source.as_ref().map(|source| source.file.as_str());
    (&row.control, &row.place, &row.resource_type, &row.resource_id, file)
}

/// A reason without ages, which grow from day to day.
fn without_ages(reason: &str) -> String {
    let words: Vec<&str> = reason.split(' ').collect();
    let is_number = |word: &str| {
        let digits = word.trim_start_matches('(');
        !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit())
    };
    let is_unit =
        |word: &&str| ["d", "days", "h"].contains(&word.trim_end_matches(|it: char| it.is_ascii_punctuation()));
    let kept =
        words.iter().enumerate().filter(|(at, word)| !(is_number(word) && words.get(at + 1).is_some_and(is_unit)));
    kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
}

/// Whether a row about all resources of the control says that some may be missing.
fn is_hidden(rows: &[Row], row: &Row) -> bool {
    let is_same = |all: &str, one: &str| all == ALL || all == one;
    rows.iter().any(|all| {
        all.control == row.control
            && all.resource_id == ALL
            && all.outcome.is_unknown()
            && is_same(&all.place.account, &row.place.account)
            && is_same(&all.place.region, &row.place.region)
    })
}

fn text_of(place: &Place) -> String {
    format!("{}/{}", place.account, place.region)
}

fn named(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(NAMED);
    let some = names.get(..NAMED).unwrap_or(&names).join(", ");
    if more == 0 { some } else { format!("{some} +{more} more") }
}

#[cfg(test)]
mod tests;
