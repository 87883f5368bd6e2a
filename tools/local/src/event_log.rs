//! The events since the last read, for an operator who watches local AWS.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::world::World;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Item {
    /// A rule's verdict about a resource: the first one, or one that differs from the last.
    Verdict {
        /// The Config rule.
        rule: String,
        /// Type and id.
        resource: String,
        /// `COMPLIANT`, `NON_COMPLIANT` or `NOT_APPLICABLE`.
        compliance: String,
        /// The rule's annotation.
        annotation: Option<String>,
    },
    /// An event that a function put on the bus.
    Announcement {
        /// E.g. `Rectify Outcome`.
        kind: String,
        /// Its content.
        detail: Value,
    },
    /// An event that a function failed on in every attempt.
    DeadLetter {
        /// The function.
        function: String,
        /// The last error.
        error: String,
    },
    /// Something that could not be delivered.
    Undelivered {
        /// What it was, and why.
        why: String,
    },
}

impl fmt::Display for Item {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verdict { rule, resource, compliance, annotation } => {
                write!(out, "{rule}  {resource}  {compliance}")?;
                annotation.as_ref().map_or(Ok(()), |annotation| write!(out, "  {annotation}"))
            }
            Self::Announcement { kind, detail } => {
                write!(out, "{kind}")?;
                let shown = SHOWN_FIELDS.iter().filter_map(|field| detail.get(*field).and_then(Value::as_str));
                shown.into_iter().try_for_each(|text| write!(out, "  {text}"))
            }
            Self::DeadLetter { function, error } => write!(out, "{function} failed on every attempt: {error}"),
            Self::Undelivered { why } => write!(out, "not delivered: {why}"),
        }
    }
}

/// The fields of an announcement that a line shows; the JSON has all of them.
const SHOWN_FIELDS: [&str; 7] = ["control", "resourceType", "resourceId", "outcome", "actor", "reason", "attempt"];

/// Remembers what was read already.
#[derive(Debug, Default)]
pub struct EventLog {
    verdicts: BTreeMap<(String, String), (String, Option<String>)>,
    announcements: usize,
    dead_letters: usize,
}

impl EventLog {
    /// The events since the last call, verdicts first.
    pub fn since_last(&mut self, world: &World) -> Vec<Item> {
        let mut items = Vec::new();
        for rule in &world.stack().rules {
            for (resource, result) in world.compliance(&rule.name) {
                let resource = format!("{} {}", resource.resource_type, resource.resource_id);
                let verdict = (result.compliance.to_string(), result.annotation);
                let last = self.verdicts.insert((rule.name.clone(), resource.clone()), verdict.clone());
                if last.as_ref() != Some(&verdict) {
                    let (compliance, annotation) = verdict;
                    items.push(Item::Verdict { rule: rule.name.clone(), resource, compliance, annotation });
                }
            }
        }
        let announcements = world.bus().announcements();
        let fresh = announcements.iter().skip(self.announcements);
        items.extend(fresh.map(|it| Item::Announcement { kind: it.detail_type.clone(), detail: it.detail.clone() }));
        self.announcements = announcements.len();
        let dead_letters = world.host().dead_letters();
        let fresh = dead_letters.iter().skip(self.dead_letters);
        items.extend(fresh.map(|it| Item::DeadLetter { function: it.function.clone(), error: it.error.to_string() }));
        self.dead_letters = dead_letters.len();
        items.extend(world.take_errors().into_iter().map(|why| Item::Undelivered { why }));
        items
    }
}
