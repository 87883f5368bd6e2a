//! Whether an action of an alarm notifies an operator: a topic with a confirmed subscription that CloudWatch may
//! publish to.

use rectify_compliance::kms_key;
use rectify_compliance::{AccountId, Arn, Region};
use rectify_policy::ServiceRequest;

use super::alarm::MetricAlarm;
use super::observed::{AlarmChains, Topic, TopicKey};

/// The service principal of alarm actions.
const SERVICE: &str = "cloudwatch.amazonaws.com";

/// The effect of an alarm action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It notifies; with a remark if the target is not a topic.
    Notifies(Option<&'static str>),
    /// Unknown: another account denies reading the topic or its key.
    Unverified(String),
    /// It does not notify, for these reasons, in the order of the links: `subscription`, `policy`, `key`.
    Broken(Vec<(&'static str, String)>),
    /// It is not a notification.
    NotANotification,
}

impl AlarmChains {
    /// The effect of `action` of `alarm`.
    pub fn delivery(&self, alarm: &MetricAlarm, action: &str, accept_other_targets: bool) -> Delivery {
        let Some((region, account, name)) = topic(action) else {
            let accepted = is_other_target(action) && accept_other_targets;
            return if accepted {
                Delivery::Notifies(Some("notifies a target other than a topic"))
            } else {
                Delivery::NotANotification
            };
        };
        let broken = |link, why: String| Delivery::Broken(vec![(link, why)]);
        if region != self.region {
            return broken("subscription", format!("topic {name} is in {region}"));
        }
        match self.topics.get(action) {
            Some(Topic::Read { confirmed, policy, key }) => {
                let context = publishing(self.account.as_str(), &alarm.arn, action);
                let request = ServiceRequest {
                    service: SERVICE,
                    action: "sns:Publish",
                    resource: Some(action),
                    context: &context,
                };
                let mut reasons = Vec::new();
                if *confirmed == 0 {
                    reasons.push(("subscription", format!("topic {name} has no confirmed subscription")));
                }
                if !request.is_allowed_by(&policy.0) {
                    reasons.push(("policy", format!("topic {name} does not let CloudWatch publish")));
                }
                let foreign_key = key == &Some(TopicKey::Foreign);
                reasons.extend(key.as_ref().and_then(|it| key_blocker(it, request, &name)).map(|why| ("key", why)));
                match (reasons.is_empty(), foreign_key) {
                    (false, _) => Delivery::Broken(reasons),
                    (true, true) => Delivery::Unverified(format!("the key of topic {name} belongs to another account")),
                    (true, false) => Delivery::Notifies(None),
                }
            }
            Some(Topic::Gone) => broken("subscription", format!("topic {name} does not exist")),
            Some(Topic::Denied) => Delivery::Unverified(format!("topic {name} of account {account} is not readable")),
            None => broken("subscription", format!("topic {name} was not read")),
        }
    }
}

/// The context keys that CloudWatch sends when an alarm publishes to a topic or uses its key.
fn publishing<'a>(account: &'a str, alarm: &'a str, topic: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("aws:SourceAccount", account),
        ("aws:SourceOwner", account),
        ("aws:SourceArn", alarm),
        ("kms:EncryptionContext:aws:sns:topicArn", topic),
    ]
}

fn key_blocker(key: &TopicKey, request: ServiceRequest<'_>, topic: &str) -> Option<String> {
    match key {
        TopicKey::OfAws => Some(format!("topic {topic} uses alias/aws/sns, which CloudWatch cannot use")),
        TopicKey::Gone => Some(format!("the key of topic {topic} does not exist")),
        TopicKey::Read { state, .. } if !kms_key::is_usable(state) => {
            Some(format!("the key of topic {topic} is {state}"))
        }
        TopicKey::Read { arn, policy, .. } => {
            let allowed = |action| ServiceRequest { action, resource: Some(arn), ..request }.is_allowed_by(&policy.0);
            let usable = allowed("kms:Decrypt") && allowed("kms:GenerateDataKey");
            (!usable).then(|| format!("the key of topic {topic} does not let CloudWatch use it"))
        }
        TopicKey::Foreign => None,
    }
}

/// Region, account and name in `arn:<partition>:sns:<region>:<account>:<name>`.
pub fn topic(arn: &str) -> Option<(Region, AccountId, String)> {
    let arn = Arn::of(arn, "sns")?;
    Some((arn.region()?, arn.account()?, arn.resource().to_owned()))
}

/// Whether an action invokes a Lambda function or creates an OpsItem.
fn is_other_target(arn: &str) -> bool {
    arn.parse().is_ok_and(|it: Arn| match it.service() {
        "lambda" => true,
        "ssm" => arn.contains(":opsitem"),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A default topic policy restricts the owner with `AWS:SourceOwner`; a key policy restricts the topic.
    #[test]
    fn conditions_of_topic_and_key_policies_are_evaluated() {
        let (account, alarm) = ("111122223333", "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:Root");
        let topic = "arn:aws:sns:eu-west-1:111122223333:alarms";
        let context = publishing(account, alarm, topic);
        let request =
            ServiceRequest { service: SERVICE, action: "sns:Publish", resource: Some(topic), context: &context };
        for (case, condition, expected) in [
            ("owner", json!({"StringEquals": {"AWS:SourceOwner": account}}), true),
            ("another owner", json!({"StringEquals": {"AWS:SourceOwner": "444455556666"}}), false),
            ("account", json!({"StringEquals": {"aws:SourceAccount": account}}), true),
            ("alarms", json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:111122223333:alarm:*"}}), true),
            ("another alarm", json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:*:alarm:x"}}), false),
            ("topic", json!({"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic}}), true),
            ("another topic", json!({"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": "t"}}), false),
        ] {
            let policy = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "*",
                                              "Resource": "*", "Condition": condition}});
            assert_eq!(request.is_allowed_by(&policy), expected, "{case}");
        }
    }
}
