//! What `rectify.yaml` alone decides about the resources of all templates: the key of stored data, the network, tags, an
//! existing ledger, alarms and the dashboard. Without a setting the templates have nothing of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::quoted;
use crate::declaration::declarations;
use crate::fragment::{Unfilled, fill};
use crate::settings::Settings;

const LEDGER: &str = include_str!("ledger.yaml");
const WATCH: &str = include_str!("watch.yaml");
const DASHBOARD: &str = include_str!("dashboard.yaml");

/// The types of the root template that have tags; stacks pass their own to the resources of nested templates.
const TAGGED: [&str; 5] =
    ["AWS::CloudWatch::Alarm", "AWS::DynamoDB::Table", "AWS::IAM::Role", "AWS::Logs::LogGroup", "AWS::SQS::Queue"];
const ALARM: &str = "AWS::CloudWatch::Alarm";

/// A value of `rectify.yaml`, unless it is `none`.
pub(super) fn given(settings: &Settings, key: &str) -> Option<String> {
    let declaration = declarations().get(key)?;
    Some(settings.value(declaration)).filter(|it| it != "none")
}

fn is_true(settings: &Settings, key: &str) -> bool {
    given(settings, key).as_deref() == Some("true")
}

/// Whether findings become tickets.
pub(super) fn sends_tickets(settings: &Settings) -> bool {
    given(settings, "tickets").as_deref() == Some("queue")
}

/// The ARN of the key, as an expression.
fn key(settings: &Settings) -> Option<String> {
    given(settings, "kmsKey").map(|key| match key.starts_with("arn:") {
        true => quoted(&key),
        false => format!("!Sub \"arn:${{AWS::Partition}}:kms:${{AWS::Region}}:${{AWS::AccountId}}:key/{key}\""),
    })
}

/// The tags by their keys.
fn tags(settings: &Settings) -> BTreeMap<String, String> {
    let text = given(settings, "tags").unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Properties of every function.
pub(super) fn of_functions(settings: &Settings) -> String {
    let mut text = String::new();
    if let (Some(subnets), Some(groups)) = (given(settings, "vpcSubnets"), given(settings, "vpcSecurityGroups")) {
        let (subnets, groups) = (subnets.replace(',', ", "), groups.replace(',', ", "));
        text.push_str(&format!("VpcConfig:\n  SubnetIds: [{subnets}]\n  SecurityGroupIds: [{groups}]\n"));
    }
    text.push_str(&tags_by_key(settings));
    if let Some(metrics) = given(settings, "metrics").or(Some("none".to_owned())).filter(|it| it != "failures") {
        text.push_str(&format!("Environment: {{ Variables: {{ METRICS: {metrics} }} }}\n"));
    }
    text
}

/// The tags as a mapping; nothing without tags.
pub(super) fn tags_by_key(settings: &Settings) -> String {
    let tags = tags(settings);
    if tags.is_empty() {
        return String::new();
    }
    let lines: String = tags.iter().map(|(key, value)| format!("  {}: {}\n", text_of(key), text_of(value))).collect();
    format!("Tags:\n{lines}")
}

/// A text that stays a text in YAML, digits too.
fn text_of(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Statements of every role: the use of the key through the services that store data, and the network interfaces that
/// Lambda creates with the role of the function. A function itself may not call EC2 with them.
pub(super) fn statements(settings: &Settings) -> String {
    let mut text = String::new();
    if let Some(key) = key(settings) {
        text.push_str(&format!(
            "- Effect: Allow
  Action: [kms:Decrypt, kms:GenerateDataKey]
  Resource: {key}
  Condition:
    StringLike: {{ \"kms:ViaService\": [dynamodb.*.amazonaws.com, dynamodb.*.amazonaws.com.cn, sqs.*.amazonaws.com, sqs.*.amazonaws.com.cn] }}
"
        ));
    }
    if given(settings, "vpcSubnets").is_some() {
        let calls = "[ec2:AssignPrivateIpAddresses, ec2:CreateNetworkInterface, ec2:DeleteNetworkInterface, \
                     ec2:DescribeNetworkInterfaces, ec2:DescribeSubnets, ec2:UnassignPrivateIpAddresses]";
        text.push_str(&format!(
            "- {{ Effect: Allow, Action: {calls}, Resource: \"*\" }}
- Effect: Deny
  Action: [ec2:AssignPrivateIpAddresses, ec2:CreateNetworkInterface, ec2:DeleteNetworkInterface, ec2:UnassignPrivateIpAddresses]
  Resource: \"*\"
  Condition:
    ArnLike: {{ \"lambda:SourceFunctionArn\": !Sub \"arn:${{AWS::Partition}}:lambda:*:*:function:*\" }}
"
        ));
    }
    text
}

/// The table of the ledger; nothing if an existing one is used.
///
/// # Errors
/// [`Unfilled`] when the fragment has a placeholder without a value.
pub(super) fn ledger(settings: &Settings) -> Result<String, Unfilled> {
    if given(settings, "existingLedger").is_some() {
        return Ok(String::new());
    }
    let protected = is_true(settings, "ledgerDeletionProtection");
    let encryption = key(settings)
        .map(|key| format!("SSESpecification:\n  SSEEnabled: true\n  SSEType: KMS\n  KMSMasterKeyId: {key}\n"));
    fill(
        LEDGER,
        &[
            ("protection", if protected { "DeletionProtectionEnabled: true" } else { "" }),
            ("encryption", &encryption.unwrap_or_default()),
        ],
    )
}

/// The alarms and the dashboard beside the alarms on queues.
///
/// # Errors
/// As [`ledger`].
pub(super) fn watch(settings: &Settings) -> Result<String, Unfilled> {
    let mut text = WATCH.to_owned();
    if given(settings, "metrics").is_none() {
        text = without(&text, |id, _| id == "BreakerAlarm");
    }
    if is_true(settings, "dashboard") {
        // In a YAML scalar with single quotes.
        text.push_str(&fill(DASHBOARD, &[("body", &dashboard().to_string().replace('\'', "''"))])?);
    }
    Ok(text)
}

/// The root template with the key, the tags, the existing ledger, and without alarms that are off.
pub(super) fn applied_to_root(text: &str, settings: &Settings) -> String {
    let mut text = text.to_owned();
    if !is_true(settings, "alarms") {
        text = without(&text, |_, kind| kind == ALARM);
    }
    if let Some(key) = key(settings) {
        text = text.replace("SqsManagedSseEnabled: true", &format!("KmsMasterKeyId: {key}"));
        text = text.replace(
            "      RetentionInDays: !Ref LogRetentionDays\n",
            &format!("      RetentionInDays: !Ref LogRetentionDays\n      KmsKeyId: {key}\n"),
        );
    }
    if let Some(table) = given(settings, "existingLedger") {
        let arn = format!("arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{table}");
        text = text.replace("!GetAtt Ledger.Arn", &format!("!Sub \"{arn}\"")).replace("${Ledger.Arn}", &arn);
        text = text.replace("!Ref Ledger\n", &format!("{}\n", quoted(&table)));
    }
    with_tags(&text, &tags(settings))
}

/// The text with the tags on each resource of a type that has them.
fn with_tags(text: &str, tags: &BTreeMap<String, String>) -> String {
    if tags.is_empty() {
        return text.to_owned();
    }
    let list: String = tags
        .iter()
        .map(|(key, value)| format!("        - {{ Key: {}, Value: {} }}\n", text_of(key), text_of(value)))
        .collect();
    let (mut tagged, mut found) = (false, String::new());
    for line in text.lines() {
        found.push_str(line);
        found.push('\n');
        if let Some(kind) = line.strip_prefix("    Type: ") {
            tagged = TAGGED.contains(&kind);
        } else if tagged && line == "    Properties:" {
            found.push_str(&format!("      Tags:\n{list}"));
        }
    }
    found
}

/// The resources without those that `is_left_out` selects by logical id and type, and without the comments above these.
/// An empty line ends a resource.
fn without(text: &str, is_left_out: impl Fn(&str, &str) -> bool) -> String {
    let of_block = |block: &str| -> Option<bool> {
        let id =
            block.lines().find(|line| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':'))?;
        let kind = block.lines().find_map(|line| line.strip_prefix("    Type: "))?;
        Some(is_left_out(id.trim().trim_end_matches(':'), kind))
    };
    let blocks = text.split("\n\n").filter(|block| of_block(block) != Some(true));
    blocks.collect::<Vec<_>>().join("\n\n")
}

/// The dashboard's widgets in two columns.
fn dashboard() -> Value {
    let search = |namespace: &str, dimensions: &str, metric: &str, statistic: &str| {
        format!("SEARCH('{{{namespace},{dimensions}}} MetricName=\"{metric}\"', '{statistic}', 3600)")
    };
    let of_functions = |metric: &str, statistic: &str| {
        search("AWS/Lambda", "FunctionName", &format!("{metric}\" FunctionName=\"${{Prefix}}"), statistic)
    };
    let widgets = [
        ("Evaluations (metrics: all)", search("Rectify", "Control,Verdict", "Evaluations", "Sum")),
        ("Remediations", search("Rectify", "Outcome", "Remediations", "Sum")),
        ("Failures", search("Rectify", "Control,ErrorType", "Failures", "Sum")),
        ("Resources that cannot be read", search("Rectify", "Control,ReadError", "Unreadable", "Sum")),
        ("Invocations, charged", of_functions("Invocations", "Sum")),
        ("Duration, charged, ms", of_functions("Duration", "Sum")),
    ];
    let widget = |(number, (title, expression)): (usize, &(&str, String))| {
        json!({
            "type": "metric", "width": 12, "height": 6, "x": 12 * (number % 2), "y": 6 * (number / 2),
            "properties": {
                "title": title, "region": "${AWS::Region}", "view": "timeSeries", "stacked": true,
                "metrics": [[{ "expression": expression, "id": format!("e{number}") }]],
            },
        })
    };
    let queues = json!({
        "type": "metric", "width": 12, "height": 6, "x": 0, "y": 18,
        "properties": {
            "title": "Dead letters", "region": "${AWS::Region}", "stat": "Maximum", "period": 300,
            "metrics": [
                ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${DeadLetters.QueueName}"],
                ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${Unanswered.QueueName}"],
            ],
        },
    });
    let widgets: Vec<Value> = widgets.iter().enumerate().map(widget).chain([queues]).collect();
    json!({ "widgets": widgets })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_left_out_with_its_comment() {
        let text =
            "  # of a\n  A:\n    Type: X\n\n  # of b\n  B:\n    Type: Y\n    Properties:\n      C:\n        Type: X\n";
        assert_eq!(
            without(text, |id, _| id == "A"),
            "  # of b\n  B:\n    Type: Y\n    Properties:\n      C:\n        Type: X\n"
        );
        assert_eq!(without(text, |_, kind| kind == "Y"), "  # of a\n  A:\n    Type: X");
    }

    #[test]
    fn tags_stay_text() {
        let tags = [("cost-center", "0042"), ("it's", "true")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        let text =
            "  A:\n    Type: AWS::SQS::Queue\n    Properties:\n      B: 1\n\n  C:\n    Type: Z\n    Properties:\n";
        let expected = text.replacen(
            "    Properties:\n",
            "    Properties:\n      Tags:\n        - { Key: 'cost-center', Value: '0042' }\n        - { Key: 'it''s', Value: 'true' }\n",
            1,
        );
        assert_eq!(with_tags(text, &tags.into()), expected);
    }
}
