//! The templates, read as CloudFormation reads them: names, limits, permissions and references.

mod functions;
mod limits;
mod member_fixes;
mod members;
mod options;
mod platform;
mod roles;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use rectify_catalogue::controls;
use rectify_compliance::{Entry, Scope};
use rectify_synth::{ROOT, Templates};
use rectify_tests::binaries;
use rectify_tests::deployment::templates;
use serde_yaml_ng::Value;

/// The maximum size of a managed policy in characters, without whitespace (IAM quotas, read 2026-11).
const MANAGED_POLICY: usize = 6_144;
/// The maximum total size of a role's inline policies in characters.
const INLINE_POLICIES: usize = 10_240;
/// The maximum total size of a function's environment variables in bytes (Lambda quotas, read 2026-11).
const ENVIRONMENT: usize = 4_096;

/// The intrinsic functions that the local stack supports.
const INTRINSICS: [&str; 11] =
    ["Join", "Ref", "Sub", "GetAtt", "If", "Split", "Equals", "Not", "And", "Or", "Condition"];

/// Every control in mode `enforce`: all that can be deployed.
static ENFORCED: LazyLock<Templates> = LazyLock::new(|| templates(&[("mode", "enforce")]));

/// The root template.
fn template() -> Value {
    parsed(&ENFORCED[ROOT])
}

/// The linter accepts these of the templates, which refer to the others.
fn assert_linted(templates: &Templates, paths: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in templates {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let linter = binaries::root().join(".local/venv/bin/cfn-lint");
    let files = paths.iter().map(|path| folder.path().join(path));
    let output = Command::new(linter).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn parsed(text: &str) -> Value {
    serde_yaml_ng::from_str(text).unwrap()
}

fn section_of(template: &Value, name: &str) -> BTreeMap<String, Value> {
    let section = template[name].as_mapping().into_iter().flatten();
    section.map(|(key, value)| (key.as_str().unwrap().to_owned(), value.clone())).collect()
}

/// A section of all templates together; no resource of one has the name of a resource of another.
fn section(name: &str) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for text in ENFORCED.values() {
        for (id, value) in section_of(&parsed(text), name) {
            let before = all.insert(id.clone(), value);
            assert!(before.is_none() || name == "Conditions", "{id}: in two templates");
        }
    }
    all
}

/// The parameters of the root template.
fn parameters() -> BTreeMap<String, Value> {
    section_of(&template(), "Parameters")
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
fn only_intrinsics_that_the_local_wiring_supports_are_used() {
    for (path, text) in ENFORCED.iter() {
        let mut unknown = BTreeSet::new();
        tags(&parsed(text), &mut |tag, _| {
            if !INTRINSICS.contains(&tag) {
                unknown.insert(tag.to_owned());
            }
        });
        assert_eq!(unknown, BTreeSet::new(), "{path}");
        assert!(!text.contains("Fn::"), "{path}: long forms are not used");
    }
}

#[test]
fn references_exist() {
    let mut missing = Vec::new();
    for (path, text) in ENFORCED.iter() {
        let template = parsed(text);
        let of = |name: &str| section_of(&template, name);
        let (resources, parameters, conditions) = (of("Resources"), of("Parameters"), of("Conditions"));
        let known =
            |name: &str| name.starts_with("AWS::") || resources.contains_key(name) || parameters.contains_key(name);
        tags(&template, &mut |tag, content| {
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
                missing.push(format!("{path}: !{tag} {content:?}"));
            }
        });
        for (name, resource) in &resources {
            if let Some(condition) = resource["Condition"].as_str().filter(|it| !conditions.contains_key(*it)) {
                missing.push(format!("{path}: {name}: Condition {condition}"));
            }
        }
        for name in parameters.keys() {
            let used = [format!("!Ref {name}"), format!("${{{name}}}")].iter().any(|it| text.contains(it));
            assert!(used, "{path}: {name} is not used");
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// Each nested template is deployed once, with exactly the parameters that it declares.
#[test]
fn nested_templates_get_their_parameters() {
    let mut nested = BTreeSet::from([ROOT.to_owned()]);
    for (id, application) in section("Resources").iter().filter(|(_, it)| it["Type"] == "AWS::Serverless::Application")
    {
        let path = application["Properties"]["Location"].as_str().unwrap();
        let declared = section_of(&parsed(&ENFORCED[path]), "Parameters");
        let passed = section_of(&application["Properties"], "Parameters");
        assert!(passed.keys().eq(declared.keys()), "{id}");
        assert!(nested.insert(path.to_owned()), "{path}: deployed twice");
    }
    assert!(nested.iter().eq(ENFORCED.keys()), "{nested:?}");
}

#[test]
fn no_region_account_or_partition_is_literal() {
    for (path, text) in ENFORCED.iter() {
        // The only literal regions are the home regions of the partitions.
        let lines: String = text.lines().filter(|line| !line.starts_with("  AtHome: ")).collect::<Vec<_>>().join("\n");
        let mut template = parsed(&lines);
        template["Parameters"] = Value::Null;
        let text = serde_yaml_ng::to_string(&template).unwrap();
        let words: Vec<&str> = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '-').collect();
        let region = |word: &&&str| {
            let parts: Vec<&str> = word.split('-').collect();
            let is_number = |it: &str| it.chars().all(|it| it.is_ascii_digit());
            parts.len() == 3 && parts[0].len() == 2 && parts[2].len() == 1 && is_number(parts[2])
        };
        let account = |word: &&&str| word.len() == 12 && word.chars().all(|it| it.is_ascii_digit());
        assert_eq!(words.iter().filter(region).collect::<Vec<_>>(), [&""; 0], "{path}");
        assert_eq!(words.iter().filter(account).collect::<Vec<_>>(), [&""; 0], "{path}");
        assert!(!text.contains("arn:aws"), "{path}: an ARN without a derived partition");
    }
}

/// The resources of a control in this mode, by the part of their name after the control's.
fn resources_in(control: &Entry, mode: &str) -> Vec<String> {
    let name = control.meta.pascal_id();
    let templates = templates(&[(&format!("controls.{}", control.meta.id), mode)]);
    let all = templates.values().flat_map(|text| section_of(&parsed(text), "Resources").into_keys());
    all.filter_map(|id| id.strip_prefix(&name).map(str::to_owned)).collect()
}

#[test]
fn mode_off_deploys_nothing_and_observe_no_remediation() {
    for control in controls() {
        let id = control.meta.id;
        assert_eq!(resources_in(control, "off"), [""; 0], "{id}");
        let observed = resources_in(control, "observe");
        assert!(observed.contains(&"Rule".to_owned()) && !observed.iter().any(|it| it.starts_with("Fix")), "{id}");
        if control.remediation.is_some() {
            let enforced = resources_in(control, "enforce");
            assert!(enforced.contains(&"Fix".to_owned()), "{id}: {enforced:?}");
            assert_eq!(resources_in(control, "plan"), enforced, "{id}");
        }
    }
    assert_eq!(templates(&[]).keys().collect::<Vec<_>>(), [ROOT], "no service without a control");
}

/// Without quotes, YAML 1.1, and therefore CloudFormation, reads `off` as false.
#[test]
fn words_that_yaml_reads_as_booleans_are_quoted() {
    for (path, text) in ENFORCED.iter() {
        let unquoted =
            text.lines().filter(|line| line.contains(", off]") || line.contains("[off") || line.ends_with(": off"));
        assert_eq!(unquoted.collect::<Vec<_>>(), [""; 0], "{path}");
    }
}

/// A global control is deployed in the home region only: its resources, or the whole template of its service.
#[test]
fn global_controls_are_deployed_at_home_only() {
    let resources = section("Resources");
    for control in controls() {
        let name = control.meta.pascal_id();
        let service = rectify_catalogue::service(control);
        let mut application = resources.iter().filter(|(_, it)| {
            it["Properties"]["Location"].as_str().is_some_and(|path| path.ends_with(&format!("/{service}.yaml")))
        });
        let at_home = |it: &Value| it["Condition"].as_str() == Some("AtHome");
        let whole = application.next().is_some_and(|(_, it)| at_home(it));
        for (id, resource) in resources.iter().filter(|(id, _)| id.starts_with(&name)) {
            assert_eq!(whole || at_home(resource), control.meta.scope == Scope::Global, "{id}");
        }
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
        assert_eq!(properties["InputParameters"].as_str(), Some("{}"), "{name}");

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
        assert_eq!(tagged(dead_letters, "Ref").as_deref(), Some("DeadLettersArn"), "{name}: EventBridge");
        let on_failure = &resources[&format!("{name}Fix")]["Properties"]["EventInvokeConfig"]["DestinationConfig"];
        let destination = &on_failure["OnFailure"]["Destination"];
        assert_eq!(tagged(destination, "Ref").as_deref(), Some("DeadLettersArn"), "{name}: Lambda");
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
