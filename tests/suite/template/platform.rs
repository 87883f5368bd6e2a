//! The platform functions: their triggers, their environment and the permissions of their roles.

use rectify_runtime::bus::Announcement;

use super::roles::{declared, granted, optional};
use super::*;

/// The default quota of managed policies per role.
const ATTACHED: usize = 10;

/// Undo's policies by name, each statement with its condition.
fn undo_policies() -> BTreeMap<String, Vec<(String, Value)>> {
    let member = |it: &Value| optional(it).unwrap_or_else(|| panic!("a statement without a condition: {it:?}"));
    let policies = section("Resources").into_iter().filter(|(id, _)| id.starts_with("UndoPolicy"));
    policies
        .map(|(id, policy)| {
            let statements = policy["Properties"]["PolicyDocument"]["Statement"].as_sequence().unwrap();
            (id, statements.iter().map(member).collect())
        })
        .collect()
}

#[test]
fn undo_has_exactly_the_permissions_of_deployed_controls() {
    let mut held: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (condition, statement) in undo_policies().into_values().flatten() {
        held.entry(condition).or_default().push(statement);
    }
    for control in controls() {
        let Some(remediation) = control.remediation.filter(|remediation| !remediation.undo_permissions().is_empty())
        else {
            continue;
        };
        let statements = held.remove(&format!("{}Remediated", control.meta.pascal_id())).unwrap_or_default();
        assert_eq!(
            granted(&statements),
            declared(&[remediation.read_permissions(), remediation.undo_permissions()].concat(), &[]),
            "{}",
            control.meta.id
        );
    }
    assert_eq!(held, BTreeMap::new(), "statements of no control");
}

#[test]
fn undo_policies_fit_and_exist_while_one_of_their_controls_is_deployed() {
    let (policies, resources, conditions) = (undo_policies(), section("Resources"), section("Conditions"));
    assert!(!policies.is_empty() && policies.len() <= ATTACHED, "{} policies", policies.len());
    let attached = resources["UndoRole"]["Properties"]["ManagedPolicyArns"].as_sequence().unwrap();
    assert_eq!(attached.len(), policies.len());
    for (id, statements) in policies {
        let total: usize = statements.iter().map(|(_, it)| characters(it) + 1).sum();
        assert!(total + 60 <= MANAGED_POLICY, "{id}: {total} characters");
        let needed = serde_yaml_ng::to_string(&conditions[&format!("{id}Needed")]).unwrap();
        assert_eq!(resources[&id]["Condition"].as_str(), Some(format!("{id}Needed").as_str()));
        for (condition, _) in &statements {
            assert!(needed.contains(condition.as_str()), "{id}: {condition}");
        }
        assert!(needed.contains("UndoDeployed"), "{id}");
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
                assert_ne!(function, "Undo", "{id}");
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
    for (id, condition) in [("Reconciler", "Reconciled"), ("Undo", "UndoDeployed")] {
        assert_eq!(resources[id]["Condition"].as_str(), Some(condition));
        let name = format!("${{Prefix}}{}", id.to_lowercase());
        assert_eq!(tagged(&resources[id]["Properties"]["FunctionName"], "Sub"), Some(name));
    }
    assert_eq!(section("Parameters")["DeployUndo"]["Default"].as_str(), Some("false"));
}

#[test]
fn modes_of_all_controls_fit_into_the_reconcilers_environment() {
    let variables = &section("Resources")["Reconciler"]["Properties"]["Environment"]["Variables"];
    let modes = tagged(&variables["MODES"], "Sub").unwrap();
    let listed: Vec<&str> = modes.split_whitespace().collect();
    let expected: Vec<String> =
        controls().map(|it| format!("{}=${{{}Mode}}", it.meta.id, it.meta.pascal_id())).collect();
    assert_eq!(listed, expected);
    let longest = controls().map(|it| it.meta.id.len()).max().unwrap() + "=enforce ".len();
    let room = ENVIRONMENT - 1_000; // for names, URLs and numbers; account modes and grace periods share the rest
    assert!(longest * PLANNED_CONTROLS <= room, "{PLANNED_CONTROLS} controls of {longest} bytes");
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

/// The roles of all functions that make changes, each listed while deployed: attribution would name a missing one as
/// actor.
#[test]
fn roles_of_all_functions_fit_into_the_environment_of_attribution() {
    let variables = &section("Resources")["Attributor"]["Properties"]["Environment"]["Variables"];
    let Value::Tagged(roles) = &variables["OWN_ROLES"] else { panic!("expected `!Sub` with a map") };
    let (text, names) = (roles.value[0].as_str().unwrap(), roles.value[1].as_mapping().unwrap());
    let mut expected: BTreeMap<String, [String; 3]> = BTreeMap::new();
    let role = |condition: &str, role: &str| [condition.to_owned(), role.to_owned(), "-".to_owned()];
    expected.insert("Undoing".to_owned(), role("UndoDeployed", "UndoRole"));
    for control in controls().filter(|it| it.has_calls()) {
        let name = control.meta.pascal_id();
        let own = role(&format!("{name}Remediated"), &format!("{name}FixRole"));
        expected.insert(name, own);
    }
    let mut given: BTreeMap<String, [String; 3]> = BTreeMap::new();
    for (name, value) in names {
        let Value::Tagged(choice) = value else { panic!("{name:?}: a role without a condition") };
        let [condition, reference, none] = choice.value.as_sequence().unwrap().as_slice() else { panic!("{name:?}") };
        let reference = tagged(reference, "Ref").unwrap();
        let choice = [condition.as_str().unwrap().to_owned(), reference, none.as_str().unwrap().to_owned()];
        given.insert(name.as_str().unwrap().to_owned(), choice);
    }
    assert_eq!(given, expected);
    let used: BTreeSet<String> = text.split_whitespace().map(|it| it.replace(['$', '{', '}'], "")).collect();
    let roles = expected.len().max(PLANNED_CONTROLS);
    assert_eq!(used, expected.into_keys().collect());
    // A role's name has at most 64 characters.
    assert!(roles * 65 + 600 <= ENVIRONMENT, "{roles} roles");
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
    assert_eq!(section("Parameters")["Attribution"]["Default"].as_str(), Some("true"));
}
