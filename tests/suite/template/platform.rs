//! The platform functions: their triggers, their environment and the permissions of their roles.

use rectify_runtime::bus::Announcement;

use super::roles::{declared, granted};
use super::*;

/// The default quota of managed policies per role.
const ATTACHED: usize = 10;

/// Undo's policies of a service: the name, and the statements.
fn undo_policies(service: &str) -> Vec<(String, Vec<Value>)> {
    let template = parsed(&ENFORCED[&format!("deploy/controls/{service}.yaml")]);
    let policies = section_of(&template, "Resources").into_iter().filter(|(id, _)| id.contains("UndoPolicy"));
    let statements =
        |policy: &Value| policy["Properties"]["PolicyDocument"]["Statement"].as_sequence().unwrap().clone();
    policies.map(|(id, policy)| (id, statements(&policy))).collect()
}

/// The controls of a service that have an undo.
fn undone_of(service: &str) -> Vec<&'static Entry> {
    let of_service = controls().filter(|it| rectify_catalogue::service(it) == service);
    of_service.filter(|it| it.remediation.is_some_and(|it| !it.undo_permissions().is_empty())).collect()
}

#[test]
fn undo_has_exactly_the_permissions_of_its_services_controls() {
    for service in rectify_catalogue::SERVICES {
        let statements: Vec<Value> = undo_policies(service).into_iter().flat_map(|(_, all)| all).collect();
        let permissions = undone_of(service).into_iter().flat_map(|it| {
            let remediation = it.remediation.unwrap();
            [remediation.read_permissions(), remediation.undo_permissions()].concat()
        });
        assert_eq!(granted(&statements), declared(&permissions.collect::<Vec<_>>(), &[]), "{service}");
    }
}

#[test]
fn undo_policies_fit_and_those_of_global_controls_are_deployed_at_home() {
    let resources = section("Resources");
    for service in rectify_catalogue::SERVICES {
        let policies = undo_policies(service);
        assert_eq!(policies.is_empty(), undone_of(service).is_empty(), "{service}");
        let Some((first, _)) = policies.first() else { continue };
        let role = format!("{}UndoRole", first.split("UndoPolicy").next().unwrap());
        let attached = resources[&role]["Properties"]["ManagedPolicyArns"].as_sequence().unwrap();
        assert_eq!(attached.len(), policies.len());
        assert!(policies.len() <= ATTACHED, "{service}: {} policies", policies.len());
        for (id, statements) in policies {
            let total: usize = statements.iter().map(|it| characters(it) + 1).sum();
            assert!(total + 60 <= MANAGED_POLICY, "{id}: {total} characters");
            let condition = resources[&id]["Condition"].as_str().unwrap();
            let text = serde_yaml_ng::to_string(&statements).unwrap();
            let global = undone_of(service).iter().any(|it| {
                let only_here =
                    it.remediation.unwrap().undo_permissions().iter().all(|call| text.contains(call.action));
                it.meta.scope == Scope::Global && only_here
            });
            let whole = undone_of(service).iter().all(|it| it.meta.scope == Scope::Global);
            let expected = if global && !whole { "UndoneAtHome" } else { "UndoDeployed" };
            assert_eq!(condition, expected, "{id}");
        }
    }
}

#[test]
fn only_its_schedule_invokes_the_reconciler_and_nothing_invokes_undo() {
    let resources = section("Resources");
    for (id, resource) in &resources {
        let text = serde_yaml_ng::to_string(&resource["Properties"]).unwrap();
        match resource["Type"].as_str().unwrap() {
            "AWS::Lambda::Permission" => {
                let function = tagged(&resource["Properties"]["FunctionName"], "Ref").unwrap();
                assert!(!function.ends_with("Undo"), "{id}");
                assert_eq!(function == "Reconciler", id == "ReconcilerPermission", "{id}");
            }
            "AWS::Events::Rule" => {
                assert!(!text.contains("Undo.Arn"), "{id}");
                assert_eq!(text.contains("Reconciler.Arn"), id == "ReconcilerSchedule", "{id}");
            }
            _ => {}
        }
    }
    let permission = &resources["ReconcilerPermission"]["Properties"];
    assert_eq!(permission["Principal"].as_str(), Some("events.amazonaws.com"));
    assert_eq!(tagged(&permission["SourceArn"], "GetAtt").as_deref(), Some("ReconcilerSchedule.Arn"));
    for (id, condition, name) in [("Reconciler", "Reconciled", "reconciler"), ("Ec2Undo", "UndoDeployed", "undo-ec2")] {
        assert_eq!(resources[id]["Condition"].as_str(), Some(condition));
        assert_eq!(tagged(&resources[id]["Properties"]["FunctionName"], "Sub"), Some(format!("${{Prefix}}{name}")));
    }
    assert_eq!(parameters()["DeployUndo"]["Default"].as_str(), Some("false"));
}

/// The environment variables that a source reads.
fn settings_read(source: &str) -> BTreeSet<&str> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    [".get(\"", ".required(\"", ".parsed(\""]
        .iter()
        .flat_map(|call| code.split(call).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn reconciler_gets_exactly_the_settings_it_reads() {
    let source = include_str!("../../../functions/platform/src/reconciler/settings.rs");
    let read = settings_read(source);
    let variables = &section("Resources")["Reconciler"]["Properties"]["Environment"]["Variables"];
    let given: BTreeSet<&str> = variables.as_mapping().unwrap().keys().filter_map(Value::as_str).collect();
    assert_eq!(given, read);
}

/// A principal that may put any event could request remediations and send false announcements.
#[test]
fn functions_may_put_only_their_own_events() {
    let mut found = 0;
    for (id, resource) in section("Resources") {
        let properties = &resource["Properties"];
        let own = properties["Policies"].as_sequence().into_iter().flatten().map(|it| &it["PolicyDocument"]);
        let documents = own.chain(std::iter::once(&properties["PolicyDocument"]));
        let statements = documents.filter_map(|it| it["Statement"].as_sequence()).flatten();
        for statement in statements {
            let actions = serde_yaml_ng::to_string(&statement["Action"]).unwrap();
            if !actions.contains("events:") {
                continue;
            }
            let only = |key: &str| -> BTreeSet<&str> {
                let values = &statement["Condition"]["StringEquals"][key];
                match values.as_sequence() {
                    Some(values) => values.iter().filter_map(Value::as_str).collect(),
                    None => values.as_str().into_iter().collect(),
                }
            };
            assert_eq!(only("events:source"), ["rectify"].into(), "{id}");
            let types = only("events:detail-type");
            let expected: BTreeSet<&str> = match id.as_str() {
                "ReconcilerRole" => [rectify_compliance::compliance_change::REMEDIATION_REQUESTED].into(),
                "AttributorRole" => [Announcement::Attribution.detail_type()].into(),
                "RemediationBase" => announcements().into_iter().map(Announcement::detail_type).collect(),
                other => panic!("{other} puts events"),
            };
            assert_eq!(types, expected, "{id}");
            found += 1;
        }
    }
    assert_eq!(found, 3);
}

/// The announcements of a remediation.
fn announcements() -> Vec<Announcement> {
    use Announcement::{BreakerOpen, BudgetStop, Digest, Outcome, Plan, Stop};
    vec![BreakerOpen, BudgetStop, Digest, Outcome, Plan, Stop]
}

#[test]
fn attribution_gets_exactly_the_settings_it_reads() {
    let read = settings_read(include_str!("../../../functions/platform/src/attribution/settings.rs"));
    let variables = &section("Resources")["Attributor"]["Properties"]["Environment"]["Variables"];
    let given: BTreeSet<&str> = variables.as_mapping().unwrap().keys().filter_map(Value::as_str).collect();
    assert_eq!(given, read);
}

/// Attribution recognizes the changes of Rectify by the ids of its roles; it would name a missing one as actor.
#[test]
fn attribution_knows_the_role_of_every_function_that_changes_resources() {
    let stack = roles::stack(&[]);
    let attribution = stack.function("rectify-attribution").unwrap();
    let known: BTreeSet<&str> =
        attribution.environment["OWN_ROLES"].split_whitespace().filter(|it| *it != "-").collect();
    let changing = stack.functions.iter().filter(|it| {
        let control = it.name.strip_prefix("rectify-").and_then(|it| it.strip_suffix("-fix"));
        let enforces = control.and_then(rectify_catalogue::find).is_some_and(Entry::has_calls);
        enforces || it.name.starts_with("rectify-undo-")
    });
    let id = |role: &str| -> String {
        let name = role.rsplit('/').next().unwrap().to_ascii_uppercase();
        format!("AROA{}", name.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
    };
    let expected: BTreeSet<String> = changing.map(|it| id(it.role.as_ref().unwrap())).collect();
    assert!(expected.len() > 40, "{expected:?}");
    assert_eq!(known, expected.iter().map(String::as_str).collect());

    let nothing = roles::deployed(&templates(&[]), &[]);
    assert_eq!(nothing.function("rectify-attribution").unwrap().environment["OWN_ROLES"], "-");
    let elsewhere = roles::deployed(&ENFORCED, &[("HomeRegion", "us-east-1")]);
    let known = &elsewhere.function("rectify-attribution").unwrap().environment["OWN_ROLES"];
    assert!(known.contains(" - ") && !known.contains("IAMUSER"), "{known}");
}

#[test]
fn every_role_has_the_path_and_the_boundary() {
    let resources = section("Resources");
    for (id, role) in resources.iter().filter(|(_, it)| it["Type"] == "AWS::IAM::Role") {
        assert_eq!(tagged(&role["Properties"]["Path"], "Ref").as_deref(), Some("RolePath"), "{id}");
        let boundary = &role["Properties"]["PermissionsBoundary"];
        let Value::Tagged(choice) = boundary else { panic!("{id}: no boundary") };
        assert_eq!(choice.value[0].as_str(), Some("BoundaryGiven"), "{id}");
        assert_eq!(tagged(&choice.value[1], "Ref").as_deref(), Some("PermissionsBoundaryArn"), "{id}");
    }
}

#[test]
fn attribution_receives_findings_and_not_its_own_announcements() {
    let resources = section("Resources");
    let pattern = &resources["AttributorEvents"]["Properties"]["EventPattern"];
    let list = |value: &Value| -> Vec<String> {
        value.as_sequence().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list(&pattern["source"]), ["rectify"]);
    assert_eq!(list(&pattern["detail-type"]), ["Rectify Breaker Open", "Rectify Outcome", "Rectify Plan"]);
    assert_eq!(list(&pattern["detail"]["outcome"]), ["breaker-open", "failed", "pending", "planned", "verified"]);
    let queue = &resources["AttributorQueue"]["Properties"];
    let mapping = &resources["AttributorMapping"]["Properties"];
    let timeout = resources["Attributor"]["Properties"]["Timeout"].as_u64().unwrap();
    assert!(queue["VisibilityTimeout"].as_u64().unwrap() >= 6 * timeout);
    assert_eq!(list(&mapping["FunctionResponseTypes"]), ["ReportBatchItemFailures"]);
    assert_eq!(mapping["ScalingConfig"]["MaximumConcurrency"].as_u64(), Some(2));
    for (id, resource) in resources.iter().filter(|(id, _)| id.starts_with("Attributor")) {
        assert_eq!(resource["Condition"].as_str(), Some("Attributed"), "{id}");
    }
    assert_eq!(parameters()["Attribution"]["Default"].as_str(), Some("true"));
}

#[test]
fn the_router_is_deployed_on_request_with_what_it_needs() {
    let resources = section("Resources");
    assert!(!resources.keys().any(|id| id.starts_with("Router") || id == "TicketQueue"), "off by default");

    let root = parsed(&templates(&[("tickets", "queue")])[ROOT]);
    let resources = &root["Resources"];
    let variables = &resources["Router"]["Properties"]["Environment"]["Variables"];
    let given: BTreeSet<&str> = variables.as_mapping().unwrap().keys().filter_map(Value::as_str).collect();
    assert_eq!(given, settings_read(include_str!("../../../functions/platform/src/router/settings.rs")));
    let queue = &resources["RouterQueue"]["Properties"];
    let timeout = resources["Router"]["Properties"]["Timeout"].as_u64().unwrap();
    assert!(queue["VisibilityTimeout"].as_u64().unwrap() >= 6 * timeout);
    let letters = &queue["RedrivePolicy"]["deadLetterTargetArn"];
    assert_eq!(tagged(letters, "GetAtt").as_deref(), Some("RouterLetters.Arn"));
    assert_eq!(resources["TicketQueue"]["Properties"]["FifoQueue"].as_bool(), Some(true));
    assert!(!resources["RouterLettersAlarm"].is_null());

    let deployed = roles::deployed(&templates(&[("tickets", "queue")]), &[]);
    let may = |action: &str, partition: &str| roles::may(&deployed, "RouterRole", action, partition);
    for (action, partition, expected) in [
        ("PutItem", "router#restricted-ssh", true),
        ("PutItem", "restricted-ssh#A#1", false),
        ("PutItem", "D#1", false),
        ("PutItem", "STOP", false),
        ("UpdateItem", "router#restricted-ssh", false),
        ("DeleteItem", "router#restricted-ssh", false),
        ("GetItem", "restricted-ssh#ID", true),
        ("Query", "restricted-ssh#I#1", true),
    ] {
        assert_eq!(may(action, partition), expected, "{action} {partition}");
    }
}
