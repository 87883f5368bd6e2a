//! The roles: the exact permissions of each, and IAM's decisions on the calls that matter.

use rectify_compliance::permission::{Condition, EACH_CONTROL};
use rectify_compliance::{Permission, roles};
use rectify_local::iam::policy::{Decision, Request, Statement, decide};
use rectify_local::stack::{Deployment, Stack};

use super::*;

const ACCOUNT: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/trail-logs";
const LEDGER: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/rectify-Ledger";

/// Action, resource and conditions (operator, key, values) of every permission.
pub(super) type Grants = BTreeSet<(String, String, BTreeSet<(String, String, BTreeSet<String>)>)>;

/// A conditional statement: the condition and the statement.
pub(super) fn optional(value: &Value) -> Option<(String, Value)> {
    let Value::Tagged(it) = value else { return None };
    let list = it.value.as_sequence().unwrap();
    assert_eq!((it.tag.to_string().as_str(), list.len()), ("!If", 3));
    assert_eq!(tagged(&list[2], "Ref").as_deref(), Some("AWS::NoValue"));
    Some((list[0].as_str().unwrap().to_owned(), list[1].clone()))
}

/// The reference of the root template that a nested template gets as a parameter.
fn of_root(name: &str) -> String {
    match name {
        "LedgerArn" | "RemediationLogsArn" | "RuleLogsArn" => format!("{}.Arn", name.trim_end_matches("Arn")),
        other => other.to_owned(),
    }
}

/// A string as declared: `!Ref X` and `!GetAtt X.Y` are `${X}` and `${X.Y}`.
fn text(value: &Value) -> String {
    let referred = tagged(value, "Ref").or_else(|| tagged(value, "GetAtt")).map(|it| format!("${{{}}}", of_root(&it)));
    let scalar = || value.as_str().map(str::to_owned);
    referred.or_else(|| tagged(value, "Sub")).or_else(scalar).unwrap_or_else(|| panic!("not a string: {value:?}"))
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_sequence().map_or_else(|| [text(value)].into(), |all| all.iter().map(text).collect())
}

/// The permissions that these statements grant; a statement on a stack parameter must depend on that parameter being
/// set.
pub(super) fn granted(statements: &[Value]) -> Grants {
    let mut grants = Grants::new();
    for statement in statements {
        let (condition, statement) =
            optional(statement).map_or_else(|| (None, statement.clone()), |(it, inner)| (Some(it), inner));
        assert_eq!(statement["Effect"].as_str(), Some("Allow"));
        let resource = text(&statement["Resource"]);
        let parameter = Permission::on("", Box::leak(resource.clone().into_boxed_str())).parameter();
        assert_eq!(condition, parameter.map(|it| format!("{it}Given")), "{resource}");
        let mut conditions = BTreeSet::new();
        for (operator, keys) in statement["Condition"].as_mapping().into_iter().flatten() {
            for (key, values) in keys.as_mapping().unwrap() {
                conditions.insert((text(operator), text(key), texts(values)));
            }
        }
        for action in texts(&statement["Action"]) {
            grants.insert((action, resource.clone(), conditions.clone()));
        }
    }
    grants
}

/// The declared permissions, for a role of these controls.
pub(super) fn declared(permissions: &[Permission], controls: &[&str]) -> Grants {
    let owned = |values: &[&str]| values.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<String>>();
    let one = |operator: &str, key: &str, values| (operator.to_owned(), key.to_owned(), values);
    let grant = |it: &Permission| {
        let mut conditions = BTreeSet::new();
        match it.condition {
            None => {}
            Some(Condition::Equals(key, value)) => drop(conditions.insert(one("StringEquals", key, owned(&[value])))),
            Some(Condition::Events(types)) => {
                conditions.insert(one("StringEquals", "events:source", owned(&["rectify"])));
                conditions.insert(one("StringEquals", "events:detail-type", owned(types)));
            }
            Some(Condition::Partitions(patterns)) => {
                let of = |id: &&str| patterns.iter().map(|it| it.replace(EACH_CONTROL, id)).collect::<Vec<_>>();
                let all =
                    controls.iter().flat_map(of).chain(controls.is_empty().then(|| of(&"")).into_iter().flatten());
                conditions.insert(one("ForAllValues:StringLike", "dynamodb:LeadingKeys", all.collect()));
                conditions.insert(one("Null", "dynamodb:LeadingKeys", owned(&["false"])));
            }
        }
        // The ARN of a bucket has no account.
        if it.resource.starts_with("arn:${AWS::Partition}:s3:::") {
            conditions.insert(one("StringEquals", "aws:ResourceAccount", owned(&["${AWS::AccountId}"])));
        }
        let resource = controls.iter().fold(it.resource.to_owned(), |it, id| it.replace(EACH_CONTROL, id));
        (it.action.to_owned(), resource, conditions)
    };
    permissions.iter().map(grant).collect()
}

/// The statements of a role's inline policies: those that allow, and all others.
fn own_statements(role: &Value) -> (Vec<Value>, Vec<Value>) {
    let policies = role["Properties"]["Policies"].as_sequence().into_iter().flatten();
    let all = policies.flat_map(|it| it["PolicyDocument"]["Statement"].as_sequence().unwrap().clone());
    split(all)
}

fn split(statements: impl Iterator<Item = Value>) -> (Vec<Value>, Vec<Value>) {
    let inner = |it: &Value| optional(it).map_or_else(|| it.clone(), |(_, inner)| inner);
    statements.partition(|it| inner(it)["Effect"].as_str() == Some("Allow"))
}

/// The roles of the undo functions, each with the controls that it can undo.
fn undoing() -> BTreeMap<String, Vec<&'static str>> {
    let can_undo = |it: &&Entry| it.remediation.is_some_and(|remediation| !remediation.undo_permissions().is_empty());
    let mut roles: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for control in controls().filter(can_undo) {
        roles.entry(undo_role(control)).or_default().push(control.meta.id);
    }
    roles
}

/// The role of the function that undoes fixes of this control.
fn undo_role(control: &Entry) -> String {
    let (first, rest) = rectify_catalogue::service(control).split_at(1);
    format!("{}{rest}UndoRole", first.to_uppercase())
}

#[test]
fn roles_have_exactly_the_declared_permissions() {
    let resources = section("Resources");
    for control in controls() {
        let name = control.meta.pascal_id();
        let rule_role = &resources[&format!("{name}RuleFunction")]["Properties"]["Role"];
        let rule_role = tagged(rule_role, "GetAtt").or_else(|| tagged(rule_role, "Ref")).unwrap();
        let reads = control.rule_permissions();
        let own = format!("{name}RuleRole");
        assert_eq!(rule_role, if reads.is_empty() { "RuleRoleArn".to_owned() } else { format!("{own}.Arn") });
        if !reads.is_empty() {
            let (allowed, denied) = own_statements(&resources[&own]);
            // Only a rule that lists an account may invoke itself.
            let self_invocation = if control.meta.frequency().is_some() { roles::RULE_CONTINUATION } else { &[] };
            let may = declared(&[&reads[..], self_invocation].concat(), &[control.meta.id]);
            assert_eq!((granted(&allowed), denied), (may, vec![]), "{own}");
        }
        if let Some(remediation) = control.remediation {
            let mut may = [&control.remediation_permissions()[..], roles::REMEDIATION_LEDGER].concat();
            if remediation.needs_name() {
                may.push(Permission::unscoped("config:GetResourceConfigHistory"));
            }
            let role = &resources[&format!("{name}FixRole")];
            let (allowed, denied) = own_statements(role);
            assert_eq!((granted(&allowed), denied), (declared(&may, &[control.meta.id]), vec![]), "{name}FixRole");
            assert_eq!(tagged(&role["Properties"]["ManagedPolicyArns"][0], "Ref").as_deref(), Some("RemediationBase"));
        }
    }
}

#[test]
fn runtime_and_platform_roles_have_exactly_the_declared_permissions() {
    let resources = section("Resources");
    for (base, permissions) in [("RuleBase", roles::RULE_COMMON), ("RemediationBase", roles::REMEDIATION_COMMON)] {
        let document = &resources[base]["Properties"]["PolicyDocument"];
        let (allowed, _) = split(document["Statement"].as_sequence().unwrap().iter().cloned());
        assert_eq!(granted(&allowed), declared(permissions, &[]), "{base}");
        assert!(characters(document) + 512 <= MANAGED_POLICY, "{base}: {} characters", characters(document));
    }
    let mut expected: Vec<(String, &[Permission], Vec<&str>)> = vec![
        ("ReconcilerRole".to_owned(), roles::RECONCILER, vec![]),
        ("AttributorRole".to_owned(), roles::ATTRIBUTION, vec![]),
    ];
    expected.extend(undoing().into_iter().map(|(role, controls)| (role, roles::UNDO, controls)));
    for (role, permissions, controls) in expected {
        let (allowed, _) = own_statements(&resources[&role]);
        assert_eq!(granted(&allowed), declared(permissions, &controls), "{role}");
    }
}

/// All functions in mode `enforce` with these parameters.
pub(super) fn stack(parameters: &[(&str, &str)]) -> Stack {
    deployed(&ENFORCED, parameters)
}

pub(super) fn deployed(templates: &Templates, parameters: &[(&str, &str)]) -> Stack {
    let mut all: BTreeMap<String, String> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    all.entry("DeployUndo".to_owned()).or_insert_with(|| "true".to_owned());
    all.entry("HomeRegion".to_owned()).or_insert_with(|| "eu-west-1".to_owned());
    let deployment = Deployment {
        account: ACCOUNT.to_owned(),
        region: "eu-west-1".to_owned(),
        partition: "aws".to_owned(),
        stack: "rectify".to_owned(),
        parameters: all,
    };
    Stack::read(templates, &deployment).unwrap()
}

/// The statements of the role with this logical id.
fn role<'a>(stack: &'a Stack, id: &str) -> &'a [Statement] {
    let mut named = stack.roles.iter().filter(|(arn, _)| arn.ends_with(&format!("-{id}")));
    let (arn, statements) = named.next().unwrap_or_else(|| panic!("{id}: no role"));
    assert!(arn.starts_with(&format!("arn:aws:iam::{ACCOUNT}:role/rectify/rectify-")), "{arn}");
    statements
}

fn on_ledger(action: &str, partition: &str) -> Request {
    Request::new(format!("dynamodb:{action}"), LEDGER).with("dynamodb:LeadingKeys", [partition])
}

/// Whether the role with this logical id may access a partition of the ledger.
pub(super) fn may(stack: &Stack, id: &str, action: &str, partition: &str) -> bool {
    decide(role(stack, id), &on_ledger(action, partition)) == Decision::Allowed
}

const WRITES: [&str; 3] = ["DeleteItem", "PutItem", "UpdateItem"];
const READS: [&str; 3] = ["ConditionCheckItem", "GetItem", "Query"];

/// Partitions of every kind, for a control.
fn partitions(id: &str) -> Vec<String> {
    let own = ["A#111122223333#eu-west-1#t#r", "I#01J", "ID", "OPEN", "E#1", "B#1", "BREAKER", "HELD", "N#plans#1"];
    own.iter().map(|it| format!("{id}#{it}")).collect()
}

const SHARED: [&str; 8] =
    ["L#111122223333#eu-west-1#t#r", "D#1", "D#C#a", "X#a", "X#*", "STOP", "ACTS#2026-11", "reconciler#REQUEST#1"];

/// Every function may write exactly the partitions that its code writes.
#[test]
fn roles_limit_writes_to_the_functions_partitions() {
    let stack = stack(&[]);
    let ids: Vec<&str> = controls().filter(|it| it.remediation.is_some()).map(|it| it.meta.id).collect();
    let mut functions: Vec<(String, Vec<&str>, &[&str])> = ids
        .iter()
        .map(|id| (format!("{}FixRole", rectify_catalogue::find(id).unwrap().meta.pascal_id()), vec![*id], &["L#"][..]))
        .collect();
    functions.extend(undoing().into_iter().map(|(role, undone)| (role, undone, &["L#", "D#", "ACTS#"][..])));
    functions.push(("ReconcilerRole".to_owned(), vec![], &["reconciler#"]));
    functions.push(("AttributorRole".to_owned(), vec![], &["attribution#"]));
    for (name, own, shared) in functions {
        let statements = role(&stack, &name);
        let may =
            |action: &str, partition: &str| decide(statements, &on_ledger(action, partition)) == Decision::Allowed;
        let all = ids.iter().flat_map(|id| partitions(id)).chain(SHARED.map(str::to_owned));
        for partition in all.chain(["attribution#1".to_owned(), "OPEN".to_owned()]) {
            let of_control = own.iter().any(|id| partition.starts_with(&format!("{id}#")));
            let expected = of_control || shared.iter().any(|it| partition.starts_with(it));
            assert_eq!(may("PutItem", &partition), expected, "{name}: PutItem {partition}");
            if !["AttributorRole", "ReconcilerRole"].contains(&name.as_str()) {
                assert_eq!(may("UpdateItem", &partition), expected, "{name}: UpdateItem {partition}");
            }
            let open = of_control && partition.ends_with("#OPEN");
            assert_eq!(may("DeleteItem", &partition), open, "{name}: DeleteItem {partition}");
            for action in &READS[usize::from(own.is_empty())..] {
                assert!(may(action, &partition), "{name}: {action} {partition}");
            }
        }
        for action in WRITES {
            let keyless = Request::new(format!("dynamodb:{action}"), LEDGER);
            assert_eq!(decide(statements, &keyless), Decision::NotAllowed, "{name}: {action} without a key");
            let two = on_ledger(action, "reconciler#a").with("dynamodb:LeadingKeys", ["X#*"]);
            assert_ne!(decide(statements, &two), Decision::Allowed, "{name}: {action} of two partitions");
        }
    }
}

#[test]
fn no_role_may_write_tags_of_exemptions_or_modes() {
    let stack = stack(&[]);
    let instance = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
    let tag = |action: &str, keys: &[&str]| Request::new(action, instance).with("aws:TagKeys", keys.iter().copied());
    let decided = |name: &str, request: &Request| decide(role(&stack, name), request);
    for (name, action) in [("RequiredTagsFixRole", "ec2:CreateTags"), ("Ec2UndoRole", "ec2:DeleteTags")] {
        assert_eq!(decided(name, &tag(action, &["CostCenter", "Owner"])), Decision::Allowed, "{name}");
        for keys in [&["rectify:mode"][..], &["CostCenter", "rectify:exempt-until"], &["rectify:"]] {
            assert_eq!(decided(name, &tag(action, keys)), Decision::Denied, "{name}: {keys:?}");
        }
    }
    // Without keys, DeleteTags removes every tag.
    assert_eq!(decided("Ec2UndoRole", &Request::new("ec2:DeleteTags", instance)), Decision::Denied);
    // No tagging action may write such a tag.
    for (arn, statements) in &stack.roles {
        for action in
            ["ec2:CreateTags", "ec2:DeleteTags", "rds:AddTagsToResource", "s3:PutBucketTagging", "kms:TagResource"]
        {
            let decision = decide(statements, &tag(action, &["rectify:mode"]));
            assert_ne!(decision, Decision::Allowed, "{arn}: {action}");
        }
    }
}

/// Every action of a fix or an undo that is limited to a resource, with its role.
fn changes() -> Vec<(String, Permission)> {
    let mut changes = Vec::new();
    for control in controls() {
        let Some(remediation) = control.remediation else { continue };
        let fix = format!("{}FixRole", control.meta.pascal_id());
        let writes = |list: &'static [Permission]| list.iter().filter(|it| !it.reads() && it.resource != "*");
        changes.extend(writes(remediation.fix_permissions()).map(|it| (fix.clone(), *it)));
        changes.extend(writes(remediation.undo_permissions()).map(|it| (undo_role(control), *it)));
    }
    changes
}

/// A request that a permission allows, on something named `name`.
fn request_of(permission: &Permission, name: &str) -> Request {
    let resource = permission.resource.replace("${AWS::Partition}", "aws").replace("${AWS::Region}", "eu-west-1");
    let resource = resource.replace("${AWS::AccountId}", ACCOUNT).replace("${CloudTrailLogsRoleArn}", ROLE);
    let resource = match resource.strip_suffix('*') {
        Some(front) => format!("{}{name}", front.replace(":*:", ":eu-west-1:")),
        None => resource,
    };
    let mut request = Request::new(permission.action, resource);
    if permission.action.contains("Tag") {
        request = request.with("aws:TagKeys", ["CostCenter"]);
    }
    if permission.resource.starts_with("arn:${AWS::Partition}:s3:::") {
        request = request.with("aws:ResourceAccount", [ACCOUNT]);
    }
    match permission.condition {
        Some(Condition::Equals(key, value)) => {
            let value = value.replace("${MfaPolicyArn}", "arn:aws:iam::1:policy/mfa");
            request.with(key, [value.replace("${AWS::Region}", "eu-west-1")])
        }
        _ => request,
    }
}

#[test]
fn changes_of_protected_arns_and_no_others_are_denied() {
    let given = |protected: &str| {
        stack(&[
            ("ProtectedArns", protected),
            ("MfaPolicyArn", "arn:aws:iam::1:policy/mfa"),
            ("CloudTrailLogsRoleArn", ROLE),
        ])
    };
    let (unprotected, protected) =
        (given("none"), given(&format!("arn:aws:*state*,arn:aws:ssm:*:*:servicesetting/*,{ROLE}")));
    let changes = changes();
    assert!(changes.len() > 50, "{}", changes.len());
    for (name, permission) in changes {
        let (state, other) = (request_of(&permission, "state-1"), request_of(&permission, "other-1"));
        assert_eq!(decide(role(&unprotected, &name), &state), Decision::Allowed, "{name}: {state:?}");
        assert_eq!(decide(role(&protected, &name), &state), Decision::Denied, "{name}: {state:?}");
        if other != state {
            assert_eq!(decide(role(&protected, &name), &other), Decision::Allowed, "{name}: {other:?}");
        }
    }
}

#[test]
fn bucket_of_another_account_cannot_be_changed() {
    let stack = stack(&[]);
    let put =
        |account: &str| Request::new("s3:PutBucketPolicy", "arn:aws:s3:::logs").with("aws:ResourceAccount", [account]);
    let statements = role(&stack, "S3BucketSslRequestsOnlyFixRole");
    assert_eq!(decide(statements, &put(ACCOUNT)), Decision::Allowed);
    assert_eq!(decide(statements, &put("444455556666")), Decision::NotAllowed);
}

#[test]
fn only_the_role_named_by_the_parameter_is_passed_and_read() {
    let fix = "CloudTrailCloudWatchLogsEnabledFixRole";
    let of = |action: &str, role: &str| {
        let request = Request::new(action, role);
        if action == "iam:PassRole" {
            request.with("iam:PassedToService", ["cloudtrail.amazonaws.com"])
        } else {
            request
        }
    };
    let (named, none) = (stack(&[("CloudTrailLogsRoleArn", ROLE)]), stack(&[]));
    for action in ["iam:GetRole", "iam:PassRole", "iam:SimulatePrincipalPolicy"] {
        assert_eq!(decide(role(&named, fix), &of(action, ROLE)), Decision::Allowed, "{action}");
        let admin = "arn:aws:iam::111122223333:role/admin";
        assert_eq!(decide(role(&named, fix), &of(action, admin)), Decision::NotAllowed, "{action}");
        assert_eq!(decide(role(&none, fix), &of(action, ROLE)), Decision::NotAllowed, "{action}");
    }
    let elsewhere = Request::new("iam:PassRole", ROLE).with("iam:PassedToService", ["ec2.amazonaws.com"]);
    assert_eq!(decide(role(&named, fix), &elsewhere), Decision::NotAllowed);
}

/// The roles of a control in mode `plan` can change nothing but its rows of the ledger.
#[test]
fn in_mode_plan_no_role_may_change_a_resource() {
    let planned = deployed(&templates(&[("mode", "plan")]), &[("DeployUndo", "false")]);
    let enforced = stack(&[("MfaPolicyArn", "arn:aws:iam::1:policy/mfa"), ("CloudTrailLogsRoleArn", ROLE)]);
    let mut changes = 0;
    for control in controls() {
        let Some(remediation) = control.remediation else { continue };
        let name = format!("{}FixRole", control.meta.pascal_id());
        for permission in remediation.fix_permissions().iter().filter(|it| !it.reads()) {
            let request = request_of(permission, "some");
            assert_eq!(decide(role(&enforced, &name), &request), Decision::Allowed, "{name}: {request:?}");
            assert_eq!(decide(role(&planned, &name), &request), Decision::NotAllowed, "{name}: {request:?}");
            changes += 1;
        }
    }
    assert!(changes > 50, "{changes}");
}
