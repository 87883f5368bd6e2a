//! The stored subjects of a control: those of its sample events and of its stored attempts.

use std::fs;
use std::path::{Path, PathBuf};

use rectify_compliance::{Entry, Message, RuleEvent, StoredState, Timestamp};
use serde_json::Value;

/// A subject, and the time at which it is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Subject {
    pub(super) state: StoredState,
    pub(super) now: Timestamp,
}

impl Subject {
    /// A copy with these values in these places; `None` if it lacks one of the places.
    pub(super) fn with(&self, places: &[(&str, &str)]) -> Option<Self> {
        let mut changed = self.clone();
        for (pointer, value) in places {
            *changed.state.subject.pointer_mut(pointer)? = serde_json::from_str(value).unwrap();
        }
        Some(changed)
    }
}

/// Every subject that the repository stores for a control, and the rule parameters in the same files.
pub(super) fn stored(control: &Entry) -> (Vec<Subject>, Vec<Value>) {
    let (mut subjects, mut parameters) = (Vec::new(), Vec::new());
    let folder = root().join("events").join(control.meta.id);
    for name in names(&folder) {
        let event = json(&folder.join(&name));
        parameters.extend(event["ruleParameters"].as_str().and_then(|text| serde_json::from_str(text).ok()));
        if let Ok(event) = RuleEvent::parse(&event) {
            let now = event.message.time();
            let of_event = of_event(control, &folder, &name, &event.message);
            subjects.extend(of_event.into_iter().map(|state| Subject { state, now }));
        }
    }
    let attempts = root().join(crate::folder(control));
    for name in
        attempts.exists().then(|| names(&attempts)).iter().flatten().filter(|name| name.starts_with("attempt.v"))
    {
        let attempt = &json(&attempts.join(name))["attempt"];
        parameters.extend(attempt["parameters"].as_str().and_then(|text| serde_json::from_str(text).ok()));
        for side in ["before", "after"] {
            let state = serde_json::from_value(attempt[side].clone()).unwrap();
            let now = serde_json::from_value(attempt["started_at"].clone()).unwrap();
            subjects.push(Subject { state, now });
        }
    }
    let mut distinct: Vec<Subject> = Vec::new();
    for subject in subjects {
        let is_new = distinct.iter().all(|known| known.state != subject.state || known.now != subject.now);
        if is_new {
            distinct.push(subject);
        }
    }
    (distinct, parameters)
}

/// The subjects of one event; none if the event must fail.
fn of_event(control: &Entry, folder: &Path, name: &str, message: &Message) -> Vec<StoredState> {
    let response = |kind: &str| {
        let file = folder.join(kind).join(name);
        file.exists().then(|| json(&file))
    };
    let version = control.state_version();
    if let Some(Value::Array(listed)) = response("subjects") {
        return listed.into_iter().map(|subject| StoredState { version, subject }).collect();
    }
    match (message, control.change) {
        (Message::Change { item, .. }, Some(trigger)) => {
            let state = trigger.subject(item, response("facts").unwrap_or_default());
            state.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.map(|entry| entry.unwrap()).filter(|entry| entry.path().is_file());
    let mut names: Vec<String> = files.map(|file| file.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn json(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
