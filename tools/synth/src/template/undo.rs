//! The undo function of a service, with the permissions of its controls' undo calls and no others.

use rectify_compliance::{Entry, Permission, Scope, roles};

use super::{guard, policy, sorted};
use crate::fragment::{Unfilled, fill};

const UNDO: &str = include_str!("undo.yaml");
const UNDO_POLICY: &str = include_str!("undo-policy.yaml");

/// The condition of the policies of global controls.
const UNDONE_AT_HOME: &str = "UndoneAtHome";

/// The function with its role and policies; nothing if no control can be undone. Where the template is also deployed
/// outside the home region (`conditional`), the policies of global controls are not.
///
/// # Errors
/// [`Unfilled`] when a fragment has a placeholder without a value.
pub(super) fn resources(
    service: (&str, &str),
    controls: &[&Entry],
    conditional: bool,
    own_means: &str,
) -> Result<String, Unfilled> {
    let undoable: Vec<&Entry> = controls.iter().copied().filter(|it| !undo_calls(it).is_empty()).collect();
    if undoable.is_empty() {
        return Ok(String::new());
    }
    let (name, capitalized) = service;
    let only_at_home = |it: &Entry| conditional && it.meta.scope == Scope::Global;
    let (home, everywhere): (Vec<&Entry>, Vec<&Entry>) = undoable.iter().copied().partition(|it| only_at_home(it));
    let mut policies = Vec::new();
    for (members, condition) in [(everywhere, "UndoDeployed"), (home, UNDONE_AT_HOME)] {
        policies.extend(grouped(&members).into_iter().map(|members| (condition, members)));
    }
    let mut attached = String::new();
    let mut text = String::new();
    for (number, (condition, members)) in (1..).zip(&policies) {
        let number: usize = number;
        let policy = format!("!Ref {capitalized}UndoPolicy{number}");
        // The role itself depends on the other condition.
        attached.push_str(&match *condition {
            UNDONE_AT_HOME => format!("- !If [{condition}, {policy}, !Ref \"AWS::NoValue\"]\n"),
            _ => format!("- {policy}\n"),
        });
        let statements: String = members.iter().flat_map(|it| policy::statements(&undo_calls(it), &[])).collect();
        let number = number.to_string();
        let values =
            [("Service", capitalized), ("number", &*number), ("condition", condition), ("statements", &statements)];
        text.push_str(&fill(UNDO_POLICY, &values)?);
    }
    let ids: Vec<&str> = undoable.iter().map(|it| it.meta.id).collect();
    let statements = policy::statements(roles::UNDO, &ids).concat();
    let guard = guard::of_undo(&undoable)?;
    let values = [
        ("Service", capitalized),
        ("service", name),
        ("policies", attached.as_str()),
        ("statements", &statements),
        ("guard", &guard),
        ("own-means", own_means),
    ];
    Ok(fill(UNDO, &values)? + &text)
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

/// The controls, grouped so that each group fits one policy.
fn grouped<'a>(controls: &[&'a Entry]) -> Vec<Vec<&'a Entry>> {
    let mut policies: Vec<Vec<&Entry>> = Vec::new();
    let mut room = 0;
    for control in controls {
        let weight = policy::weight(&undo_calls(control));
        match policies.last_mut().filter(|_| weight <= room) {
            Some(policy) => policy.push(control),
            None => {
                policies.push(vec![control]);
                room = policy::MAX_CHARACTERS;
            }
        }
        room = room.saturating_sub(weight);
    }
    policies
}
