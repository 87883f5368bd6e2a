//! The text of a resource policy, to add or remove a statement without any other change.
//!
//! Parsing and serializing a policy would change its text: the order of keys, the spelling of numbers, elements that
//! the analysis drops. So the text is edited, and the result is parsed and compared.

use std::collections::BTreeSet;
use std::ops::Range;

use rectify_compliance::ShapeError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::canonical::{self, DeletedPrincipal};
use crate::statement::members;
use crate::{Policy, decode};

/// A policy as the service stores it: its text, and its statements. Serialized as its text. Documents with the same
/// canonical form are equal.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Document {
    text: String,
    policy: Policy,
}

impl Document {
    /// Reads a policy document.
    ///
    /// # Errors
    /// [`ShapeError`], as [`Policy::parse`].
    pub fn parse(path: &str, text: &str) -> Result<Self, ShapeError> {
        Ok(Self { policy: Policy::parse(path, text)?, text: text.to_owned() })
    }

    /// The text, byte for byte.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parsed policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The text as JSON.
    fn json(&self) -> Value {
        decode("Policy", &self.text).unwrap_or_default()
    }

    /// The canonical form, for comparison ([`canonical::canonical`]).
    pub fn canonical(&self) -> Value {
        canonical::canonical(&self.json())
    }

    /// The deleted principals in it. No service accepts a document with one: S3 returns `MalformedPolicy`.
    pub fn deleted_principals(&self) -> Vec<DeletedPrincipal> {
        canonical::deleted_principals(&self.json())
    }

    /// The statement at this position, counted from 0.
    pub fn statement(&self, position: usize) -> Option<Value> {
        self.json().get("Statement").and_then(|it| members(it).get(position).cloned())
    }

    /// The position of the only statement with this `Sid`, which is not empty.
    pub fn position_of(&self, sid: &str) -> Option<usize> {
        let json = self.json();
        let statements = json.get("Statement").map_or(&[][..], members).iter().enumerate();
        let mut named = statements.filter(|(_, it)| !sid.is_empty() && it.get("Sid").is_some_and(|it| it == sid));
        match (named.next(), named.next()) {
            (Some((position, _)), None) => Some(position),
            _ => None,
        }
    }

    /// The document with a statement added after the existing ones; every other byte is unchanged. A single statement
    /// outside a list becomes the first of a list.
    ///
    /// `None` if insertion alone cannot do that: the result is parsed and must equal the old document plus the
    /// statement.
    pub fn with(&self, statement: &str) -> Option<Self> {
        let place = value_of(&self.text, "Statement")?;
        let (before, rest) = self.text.split_at_checked(place.start)?;
        let (statements, after) = rest.split_at_checked(place.len())?;
        let list = if statements.starts_with('{') {
            format!("[{statements},{statement}]")
        } else {
            let members = statements.strip_suffix(']')?;
            let kept = members.trim_end();
            let comma = if kept == "[" { "" } else { "," };
            format!("{kept}{comma}{statement}{}]", members.strip_prefix(kept)?)
        };
        let extended = Self::parse("Policy", &format!("{before}{list}{after}")).ok()?;

        let mut expected = self.json();
        let existing = expected.get_mut("Statement")?;
        let mut list = existing.as_array().cloned().unwrap_or_else(|| vec![existing.clone()]);
        list.push(serde_json::from_str(statement).ok()?);
        *existing = Value::Array(list);
        (extended.json() == expected).then_some(extended)
    }

    /// The document without the statements at these positions; every byte of the others is unchanged. Without any
    /// statement, `Statement` is an empty list.
    ///
    /// `None` if removal alone cannot do that: the result is parsed and must equal the old document without them.
    pub fn without(&self, positions: &BTreeSet<usize>) -> Option<Self> {
        let place = value_of(&self.text, "Statement")?;
        let (before, rest) = self.text.split_at_checked(place.start)?;
        let (statements, after) = rest.split_at_checked(place.len())?;
        let list = if statements.starts_with('{') { format!("[{statements}]") } else { statements.to_owned() };
        let ranges = members_of(&list);
        let (first, last) = (ranges.first()?, ranges.last()?);
        let mut kept = list.get(..first.start)?.to_owned();
        let mut previous_end = None;
        let mut is_first = true;
        for (position, range) in ranges.iter().enumerate() {
            if !positions.contains(&position) {
                kept.push_str(list.get(if is_first { range.start } else { previous_end? }..range.end)?);
                is_first = false;
            }
            previous_end = Some(range.end);
        }
        kept.push_str(list.get(last.end..)?);
        let reduced = Self::parse("Policy", &format!("{before}{kept}{after}")).ok()?;

        let mut expected = self.json();
        let existing = expected.get_mut("Statement")?;
        let statements = members(existing).iter().enumerate().filter(|(position, _)| !positions.contains(position));
        *existing = statements.map(|(_, it)| it.clone()).collect();
        (reduced.json() == expected).then_some(reduced)
    }
}

/// The range in the JSON object `text` of the value of this key; the last one if there are several.
fn value_of(text: &str, key: &str) -> Option<Range<usize>> {
    let quoted = format!("\"{key}\"");
    let value_in = |member: Range<usize>| {
        let rest = text.get(member.clone())?.strip_prefix(&quoted)?.trim_start().strip_prefix(':')?;
        trimmed(text, member.end - rest.len()..member.end)
    };
    members_of(text).into_iter().rev().find_map(value_in)
}

/// The ranges of the members of the JSON list or object `text`, without the whitespace around them.
fn members_of(text: &str) -> Vec<Range<usize>> {
    let (mut depth, mut within_string, mut escaped) = (0_usize, false, false);
    let (mut start, mut found) = (0, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        if within_string {
            (within_string, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        if depth == 1 && matches!(byte, b',' | b'}' | b']') {
            found.extend(trimmed(text, start..at));
            start = at + 1;
        }
        match byte {
            b'"' => within_string = true,
            b'{' | b'[' => {
                depth += 1;
                start = if depth == 1 { at + 1 } else { start };
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    found.retain(|it| !it.is_empty());
    found
}

/// The same range without leading and trailing whitespace.
fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let value = text.get(range.clone())?;
    let start = range.start + (value.len() - value.trim_start().len());
    Some(start..start + value.trim().len())
}

impl PartialEq for Document {
    /// Services guarantee no order of the lists in a policy, and return a list of one as a string.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text || self.canonical() == other.canonical()
    }
}

impl From<Document> for Policy {
    fn from(document: Document) -> Self {
        document.policy
    }
}

impl From<Document> for String {
    fn from(document: Document) -> Self {
        document.text
    }
}

impl TryFrom<String> for Document {
    type Error = ShapeError;

    fn try_from(text: String) -> Result<Self, ShapeError> {
        Self::parse("Policy", &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = r#"{"Sid":"New","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#;
    const OLD: &str = r#"{"Effect":"Allow", "Principal":{"AWS":"1"},"Action":"s3:Get*","Resource":"a:[]{}\"}:,\\"}"#;

    fn with(text: &str) -> Option<String> {
        Document::parse("p", text).unwrap().with(NEW).map(String::from)
    }

    #[test]
    fn adding_a_statement_changes_no_other_byte() {
        for (text, expected) in [
            (r#"{"Statement":[]}"#.to_owned(), format!(r#"{{"Statement":[{NEW}]}}"#)),
            (r#"{"Statement":[ ]}"#.to_owned(), format!(r#"{{"Statement":[{NEW} ]}}"#)),
            (
                format!("{{\n  \"Version\" : \"2012-10-17\",\n  \"Statement\" : [\n    {OLD}\n  ],\n  \"Id\": \"x\"}}"),
                format!(
                    "{{\n  \"Version\" : \"2012-10-17\",\n  \"Statement\" : [\n    {OLD},{NEW}\n  ],\n  \"Id\": \"x\"}}"
                ),
            ),
            (format!(r#"{{"Statement": {OLD} }}"#), format!(r#"{{"Statement": [{OLD},{NEW}] }}"#)),
            (
                format!(r#"{{"Id":"\"Statement\":[]","Statement":[{OLD},{OLD}]}}"#),
                format!(r#"{{"Id":"\"Statement\":[]","Statement":[{OLD},{OLD},{NEW}]}}"#),
            ),
            (
                format!(r#"{{"Id":{{"Statement":[]}},"Statement":[{OLD}]}}"#),
                format!(r#"{{"Id":{{"Statement":[]}},"Statement":[{OLD},{NEW}]}}"#),
            ),
        ] {
            assert_eq!(with(&text).as_deref(), Some(expected.as_str()), "{text}");
        }
    }

    #[test]
    fn a_statement_that_cannot_be_inserted_is_not_added() {
        let escaped = format!(r#"{{"Statemen\u0074":[{OLD}]}}"#);
        let encoded = format!(r#"%7B"Statement":[{OLD}]%7D"#);
        for text in [escaped, encoded] {
            assert_eq!(with(&text), None, "{text}");
        }
        let plain = Document::parse("p", r#"{"Statement":[]}"#).unwrap();
        assert_eq!(plain.with("{}"), None, "not a statement");
        assert_eq!(plain.with("nonsense"), None);
    }

    #[test]
    fn removing_a_statement_changes_no_other_byte() {
        let [a, b, c] = ["A", "b\\\"],{", "C"].map(|sid| OLD.replacen('{', &format!(r#"{{"Sid": "{sid}", "#), 1));
        let text = format!("{{ \"Statement\" : [\n {a},\n  {b} ,\n   {c}\n ],\"Id\":\"x\"}}");
        for (removed, expected) in [
            (vec![0], format!("[\n {b} ,\n   {c}\n ]")),
            (vec![1], format!("[\n {a} ,\n   {c}\n ]")),
            (vec![2], format!("[\n {a},\n  {b}\n ]")),
            (vec![0, 2], format!("[\n {b}\n ]")),
            (vec![0, 1, 2], "[\n \n ]".to_owned()),
            (vec![], format!("[\n {a},\n  {b} ,\n   {c}\n ]")),
        ] {
            let document = Document::parse("p", &text).unwrap().without(&removed.iter().copied().collect()).unwrap();
            assert_eq!(document.text(), format!("{{ \"Statement\" : {expected},\"Id\":\"x\"}}"), "{removed:?}");
        }
        let single = Document::parse("p", &format!(r#"{{"Statement": {OLD} }}"#)).unwrap();
        assert_eq!(single.without(&[0].into()).unwrap().text(), r#"{"Statement": [] }"#);
        let escaped = Document::parse("p", &format!(r#"{{"Statemen\u0074":[{OLD}]}}"#)).unwrap();
        assert_eq!(escaped.without(&[0].into()), None);
    }

    #[test]
    fn a_statement_is_found_by_a_sid_that_no_other_has() {
        let named =
            |sid: &str| format!(r#"{{"Sid":"{sid}","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#);
        let text = format!(r#"{{"Statement":[{OLD},{},{},{}]}}"#, named("A"), named("B"), named("B"));
        let document = Document::parse("p", &text).unwrap();
        assert_eq!(["A", "B", "0"].map(|sid| document.position_of(sid)), [Some(1), None, None]);
        assert_eq!(document.statement(1), serde_json::from_str(&named("A")).ok());
        assert_eq!(document.statement(4), None);
    }

    #[test]
    fn a_document_is_stored_as_its_text() {
        let text = format!(r#"{{ "Statement":[{OLD}]}}"#);
        let document = Document::parse("p", &text).unwrap();
        let stored = serde_json::to_value(&document).unwrap();
        assert_eq!(stored, Value::String(text));
        assert_eq!(serde_json::from_value::<Document>(stored).unwrap(), document);
        assert!(serde_json::from_value::<Document>(Value::from("{}")).is_err());
    }
}
