//! What a role is denied whatever else it holds: people's decisions, the tags they are read from, and protected resources.

use std::collections::BTreeSet;

use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::{Entry, Permission, roles};

use super::policy;
use crate::fragment::{Unfilled, fill};

const GUARD: &str = include_str!("guard.yaml");

/// The guard of every remediation.
///
/// # Errors
/// [`Unfilled`] when the fragment names something that nothing fills.
pub(super) fn of_remediations(controls: &[&Entry]) -> Result<String, Unfilled> {
    let calls = controls.iter().filter_map(|it| it.remediation).flat_map(ErasedRemediation::fix_permissions);
    guard(roles::DECIDED, calls.copied())
}

/// The guard of the undo function.
///
/// # Errors
/// As [`of_remediations`].
pub(super) fn of_undo(controls: &[&Entry]) -> Result<String, Unfilled> {
    let undoes = controls.iter().filter_map(|it| it.remediation).flat_map(ErasedRemediation::undo_permissions);
    guard(roles::DECIDED_BUT_FOR_HOLDS, undoes.copied())
}

fn guard(decided: &[&str], calls: impl Iterator<Item = Permission>) -> Result<String, Unfilled> {
    let calls: Vec<Permission> = calls.filter(|it| !it.reads()).collect();
    let of = |wanted: fn(&Permission) -> bool| -> String {
        let actions: BTreeSet<&str> = calls.iter().filter(|it| wanted(it)).map(|it| it.action).collect();
        policy::members(actions)
    };
    let decided: Vec<String> = decided.iter().map(|it| format!("\"{it}\"")).collect();
    fill(
        GUARD,
        &[
            ("decided", &decided.join(", ")),
            ("tagging", &of(|it| it.action.contains("Tag"))),
            ("deciding-tags", roles::DECIDING_TAGS),
            // An action without a resource matches no ARN.
            ("writes", &of(|it| it.resource != "*")),
        ],
    )
}
