//! A permission that no journey uses: it is not needed, or the journey does not go far enough.
//!
//! `tests/unused/<control>.txt` lists what a control's roles hold and its journey does not use, each with the reason. A journey
//! writes the file of its control where `RECTIFY_KEEP_UNUSED` is set; reasons that are there stay.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rectify_compliance::{Permission, roles};
use rectify_local::world::World;
use rectify_tests::binaries;

/// What no journey uses: who holds it, the action, and why.
const NEVER: &[(&str, &str, &str)] = &[
    ("fix", "config:GetDiscoveredResourceCounts", "journeys share no budget: the emulator has resources of its own"),
    ("fix", "logs:CreateLogStream", "Lambda writes the logs"),
    ("fix", "logs:PutLogEvents", "Lambda writes the logs"),
    ("fix", "sqs:SendMessage", "Lambda sends the dead letters"),
    ("rule", "config:GetResourceConfigHistory", "no item of a journey is too large"),
    ("rule", "lambda:InvokeFunction", "no account of a journey has more than one invocation lists"),
    ("rule", "logs:CreateLogStream", "Lambda writes the logs"),
    ("rule", "logs:PutLogEvents", "Lambda writes the logs"),
    ("rule", "sqs:SendMessage", "Lambda sends the dead letters"),
    ("undo", "dynamodb:Query", "no image of a journey is so large that it lies in parts"),
    ("undo", "logs:CreateLogStream", "Lambda writes the logs"),
    ("undo", "logs:PutLogEvents", "Lambda writes the logs"),
];

/// Who holds an action.
type Held = (String, String);

/// Asserts that rule, remediation and undo used whatever their roles hold for this control, but for what is listed, and
/// nothing that is.
pub(super) fn every_permission(world: &World, control: &str) {
    let mut unused = BTreeSet::new();
    for (who, function, permissions) in held(control) {
        let used = world.proxy().actions_used(&function);
        let never = |action: &str| NEVER.iter().any(|(by, listed, _)| (*by, *listed) == (who, action));
        let actions = permissions.iter().map(|it| it.action).filter(|it| !used.contains(*it) && !never(it));
        unused.extend(actions.map(|action| (who.to_owned(), action.to_owned())));
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
    let half = entry.remediation.unwrap();
    let mut fix = [&entry.remediation_permissions()[..], roles::REMEDIATION_LEDGER, roles::REMEDIATION_SHELL].concat();
    if half.needs_name() {
        fix.push(Permission::unscoped("config:GetResourceConfigHistory"));
    }
    let mut rule = [&entry.rule_permissions()[..], roles::RULE_SHELL].concat();
    if entry.meta.frequency().is_some() {
        rule.extend_from_slice(roles::RULE_GOES_ON);
    }
    [
        ("rule", format!("rectify-{control}"), rule),
        ("fix", format!("rectify-{control}-fix"), fix),
        // What undo reads is what the remediation reads.
        ("undo", "rectify-undo".to_owned(), [half.undo_permissions(), roles::UNDO].concat()),
    ]
}

fn file(control: &str) -> PathBuf {
    binaries::root().join("tests/unused").join(format!("{control}.txt"))
}

/// The rows of a control: `who action: reason`.
fn read(control: &str) -> BTreeMap<Held, String> {
    let text = std::fs::read_to_string(file(control)).unwrap_or_default();
    let row = |line: &str| {
        let (held, reason) = line.split_once(": ").unwrap_or_else(|| panic!("{control}: no reason: {line}"));
        let (who, action) = held.split_once(' ').unwrap_or_else(|| panic!("{control}: who holds it: {line}"));
        ((who.to_owned(), action.to_owned()), reason.to_owned())
    };
    text.lines().map(row).collect()
}

fn write(control: &str, unused: &BTreeSet<Held>, listed: &BTreeMap<Held, String>) {
    let row = |held: &Held| {
        let (who, action) = held;
        let usual = match who.as_str() {
            _ if Permission::unscoped(Box::leak(action.clone().into_boxed_str())).reads() => "read for another fault",
            "undo" => "takes back another fix",
            _ => "fixes another fault",
        };
        let reason = listed.get(held).map_or(usual, String::as_str);
        format!("{who} {action}: {reason}\n")
    };
    let file = file(control);
    if unused.is_empty() {
        // Nothing to list, and perhaps nothing was listed.
        let _absent = std::fs::remove_file(file);
        return;
    }
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, unused.iter().map(row).collect::<String>()).unwrap();
}

#[test]
fn every_list_is_of_a_control_that_holds_what_it_lists() {
    let folder = binaries::root().join("tests/unused");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let control = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let held: BTreeSet<Held> = held(&control)
            .into_iter()
            .flat_map(|(who, _, all)| all.into_iter().map(move |it| (who.to_owned(), it.action.to_owned())))
            .collect();
        let listed: BTreeSet<Held> = read(&control).into_keys().collect();
        assert!(!listed.is_empty() && listed.is_subset(&held), "{control}: {:?}", listed.difference(&held));
    }
}
