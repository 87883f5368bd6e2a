//! A template as one JSON value, from JSON or from YAML with CloudFormation's short tags, with the lines of its
//! resources.
//!
//! Nothing here knows an intrinsic: `!GetAtt a.b` becomes `{"Fn::GetAtt": "a.b"}`. A file is hostile until it is read:
//! aliases, depth and size are limited.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// The most values of a document after its aliases are replaced. A template of 1 MB has less than 200,000.
const MOST_VALUES: usize = 1_000_000;
/// The most levels of a document; that of the JSON parser.
const MOST_LEVELS: usize = 127;
/// The member with the resources.
const RESOURCES: &str = "Resources";

/// A document with the lines of its resources.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Document {
    /// The whole document.
    pub(super) value: Value,
    /// The line of each member of `Resources`, from 1.
    pub(super) lines: BTreeMap<String, u64>,
}

/// Reads JSON if the text begins with a brace, and YAML otherwise. YAML in braces is read as YAML if it is no JSON.
///
/// # Errors
/// What is wrong, with the line.
pub(super) fn read(text: &str) -> Result<Document, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        return json(text).or_else(|error| yaml(text).map_err(|_| error));
    }
    yaml(text)
}

fn json(text: &str) -> Result<Document, String> {
    #[derive(Deserialize)]
    struct Parts<'a> {
        #[serde(borrow, rename = "Resources")]
        resources: Option<&'a RawValue>,
    }
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    // The parts borrow from the text, so their addresses are their places in it.
    let parts = serde_json::from_str::<Parts<'_>>(text).ok().and_then(|it| it.resources);
    let resources = parts.and_then(|it| serde_json::from_str::<BTreeMap<String, &RawValue>>(it.get()).ok());
    let offsets = resources.into_iter().flatten().map(|(id, part)| (id, offset(text, part.get())));
    let mut offsets: Vec<(String, usize)> = offsets.collect();
    offsets.sort_by_key(|(_, offset)| *offset);
    let (mut lines, mut line, mut from) = (BTreeMap::new(), 1, 0);
    for (id, offset) in offsets {
        line += text.get(from..offset).map_or(0, |it| it.bytes().filter(|byte| *byte == b'\n').count() as u64);
        from = offset;
        lines.insert(id, line);
    }
    Ok(Document { value, lines })
}

/// Where a part of the text begins.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// A list or an object that is not complete.
struct Open {
    anchor: usize,
    tag: Option<String>,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    /// The members, and the key that waits for its value.
    Object(Map<String, Value>, Option<String>),
}

/// Builds the value of the first document.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Value, usize)>,
    values: usize,
    lines: BTreeMap<String, u64>,
    done: Option<Value>,
}

fn yaml(text: &str) -> Result<Document, String> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.to_string())?;
        let line = span.start.line() as u64;
        if builder.done.is_some() && matches!(event, Event::DocumentStart(_)) {
            return Err(format!("line {line}: expected one document: received a second one"));
        }
        builder.event(event, line).map_err(|error| format!("line {line}: {error}"))?;
    }
    Ok(Document { value: builder.done.ok_or("expected a template: received nothing")?, lines: builder.lines })
}

impl Builder {
    fn event(&mut self, event: Event<'_>, line: u64) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(text, style, tag.as_deref());
                self.value(value, 1, anchor, tag.as_deref().and_then(function), line)
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let (value, size) = known.ok_or("an alias inside of its own anchor")?;
                self.value(value, size, 0, None, line)
            }
            Event::SequenceStart(anchor, tag) => self.start(anchor, tag.as_deref(), Content::List(Vec::new())),
            Event::MappingStart(anchor, tag) => self.start(anchor, tag.as_deref(), Content::Object(Map::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { anchor, tag, content }) = self.open.pop() else { return Ok(()) };
                let value = match content {
                    Content::List(list) => Value::Array(list),
                    Content::Object(members, _) => Value::Object(members),
                };
                // Its content is counted already; only an anchor needs the size of the whole.
                let size = if anchor == 0 { 1 } else { size_of(&value) };
                self.values = self.values.saturating_sub(size.saturating_sub(1));
                self.value(value, size, anchor, tag, line)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn start(&mut self, anchor: usize, tag: Option<&Tag>, content: Content) -> Result<(), String> {
        if self.open.len() >= MOST_LEVELS {
            return Err(format!("expected at most {MOST_LEVELS} levels: received more"));
        }
        self.open.push(Open { anchor, tag: tag.and_then(function), content });
        Ok(())
    }

    /// Adds a complete value of this many values.
    fn value(
        &mut self,
        value: Value,
        size: usize,
        anchor: usize,
        tag: Option<String>,
        line: u64,
    ) -> Result<(), String> {
        self.values = self.values.saturating_add(size);
        if self.values > MOST_VALUES {
            return Err(format!("expected at most {MOST_VALUES} values after aliases: received more"));
        }
        let value = match tag {
            Some(name) => Value::Object(Map::from_iter([(name, value)])),
            None => value,
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), size));
        }
        let in_resources = match self.open.as_slice() {
            [Open { content: Content::Object(_, Some(key)), .. }, _] => key == RESOURCES,
            _ => false,
        };
        match self.open.last_mut().map(|it| &mut it.content) {
            None => self.done = Some(value),
            Some(Content::List(list)) => list.push(value),
            Some(Content::Object(members, key)) => match key.take() {
                Some(key) => {
                    members.insert(key, value);
                }
                None => {
                    let name = key_of(value)?;
                    if members.contains_key(&name) {
                        return Err(format!("expected each key once: received `{name}` twice"));
                    }
                    if in_resources {
                        self.lines.insert(name.clone(), line);
                    }
                    *key = Some(name);
                }
            },
        }
        Ok(())
    }
}

fn size_of(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(size_of).sum(),
        Value::Object(members) => members.values().map(size_of).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn key_of(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) if text == "<<" => {
            Err("expected a key: received `<<`, which CloudFormation refuses".into())
        }
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(format!("expected text as a key: received {value}")),
    }
}

/// The long form of a short tag: `!Ref` is `Ref`, `!Sub` is `Fn::Sub`. None for YAML's own tags.
fn function(tag: &Tag) -> Option<String> {
    match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("!", "") => None,
        ("!", name @ ("Ref" | "Condition")) => Some(name.to_owned()),
        ("!", name) => Some(format!("Fn::{name}")),
        _ => None,
    }
}

/// A scalar as CloudFormation reads it: YAML 1.1 without times and without numbers that begin with 0.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    if style != ScalarStyle::Plain || is_text {
        return Value::String(text.into_owned());
    }
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        plain => number(plain).map_or_else(|| Value::String(plain.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = |it: &str| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit());
    match digits.split_once('.') {
        None if is_plain(digits) && (digits == "0" || !digits.starts_with('0')) => {
            text.parse::<i64>().ok().map(Number::from)
        }
        Some((whole, part)) if is_plain(whole) && is_plain(part) => text.parse().ok().and_then(Number::from_f64),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn yaml_and_json_are_the_same_template_with_its_lines() {
        let yaml = "Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      EnableKeyRotation: true\n\n  \
                    Volume:\n    Type: AWS::EC2::Volume\n    Properties: {KmsKeyId: !GetAtt Key.Arn}\n";
        let expected = json!({"Resources": {
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": true}},
            "Volume": {"Type": "AWS::EC2::Volume", "Properties": {"KmsKeyId": {"Fn::GetAtt": "Key.Arn"}}},
        }});
        let lines = |pairs: &[(&str, u64)]| pairs.iter().map(|(id, line)| ((*id).to_owned(), *line)).collect();
        let document = read(yaml).unwrap();
        assert_eq!(document, Document { value: expected.clone(), lines: lines(&[("Key", 2), ("Volume", 7)]) });
        let text = format!("{expected:#}");
        let at = |id: &str| text.lines().position(|line| line.contains(&format!("\"{id}\": {{"))).unwrap() as u64 + 1;
        let from_json = read(&text).unwrap();
        assert_eq!(from_json.value, expected);
        assert_eq!(from_json.lines, lines(&[("Key", at("Key")), ("Volume", at("Volume"))]));
        assert!(at("Key") < at("Volume"), "the test compares two lines");
        assert_eq!(read(&format!("\u{feff}{yaml}")).unwrap().value, document.value, "a mark of the byte order");
    }

    #[test]
    fn scalars_are_those_of_cloudformation() {
        let rows = [
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("'yes'", json!("yes")),
            ("!!str 22", json!("22")),
            ("22", json!(22)),
            ("-1", json!(-1)),
            ("012345678901", json!("012345678901")),
            ("1.5", json!(1.5)),
            ("2012-10-17", json!("2012-10-17")),
            ("~", json!(null)),
            ("!Ref A", json!({"Ref": "A"})),
            ("!Condition A", json!({"Condition": "A"})),
            ("!Equals [!Ref A, b]", json!({"Fn::Equals": [{"Ref": "A"}, "b"]})),
            ("!Sub\n  - a\n  - {b: c}", json!({"Fn::Sub": ["a", {"b": "c"}]})),
            ("0.0.0.0/0", json!("0.0.0.0/0")),
        ];
        for (text, expected) in rows {
            assert_eq!(read(&format!("a: {text}")).unwrap().value, json!({"a": expected}), "{text}");
        }
        assert_eq!(read("{a: b}").unwrap().value, json!({"a": "b"}), "YAML in braces");
        assert_eq!(read("a: &x [1]\nb: *x").unwrap().value, json!({"a": [1], "b": [1]}));
    }

    #[test]
    fn hostile_documents_are_refused_with_their_line() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let bomb: String = (0..9)
            .map(|level| {
                let items = (0..9).map(|_| if level == 0 { "x".to_owned() } else { format!("*a{}", level - 1) });
                format!("a{level}: &a{level} [{}]\n", items.collect::<Vec<_>>().join(", "))
            })
            .collect();
        let rows = [
            ("", "expected a template: received nothing"),
            ("a: *nothing", "unknown anchor"),
            ("a: &a [*a]", "an alias inside of its own anchor"),
            ("a: 1\na: 2", "line 2: expected each key once: received `a` twice"),
            ("a: {<<: {b: 1}}", "received `<<`"),
            ("a: 1\n---\nb: 2", "line 2: expected one document"),
            ("? [1]\n: 2", "expected text as a key"),
            (&deep, "level"),
            (&bomb, "expected at most 1000000 values after aliases: received more"),
            ("{\"a\": ", "EOF while parsing"),
            ("a: [", "line 2"),
        ];
        for (text, expected) in rows {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected) || (expected == "level" && error.contains("recursion")), "{error}");
        }
    }
}
