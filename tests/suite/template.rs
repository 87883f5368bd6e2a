//! `template.yaml`, read as CloudFormation reads it: names, limits, permissions and references.

mod platform;
mod roles;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rectify_catalogue::controls;
use rectify_compliance::{Entry, Scope};
use serde_yaml_ng::Value;

/// CloudFormation allows 500 resources; this leaves a reserve.
const MAX_RESOURCES: usize = 450;
/// The number of controls that the stack must have room for.
const PLANNED_CONTROLS: usize = 40;

/// The maximum size of a managed policy in characters, without whitespace (IAM quotas, read 2026-11).
const MANAGED_POLICY: usize = 6_144;
/// The maximum total size of a role's inline policies in characters.
const INLINE_POLICIES: usize = 10_240;
/// The maximum total size of a function's environment variables in bytes (Lambda quotas, read 2026-11).
const ENVIRONMENT: usize = 4_096;

/// The intrinsic functions that the local stack supports.
const INTRINSICS: [&str; 10] = ["Ref", "Sub", "GetAtt", "If", "Split", "Equals", "Not", "And", "Or", "Condition"];

fn raw() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap()
}

fn template() -> Value {
    serde_yaml_ng::from_str(&raw()).unwrap()
}

fn section(name: &str) -> BTreeMap<String, Value> {
    let template = template();
    let section = template[name].as_mapping().unwrap_or_else(|| panic!("no section {name}"));
    section.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), value.clone())).collect()
}

/// How many CloudFormation resources a resource becomes: SAM adds one for the destination of asynchronous invocations.
fn weight(resource: &Value) -> usize {
    1 + usize::from(!resource["Properties"]["EventInvokeConfig"].is_null())
}

/// Calls `visit` with every tagged value: tag and content.
fn tags(value: &Value, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            visit(tag.trim_start_matches('!'), &tagged.value);
            tags(&tagged.value, visit);
        }
        Value::Sequence(items) => items.iter().for_each(|item| tags(item, visit)),
        Value::Mapping(entries) => entries.iter().for_each(|(_, item)| tags(item, visit)),
        _ => {}
    }
}

/// The content of a tagged value with this tag, as text.
fn tagged(value: &Value, tag: &str) -> Option<String> {
    match value {
        Value::Tagged(it) if it.tag == tag => it.value.as_str().map(str::to_owned),
        _ => None,
    }
}

#[test]
fn forty_controls_fit_into_one_stack() {
    let resources = section("Resources");
    let total: usize = resources.values().map(weight).sum();
    assert!(total <= MAX_RESOURCES, "{total} resources");
    let of = |control: &Entry| -> usize {
        let name = control.meta.pascal_id();
        resources.iter().filter(|(id, _)| id.starts_with(&name)).map(|(_, it)| weight(it)).sum()
    };
    let base = total - controls().map(of).sum::<usize>();
    let max = controls().map(of).max().unwrap();
    let estimate = base + PLANNED_CONTROLS * max;
    assert!(estimate <= MAX_RESOURCES, "{PLANNED_CONTROLS} controls of {max} resources and {base} others: {estimate}");
}

#[test]
fn only_intrinsics_that_the_local_wiring_supports_are_used() {
    let mut unknown = BTreeSet::new();
    tags(&template(), &mut |tag, _| {
        if !INTRINSICS.contains(&tag) {
            unknown.insert(tag.to_owned());
        }
    });
    assert_eq!(unknown, BTreeSet::new());
    let text = serde_yaml_ng::to_string(&template()).unwrap();
    assert!(!text.contains("Fn::"), "long forms are not used");
}

#[test]
fn references_exist() {
    let (resources, parameters, conditions) = (section("Resources"), section("Parameters"), section("Conditions"));
    let known = |name: &str| name.starts_with("AWS::") || resources.contains_key(name) || parameters.contains_key(name);
    let mut missing = Vec::new();
    tags(&template(), &mut |tag, content| {
        let text = content.as_str().unwrap_or_default();
        let exists = match tag {
            "Ref" => known(text),
            "GetAtt" => resources.contains_key(text.split('.').next().unwrap_or_default()),
            "Condition" => conditions.contains_key(text),
            "If" => conditions.contains_key(content[0].as_str().unwrap_or_default()),
            "Sub" => text.split("${").skip(1).all(|rest| known(rest.split('}').next().unwrap_or_default())),
            _ => true,
        };
        if !exists {
            missing.push(format!("!{tag} {content:?}"));
        }
    });
    for (name, resource) in &resources {
        if let Some(condition) = resource["Condition"].as_str().filter(|it| !conditions.contains_key(*it)) {
            missing.push(format!("{name}: Condition {condition}"));
        }
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn no_region_account_or_partition_is_literal() {
    let mut template = template();
    // The only default that is a region: the home region of global controls.
    template["Parameters"]["HomeRegion"]["Default"] = Value::Null;
    let text = serde_yaml_ng::to_string(&template).unwrap();
    let words: Vec<&str> = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '-').collect();
    let region = |word: &&&str| {
        let parts: Vec<&str> = word.split('-').collect();
        parts.len() == 3 && parts[0].len() == 2 && parts[2].len() == 1 && parts[2].chars().all(|it| it.is_ascii_digit())
    };
    let account = |word: &&&str| word.len() == 12 && word.chars().all(|it| it.is_ascii_digit());
    assert_eq!(words.iter().filter(region).collect::<Vec<_>>(), [&""; 0]);
    assert_eq!(words.iter().filter(account).collect::<Vec<_>>(), [&""; 0]);
    assert!(!text.contains("arn:aws"), "an ARN without a derived partition");
}

#[test]
fn mode_off_deploys_nothing_and_observe_no_remediation() {
    let (resources, parameters, conditions) = (section("Resources"), section("Parameters"), section("Conditions"));
    // Without quotes, YAML 1.1, and therefore CloudFormation, reads it as false.
    let unquoted = raw().lines().filter(|line| line.contains(", off]") || line.contains("[off")).count();
    assert_eq!(unquoted, 0, "`off` must be quoted");
    for control in controls() {
        let name = control.meta.pascal_id();
        for (id, resource) in resources.iter().filter(|(id, _)| id.starts_with(&name)) {
            let suffix = if id[name.len()..].starts_with("Fix") { "Remediated" } else { "Deployed" };
            assert_eq!(resource["Condition"].as_str(), Some(format!("{name}{suffix}").as_str()), "{id}");
        }
        let default = if control.remediation.is_some() { "plan" } else { "observe" };
        assert_eq!(parameters[&format!("{name}Mode")]["Default"].as_str(), Some(default), "{name}");
        assert_eq!(parameters.contains_key(&format!("{name}AllowL2")), control.needs_opt_in(), "{name}");
        assert_eq!(parameters[&format!("{name}Parameters")]["Default"].as_str(), Some("{}"), "{name}");
        let deployed = serde_yaml_ng::to_string(&conditions[&format!("{name}Deployed")]).unwrap();
        assert_eq!(deployed.contains("AtHome"), control.meta.scope == Scope::Global, "{name}: {deployed}");
    }
}

#[test]
fn config_rules_have_the_triggers_and_types_of_their_control() {
    let resources = section("Resources");
    for control in controls() {
        let (meta, name) = (&control.meta, control.meta.pascal_id());
        let rule = &resources[&format!("{name}Rule")];
        let properties = &rule["Properties"];
        assert_eq!(rule["DependsOn"].as_str(), Some(format!("{name}RulePermission").as_str()), "{name}");
        assert_eq!(tagged(&properties["ConfigRuleName"], "Sub"), Some(format!("${{Prefix}}{}", meta.id)));
        assert_eq!(tagged(&properties["InputParameters"], "Ref"), Some(format!("{name}Parameters")));

        let mut expected = Vec::new();
        if meta.on_change() {
            expected.extend([
                ("ConfigurationItemChangeNotification", None),
                ("OversizedConfigurationItemChangeNotification", None),
            ]);
        }
        expected.extend(meta.frequency().map(|it| ("ScheduledNotification", Some(it.api_name()))));
        let details = properties["Source"]["SourceDetails"].as_sequence().unwrap();
        let triggers: Vec<(&str, Option<&str>)> = details
            .iter()
            .map(|it| (it["MessageType"].as_str().unwrap(), it["MaximumExecutionFrequency"].as_str()))
            .collect();
        assert_eq!(triggers, expected, "{name}");

        let types: Vec<&str> = properties["Scope"]["ComplianceResourceTypes"]
            .as_sequence()
            .map(|types| types.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        assert_eq!(types, if meta.on_change() { meta.resource_types } else { &[] }, "{name}");
    }
}

#[test]
fn only_config_of_this_account_and_findings_of_the_rule_invoke_a_function() {
    let resources = section("Resources");
    for control in controls() {
        let name = control.meta.pascal_id();
        let rule = &resources[&format!("{name}RulePermission")]["Properties"];
        assert_eq!(rule["Principal"].as_str(), Some("config.amazonaws.com"), "{name}");
        assert_eq!(tagged(&rule["SourceAccount"], "Ref").as_deref(), Some("AWS::AccountId"), "{name}");
        if control.remediation.is_none() {
            continue;
        }
        let fix = &resources[&format!("{name}FixPermission")]["Properties"];
        assert_eq!(fix["Principal"].as_str(), Some("events.amazonaws.com"), "{name}");
        assert_eq!(tagged(&fix["SourceArn"], "GetAtt"), Some(format!("{name}FixEvents.Arn")));

        let events = &resources[&format!("{name}FixEvents")]["Properties"];
        let patterns = events["EventPattern"]["$or"].as_sequence().unwrap();
        assert_eq!(patterns.len(), 2, "{name}");
        for pattern in patterns {
            let detail = &pattern["detail"];
            assert_eq!(tagged(&detail["awsAccountId"][0], "Ref").as_deref(), Some("AWS::AccountId"), "{name}");
            assert_eq!(tagged(&detail["awsRegion"][0], "Ref").as_deref(), Some("AWS::Region"), "{name}");
            let names = pattern["detail"]["configRuleName"].as_sequence().unwrap();
            assert_eq!(names.len(), 1, "{name}");
            assert_eq!(tagged(&names[0], "Ref"), Some(format!("{name}Rule")), "{name}: only its rule");
        }
        assert_eq!(patterns[0]["detail"]["newEvaluationResult"]["complianceType"][0].as_str(), Some("NON_COMPLIANT"));
        let dead_letters = &events["Targets"][0]["DeadLetterConfig"]["Arn"];
        assert_eq!(tagged(dead_letters, "GetAtt").as_deref(), Some("DeadLetters.Arn"), "{name}: EventBridge");
        let on_failure = &resources[&format!("{name}Fix")]["Properties"]["EventInvokeConfig"]["DestinationConfig"];
        let destination = &on_failure["OnFailure"]["Destination"];
        assert_eq!(tagged(destination, "GetAtt").as_deref(), Some("DeadLetters.Arn"), "{name}: Lambda");
    }
}

/// A bus may carry the events of all regions and accounts of an organization.
#[test]
fn every_pattern_matches_its_own_account_and_region_only() {
    let patterns = section("Resources").into_iter().filter(|(_, it)| !it["Properties"]["EventPattern"].is_null());
    let mut count = 0;
    for (id, rule) in patterns {
        let pattern = &rule["Properties"]["EventPattern"];
        for (key, value) in [("account", "AWS::AccountId"), ("region", "AWS::Region")] {
            let only = pattern[key].as_sequence().unwrap_or_else(|| panic!("{id}: no {key}"));
            assert_eq!((only.len(), tagged(&only[0], "Ref").as_deref()), (1, Some(value)), "{id}: {key}");
        }
        count += 1;
    }
    assert!(count > controls().filter(|it| it.remediation.is_some()).count());
}

/// The reconciler acts on every message in the dead-letter queue, so no other rule of the account may send to it.
#[test]
fn dead_letters_come_only_from_rules_with_the_prefix() {
    let resources = section("Resources");
    let statements = &resources["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"];
    let from = tagged(&statements[0]["Condition"]["ArnLike"]["aws:SourceArn"], "Sub").unwrap();
    assert!(from.ends_with(":rule/${Prefix}*"), "{from}");
    let mut names = BTreeSet::new();
    for (id, rule) in resources.iter().filter(|(_, it)| it["Type"].as_str() == Some("AWS::Events::Rule")) {
        let name = tagged(&rule["Properties"]["Name"], "Sub").unwrap_or_else(|| panic!("{id}: no name"));
        assert!(name.starts_with("${Prefix}"), "{id}: {name}");
        // The prefix has at most 14 characters, the name of a rule at most 64.
        assert!(name.len() - "${Prefix}".len() + 14 <= 64, "{id}: {name}");
        assert!(names.insert(name), "{id}: duplicate rule name");
    }
}

#[test]
fn functions_have_the_documented_names_and_code() {
    let resources = section("Resources");
    for control in controls() {
        let (id, name) = (control.meta.id, control.meta.pascal_id());
        let mut functions = vec![(format!("{name}RuleFunction"), id.to_owned(), format!("{id}/"))];
        functions.extend(
            control.remediation.map(|_| (format!("{name}Fix"), format!("{id}-fix"), format!("{id}-remediation/"))),
        );
        for (logical, deployed, folder) in functions {
            let properties = &resources[&logical]["Properties"];
            assert_eq!(tagged(&properties["FunctionName"], "Sub"), Some(format!("${{Prefix}}{deployed}")));
            assert_eq!(properties["CodeUri"].as_str(), Some(format!("target/lambda/{folder}").as_str()));
        }
    }
}

/// A rule that lists an account gets the maximum timeout and may continue in another invocation; a rule that evaluates
/// one resource needs neither.
#[test]
fn rules_have_timeout_and_memory_for_their_triggers() {
    let resources = section("Resources");
    for control in controls() {
        let properties = &resources[&format!("{}RuleFunction", control.meta.pascal_id())]["Properties"];
        let size = ["Timeout", "MemorySize"].map(|name| properties[name].as_u64());
        let (expected, loops) = match control.meta.frequency() {
            Some(_) => ([Some(900), Some(256)], Some("Allow")),
            None => ([Some(60), None], None),
        };
        assert_eq!((size, properties["RecursiveLoop"].as_str()), (expected, loops), "{}", control.meta.id);
    }
}

#[test]
fn remediations_get_exactly_the_settings_they_read() {
    let source =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/runtime/src/settings/mod.rs"));
    let source = source.unwrap();
    let code = source.split("#[cfg(test)]").next().unwrap();
    let read: BTreeSet<&str> = [".get(\"", ".required(\"", ".parsed(\""]
        .iter()
        .flat_map(|call| code.split(call).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|name| !name.starts_with("AWS_"))
        .collect();
    let resources = section("Resources");
    for control in controls().filter(|control| control.remediation.is_some()) {
        let name = control.meta.pascal_id();
        let variables = &resources[&format!("{name}Fix")]["Properties"]["Environment"]["Variables"];
        let given: BTreeSet<&str> = variables.as_mapping().unwrap().keys().filter_map(Value::as_str).collect();
        assert_eq!(given, read, "{name}Fix");
        let mode = tagged(&variables["MODE"], "Ref");
        assert_eq!(mode, Some(format!("{name}Mode")));
        assert_eq!(tagged(&variables["RULE_NAMES"], "Ref"), Some(format!("{name}Rule")));
    }
}

#[test]
fn every_announcement_reaches_the_findings_queue() {
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/runtime/src/bus.rs"));
    let source = source.unwrap();
    let announced: BTreeSet<&str> =
        source.split("=> \"Rectify ").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(!announced.is_empty());
    let pattern = &section("Resources")["FindingsEvents"]["Properties"]["EventPattern"];
    assert_eq!(pattern["source"][0].as_str(), Some("rectify"));
    let types = pattern["detail-type"].as_sequence().unwrap();
    let sent: BTreeSet<&str> = types.iter().filter_map(|it| it.as_str()?.strip_prefix("Rectify ")).collect();
    assert_eq!(sent, announced);
}

/// The size of a document as IAM counts it; a substitution is never longer than its name.
fn characters(value: &Value) -> usize {
    match value {
        Value::Tagged(tagged) => characters(&tagged.value),
        Value::Sequence(items) => 2 + items.iter().map(|it| characters(it) + 1).sum::<usize>(),
        Value::Mapping(entries) => {
            2 + entries.iter().map(|(key, it)| characters(key) + characters(it) + 2).sum::<usize>()
        }
        other => other.as_str().unwrap_or_default().len() + 2,
    }
}

/// The maximum length of a parameter in bytes.
fn longest(parameter: &Value) -> usize {
    let allowed = parameter["AllowedValues"].as_sequence().map(|all| all.iter().map(characters).max().unwrap_or(0));
    let max = parameter["MaxLength"].as_u64().and_then(|it| usize::try_from(it).ok());
    // Otherwise a number or the name of a region.
    allowed.or(max).unwrap_or(if parameter["Type"].as_str() == Some("Number") { 5 } else { 24 })
}

#[test]
fn environment_of_a_remediation_fits_with_parameters_of_maximum_length() {
    let (resources, parameters) = (section("Resources"), section("Parameters"));
    for control in controls().filter(|control| control.remediation.is_some()) {
        let name = format!("{}Fix", control.meta.pascal_id());
        let variables = &resources[&name]["Properties"]["Environment"]["Variables"];
        let variable = |(key, value): (&Value, &Value)| {
            let value = tagged(value, "Ref").map(|it| parameters.get(&it).map_or(64, longest)).unwrap_or(8);
            key.as_str().unwrap().len() + value
        };
        let total: usize = variables.as_mapping().unwrap().iter().map(variable).sum();
        assert!(total <= ENVIRONMENT, "{name}: {total} bytes");
    }
}
