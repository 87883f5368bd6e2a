//! Permissions of the runtime and of the platform functions against the calls their code can reach: every call is
//! permitted and every permission is used, function by function.

use std::collections::BTreeSet;

use rectify_compliance::permission::{Condition, EACH_CONTROL};
use rectify_compliance::{Permission, roles};
use rectify_tests::reach::Code;

use super::tree::shipped;

/// One kind of function: its permissions and the code it can run.
struct Function {
    name: &'static str,
    permissions: Vec<Permission>,
    /// Files and folders with every function it can call.
    code: &'static [&'static str],
    /// Its entry points among them.
    begins: &'static [&'static str],
    /// The actions that Lambda calls with its role, which are in no source.
    by_lambda: &'static [&'static str],
}

const SHARED: &str = "shared/runtime/src/";
/// Reached through a value named `ledger`.
const LEDGER: &str = "shared/runtime/src/ledger";
const LOGS: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];
/// Lambda sends an event whose retries failed to the dead-letter queue with the function's role.
const LOGS_AND_DLQ: &[&str] = &[LOGS[0], LOGS[1], "sqs:SendMessage"];

fn functions() -> Vec<Function> {
    let remediation = [roles::REMEDIATION_LEDGER, roles::REMEDIATION_COMMON].concat();
    vec![
        Function {
            name: "rule",
            permissions: [roles::RULE_COMMON, roles::RULE_CONTINUATION].concat(),
            code: &[
                "shared/runtime/src/rule",
                "shared/runtime/src/config_service",
                "shared/runtime/src/config_service.rs",
                "shared/runtime/src/relay.rs",
            ],
            begins: &["shared/runtime/src/rule"],
            by_lambda: LOGS_AND_DLQ,
        },
        Function {
            name: "remediation",
            permissions: remediation,
            code: &[
                "shared/runtime/src/remediation",
                "shared/runtime/src/bus.rs",
                "shared/runtime/src/config_service.rs",
                "shared/runtime/src/stacks.rs",
            ],
            begins: &["shared/runtime/src/remediation/gates.rs"],
            by_lambda: LOGS_AND_DLQ,
        },
        Function {
            name: "reconciler",
            permissions: roles::RECONCILER.to_vec(),
            code: &[
                "functions/platform/src/reconciler",
                "functions/platform/src/reconciler.rs",
                "functions/platform/src/client.rs",
                "shared/runtime/src/bus.rs",
            ],
            begins: &["functions/platform/src/reconciler", "functions/platform/src/reconciler.rs"],
            by_lambda: LOGS_AND_DLQ,
        },
        Function {
            name: "attribution",
            permissions: roles::ATTRIBUTION.to_vec(),
            code: &[
                "functions/platform/src/attribution",
                "functions/platform/src/attribution.rs",
                "functions/platform/src/client/trail.rs",
                "shared/runtime/src/bus.rs",
            ],
            begins: &["functions/platform/src/attribution", "functions/platform/src/attribution.rs"],
            // Lambda polls its queue.
            by_lambda: &[LOGS[0], LOGS[1], "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        },
        Function {
            name: "router",
            permissions: roles::ROUTER.to_vec(),
            code: &[
                "functions/platform/src/router",
                "functions/platform/src/router.rs",
                "functions/platform/src/client/tickets.rs",
            ],
            begins: &["functions/platform/src/router", "functions/platform/src/router.rs"],
            // Lambda polls its queue.
            by_lambda: &[LOGS[0], LOGS[1], "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        },
        Function {
            name: "undo",
            permissions: roles::UNDO.to_vec(),
            code: &["functions/platform/src/undo.rs", "shared/runtime/src/remediation/undo.rs"],
            begins: &["functions/platform/src/undo.rs", "shared/runtime/src/remediation/undo.rs"],
            by_lambda: &LOGS,
        },
    ]
}

/// The sources of files and folders, without tests.
fn sources(paths: &[&str]) -> Vec<String> {
    let within = |path: &str| {
        paths.iter().any(|it| path == *it || path.strip_prefix(it).is_some_and(|rest| rest.starts_with('/')))
    };
    let all = shipped(&[SHARED, "functions/platform/src"]);
    let found: Vec<String> = all.into_iter().filter(|file| within(&file.path)).map(|file| file.text).collect();
    assert!(found.len() >= paths.len(), "{paths:?}: a path without a source");
    found
}

#[test]
fn every_call_of_a_function_is_permitted_and_every_permission_is_used() {
    for function in functions() {
        let (code, ledger) = (sources(function.code), sources(&[LEDGER]));
        let code = Code::of(code.iter().map(String::as_str)).with("ledger", ledger.iter().map(String::as_str));
        let mut called = code.actions_reached_from(&sources(function.begins).concat());
        called.extend(function.by_lambda.iter().map(|it| (*it).to_owned()));
        // The runtime reads names and stacks of resources only for some controls, whose own roles permit it.
        let held: BTreeSet<String> = function.permissions.iter().map(|it| it.action.to_owned()).collect();
        let of_controls = ["config:GetResourceConfigHistory", "cloudformation:DescribeStackResources"];
        let is_own = |it: &str| function.name == "remediation" && of_controls.contains(&it);
        let missing: Vec<&String> = called.difference(&held).filter(|it| !is_own(it)).collect();
        assert_eq!(missing, [""; 0], "{}: called but not permitted", function.name);
        let unused: Vec<&String> = held.difference(&called).collect();
        assert_eq!(unused, [""; 0], "{}: permitted but never called", function.name);
    }
}

/// The partitions of the ledger that a function may write.
fn written(permissions: &[Permission]) -> BTreeSet<&'static str> {
    let mut written = BTreeSet::new();
    for permission in permissions.iter().filter(|it| it.resource == roles::LEDGER && !reads(it)) {
        let Some(Condition::Partitions(patterns)) = permission.condition else {
            panic!("{}: on the whole ledger", permission.action)
        };
        assert!(!patterns.is_empty() && patterns.iter().all(|it| !it.starts_with('*')), "{patterns:?}");
        if permission.action == "dynamodb:DeleteItem" {
            assert_eq!(patterns, ["<control>#OPEN"], "nothing else is ever removed");
        }
        written.extend(patterns);
    }
    written
}

fn reads(permission: &Permission) -> bool {
    ["dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:Query"].contains(&permission.action)
}

/// A remediation writes the items of its control and the leases. It cannot write operators' decisions or the prior
/// states of other controls.
#[test]
fn functions_write_only_their_own_partitions_of_the_ledger() {
    assert_eq!(EACH_CONTROL, "<control>");
    for (function, permissions, expected) in [
        ("remediation", roles::REMEDIATION_LEDGER, &["<control>#*", "<control>#OPEN", "L#*"][..]),
        ("reconciler", roles::RECONCILER, &["reconciler#*"]),
        ("attribution", roles::ATTRIBUTION, &["attribution#*"]),
        ("router", roles::ROUTER, &["router#*"]),
        ("undo", roles::UNDO, &["<control>#*", "<control>#OPEN", "ACTS#*", "D#*", "L#*"]),
    ] {
        let written = written(permissions);
        assert_eq!(written, expected.iter().copied().collect(), "{function}");
        let denied = if function == "undo" { roles::OPERATOR_KEYS_EXCEPT_HOLDS } else { roles::OPERATOR_KEYS };
        assert!(denied.iter().all(|it| !written.contains(it)), "{function}");
    }
    // No control's id is a prefix of another partition.
    for control in rectify_catalogue::controls() {
        let own = format!("{}#", control.meta.id);
        let others = ["L#", "D#", "X#", "ACTS#", "reconciler#", "attribution#", "router#"];
        assert!(others.iter().all(|it| !it.starts_with(&own) && !own.starts_with(it)), "{own}");
    }
}
