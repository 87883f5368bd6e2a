use serde_json::json;

use super::*;

const ACCOUNT: &str = "111122223333";

/// A role session, as CloudTrail writes it.
fn session(role: &str, session: &str) -> Value {
    json!({
        "type": "AssumedRole", "principalId": format!("AROAEXAMPLE:{session}"), "accountId": ACCOUNT,
        "arn": format!("arn:p:sts::{ACCOUNT}:assumed-role/{role}/{session}"),
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role", "principalId": "AROAEXAMPLE", "arn": format!("arn:p:iam::{ACCOUNT}:role/path/{role}"),
                "accountId": ACCOUNT, "userName": role
            },
            "attributes": {"mfaAuthenticated": "false"}
        }
    })
}

fn with(mut identity: Value, member: &str, value: &str) -> Value {
    identity[member] = json!(value);
    identity
}

fn described(record: &Value) -> Result<String, String> {
    Actor::read(record).map(|actor| actor.to_string()).map_err(|error| error.to_string())
}

#[test]
fn every_type_of_identity_has_a_description() {
    let mut of_a_source = session("App", "i-0abc");
    of_a_source["sessionContext"]["sourceIdentity"] = json!("jane");
    for (identity, expected) in [
        // runtime/23: a user of IAM Identity Center.
        (session("AWSReservedSSO_x", "jane@corp"), "jane@corp via AWSReservedSSO_x"),
        (of_a_source, "i-0abc via App (source identity jane)"),
        (
            json!({"type": "Root", "accountId": ACCOUNT, "arn": "arn:p:iam::111122223333:root"}),
            "root user of 111122223333",
        ),
        (json!({"type": "Root"}), "root user"),
        (json!({"type": "IAMUser", "userName": "jane"}), "IAM user jane"),
        (json!({"type": "IAMUser", "arn": "arn:p:iam::111122223333:user/staff/jane"}), "IAM user jane"),
        (json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE"}), "IAM user AIDAEXAMPLE"),
        (json!({"type": "Role", "arn": "arn:p:iam::111122223333:role/path/App"}), "role App"),
        (
            json!({"type": "AssumedRole", "principalId": "AROA:s", "sessionContext": {"sessionIssuer": {"userName": "App"}}}),
            "s via App",
        ),
        (json!({"type": "AssumedRole", "arn": "arn:p:sts::111122223333:assumed-role/App"}), "role App"),
        (
            json!({
                "type": "FederatedUser", "arn": "arn:p:sts::111122223333:federated-user/bob",
                "sessionContext": {"sessionIssuer": {"type": "IAMUser", "userName": "alice"}}
            }),
            "bob via alice",
        ),
        (json!({"type": "FederatedUser", "principalId": "111122223333:bob"}), "federated user bob"),
        (
            json!({"type": "SAMLUser", "principalId": "x:bob", "userName": "bob", "identityProvider": "corp"}),
            "bob via corp",
        ),
        (json!({"type": "WebIdentityUser", "userName": "bob", "identityProvider": "id.example"}), "bob via id.example"),
        (
            json!({"type": "IdentityCenterUser", "accountId": ACCOUNT, "onBehalfOf": {"userId": "9067-0a"}}),
            "IAM Identity Center user 9067-0a",
        ),
        (
            json!({"type": "AWSAccount", "accountId": "444455556666", "principalId": "AIDAEXAMPLE"}),
            "account 444455556666 (AIDAEXAMPLE)",
        ),
        (json!({"type": "AWSAccount", "accountId": "444455556666"}), "account 444455556666"),
        (json!({"type": "AWSService", "invokedBy": "config.amazonaws.com"}), "config.amazonaws.com"),
        (json!({"accountId": ACCOUNT, "invokedBy": "AWS Internal"}), "AWS Internal"),
        (json!({"type": "Unknown", "principalId": "p"}), "identity of type Unknown (p)"),
        (json!({"type": "Robot"}), "identity of type Robot"),
    ] {
        assert_eq!(described(&json!({"userIdentity": identity})), Ok(expected.to_owned()), "{identity}");
    }
}

/// runtime/24: a change by CloudFormation names CloudFormation, the stack if the request names one, and the role.
#[test]
fn a_service_that_acts_for_a_principal_is_named_with_it() {
    let deployer = || session("CfnRole", "AWSCloudFormation");
    let invoked = || with(deployer(), "invokedBy", "cloudformation.amazonaws.com");
    let tags = json!({"tagSpecificationSet": {"items": [{"resourceType": "security-group", "tags": [
        {"key": "aws:cloudformation:stack-name", "value": "web"}, {"key": "Name", "value": "x"}]}]}});
    let as_map = json!({"Tags": {"aws:cloudformation:stack-name": "web"}});
    for (record, expected) in [
        (json!({"userIdentity": invoked()}), "cloudformation.amazonaws.com for AWSCloudFormation via CfnRole"),
        (
            json!({"userIdentity": deployer(), "sourceIPAddress": "cloudformation.amazonaws.com"}),
            "cloudformation.amazonaws.com for AWSCloudFormation via CfnRole",
        ),
        (
            json!({"userIdentity": invoked(), "requestParameters": tags}),
            "CloudFormation stack web for AWSCloudFormation via CfnRole",
        ),
        (
            json!({"userIdentity": with(session("AWSReservedSSO_x", "jane@corp"), "invokedBy", "cloudformation.amazonaws.com"),
                   "requestParameters": as_map}),
            "CloudFormation stack web for jane@corp via AWSReservedSSO_x",
        ),
        (
            json!({"userIdentity": {"type": "IAMUser", "userName": "jane"}, "sourceIPAddress": "autoscaling.amazonaws.com"}),
            "autoscaling.amazonaws.com for IAM user jane",
        ),
        // Stack tags in a principal's own call do not make it a call by CloudFormation.
        (
            json!({"userIdentity": session("App", "s"), "requestParameters": tags, "sourceIPAddress": "192.0.2.1",
                   "userAgent": "cloudformation.amazonaws.com"}),
            "s via App",
        ),
    ] {
        assert_eq!(described(&record), Ok(expected.to_owned()), "{record}");
    }
}

#[test]
fn a_missing_identity_is_an_error() {
    for (record, expected) in [
        (json!({}), "userIdentity: expected an identity: received `nothing`"),
        (json!({"userIdentity": "jane"}), "userIdentity: expected an identity: received `nothing`"),
        (json!({"userIdentity": {}}), "userIdentity.type: expected a string: received `nothing`"),
        (json!({"userIdentity": {"type": "IAMUser"}}), "userIdentity.userName: expected a string: received `nothing`"),
        (
            json!({"userIdentity": {"type": "AWSService"}}),
            "userIdentity.invokedBy: expected a string: received `nothing`",
        ),
        (
            json!({"userIdentity": {"type": "AssumedRole", "arn": "arn:p:sts::1:user/x"}}),
            "userIdentity.arn: expected the ARN of a role session: received `nothing`",
        ),
    ] {
        assert_eq!(described(&record), Err(expected.to_owned()), "{record}");
    }
}

#[test]
fn a_description_is_printable_and_bounded() {
    let name = format!("ja\u{1b}[2Jne\n{}", "x".repeat(900));
    let words = described(&json!({"userIdentity": {"type": "IAMUser", "userName": name}})).unwrap_or_default();
    assert!(words.starts_with("IAM user ja[2Jnexx") && words.chars().count() < 300, "{words}");
}
