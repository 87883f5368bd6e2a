//! Whether what an alarm does reaches a person: a topic with somebody who listens, and that CloudWatch may use.

use rectify_compliance::{AccountId, Region};

use super::alarm::MetricAlarm;
use super::observed::{AlarmChains, Topic, TopicKey};
use super::publishing::Request;

/// What an action of an alarm comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It tells somebody; with a remark where that is not a topic.
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
    pub fn reach(&self, alarm: &MetricAlarm, action: &str, accept_other_targets: bool) -> Reach {
        let Some((region, account, name)) = topic(action) else {
            let other = is_other_target(action) && accept_other_targets;
            return if other { Reach::Told(Some("notifies by other means than a topic")) } else { Reach::Nothing };
        };
        let broken = |link, why: String| Reach::Broken(vec![(link, why)]);
        if region != self.region {
            return broken("subscription", format!("topic {name} is in {region}"));
        }
        match self.topics.get(action) {
            Some(Topic::Read { confirmed, policy, key }) => {
                let request = Request {
                    action: "sns:Publish",
                    resource: action,
                    account: self.account.as_str(),
                    alarm: &alarm.arn,
                    topic: action,
                };
                let mut faults = Vec::new();
                if *confirmed == 0 {
                    faults.push(("subscription", format!("topic {name} has 0 confirmed")));
                }
                if !request.is_allowed_by(policy) {
                    faults.push(("policy", format!("topic {name} does not let CloudWatch publish")));
                }
                let foreign_key = key == &Some(TopicKey::Foreign);
                faults.extend(key.as_ref().and_then(|it| key_fault(it, request, name)).map(|why| ("key", why)));
                match (faults.is_empty(), foreign_key) {
                    (false, _) => Reach::Broken(faults),
                    (true, true) => Reach::Unverified(format!("the key of topic {name} belongs to another account")),
                    (true, false) => Reach::Told(None),
                }
            }
            Some(Topic::Gone) => broken("subscription", format!("topic {name} does not exist")),
            Some(Topic::Denied) => Reach::Unverified(format!("topic {name} of account {account} is not readable")),
            None => broken("subscription", format!("topic {name} was not read")),
        }
    }
}

fn key_fault(key: &TopicKey, request: Request<'_>, topic: &str) -> Option<String> {
    match key {
        TopicKey::OfAws => Some(format!("topic {topic} uses alias/aws/sns, which CloudWatch cannot")),
        TopicKey::Gone => Some(format!("the key of topic {topic} does not exist")),
        TopicKey::Read { state, .. } if state != "Enabled" => Some(format!("the key of topic {topic} is {state}")),
        TopicKey::Read { arn, policy, .. } => {
            let allowed = |action| Request { action, resource: arn, ..request }.is_allowed_by(policy);
            let usable = allowed("kms:Decrypt") && allowed("kms:GenerateDataKey");
            (!usable).then(|| format!("the key of topic {topic} does not let CloudWatch use it"))
        }
        TopicKey::Foreign => None,
    }
}

/// Region, account and name in `arn:<partition>:sns:<region>:<account>:<name>`.
pub fn topic(arn: &str) -> Option<(Region, AccountId, &str)> {
    let mut parts = arn.splitn(6, ':');
    let parts = [(); 6].map(|()| parts.next().unwrap_or_default());
    match parts {
        ["arn", _, "sns", region, account, name] if !name.is_empty() => {
            Some((Region::new(region), AccountId::new(account), name))
        }
        _ => None,
    }
}

/// Whether an action starts a function or opens an item of work.
fn is_other_target(arn: &str) -> bool {
    match arn.split(':').nth(2) {
        Some("lambda") => true,
        Some("ssm") => arn.contains(":opsitem"),
        _ => false,
    }
}
