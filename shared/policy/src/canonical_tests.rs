//! Properties of the comparison of policies, over generated ones.
use proptest::prelude::*;

use super::*;

const ACCOUNT: &str = "111122223333";

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> + Clone {
    prop::sample::subsequence(of, 1..=of.len()).prop_map(|it| it.into_iter().map(str::to_owned).collect())
}

fn principal() -> impl Strategy<Value = Value> {
    let aws = some(&[ACCOUNT, "arn:aws:iam::444455556666:role/a", "arn:aws:iam::444455556666:role/b", "AROAEXAMPLEID"]);
    let service = some(&["cloudtrail.amazonaws.com", "logging.s3.amazonaws.com"]);
    prop_oneof![
        Just(json!({"AWS": ["*"]})),
        aws.clone().prop_map(|it| json!({ "AWS": it })),
        (aws, service).prop_map(|(aws, service)| json!({ "AWS": aws, "Service": service })),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let vpcs = some(&["vpc-1", "vpc-2", "Vpc-2"]);
    let secure = some(&["true", "false"]);
    prop_oneof![
        Just(json!({})),
        vpcs.clone().prop_map(|it| json!({"StringEquals": {"aws:SourceVpc": it}})),
        (vpcs, secure).prop_map(|(vpcs, secure)| json!({
            "ForAnyValue:StringLike": {"aws:SourceVpc": vpcs, "aws:PrincipalTag/Team": ["a"]}, "Bool": {"aws:SecureTransport": secure}
        })),
    ]
}

fn statements() -> impl Strategy<Value = Value> {
    let sid = prop::sample::select(vec![None, Some("One"), Some("Two")]);
    let effect = prop::sample::select(vec!["Allow", "Deny"]);
    let actions =
        (some(&["s3:getobject", "s3:putobject", "s3:list*"]), prop::sample::select(vec!["Action", "NotAction"]));
    let resources = (
        some(&["arn:aws:s3:::a", "arn:aws:s3:::a/*", "arn:aws:s3:::A"]),
        prop::sample::select(vec!["Resource", "NotResource"]),
    );
    (sid, effect, (principal(), any::<bool>()), actions, resources, condition()).prop_map(
        |(sid, effect, (principal, negated), (actions, action), (resources, resource), condition)| {
            let principal_key = if negated { "NotPrincipal" } else { "Principal" };
            let mut statement = json!({"Effect": effect, principal_key: principal, action: actions, resource: resources,
                                       "Condition": condition});
            if let Some(sid) = sid {
                statement["Sid"] = sid.into();
            }
            statement
        },
    )
}

/// Policies in which every list is written as a list and every name in IAM's spelling.
fn policies() -> impl Strategy<Value = Value> {
    let version = prop::sample::select(vec!["2012-10-17", "2008-10-17"]);
    (version, prop::collection::vec(statements(), 1..4))
        .prop_map(|(version, statements)| json!({"Version": version, "Id": "x", "Statement": statements}))
}

/// A sequence of choices, so that one seed rewrites a whole document.
struct Choices(u64);

impl Choices {
    fn next(&mut self, of: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % of.max(1)
    }
}

/// The same policy as a service might return it: members in another order and duplicated, lists of one as strings,
/// accounts as ARNs, names in another case, booleans not as strings.
fn respelled(value: &Value, key: &str, under: &str, choices: &mut Choices) -> Value {
    match value {
        Value::Object(members) => {
            let renamed = members.iter().map(|(name, inner)| {
                let is_name = under == "Condition" || key == "Condition";
                let spelled = if is_name && choices.next(2) == 0 { name.to_uppercase() } else { name.clone() };
                (spelled, respelled(inner, name, key, choices))
            });
            let object: Map<String, Value> = renamed.collect();
            let everyone = object.get("AWS") == Some(&json!(["*"])) || object.get("AWS") == Some(&json!("*"));
            if everyone && object.len() == 1 && choices.next(2) == 0 { json!("*") } else { Value::Object(object) }
        }
        Value::Array(members) => {
            let mut members: Vec<Value> = members.iter().map(|it| respelled(it, key, under, choices)).collect();
            for end in (1..members.len()).rev() {
                members.swap(end, choices.next(end + 1));
            }
            if key != "Statement" && choices.next(3) == 0 {
                members.push(members[0].clone());
            }
            match members.as_slice() {
                [only] if choices.next(2) == 0 => only.clone(),
                _ => Value::Array(members),
            }
        }
        Value::String(text) if text == ACCOUNT && choices.next(2) == 0 => json!(format!("arn:aws:iam::{text}:root")),
        Value::String(text) if key == "aws:SecureTransport" => match choices.next(3) {
            0 => json!(text == "true"),
            1 => json!(text.to_uppercase()),
            _ => value.clone(),
        },
        Value::String(text) if key.ends_with("Action") && choices.next(2) == 0 => json!(text.to_uppercase()),
        other => other.clone(),
    }
}

/// One change that alters the permissions or the statements.
fn changed(policy: &Value, choices: &mut Choices) -> Value {
    let mut policy = policy.clone();
    if choices.next(8) == 0 {
        let other = if policy["Version"] == "2012-10-17" { "2008-10-17" } else { "2012-10-17" };
        policy["Version"] = other.into();
        return policy;
    }
    let statements = policy["Statement"].as_array_mut().unwrap();
    let at = choices.next(statements.len());
    match choices.next(8) {
        0 => {
            statements.remove(at);
        }
        1 => statements.push(statements[at].clone()),
        kind => {
            let statement = statements[at].as_object_mut().unwrap();
            let flip = |statement: &mut Map<String, Value>, one: &str, other: &str| {
                let (from, to) = if statement.contains_key(one) { (one, other) } else { (other, one) };
                let value = statement.remove(from).unwrap();
                statement.insert(to.to_owned(), value);
            };
            match kind {
                2 => {
                    let other = if statement["Effect"] == "Allow" { "Deny" } else { "Allow" };
                    statement.insert("Effect".to_owned(), other.into());
                }
                3 => flip(statement, "Action", "NotAction"),
                4 => flip(statement, "Principal", "NotPrincipal"),
                5 => {
                    let key = if statement.contains_key("Resource") { "Resource" } else { "NotResource" };
                    statement[key].as_array_mut().unwrap().push("arn:aws:s3:::b".into());
                }
                6 => {
                    let key = if statement.contains_key("Principal") { "Principal" } else { "NotPrincipal" };
                    statement[key]["Federated"] = json!(["arn:aws:iam::111122223333:saml-provider/x"]);
                }
                _ => statement["Condition"]["NumericLessThan"] = json!({"s3:TlsVersion": ["1.2"]}),
            }
        }
    }
    policy
}

proptest! {
    #[test]
    fn a_policy_equals_every_form_in_which_a_service_returns_it(policy in policies(), seed in any::<u64>()) {
        let respelled = respelled(&policy, "", "", &mut Choices(seed));
        prop_assert_eq!(canonical(&respelled), canonical(&policy), "{} {}", policy, respelled);
        prop_assert_eq!(deleted_principals(&respelled), deleted_principals(&policy));
        prop_assert_eq!(PolicyDocument(respelled), PolicyDocument(policy));
    }

    #[test]
    fn a_changed_policy_is_not_equal(policy in policies(), seed in any::<u64>()) {
        let mut choices = Choices(seed);
        let other = changed(&policy, &mut choices);
        let other = respelled(&other, "", "", &mut choices);
        prop_assert_ne!(canonical(&other), canonical(&policy), "{} {}", policy, other);
    }
}

#[test]
fn policies_are_equal_if_they_differ_only_in_what_iam_ignores() {
    let statement = |changes: Value| {
        let mut statement = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"});
        statement.as_object_mut().unwrap().append(&mut changes.as_object().unwrap().clone());
        json!({"Version": "2012-10-17", "Statement": [statement]})
    };
    for (case, one, other, equal) in [
        ("everyone", json!({}), json!({"Principal": {"AWS": "*"}}), true),
        ("all AWS principals and all services", json!({}), json!({"Principal": {"Service": "*"}}), false),
        ("an empty Sid", json!({}), json!({"Sid": ""}), true),
        ("a Sid", json!({}), json!({"Sid": "A"}), false),
        ("an empty condition", json!({}), json!({"Condition": {"Bool": {}}}), true),
        (
            "root of any partition",
            json!({"Principal": {"AWS": ACCOUNT}}),
            json!({"Principal": {"AWS": "arn:aws-cn:iam::111122223333:root"}}),
            true,
        ),
        (
            "a user named root",
            json!({"Principal": {"AWS": ACCOUNT}}),
            json!({"Principal": {"AWS": "arn:aws:iam::111122223333:user/root"}}),
            false,
        ),
        (
            "the account where it is not a principal",
            json!({"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}),
            json!({"Condition": {"StringEquals": {"aws:SourceAccount": "arn:aws:iam::111122223333:root"}}}),
            false,
        ),
        ("case of a resource", json!({"Resource": "arn:a"}), json!({"Resource": "arn:A"}), false),
        (
            "case of a value",
            json!({"Condition": {"StringEquals": {"aws:SourceVpc": "a"}}}),
            json!({"Condition": {"StringEquals": {"AWS:SourceVPC": "A"}}}),
            false,
        ),
        (
            "keys that differ only in case do not overwrite each other",
            json!({"Condition": {"StringEquals": {"aws:SourceVpc": "a", "AWS:SourceVPC": "b"}}}),
            json!({"Condition": {"StringEquals": {"aws:SourceVpc": "a"}}}),
            false,
        ),
        ("a deleted principal", json!({"Principal": {"AWS": "AROA1"}}), json!({"Principal": {"AWS": ["AROA1"]}}), true),
        ("another one", json!({"Principal": {"AWS": "AROA1"}}), json!({"Principal": {"AWS": "AROA2"}}), false),
    ] {
        assert_eq!(canonical(&statement(one)) == canonical(&statement(other)), equal, "{case}");
    }
    let unversioned = json!({"Statement": []});
    assert_eq!(canonical(&unversioned), canonical(&json!({"Version": "2008-10-17", "Statement": []})));
    assert_ne!(canonical(&unversioned), canonical(&json!({"Version": "2012-10-17", "Statement": []})));
}

#[test]
fn statements_have_readable_names_and_duplicates_are_kept() {
    let form = canonical(&json!({"Statement": [
        {"Sid": "B", "Effect": "Allow", "Action": "s3:GetObject"}, {"Effect": "Deny", "NotAction": ["s3:Put*", "s3:Get*"]},
        {"Sid": "B", "Effect": "Deny", "Action": "s3:*"}, {"Effect": "Deny", "NotAction": ["s3:Get*", "s3:Put*"]}
    ]}));
    let names: Vec<&String> = form["Statement"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["B", "B (2)", "Deny not s3:get* s3:put*", "Deny not s3:get* s3:put* (2)"]);
}

#[test]
fn deleted_principals_are_found_only_in_principal_elements() {
    let policy = json!({"Statement": [
        {"Sid": "A", "Effect": "Allow", "Principal": {"AWS": ["AROAEXAMPLEID", "arn:aws:iam::111122223333:role/AROA"]}},
        {"Effect": "Deny", "NotPrincipal": {"AWS": "AIDAEXAMPLEID"}, "Action": "s3:*"},
        {"Sid": "C", "Principal": {"CanonicalUser": "AIDA"}, "Condition": {"StringLike": {"aws:userid": "AROAEXAMPLEID:*"}}}
    ]});
    let found: Vec<(String, String)> =
        deleted_principals(&policy).into_iter().map(|it| (it.statement, it.id)).collect();
    let expected = [("A", "AROAEXAMPLEID"), ("Deny s3:*", "AIDAEXAMPLEID")];
    assert_eq!(found, expected.map(|(statement, id)| (statement.to_owned(), id.to_owned())));
    assert_eq!(deleted_principals(&json!("nothing")), []);
}
