//! Remediations in member accounts: their roles there, and what the central account's templates have for them.

use rectify_synth::MEMBER;

use super::members::{ACCOUNTS, of_kind, resources, untagged};
use super::*;

/// The templates of every control in this mode, which may act in the members.
fn in_mode(mode: &str) -> Templates {
    let settings = [("mode", mode), ("memberAccounts", ACCOUNTS), ("memberExternalId", "e-1")];
    templates(&[&settings[..], &[("memberFixRole", "rectify-fix")]].concat())
}

fn remediated() -> impl Iterator<Item = &'static Entry> {
    controls().filter(|it| it.remediation.is_some())
}

/// The actions that a role's inline policies allow.
fn allowed(role: &Value) -> BTreeSet<String> {
    let policies = role["Properties"]["Policies"].as_sequence().unwrap().iter();
    let statements = policies.flat_map(|it| it["PolicyDocument"]["Statement"].as_sequence().unwrap());
    let statements: Vec<Value> = statements.map(|it| tagged_if(it).unwrap_or_else(|| it.clone())).collect();
    let allowing = statements.iter().filter(|it| it["Effect"].as_str() == Some("Allow"));
    allowing.flat_map(|it| it["Action"].as_sequence().unwrap()).map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// The statement of a condition on a parameter.
fn tagged_if(value: &Value) -> Option<Value> {
    let Value::Tagged(it) = value else { return None };
    Some(it.value.as_sequence()?[1].clone())
}

#[test]
fn without_a_role_for_fixes_members_are_only_judged() {
    let settings = [("mode", "enforce"), ("memberAccounts", ACCOUNTS), ("memberExternalId", "e-1")];
    for (path, text) in &templates(&settings) {
        for name in [
            "CentralFindings",
            "EventBusPolicy",
            "rectify-fix",
            "FixRole:\n    Type: AWS::IAM::Role\n    Condition: AtHome\n    Properties:\n      RoleName",
        ] {
            assert!(!text.contains(name), "{path}: {name}");
        }
        for (id, rule) in of_kind(&resources(&templates(&settings), path), "AWS::Events::Rule") {
            let account = &rule["Properties"]["EventPattern"]["account"];
            assert!(account.is_null() || account.as_sequence().unwrap().len() == 1, "{path}: {id}");
        }
    }
    let refused = rectify_synth::synth("memberFixRole: rectify-fix", &[]).err().unwrap().to_string();
    let expected = "rectify.yaml: memberAccounts: expected accounts, since memberFixRole is set: received none";
    assert_eq!(refused, expected);
}

#[test]
fn a_remediation_assumes_exactly_its_own_role_in_each_member_and_receives_their_findings() {
    let templates = in_mode("enforce");
    let mut found = 0;
    for path in templates.keys().filter(|path| path.starts_with("deploy/controls/")) {
        let resources = resources(&templates, path);
        for control in remediated() {
            let (name, id) = (control.meta.pascal_id(), control.meta.id);
            let Some(role) = resources.get(&format!("{name}FixRole")) else { continue };
            found += 1;
            let policies = role["Properties"]["Policies"].as_sequence().unwrap();
            let members = policies.iter().find(|it| it["PolicyName"].as_str() == Some("members")).unwrap();
            let [statement] = members["PolicyDocument"]["Statement"].as_sequence().unwrap().as_slice() else {
                panic!("{id}: one statement")
            };
            assert_eq!(statement["Action"].as_str(), Some("sts:AssumeRole"));
            let assumed = statement["Resource"].as_sequence().unwrap().iter().map(|it| tagged(it, "Sub").unwrap());
            let arn = |account| format!("arn:${{AWS::Partition}}:iam::{account}:role/rectify-fix-{id}");
            assert_eq!(assumed.collect::<Vec<_>>(), ["444455556666", "777788889999"].map(arn));
            let variables = &resources[&format!("{name}Fix")]["Properties"]["Environment"]["Variables"];
            let of = |name: &str| variables[name].as_str().unwrap().to_owned();
            let known = ["MEMBER_ACCOUNTS", "MEMBER_ROLE", "MEMBER_EXTERNAL_ID"].map(of);
            assert_eq!(known, [ACCOUNTS.to_owned(), format!("rectify-fix-{id}"), "e-1".to_owned()]);
            let pattern = untagged(&resources[&format!("{name}FixEvents")]["Properties"]["EventPattern"]);
            let accounts = serde_json::to_value(&pattern["account"]).unwrap();
            assert_eq!(accounts, serde_json::json!(["AWS::AccountId", "444455556666", "777788889999"]));
            // The function compares the account of a finding with its sender.
            assert!(pattern["$or"].as_sequence().unwrap().iter().all(|it| it["detail"]["awsAccountId"].is_null()));
        }
    }
    assert_eq!(found, remediated().count());
}

#[test]
fn the_bus_accepts_findings_of_aws_config_from_the_members_and_nothing_else() {
    let root = resources(&in_mode("plan"), ROOT);
    let policies = of_kind(&root, "AWS::Events::EventBusPolicy");
    assert_eq!(policies.keys().copied().collect::<Vec<_>>(), ["MemberFindings"]);
    let properties = untagged(&policies["MemberFindings"]["Properties"]);
    let members =
        ["444455556666", "777788889999"].map(|account| format!("arn:${{AWS::Partition}}:iam::{account}:root"));
    let expected = serde_json::json!({
        "EventBusName": "default",
        "StatementId": "${Prefix}members",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": members},
            "Action": "events:PutEvents",
            "Resource": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default",
            "Condition": {"StringEquals": {
                "events:source": "aws.config", "events:detail-type": "Config Rules Compliance Change"
            }},
        },
    });
    assert_eq!(serde_json::to_value(&properties).unwrap(), expected);
}

#[test]
fn a_member_sends_its_findings_to_the_central_account_with_a_role_for_nothing_else() {
    let member = resources(&in_mode("plan"), MEMBER);
    let rule = &of_kind(&member, "AWS::Events::Rule")["CentralFindings"]["Properties"];
    let target = &rule["Targets"][0];
    let bus = "arn:${AWS::Partition}:events:${AWS::Region}:${CentralAccount}:event-bus/default";
    assert_eq!(tagged(&target["Arn"], "Sub").as_deref(), Some(bus));
    assert_eq!(tagged(&target["RoleArn"], "GetAtt").as_deref(), Some("CentralFindingsRole.Arn"));
    let role = &member["CentralFindingsRole"]["Properties"];
    let statements = &role["Policies"][0]["PolicyDocument"]["Statement"];
    assert_eq!(statements.as_sequence().unwrap().len(), 1);
    assert_eq!(statements[0]["Action"].as_str(), Some("events:PutEvents"));
    assert_eq!(tagged(&statements[0]["Resource"], "Sub").as_deref(), Some(bus));
}

#[test]
fn a_role_of_a_member_permits_the_calls_of_its_control_and_writes_only_in_mode_enforce() {
    for mode in ["plan", "enforce"] {
        let member = resources(&in_mode(mode), MEMBER);
        for control in remediated() {
            let (id, remediation) = (control.meta.id, control.remediation.unwrap());
            let role = &member[&format!("{}FixRole", control.meta.pascal_id())];
            let properties = &role["Properties"];
            assert_eq!(properties["RoleName"].as_str(), Some(&*format!("rectify-fix-{id}")));
            let trust = &properties["AssumeRolePolicyDocument"]["Statement"];
            assert_eq!(trust, &member["MemberRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]);
            assert_eq!(properties["PermissionsBoundary"], member["MemberRole"]["Properties"]["PermissionsBoundary"]);
            let text = serde_json::to_string(&untagged(&properties["Policies"])).unwrap();
            assert!(!text.contains("${AWS::Region}"), "{id}: the role is used in every region");
            let mut expected: BTreeSet<String> =
                remediation.read_permissions().iter().map(|it| it.action.to_owned()).collect();
            expected.extend(remediation.managed_by().permissions().iter().map(|it| it.action.to_owned()));
            expected.insert("config:GetDiscoveredResourceCounts".to_owned());
            if remediation.needs_name() {
                expected.insert("config:GetResourceConfigHistory".to_owned());
            }
            let fixes = remediation.fix_permissions();
            if mode == "enforce" {
                expected.extend(fixes.iter().map(|it| it.action.to_owned()));
                let writes = fixes.iter().any(|it| !it.reads() && it.resource != "*");
                assert_eq!(text.contains("ProtectedArns"), writes, "{id}: protected resources");
                let tags = fixes.iter().any(|it| !it.reads() && it.action.contains("Tag"));
                assert_eq!(text.contains("rectify:*"), tags, "{id}: tags of operators");
            }
            assert_eq!(allowed(role), expected, "{id} in mode {mode}");
        }
    }
    assert!(resources(&in_mode("observe"), MEMBER).keys().all(|it| !it.ends_with("FixRole")));
}

#[test]
fn templates_with_roles_for_fixes_pass_the_linter() {
    assert_linted(&in_mode("enforce"), &[ROOT, "deploy/controls/sqs.yaml", MEMBER]);
}
