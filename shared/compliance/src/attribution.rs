//! Who changed a resource, read from CloudTrail's records.
//!
//! Total: a record that cannot be read is an error to be counted, never a change and never a guess. What a caller can
//! choose (the name of a role's session, the user agent) is told and proves nothing: whether a change is ours is decided
//! by the role, whose name is unique in its account and which only Lambda may assume.
//!
//! | module | noun |
//! |---|---|
//! | `actor` | who made a call, through which service and for which stack |
//! | `change` | one call that changed something, read from one record |
//! | `history` | the changes of a resource, and which of them can be behind a finding |
//! | `names` | what CloudTrail calls a resource |
//!
//! Source: "CloudTrail record contents" and "CloudTrail userIdentity element" of the CloudTrail user guide, read 2026-11.

mod actor;
mod change;
mod history;
mod names;

pub use actor::{Actor, Identity};
pub use change::Change;
pub use history::{CLOCKS, History, Ours, tally};
pub use names::{is_about, is_global, names};

use serde_json::Value;

/// The longest text taken over from a record, characters: an ARN has at most 2,048, and what is longer than this says
/// nothing more to a person.
const LONGEST: usize = 256;
/// The tag CloudFormation puts on what it creates.
const STACK_NAME: &str = "aws:cloudformation:stack-name";
/// How deep a document is searched for that tag.
const DEEPEST: usize = 16;

/// A text as it may stand in an announcement: without control characters, and bounded. `None` where nothing is left.
fn printable(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|it| !it.is_control()).take(LONGEST).collect();
    (!text.trim().is_empty()).then_some(text)
}

/// The stack that a document's tags name: as a key of a map, or as `key` and `value` of a list's member.
pub fn stack_in(document: &Value) -> Option<String> {
    search(document, DEEPEST)
}

fn search(document: &Value, depth: usize) -> Option<String> {
    let deeper = depth.checked_sub(1)?;
    match document {
        Value::Object(members) => {
            let named = |names: [&str; 2]| names.iter().find_map(|name| members.get(*name)?.as_str());
            let is_tag = named(["key", "Key"]) == Some(STACK_NAME);
            let tagged = if is_tag { named(["value", "Value"]) } else { None };
            let own = tagged.or_else(|| members.get(STACK_NAME)?.as_str()).and_then(printable);
            own.or_else(|| members.values().find_map(|member| search(member, deeper)))
        }
        Value::Array(members) => members.iter().find_map(|member| search(member, deeper)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[cfg(test)]
#[path = "attribution/laws.rs"]
mod laws;
