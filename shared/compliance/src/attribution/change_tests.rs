use serde_json::json;

use super::*;

fn record() -> Value {
    json!({
        "eventVersion": "1.11", "eventTime": "2026-03-04T05:06:07Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.1",
        "userAgent": "aws-cli/2", "requestParameters": {"groupId": "sg-1"}, "responseElements": {"_return": true},
        "eventID": "e-1", "readOnly": false, "eventType": "AwsApiCall", "eventCategory": "Management",
        "userIdentity": {"type": "IAMUser", "userName": "jane"}
    })
}

fn read_with(member: &str, value: &Value) -> Result<Option<Change>, String> {
    let mut other = record();
    match value {
        Value::Null => other.as_object_mut().map(|it| it.remove(member)),
        value => other.as_object_mut().map(|it| it.insert(member.to_owned(), value.clone())),
    };
    Change::read(&other.to_string()).map_err(|error| error.to_string())
}

#[test]
fn a_change_has_time_call_and_actor() {
    let change = read_with("none", &Value::Null).ok().flatten();
    let actual = change.map(|it| (it.at.to_string(), it.event_id, it.call, it.actor.to_string()));
    let expected = ["2026-03-04T05:06:07Z", "e-1", "ec2:AuthorizeSecurityGroupIngress", "IAM user jane"];
    let [at, id, call, who] = expected.map(str::to_owned);
    assert_eq!(actual, Some((at, id, call, who)));
}

#[test]
fn read_only_failed_and_non_api_events_are_not_changes() {
    for (member, value, changes) in [
        ("errorCode", json!("Client.UnauthorizedOperation"), false),
        ("errorCode", json!("Client.DryRunOperation"), false),
        ("errorCode", json!(""), true),
        ("readOnly", json!(true), false),
        ("readOnly", json!("true"), false),
        // Without the member, the name of the call decides.
        ("readOnly", Value::Null, true),
        ("eventType", json!("AwsConsoleSignIn"), false),
        ("eventType", json!("AwsServiceEvent"), true),
        ("eventCategory", json!("Insight"), false),
    ] {
        assert_eq!(read_with(member, &value).map(|it| it.is_some()), Ok(changes), "{member}: {value}");
    }
    let mut old = record();
    old["eventName"] = json!("DescribeSecurityGroups");
    old.as_object_mut().map(|it| it.remove("readOnly"));
    assert_eq!(Change::read(&old.to_string()).map(|it| it.is_some()), Ok(false));
}

#[test]
fn an_unreadable_record_is_an_error() {
    for (member, value, expected) in [
        ("eventVersion", json!("2.0"), "eventVersion: expected 1.x: received `2.0`"),
        ("eventVersion", Value::Null, "eventVersion: expected a string: received `nothing`"),
        ("eventTime", json!("yesterday"), "eventTime: expected an instant in RFC 3339: received `yesterday`"),
        ("eventID", Value::Null, "eventID: expected a string: received `nothing`"),
        ("eventName", json!(7), "eventName: expected a string: received `7`"),
        ("errorCode", json!(7), "errorCode: expected a string: received `7`"),
        ("readOnly", json!("maybe"), "readOnly: expected true or false: received `\"maybe\"`"),
        ("userIdentity", Value::Null, "userIdentity: expected an identity: received `nothing`"),
    ] {
        assert_eq!(read_with(member, &value), Err(expected.to_owned()), "{member}: {value}");
    }
    let broken = Change::read("{").map_err(|error| error.path);
    assert_eq!(broken, Err("CloudTrailEvent".to_owned()));
}
