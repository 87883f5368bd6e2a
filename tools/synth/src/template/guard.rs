//! Explicit denies of a role: writing operators' decisions, writing the tags that carry them, and changing protected
//! resources.

use std::collections::BTreeSet;

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::{Entry, Permission, roles};

use super::policy;
use crate::fragment::{Unfilled, fill};
use crate::settings::Settings;

const DECISIONS: &str = include_str!("guard-decisions.yaml");
const TAGS: &str = include_str!("guard-tags.yaml");
const PROTECTED: &str = include_str!("guard-protected.yaml");

/// The guard of every remediation.
///
/// # Errors
/// [`Unfilled`] when the fragment has a placeholder without a value.
pub(super) fn of_remediations(settings: &Settings) -> Result<String, Unfilled> {
    let calls = remediations(settings).flat_map(ErasedRemediation::fix_permissions);
    guard(roles::OPERATOR_KEYS, calls.copied())
}

/// The guard of the undo function.
///
/// # Errors
/// As [`of_remediations`].
pub(super) fn of_undo(controls: &[&Entry]) -> Result<String, Unfilled> {
    let calls = controls.iter().filter_map(|it| it.remediation).flat_map(ErasedRemediation::undo_permissions);
    guard(roles::OPERATOR_KEYS_EXCEPT_HOLDS, calls.copied())
}

/// The remediations of every control, deployed or not: the guard of a role does not depend on the others' modes.
fn remediations(settings: &Settings) -> impl Iterator<Item = &'static dyn ErasedRemediation> {
    settings.controls().iter().filter_map(|it| it.control.remediation)
}

fn guard(decided: &[&str], calls: impl Iterator<Item = Permission>) -> Result<String, Unfilled> {
    let decided: Vec<String> = decided.iter().map(|it| format!("\"{it}\"")).collect();
    Ok(fill(DECISIONS, &[("decided", &decided.join(", "))])? + &of_resources(calls)?)
}

/// The guard of resources, for a role that cannot write to the ledger.
///
/// # Errors
/// As [`of_remediations`].
pub(super) fn of_resources(calls: impl Iterator<Item = Permission>) -> Result<String, Unfilled> {
    let calls: Vec<Permission> = calls.filter(|it| !it.reads()).collect();
    let actions = |selected: fn(&Permission) -> bool| -> String {
        let actions: BTreeSet<&str> = calls.iter().filter(|it| selected(it)).map(|it| it.action).collect();
        policy::members(actions)
    };
    let mut text = String::new();
    // IAM rejects a statement without an action.
    let tagging = actions(|it| it.action.contains("Tag"));
    if !tagging.is_empty() {
        text.push_str(&fill(TAGS, &[("tagging", &tagging), ("deciding-tags", roles::OPERATOR_TAGS)])?);
    }
    // An action without a resource matches no ARN.
    let writes = actions(|it| it.resource != "*");
    if !writes.is_empty() {
        text.push_str(&fill(PROTECTED, &[("writes", &writes)])?);
    }
    Ok(text)
}
