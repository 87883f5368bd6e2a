//! Permissions that no journey uses: each is not needed, or its journey does not go far enough.
//!
//! `tests/unused/<control>.txt` lists the permissions of a control's roles that its journey does not use, each with the
//! reason. A journey writes the file of its control if `RECTIFY_KEEP_UNUSED` is set, and keeps the reasons already
//! given.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rectify_compliance::{Permission, roles};
use rectify_local::world::World;
use rectify_tests::binaries;

/// Permissions that no journey uses: role, action and reason.
const NEVER: &[(&str, &str, &str)] = &[
    (
        "fix",
        "config:GetDiscoveredResourceCounts",
        "journeys set a budget share of 100 %: the emulator has default resources",
    ),
    ("fix", "logs:CreateLogStream", "Lambda writes the logs"),
    ("fix", "logs:PutLogEvents", "Lambda writes the logs"),
    ("fix", "sqs:SendMessage", "Lambda sends to the dead-letter queue"),
    ("rule", "config:GetResourceConfigHistory", "no item of a journey is oversized"),
    ("rule", "lambda:InvokeFunction", "every account of a journey is listed by one invocation"),
    ("rule", "logs:CreateLogStream", "Lambda writes the logs"),
    ("rule", "logs:PutLogEvents", "Lambda writes the logs"),
    ("rule", "sqs:SendMessage", "Lambda sends to the dead-letter queue"),
    ("undo", "dynamodb:Query", "no state of a journey is so large that it is stored in parts"),
    ("undo", "logs:CreateLogStream", "Lambda writes the logs"),
    ("undo", "logs:PutLogEvents", "Lambda writes the logs"),
];

/// A role (`rule`, `fix`, `undo`) and an action that it holds.
type Held = (String, String);

/// Asserts that rule, remediation and undo used every permission that their roles hold for this control, except those
/// listed, and that they used none of those.
pub(super) fn every_permission(world: &World, control: &str) {
    let mut unused = BTreeSet::new();
    for (role, function, permissions) in held(control) {
        let used = world.proxy().actions_used(&function);
        let never = |action: &str| NEVER.iter().any(|(by, listed, _)| (*by, *listed) == (role, action));
        let actions = permissions.iter().map(|it| it.action).filter(|it| !used.contains(*it) && !never(it));
        unused.extend(actions.map(|action| (role.to_owned(), action.to_owned())));
    }
    let listed = read(control);
    if std::env::var_os("RECTIFY_KEEP_UNUSED").is_some() {
        return write(control, &unused, &listed);
    }
    let listed: BTreeSet<Held> = listed.into_keys().collect();
    let advice = "a journey that uses it, or a row in tests/unused (`make unused` writes it)";
    assert_eq!(unused, listed, "{control}: permissions that its journey does not use, and the list of them: {advice}");
}

fn held(control: &str) -> [(&'static str, String, Vec<Permission>); 3] {
    let entry = rectify_catalogue::find(control).unwrap();
    let remediation = entry.remediation.unwrap();
    let mut fix = [&entry.remediation_permissions()[..], roles::REMEDIATION_LEDGER, roles::REMEDIATION_COMMON].concat();
    if remediation.needs_name() {
        fix.push(Permission::unscoped("config:GetResourceConfigHistory"));
    }
    let mut rule = [&entry.rule_permissions()[..], roles::RULE_COMMON].concat();
    if entry.meta.frequency().is_some() {
        rule.extend_from_slice(roles::RULE_CONTINUATION);
    }
    [
        ("rule", format!("rectify-{control}"), rule),
        ("fix", format!("rectify-{control}-fix"), fix),
        // Undo has the remediation's read permissions.
        (
            "undo",
            format!("rectify-undo-{}", rectify_catalogue::service(entry)),
            [remediation.undo_permissions(), roles::UNDO].concat(),
        ),
    ]
}

fn file(control: &str) -> PathBuf {
    binaries::root().join("tests/unused").join(format!("{control}.txt"))
}

/// The rows of a control: `role action: reason`.
fn read(control: &str) -> BTreeMap<Held, String> {
    let text = std::fs::read_to_string(file(control)).unwrap_or_default();
    let row = |line: &str| {
        let (held, reason) = line.split_once(": ").unwrap_or_else(|| panic!("{control}: no reason: {line}"));
        let (role, action) = held.split_once(' ').unwrap_or_else(|| panic!("{control}: no role: {line}"));
        ((role.to_owned(), action.to_owned()), reason.to_owned())
    };
    text.lines().map(row).collect()
}

fn write(control: &str, unused: &BTreeSet<Held>, listed: &BTreeMap<Held, String>) {
    let row = |held: &Held| {
        let (role, action) = held;
        let usual = match role.as_str() {
            _ if Permission::unscoped(Box::leak(action.clone().into_boxed_str())).reads() => {
                "read for another violation"
            }
            "undo" => "undoes another fix",
            _ => "fixes another violation",
        };
        let reason = listed.get(held).map_or(usual, String::as_str);
        format!("{role} {action}: {reason}\n")
    };
    let file = file(control);
    if unused.is_empty() {
        // The file may not exist.
        let _absent = std::fs::remove_file(file);
        return;
    }
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, unused.iter().map(row).collect::<String>()).unwrap();
}

#[test]
fn every_listed_permission_is_held_by_its_control() {
    let folder = binaries::root().join("tests/unused");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let control = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let held: BTreeSet<Held> = held(&control)
            .into_iter()
            .flat_map(|(role, _, all)| all.into_iter().map(move |it| (role.to_owned(), it.action.to_owned())))
            .collect();
        let listed: BTreeSet<Held> = read(&control).into_keys().collect();
        assert!(!listed.is_empty() && listed.is_subset(&held), "{control}: {:?}", listed.difference(&held));
    }
}
