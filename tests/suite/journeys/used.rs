//! A permission that no journey uses: it is not needed, or the journey does not go far enough.

use std::collections::BTreeSet;

use rectify_compliance::{Permission, roles};
use rectify_local::world::World;

/// Permissions that a journey does not use: the control (`*` for every one), who holds it, the action, and why.
const UNUSED: &[(&str, &str, &str, &str)] = &[
    (
        "*",
        "fix",
        "config:GetDiscoveredResourceCounts",
        "journeys share no budget: the emulator has resources of its own",
    ),
    ("*", "fix", "logs:CreateLogStream", "Lambda writes the logs"),
    ("*", "fix", "logs:PutLogEvents", "Lambda writes the logs"),
    ("*", "fix", "sqs:SendMessage", "Lambda sends the dead letters"),
    ("*", "rule", "config:GetResourceConfigHistory", "no item of a journey is too large"),
    ("*", "rule", "logs:CreateLogStream", "Lambda writes the logs"),
    ("*", "rule", "logs:PutLogEvents", "Lambda writes the logs"),
    ("*", "rule", "sqs:SendMessage", "Lambda sends the dead letters"),
    ("*", "undo", "logs:CreateLogStream", "Lambda writes the logs"),
    ("*", "undo", "logs:PutLogEvents", "Lambda writes the logs"),
];

/// Asserts that rule, remediation and undo used whatever their roles hold for this control, but for what is listed.
pub(super) fn every_permission(world: &World, control: &str) {
    let entry = rectify_catalogue::find(control).unwrap();
    let half = entry.remediation.unwrap();
    let mut fix = [&entry.remediation_permissions()[..], roles::REMEDIATION_LEDGER, roles::REMEDIATION_SHELL].concat();
    if half.needs_name {
        fix.push(Permission::unscoped("config:GetResourceConfigHistory"));
    }
    let rule = [&entry.rule_permissions()[..], roles::RULE_SHELL].concat();
    // What undo reads is what the remediation reads.
    let undo = [half.undoes, roles::UNDO].concat();
    let mut unused = BTreeSet::new();
    for (who, function, permissions) in [
        ("rule", format!("rectify-{control}"), rule),
        ("fix", format!("rectify-{control}-fix"), fix),
        ("undo", "rectify-undo".to_owned(), undo),
    ] {
        let used = world.proxy().actions_used(&function);
        let listed = |action: &str| {
            let is = |(of, by, listed, _): &&(&str, &str, &str, &str)| {
                (*of == "*" || *of == control) && *by == who && *listed == action
            };
            UNUSED.iter().any(|it| is(&it))
        };
        let stale = UNUSED.iter().find(|(of, by, action, _)| *of == control && *by == who && used.contains(*action));
        assert_eq!(stale, None, "{control}: a permission that is used is listed as unused");
        let actions = permissions.iter().map(|it| it.action).filter(|it| !used.contains(*it) && !listed(it));
        unused.extend(actions.map(|action| (who, action)));
    }
    let rows: Vec<String> =
        unused.iter().map(|(who, action)| format!("    (\"{control}\", \"{who}\", \"{action}\", \"\"),")).collect();
    assert!(rows.is_empty(), "{control}: permissions that its journey does not use:\n{}", rows.join("\n"));
}
