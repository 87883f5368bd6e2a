//! What is new in a world since somebody last asked, for a person who watches.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::world::World;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "camelCase")]
pub enum Item {
    /// A rule judged a resource for the first time, or otherwise than before.
    Verdict {
        /// The Config rule.
        rule: String,
        /// Type and id.
        resource: String,
        /// `COMPLIANT`, `NON_COMPLIANT` or `NOT_APPLICABLE`.
        compliance: String,
        /// The rule's own words.
        annotation: Option<String>,
    },
    /// A function put an event on the bus.
    Announcement {
        /// E.g. `Rectify Outcome`.
        kind: String,
        /// Its content.
        detail: Value,
    },
    /// A function failed with an event in every attempt.
    DeadLetter {
        /// The function.
        function: String,
        /// The last error.
        error: String,
    },
    /// Something could not be carried where it belongs.
    Undelivered {
        /// What and why.
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
                let told = TOLD.iter().filter_map(|field| detail.get(*field).and_then(Value::as_str));
                told.into_iter().try_for_each(|text| write!(out, "  {text}"))
            }
            Self::DeadLetter { function, error } => write!(out, "{function} gave up: {error}"),
            Self::Undelivered { why } => write!(out, "not delivered: {why}"),
        }
    }
}

/// What a line tells of an announcement; all of it is in the JSON.
const TOLD: [&str; 7] = ["control", "resourceType", "resourceId", "outcome", "actor", "reason", "attempt"];

/// What has been told already.
#[derive(Debug, Default)]
pub struct News {
    verdicts: BTreeMap<(String, String), (String, Option<String>)>,
    announcements: usize,
    dead_letters: usize,
}

impl News {
    /// What happened since the last call, verdicts first.
    pub fn since_last(&mut self, world: &World) -> Vec<Item> {
        let mut items = Vec::new();
        for rule in &world.wiring().rules {
            for (resource, result) in world.compliance(&rule.name) {
                let resource = format!("{} {}", resource.resource_type, resource.resource_id);
                let verdict = (result.compliance.to_string(), result.annotation);
                let known = self.verdicts.insert((rule.name.clone(), resource.clone()), verdict.clone());
                if known.as_ref() != Some(&verdict) {
                    let (compliance, annotation) = verdict;
                    items.push(Item::Verdict { rule: rule.name.clone(), resource, compliance, annotation });
                }
            }
        }
        let announcements = world.bus().announcements();
        let fresh = announcements.iter().skip(self.announcements);
        items.extend(fresh.map(|it| Item::Announcement { kind: it.detail_type.clone(), detail: it.detail.clone() }));
        self.announcements = announcements.len();
        let letters = world.host().dead_letters();
        let fresh = letters.iter().skip(self.dead_letters);
        items.extend(fresh.map(|it| Item::DeadLetter { function: it.function.clone(), error: it.error.to_string() }));
        self.dead_letters = letters.len();
        items.extend(world.take_errors().into_iter().map(|why| Item::Undelivered { why }));
        items
    }
}
