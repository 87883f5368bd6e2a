//! Explicit denies of a role: writing operators' decisions, writing the tags that carry them, and changing protected
//! resources.

use std::collections::BTreeSet;

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::{Entry, Permission, roles};

use super::policy;
use crate::fragment::{Unfilled, fill};

const GUARD: &str = include_str!("guard.yaml");

/// The guard of every remediation.
///
/// # Errors
/// [`Unfilled`] when the fragment has a placeholder without a value.
pub(super) fn of_remediations(controls: &[&Entry]) -> Result<String, Unfilled> {
    let calls = controls.iter().filter_map(|it| it.remediation).flat_map(ErasedRemediation::fix_permissions);
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

fn guard(decided: &[&str], calls: impl Iterator<Item = Permission>) -> Result<String, Unfilled> {
    let calls: Vec<Permission> = calls.filter(|it| !it.reads()).collect();
    let actions = |selected: fn(&Permission) -> bool| -> String {
        let actions: BTreeSet<&str> = calls.iter().filter(|it| selected(it)).map(|it| it.action).collect();
        policy::members(actions)
    };
    let decided: Vec<String> = decided.iter().map(|it| format!("\"{it}\"")).collect();
    fill(
        GUARD,
        &[
            ("decided", &decided.join(", ")),
            ("tagging", &actions(|it| it.action.contains("Tag"))),
            ("deciding-tags", roles::OPERATOR_TAGS),
            // An action without a resource matches no ARN.
            ("writes", &actions(|it| it.resource != "*")),
        ],
    )
}
