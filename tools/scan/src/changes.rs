//! The difference of two JSON values, as lines that people read.
//!
//! Knows no control: what a field means follows from its name and value alone. A list has no order here, since only the
//! type of a state decides which lists have one; null, an empty list and an empty object are all nothing.

use std::collections::BTreeSet;

use rectify_compliance::canonical::sorted;
use serde_json::Value;

/// The keys that can identify an element of a list, in the order in which they are tried.
const IDENTITIES: [&str; 9] = ["id", "Id", "ID", "name", "Name", "Sid", "Key", "arn", "Arn"];

/// The lines that turn one value into the other: `- path: value` for what is removed, `+ path: value` for what is added,
/// both for a changed value. Text that is JSON, such as a policy, is compared as JSON.
#[must_use]
pub fn lines(before: &Value, after: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", &sorted(before.clone()), &sorted(after.clone()), &mut lines);
    lines
}

/// How many lines only remove, only add, or change: e.g. `1 removed, 2 added`; `None` without lines.
#[must_use]
pub fn summary(lines: &[String]) -> Option<String> {
    let path = |line: &str| line.get(2..).map(|it| it.split_once(": ").map_or(it, |(path, _)| path).to_owned());
    let (mut removed, mut added, mut changed) = (0_usize, 0_usize, 0_usize);
    let mut rest = lines.iter().peekable();
    while let Some(line) = rest.next() {
        if line.starts_with('+') {
            added += 1;
        } else if rest.next_if(|next| next.starts_with('+') && path(next) == path(line)).is_some() {
            changed += 1;
        } else {
            removed += 1;
        }
    }
    let counts = [(removed, "removed"), (added, "added"), (changed, "changed")];
    let counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

fn compare(path: &str, before: &Value, after: &Value, lines: &mut Vec<String>) {
    if let (Some(before), Some(after)) = (document(before), document(after)) {
        return compare(path, &before, &after, lines);
    }
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            for key in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
                let value = |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or_default();
                compare(&join(path, key), &value(old), &value(new), lines);
            }
        }
        // A policy may have one statement, action or resource in place of a list.
        (Value::Array(_), _) | (_, Value::Array(_)) => compare_lists(path, elements(before), elements(after), lines),
        _ => {
            lines.extend(settings(path, before).map(|(path, value)| format!("- {path}: {value}")));
            lines.extend(settings(path, after).map(|(path, value)| format!("+ {path}: {value}")));
        }
    }
}

/// The JSON in a text, if it is an object or a list.
fn document(value: &Value) -> Option<Value> {
    let text = value.as_str().filter(|it| it.trim_start().starts_with(['{', '[']))?;
    serde_json::from_str(text).ok().map(sorted)
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(elements) => elements,
        single => std::slice::from_ref(single),
    }
}

/// Equal elements are skipped, those with the same identity are compared, all others are removed or added.
fn compare_lists(path: &str, before: &[Value], after: &[Value], lines: &mut Vec<String>) {
    let key = identifying_key(&[before, after]);
    let mut new: Vec<&Value> = after.iter().collect();
    let mut old: Vec<&Value> = Vec::new();
    for element in before {
        match new.iter().position(|it| *it == element) {
            Some(equal) => drop(new.remove(equal)),
            None => old.push(element),
        }
    }
    for element in old {
        let id = identity(element, key);
        match new.iter().position(|it| id.is_some() && identity(it, key) == id) {
            Some(same) => compare(&labelled(path, element, key), element, new.remove(same), lines),
            None => lines.push(format!("- {}", element_text(path, element, key))),
        }
    }
    lines.extend(new.into_iter().map(|element| format!("+ {}", element_text(path, element, key))));
}

/// The first key that some elements have and that no two elements of a list share.
fn identifying_key(lists: &[&[Value]]) -> Option<&'static str> {
    let is_unique = |list: &[Value], key: &'static str| {
        let mut seen = BTreeSet::new();
        list.iter().filter_map(|element| identity(element, Some(key))).all(|id| seen.insert(id))
    };
    IDENTITIES.into_iter().find(|key| {
        lists.iter().any(|list| list.iter().any(|element| identity(element, Some(key)).is_some()))
            && lists.iter().all(|list| is_unique(list, key))
    })
}

/// The value of this key in the element, else in an object in it. Tags are skipped: their keys are the owner's.
fn identity<'a>(element: &'a Value, key: Option<&str>) -> Option<&'a str> {
    let (fields, key) = (element.as_object()?, key?);
    let own = fields.get(key).and_then(Value::as_str);
    own.or_else(|| fields.iter().filter(|(name, _)| *name != "tags").find_map(|(_, inner)| inner.get(key)?.as_str()))
}

/// The path of an element: `rules[sgr-1]`, or `rules[]` without an identity.
fn labelled(path: &str, element: &Value, key: Option<&str>) -> String {
    format!("{path}[{}]", identity(element, key).map(text).unwrap_or_default())
}

/// An element that is removed or added as one line, without the identity that its path has.
fn element_text(path: &str, element: &Value, key: Option<&str>) -> String {
    let label = labelled(path, element, key);
    let Value::Object(fields) = element else { return format!("{label}: {}", scalar(element)) };
    let others = fields.iter().filter(|(name, _)| key != Some(name.as_str()));
    let others = Value::Object(others.map(|(name, value)| (name.clone(), value.clone())).collect());
    let fields: Vec<String> = settings("", &others).map(|(path, value)| format!("{path}={value}")).collect();
    if fields.is_empty() { label } else { format!("{label}: {}", fields.join(" ")) }
}

/// The settings in a value, each with its path and text.
fn settings(path: &str, value: &Value) -> std::vec::IntoIter<(String, String)> {
    fn collect(path: &str, value: &Value, found: &mut Vec<(String, String)>) {
        match value {
            Value::Null => {}
            Value::Object(fields) => fields.iter().for_each(|(key, value)| collect(&join(path, key), value, found)),
            Value::Array(elements) if elements.is_empty() => {}
            Value::Array(elements) if elements.iter().any(Value::is_object) => {
                let key = identifying_key(&[elements]);
                elements.iter().for_each(|element| collect(&labelled(path, element, key), element, found));
            }
            Value::Array(elements) => {
                let texts: Vec<String> = elements.iter().map(scalar).collect();
                found.push((path.to_owned(), format!("[{}]", texts.join(", "))));
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push((path.to_owned(), scalar(value))),
        }
    }
    let mut found = Vec::new();
    match document(value) {
        Some(document) => collect(path, &document, &mut found),
        None => collect(path, value, &mut found),
    }
    found.into_iter()
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), text)
}

fn join(path: &str, key: &str) -> String {
    let is_word = !key.is_empty() && key.chars().all(|it| it.is_ascii_alphanumeric() || "_-".contains(it));
    match (path, is_word) {
        ("", true) => key.to_owned(),
        (_, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{}]", text(key)),
    }
}

/// A text as it is if that is unambiguous, else quoted. Names are written by strangers: characters that a terminal would
/// obey or hide are escaped.
fn text(text: &str) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || (it.is_ascii_graphic() && !"\"'`\\,=[]".contains(it));
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { format!("{text:?}") }
}

#[cfg(test)]
#[path = "changes/tests.rs"]
mod tests;
