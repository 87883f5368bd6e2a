//! Platform functions that depend on all controls: the reconciler gets their modes, attribution the names of their
//! roles, and
//! undo the permissions of their undo calls.

use rectify_compliance::{Entry, Permission, roles};

use super::{guard, policy, sorted};
use crate::fragment::{Unfilled, fill};

/// The template parameters of these functions.
pub(super) const PARAMETERS: &str = include_str!("platform-parameters.yaml");

const ATTRIBUTION: &str = include_str!("attribution.yaml");
const RECONCILER: &str = include_str!("reconciler.yaml");
const UNDO: &str = include_str!("undo.yaml");
const UNDO_POLICY: &str = include_str!("undo-policy.yaml");

/// A managed policy may have 6,144 characters without whitespace; this leaves room for substituted values that are
/// longer than
/// their placeholders.
const MAX_CHARACTERS: usize = 5_800;
/// The maximum number of conditions in an `Or`.
const MAX_IN_OR: usize = 10;

/// The functions, their roles and their schedule.
///
/// # Errors
/// [`Unfilled`] when a fragment has a placeholder without a value.
pub(super) fn resources(controls: &[&Entry]) -> Result<String, Unfilled> {
    let modes: Vec<String> =
        controls.iter().map(|it| format!("{}=${{{}Mode}}", it.meta.id, it.meta.pascal_id())).collect();
    let statements = policy::statements(roles::RECONCILER, &[]).concat();
    let mut text = fill(RECONCILER, &[("modes", &modes.join("\n")), ("statements", &statements)])?;
    text.push_str(&attribution(controls)?);
    let policies = undo_policies(controls);
    let attached: String = (1..=policies.len())
        .map(|number| format!("- !If [UndoPolicy{number}Needed, !Ref UndoPolicy{number}, !Ref \"AWS::NoValue\"]\n"))
        .collect();
    let undone: Vec<&str> = controls.iter().filter(|it| !undo_calls(it).is_empty()).map(|it| it.meta.id).collect();
    let statements = policy::statements(roles::UNDO, &undone).concat();
    let guard = guard::of_undo(controls)?;
    text.push_str(&fill(UNDO, &[("policies", &attached), ("statements", &statements), ("guard", &guard)])?);
    for (number, members) in (1..).zip(&policies) {
        let number: usize = number;
        let statements: String = members.iter().map(|it| conditional(it, &undo_calls(it))).collect();
        text.push_str(&fill(UNDO_POLICY, &[("number", &number.to_string()), ("statements", &statements)])?);
    }
    Ok(text)
}

/// Attribution with references to all roles that act for Rectify; CloudFormation generates their names.
fn attribution(controls: &[&Entry]) -> Result<String, Unfilled> {
    let fixers: Vec<String> = controls.iter().filter(|it| it.has_calls()).map(|it| it.meta.pascal_id()).collect();
    let names: Vec<String> = fixers.iter().map(|it| format!("${{{it}}}")).collect();
    let fixer_roles: String =
        fixers.iter().map(|it| format!("{it}: !If [{it}Remediated, !Ref {it}FixRole, \"-\"]\n")).collect();
    let statements = policy::statements(roles::ATTRIBUTION, &[]).concat();
    fill(ATTRIBUTION, &[("names", &names.join(" ")), ("roles", &fixer_roles), ("statements", &statements)])
}

/// The condition of each undo policy: CloudFormation rejects a policy without a statement.
pub(super) fn conditions(controls: &[&Entry]) -> String {
    (1..)
        .zip(&undo_policies(controls))
        .map(|(number, members)| {
            let number: usize = number;
            let remediated = members.iter().map(|it| format!("!Condition {}Remediated", it.meta.pascal_id())).collect();
            format!("  UndoPolicy{number}Needed: !And [!Condition UndoDeployed, {}]\n", any(remediated))
        })
        .collect()
}

/// Permissions to undo an attempt of this control: read, make the undo calls, read again.
fn undo_calls(control: &Entry) -> Vec<Permission> {
    control.remediation.map_or_else(Vec::new, |remediation| {
        if remediation.undo_permissions().is_empty() {
            Vec::new()
        } else {
            sorted(&[remediation.read_permissions(), remediation.undo_permissions()].concat())
        }
    })
}

/// The controls with an undo, grouped so that each group fits one policy.
fn undo_policies<'a>(controls: &[&'a Entry]) -> Vec<Vec<&'a Entry>> {
    let mut policies: Vec<Vec<&Entry>> = Vec::new();
    let mut room = 0;
    for control in controls {
        let permissions = undo_calls(control);
        if permissions.is_empty() {
            continue;
        }
        let weight = policy::weight(&permissions);
        match policies.last_mut().filter(|_| weight <= room) {
            Some(policy) => policy.push(control),
            None => {
                policies.push(vec![control]);
                room = MAX_CHARACTERS;
            }
        }
        room = room.saturating_sub(weight);
    }
    policies
}

/// A control's statements, each conditional on its remediation being deployed.
fn conditional(control: &Entry, permissions: &[Permission]) -> String {
    let name = control.meta.pascal_id();
    policy::statements(permissions, &[])
        .iter()
        .map(|statement| {
            let body = policy::indented(statement, 2);
            format!("- !If\n  - {name}Remediated\n{body}  - !Ref \"AWS::NoValue\"\n")
        })
        .collect()
}

/// A condition that holds when any of these does.
fn any(mut conditions: Vec<String>) -> String {
    while conditions.len() > 1 {
        conditions = conditions.chunks(MAX_IN_OR).map(one_of).collect();
    }
    conditions.pop().unwrap_or_default()
}

fn one_of(conditions: &[String]) -> String {
    match conditions {
        [only] => only.clone(),
        several => format!("!Or [{}]", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_ten_conditions_are_nested() {
        let named = |count: usize| (0..count).map(|it| it.to_string()).collect::<Vec<_>>();
        assert_eq!(any(named(1)), "0");
        assert_eq!(any(named(3)), "!Or [0, 1, 2]");
        assert_eq!(any(named(11)), "!Or [!Or [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 10]");
    }
}
