//! Sample events that several controls have: those of one control, with the ids and values of the others.
//!
//! Which values differ follows from the plans of both controls for the same violating subject.

use std::error::Error;
use std::path::Path;

use rectify_catalogue::{SHARED_EVENTS, find};
use rectify_compliance::entry::SharedEvents;
use rectify_compliance::values::Globs;
use rectify_compliance::{Entry, StoredState, Timestamp};
use serde_json::Value;

use crate::artifact::Artifact;

/// The folders of an event and of the responses that belong to it.
const FOLDERS: [&str; 4] = ["", "facts/", "subjects/", "items/"];

/// The sample events that follow from those of another control.
///
/// # Errors
/// When an event of the other control cannot be read, or has no plan.
pub fn artifacts(root: &Path, controls: &[&'static Entry]) -> Result<Vec<Artifact>, Box<dyn Error>> {
    let mut artifacts = Vec::new();
    for shared in SHARED_EVENTS {
        let source = find(shared.of).ok_or_else(|| format!("{}: no such control", shared.of))?;
        let subject = subject(root, shared)?;
        let all = Globs::single(shared.controls);
        for control in controls.iter().filter(|it| all.matches(it.meta.id) && it.meta.id != shared.of) {
            let mut values = vec![(quoted(shared.of), quoted(control.meta.id))];
            differences(&plan(source, &subject)?, &plan(control, &subject)?, &mut values);
            let files = shared.events.iter().flat_map(|event| FOLDERS.map(|folder| format!("{folder}{event}.json")));
            for file in files {
                let path = root.join("events").join(shared.of).join(&file);
                // An event may have no response; that it exists itself is a law.
                if !path.exists() {
                    continue;
                }
                let text = std::fs::read_to_string(path)?;
                let content = values.iter().fold(text, |text, (from, to)| text.replace(from, to));
                artifacts.push(Artifact { path: format!("events/{}/{file}", control.meta.id), content });
            }
        }
    }
    Ok(artifacts)
}

/// The first subject of the violating event.
fn subject(root: &Path, shared: &SharedEvents) -> Result<Value, Box<dyn Error>> {
    let violating = shared.events.iter().find(|it| it.starts_with("non-compliant"));
    let event = violating.ok_or_else(|| format!("{}: no violating event", shared.of))?;
    let file = root.join(format!("events/{}/subjects/{event}.json", shared.of));
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let subjects: Vec<Value> = serde_json::from_str(&text)?;
    Ok(subjects.into_iter().next().ok_or_else(|| format!("{}: no subject", file.display()))?)
}

fn plan(control: &Entry, subject: &Value) -> Result<Value, Box<dyn Error>> {
    let remediation = control.remediation.ok_or_else(|| format!("{}: no remediation", control.meta.id))?;
    let state = StoredState { version: control.state_version(), subject: subject.clone() };
    Ok(serde_json::to_value(remediation.plan(&state, "{}", Timestamp::UNIX_EPOCH)?)?)
}

/// Adds the texts in the same place of both values that differ, as JSON.
fn differences(one: &Value, other: &Value, into: &mut Vec<(String, String)>) {
    match (one, other) {
        (Value::String(from), Value::String(to)) if from != to => into.push((quoted(from), quoted(to))),
        (Value::Array(ones), Value::Array(others)) => {
            ones.iter().zip(others).for_each(|(one, other)| differences(one, other, into));
        }
        (Value::Object(ones), Value::Object(others)) => {
            ones.values().zip(others.values()).for_each(|(one, other)| differences(one, other, into));
        }
        _ => {}
    }
}

/// A text as JSON spells it, without the quotation marks.
fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    json.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(&json).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_that_differ_are_found_in_their_places() {
        let one = json!({"name": "a", "steps": [{"call": "x = \"1\"", "level": 1}, "same"]});
        let other = json!({"name": "b", "steps": [{"call": "x = \"2\"", "level": 2}, "same"]});
        let mut found = Vec::new();
        differences(&one, &other, &mut found);
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(found, [pair("a", "b"), pair(r#"x = \"1\""#, r#"x = \"2\""#)]);
    }
}
