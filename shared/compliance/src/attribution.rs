//! Who changed a resource, read from CloudTrail's records.
//!
//! Total: an unreadable record is an error to count, never a change and never a guess. Values that a caller chooses
//! (the role session name, the user agent) are reported and prove nothing: a change is Rectify's own if its role is,
//! since a role's name is unique in its account and only Lambda may assume these roles.
//!
//! | module | noun |
//! |---|---|
//! | `actor` | who made a call, through which service and for which stack |
//! | `change` | one call that changed something, read from one record |
//! | `history` | the changes of a resource, and which of them can have caused a finding |
//! | `names` | the names under which CloudTrail lists a resource |
//!
//! Source: "CloudTrail record contents" and "CloudTrail userIdentity element" of the CloudTrail user guide, read
//! 2026-11.

mod actor;
mod change;
mod history;
mod names;

pub use actor::{Actor, Identity};
pub use change::Change;
pub use history::{CLOCK_SKEW, History, OwnRoles, tally};
pub use names::{is_about, is_global, names};

use serde_json::Value;

/// Maximum length of a string copied from a record, in characters. An ARN can have 2,048; more than this does not help
/// a reader.
const MAX_CHARS: usize = 256;
/// The tag that CloudFormation sets on the resources it creates.
const STACK_NAME: &str = "aws:cloudformation:stack-name";
/// Maximum depth at which a document is searched for that tag.
const MAX_DEPTH: usize = 16;

/// A string for an announcement: no control characters, bounded length. `None` if nothing is left.
fn printable(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|it| !it.is_control()).take(MAX_CHARS).collect();
    (!text.trim().is_empty()).then_some(text)
}

/// The stack named by a document's tags, which are a map or a list of objects with `key` and `value`.
pub fn stack_in(document: &Value) -> Option<String> {
    search(document, MAX_DEPTH)
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
#[path = "attribution/properties.rs"]
mod properties;
