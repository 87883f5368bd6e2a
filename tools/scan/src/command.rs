//! The AWS CLI command that makes a call.
//!
//! `tests/suite/plan_views.rs` compares the commands of every stored call with the service models of the AWS SDK for
//! Python, from which the CLI derives its own.

use std::fmt::Write as _;

use rectify_compliance::canonical::sorted;
use rectify_compliance::{Entry, Permission};
use serde_json::{Map, Value};

/// The services that the CLI calls otherwise than IAM actions do, by their prefix there.
const RENAMED: [(&str, &str); 3] = [("config", "configservice"), ("elasticloadbalancing", "elbv2"), ("s3", "s3api")];

/// The command, for a POSIX shell, that makes a call of the control's remediation or undo; `None` for another
/// call.
#[must_use]
pub fn of(control: &Entry, call: &Value) -> Option<String> {
    let (operation, input) = call.as_object().filter(|it| it.len() == 1)?.iter().next()?;
    let service = service(control, operation, input)?;
    let input = input_of(operation, input.as_object()?)?;
    let name = kebab(operation);
    Some(if input.is_empty() {
        format!("aws {service} {name}")
    } else {
        format!("aws {service} {name} --cli-input-json {}", quoted(&ascii(&sorted(Value::Object(input)))))
    })
}

/// The command in a region. A trail is changed in its home region, which its ARN has.
#[must_use]
pub fn in_region(command: &str, call: &Value, region: &str) -> String {
    let input = call.as_object().and_then(|it| it.values().next());
    let name = input.and_then(|it| it.get("Name").or_else(|| it.get("TrailName"))?.as_str());
    let mut arn = name.unwrap_or_default().split(':');
    let home = if arn.nth(2) == Some("cloudtrail") { arn.next() } else { None };
    format!("{command} --region {}", quoted(home.unwrap_or(region)))
}

fn service(control: &Entry, operation: &str, input: &Value) -> Option<&'static str> {
    let remediation = control.remediation?;
    let permissions = remediation.fix_permissions().iter().chain(remediation.undo_permissions());
    let actions: Vec<_> = permissions.filter_map(|Permission { action, .. }| action.split_once(':')).collect();
    let named = actions.iter().find(|(_, name)| *name == operation);
    // The actions of S3 have other names than its operations: `s3:PutEncryptionConfiguration`.
    let (prefix, _) =
        named.or_else(|| actions.first().filter(|_| actions.iter().all(|(prefix, _)| *prefix == "s3")))?;
    if *prefix == "s3" && input.get("AccountId").is_some() {
        return Some("s3control");
    }
    Some(RENAMED.iter().find(|(renamed, _)| renamed == prefix).map_or(prefix, |(_, name)| name))
}

/// The input as the API has it: an action has some members elsewhere than the API. `None` for an unknown form.
fn input_of(operation: &str, input: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut input = without_null(input);
    match operation {
        // S3 returns the size with the rules, and takes it beside them.
        "PutBucketLifecycleConfiguration" => {
            const BESIDE: &str = "TransitionDefaultMinimumObjectSize";
            let size = input.get_mut("LifecycleConfiguration")?.as_object_mut()?.remove(BESIDE);
            input.extend(size.map(|size| (BESIDE.to_owned(), size)));
        }
        // An action has an attribute as a member, the API the attribute's name and text.
        "SetTopicAttributes" if !input.contains_key("AttributeName") => {
            let topic = input.remove("TopicArn")?;
            let (name, value) = input.iter().next().filter(|_| input.len() == 1)?;
            let (name, value) = (Value::from(name.as_str()), attribute(value)?);
            input = [("TopicArn", topic), ("AttributeName", name), ("AttributeValue", value)]
                .map(|(key, value)| (key.to_owned(), value))
                .into_iter()
                .collect();
        }
        "SetQueueAttributes" => {
            let queue = input.remove("QueueUrl")?;
            let attributes: Map<String, Value> =
                input.iter().map(|(name, value)| Some((name.clone(), attribute(value)?))).collect::<Option<_>>()?;
            input = Map::from_iter([("QueueUrl".to_owned(), queue), ("Attributes".to_owned(), attributes.into())]);
        }
        _ => {}
    }
    Some(input)
}

/// The value of an attribute, which is text: `true` is `"true"`.
fn attribute(value: &Value) -> Option<Value> {
    match value {
        Value::String(_) => Some(value.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn without_null(object: &Map<String, Value>) -> Map<String, Value> {
    fn cleaned(value: &Value) -> Value {
        match value {
            Value::Object(object) => Value::Object(without_null(object)),
            Value::Array(elements) => Value::Array(elements.iter().map(cleaned).collect()),
            other => other.clone(),
        }
    }
    let present = object.iter().filter(|(_, value)| !value.is_null());
    present.map(|(key, value)| (key.clone(), cleaned(value))).collect()
}

/// The CLI's name of an operation: `ModifyDBInstance` is `modify-db-instance`.
fn kebab(operation: &str) -> String {
    let mut name = String::new();
    let mut last = None;
    let mut rest = operation.chars().peekable();
    while let Some(letter) = rest.next() {
        let begins_word = rest.peek().is_some_and(char::is_ascii_lowercase);
        let ends_word = last.is_some_and(|it: char| it.is_ascii_lowercase() || it.is_ascii_digit());
        if letter.is_ascii_uppercase() && last.is_some() && (begins_word || ends_word) {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
        last = Some(letter);
    }
    name
}

/// The JSON with every character outside printable ASCII escaped: names are written by strangers, and a terminal obeys or
/// hides some characters.
fn ascii(value: &Value) -> String {
    let mut text = String::new();
    for letter in value.to_string().chars() {
        if letter == ' ' || letter.is_ascii_graphic() {
            text.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let written = write!(text, "\\u{unit:04x}");
            debug_assert!(written.is_ok(), "a string takes any text");
        }
    }
    text
}

/// One word of a POSIX shell.
pub fn quoted(text: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_./:".contains(it);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn command(control: &str, call: &Value) -> Option<String> {
        of(rectify_catalogue::find(control).unwrap(), call)
    }

    #[test]
    fn service_follows_from_the_permissions_of_the_control() {
        let block = json!({ "PutPublicAccessBlock": {} });
        let account_block = json!({ "PutPublicAccessBlock": { "AccountId": "111122223333" } });
        let rows = [
            ("s3-bucket-level-public-access-prohibited", block, "aws s3api put-public-access-block"),
            (
                "s3-account-level-public-access-blocks-periodic",
                account_block,
                r#"aws s3control put-public-access-block --cli-input-json '{"AccountId":"111122223333"}'"#,
            ),
            (
                "ec2-ebs-encryption-by-default",
                json!({ "EnableEbsEncryptionByDefault": {} }),
                "aws ec2 enable-ebs-encryption-by-default",
            ),
            (
                "elb-deletion-protection-enabled",
                json!({ "ModifyLoadBalancerAttributes": {} }),
                "aws elbv2 modify-load-balancer-attributes",
            ),
            ("rds-multi-az-support", json!({ "ModifyDBInstance": {} }), "aws rds modify-db-instance"),
        ];
        for (control, call, expected) in rows {
            assert_eq!(command(control, &call).as_deref(), Some(expected));
        }
        assert_eq!(
            command("rds-multi-az-support", &json!({ "DeleteDBInstance": {} })),
            None,
            "a call it does not make"
        );
        assert_eq!(command("iam-root-access-key-check", &json!({ "DeleteAccessKey": {} })), None);
    }

    #[test]
    fn hostile_name_stays_one_word_of_printable_ascii() {
        let name = "'; rm -rf ~ #\u{1b}[2K\u{9b}\u{202e}ü\u{1f600}$(id)`id`\n\\";
        let call = json!({ "CreateTags": { "Resources": ["vol-1"], "Tags": [{ "Key": "Owner", "Value": name }] } });
        let text = command("required-tags", &call).unwrap();
        assert!(text.chars().all(|it| it == ' ' || it.is_ascii_graphic()), "{text}");
        let (_, word) = text.split_once(" --cli-input-json ").unwrap();
        // What a shell makes of it: the quotes removed, and the quotes between two quoted parts restored.
        let unquoted = word.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap().replace(r"'\''", "'");
        assert!(!word.replace(r"'\''", "").trim_matches('\'').contains('\''), "{word}");
        assert_eq!(serde_json::from_str::<Value>(&unquoted).unwrap(), call["CreateTags"]);
    }

    #[test]
    fn minimum_size_of_transitions_is_sent_beside_the_rules_and_null_is_not_sent() {
        let configuration = json!({ "Rules": [{ "ID": null }], "TransitionDefaultMinimumObjectSize": "varies" });
        let call = json!({ "PutBucketLifecycleConfiguration": { "LifecycleConfiguration": configuration } });
        let expected = r#"'{"LifecycleConfiguration":{"Rules":[{}]},"TransitionDefaultMinimumObjectSize":"varies"}'"#;
        assert!(command("s3-lifecycle-log-archive", &call).unwrap().ends_with(expected));
    }

    #[test]
    fn attribute_is_sent_by_name_and_text() {
        let input = |operation: &str, input: &Value| input_of(operation, input.as_object().unwrap()).map(Value::from);
        let topic = json!({ "TopicArn": "arn", "Policy": "{}" });
        let named = json!({ "TopicArn": "arn", "AttributeName": "Policy", "AttributeValue": "{}" });
        assert_eq!(input("SetTopicAttributes", &topic), Some(named.clone()));
        assert_eq!(input("SetTopicAttributes", &named), Some(named));
        let two = json!({ "TopicArn": "arn", "Policy": "{}", "DisplayName": "a" });
        assert_eq!(input("SetTopicAttributes", &two), None, "the API takes one");
        let queue = json!({ "QueueUrl": "url", "SqsManagedSseEnabled": true });
        let expected = json!({ "QueueUrl": "url", "Attributes": { "SqsManagedSseEnabled": "true" } });
        assert_eq!(input("SetQueueAttributes", &queue), Some(expected));
        assert_eq!(input("SetQueueAttributes", &json!({ "QueueUrl": "url", "Policy": {} })), None, "not text");
    }

    #[test]
    fn trail_is_changed_in_its_home_region() {
        let call = |name: &str| json!({ "UpdateTrail": { "Name": name } });
        let trail = call("arn:aws:cloudtrail:eu-west-1:111122223333:trail/main");
        assert_eq!(in_region("aws", &trail, "us-east-1"), "aws --region eu-west-1");
        assert_eq!(in_region("aws", &call("main"), "us-east-1"), "aws --region us-east-1");
        assert_eq!(in_region("aws", &call("main"), "x; y"), "aws --region 'x; y'");
    }
}
