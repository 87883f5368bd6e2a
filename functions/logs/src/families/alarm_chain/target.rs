//! Whether what an alarm does reaches a person: a topic with somebody who listens, and that CloudWatch may use.

use rectify_compliance::kms_key;
use rectify_compliance::{AccountId, Arn, Region};
use rectify_policy::ServiceRequest;

use super::alarm::MetricAlarm;
use super::observed::{AlarmChains, Topic, TopicKey};

/// As whom an alarm acts.
const SERVICE: &str = "cloudwatch.amazonaws.com";

/// What an action of an alarm comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It notifies somebody; with a remark where that is not a topic.
    Told(Option<&'static str>),
    /// It may: what decides it is another account's.
    Unverified(String),
    /// It does not, for these reasons, in the order of the links: `subscription`, `policy`, `key`.
    Broken(Vec<(&'static str, String)>),
    /// It is no notification.
    Nothing,
}

impl AlarmChains {
    /// What `action` of `alarm` comes to.
    pub fn reach(&self, alarm: &MetricAlarm, action: &str, accept_other_targets: bool) -> Delivery {
        let Some((region, account, name)) = topic(action) else {
            let other = is_other_target(action) && accept_other_targets;
            return if other {
                Delivery::Told(Some("notifies by other means than a topic"))
            } else {
                Delivery::Nothing
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
                let mut faults = Vec::new();
                if *confirmed == 0 {
                    faults.push(("subscription", format!("topic {name} has 0 confirmed")));
                }
                if !request.is_allowed_by(&policy.0) {
                    faults.push(("policy", format!("topic {name} does not let CloudWatch publish")));
                }
                let foreign_key = key == &Some(TopicKey::Foreign);
                faults.extend(key.as_ref().and_then(|it| key_fault(it, request, &name)).map(|why| ("key", why)));
                match (faults.is_empty(), foreign_key) {
                    (false, _) => Delivery::Broken(faults),
                    (true, true) => Delivery::Unverified(format!("the key of topic {name} belongs to another account")),
                    (true, false) => Delivery::Told(None),
                }
            }
            Some(Topic::Gone) => broken("subscription", format!("topic {name} does not exist")),
            Some(Topic::Denied) => Delivery::Unverified(format!("topic {name} of account {account} is not readable")),
            None => broken("subscription", format!("topic {name} was not read")),
        }
    }
}

/// What CloudWatch says when an alarm publishes to a topic, or uses its key to.
fn publishing<'a>(account: &'a str, alarm: &'a str, topic: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("aws:SourceAccount", account),
        ("aws:SourceOwner", account),
        ("aws:SourceArn", alarm),
        ("kms:EncryptionContext:aws:sns:topicArn", topic),
    ]
}

fn key_fault(key: &TopicKey, request: ServiceRequest<'_>, topic: &str) -> Option<String> {
    match key {
        TopicKey::OfAws => Some(format!("topic {topic} uses alias/aws/sns, which CloudWatch cannot")),
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

/// Whether an action starts a function or opens an item of work.
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

    /// The policy a topic is made with says whose requests it takes by a key of SNS's own; a key's, for which topic.
    #[test]
    fn the_conditions_of_topics_and_keys_are_known() {
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
