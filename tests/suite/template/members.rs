//! Member accounts: the template that they deploy, and what the central account's templates have for them.

use rectify_synth::MEMBER;

use super::*;

pub(super) const ACCOUNTS: &str = "444455556666,777788889999";

/// The templates of every control with these members.
fn with(accounts: &str) -> Templates {
    let every = [("mode", "enforce"), ("memberAccounts", accounts), ("memberExternalId", "e-1")];
    templates(&every)
}

pub(super) fn resources(templates: &Templates, path: &str) -> BTreeMap<String, Value> {
    section_of(&parsed(&templates[path]), "Resources")
}

pub(super) fn of_kind<'a>(resources: &'a BTreeMap<String, Value>, kind: &str) -> BTreeMap<&'a str, &'a Value> {
    resources.iter().filter(|(_, it)| it["Type"].as_str() == Some(kind)).map(|(id, it)| (id.as_str(), it)).collect()
}

#[test]
fn without_members_nothing_is_assumed() {
    assert!(!ENFORCED.contains_key(MEMBER));
    for (path, text) in ENFORCED.iter() {
        assert!(!text.contains("MEMBER_") && !text.contains("444455556666"), "{path}");
    }
}

#[test]
fn rules_of_the_central_account_assume_exactly_the_roles_of_the_members() {
    let templates = with(ACCOUNTS);
    let base = &resources(&templates, ROOT)["RuleBase"]["Properties"]["PolicyDocument"]["Statement"];
    let assuming = base.as_sequence().unwrap().iter().filter(|it| it["Action"].as_str() == Some("sts:AssumeRole"));
    let resources: Vec<String> =
        assuming.flat_map(|it| it["Resource"].as_sequence().unwrap()).map(|it| tagged(it, "Sub").unwrap()).collect();
    let arn = |account| format!("arn:${{AWS::Partition}}:iam::{account}:role/rectify-member-read");
    assert_eq!(resources, ["444455556666", "777788889999"].map(arn));
    let others = templates.iter().filter(|(path, text)| *path != MEMBER && text.contains("role/rectify-member-read"));
    assert_eq!(others.map(|(path, _)| path.as_str()).collect::<Vec<_>>(), [ROOT]);
}

#[test]
fn every_rule_knows_the_members_and_aws_config_of_each_may_invoke_it() {
    let templates = with(ACCOUNTS);
    let mut rules = 0;
    for path in templates.keys().filter(|path| path.starts_with("deploy/controls/")) {
        let resources = resources(&templates, path);
        for (id, function) in of_kind(&resources, "AWS::Serverless::Function") {
            let variables = &function["Properties"]["Environment"]["Variables"];
            let Some(control) = id.strip_suffix("RuleFunction") else {
                assert!(variables["MEMBER_ACCOUNTS"].is_null(), "{id}");
                continue;
            };
            rules += 1;
            let of = |name: &str| variables[name].as_str().unwrap().to_owned();
            let known = ["MEMBER_ACCOUNTS", "MEMBER_ROLE", "MEMBER_EXTERNAL_ID"].map(of);
            assert_eq!(known, [ACCOUNTS, "rectify-member-read", "e-1"], "{id}");
            for account in ACCOUNTS.split(',') {
                let permission = &resources[&format!("{control}RulePermission{account}")];
                assert_eq!(permission["Properties"]["SourceAccount"].as_str(), Some(account));
                assert_eq!(permission["Condition"], function["Condition"], "{id}");
            }
        }
    }
    assert_eq!(rules, controls().count());
}

#[test]
fn a_member_has_every_rule_and_one_role_that_only_the_central_functions_assume() {
    let templates = with("444455556666");
    let resources = resources(&templates, MEMBER);
    let rules = of_kind(&resources, "AWS::Config::ConfigRule");
    let named: BTreeSet<String> =
        rules.values().map(|it| tagged(&it["Properties"]["ConfigRuleName"], "Sub").unwrap()).collect();
    assert_eq!(named, controls().map(|it| format!("${{Prefix}}{}", it.meta.id)).collect());
    for (id, rule) in rules {
        let function = tagged(&rule["Properties"]["Source"]["SourceIdentifier"], "Sub").unwrap();
        let name = tagged(&rule["Properties"]["ConfigRuleName"], "Sub").unwrap();
        let expected = format!("arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{CentralAccount}}:function:{name}");
        assert_eq!(function, expected, "{id}");
    }
    let role = &of_kind(&resources, "AWS::IAM::Role")["MemberRole"]["Properties"];
    let trust = &role["AssumeRolePolicyDocument"]["Statement"];
    assert_eq!(trust.as_sequence().map(Vec::len), Some(1));
    let principal = tagged(&trust[0]["Principal"]["AWS"], "Sub").unwrap();
    assert_eq!(principal, "arn:${AWS::Partition}:iam::${CentralAccount}:root");
    let condition = &trust[0]["Condition"];
    assert_eq!(condition["StringEquals"]["sts:ExternalId"].as_str(), Some("e-1"));
    let callers = tagged(&condition["ArnLike"]["aws:PrincipalArn"], "Sub").unwrap();
    assert_eq!(callers, "arn:${AWS::Partition}:iam::${CentralAccount}:role${RolePath}*");
}

#[test]
fn the_role_of_a_member_permits_what_rules_do_and_no_more() {
    let templates = with("444455556666");
    let resources = resources(&templates, MEMBER);
    let policies = of_kind(&resources, "AWS::IAM::ManagedPolicy");
    let attached = resources["MemberRole"]["Properties"]["ManagedPolicyArns"].as_sequence().unwrap().len();
    assert!(attached == policies.len() && attached <= 10, "{attached} of {}", policies.len());
    let mut actions = BTreeSet::new();
    for (id, policy) in policies {
        let document = &policy["Properties"]["PolicyDocument"];
        // Without tags, a value is as long as in IAM, within a few characters for each substitution.
        let text = serde_json::to_string(&untagged(document)).unwrap();
        assert!(text.len() <= MANAGED_POLICY, "{id}: {}", text.len());
        assert!(!text.contains("${AWS::Region}"), "{id}: the role is used in every region");
        for statement in document["Statement"].as_sequence().unwrap() {
            let condition = serde_json::to_string(&untagged(&statement["Condition"])).unwrap();
            assert!(!condition.contains("\"*\""), "{id}: StringEquals has no wildcard: {condition}");
            actions.extend(statement["Action"].as_sequence().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()));
        }
    }
    let reads = controls().flat_map(Entry::rule_permissions).map(|it| it.action.to_owned());
    let config = ["GetComplianceDetailsByConfigRule", "GetResourceConfigHistory", "PutEvaluations"];
    let expected: BTreeSet<String> = reads.chain(config.map(|it| format!("config:{it}"))).collect();
    assert_eq!(actions, expected);
}

/// The value with the content of tagged values in their place.
pub(super) fn untagged(value: &Value) -> Value {
    match value {
        Value::Tagged(it) => untagged(&it.value),
        Value::Sequence(all) => Value::Sequence(all.iter().map(untagged).collect()),
        Value::Mapping(all) => {
            all.iter().map(|(key, it)| (key.clone(), untagged(it))).collect::<serde_yaml_ng::Mapping>().into()
        }
        other => other.clone(),
    }
}

#[test]
fn fifty_members_fit() {
    let accounts: Vec<String> = (0..50).map(|number| format!("{:012}", 444_455_556_000_u64 + number)).collect();
    let templates = with(&accounts.join(","));
    for path in templates.keys() {
        let total: usize = resources(&templates, path).values().map(weight).sum();
        assert!(total <= 500, "{path}: {total} resources");
    }
    let base = &resources(&templates, ROOT)["RuleBase"]["Properties"]["PolicyDocument"];
    let length = serde_json::to_string(&untagged(base)).unwrap().len();
    assert!(length <= MANAGED_POLICY, "{length}");
    let refused =
        rectify_synth::synth(&format!("memberExternalId: e-1\nmemberAccounts: ['{}', '1']", accounts[0]), &[]);
    assert!(refused.err().unwrap().to_string().contains("expected none, or the ids of 1 to 50 accounts"));
    let refused = rectify_synth::synth("memberAccounts: ['444455556666']", &[]).err().unwrap().to_string();
    let expected =
        "rectify.yaml: memberExternalId: expected an external id, since memberAccounts is set: received none";
    assert_eq!(refused, expected);
}

#[test]
fn templates_with_members_pass_the_linter() {
    assert_linted(&with(ACCOUNTS), &[ROOT, "deploy/controls/sqs.yaml", MEMBER]);
}
