//! Whether a resource policy lets CloudWatch alarms do something: publish to a topic, or use the key of one.
//!
//! Where a policy does not say it plainly, the answer is no: an Allow counts only with conditions that are known to hold, and
//! a Deny does not count only with a condition that is known not to.

use serde_json::Value;
use wildmatch::WildMatch;

/// As whom an alarm acts.
const SERVICE: &str = "cloudwatch.amazonaws.com";

/// What an alarm wants to do, and what the request would say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The IAM action: `sns:Publish`.
    pub action: &'a str,
    /// On what: the ARN of the topic or key.
    pub resource: &'a str,
    /// The account of the alarm.
    pub account: &'a str,
    /// The ARN of the alarm.
    pub alarm: &'a str,
    /// The ARN of the topic that is published to.
    pub topic: &'a str,
}

/// Whether a condition holds for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
    Unknown,
}

impl Request<'_> {
    /// Whether the policy allows it.
    pub fn is_allowed_by(&self, policy: &Value) -> bool {
        let statements = some_or_many(policy.get("Statement"));
        let effect = |statement: &Value, wanted: &str| statement.get("Effect").and_then(Value::as_str) == Some(wanted);
        let allowed = statements.iter().any(|it| effect(it, "Allow") && self.allows(it));
        allowed && !statements.iter().any(|it| !effect(it, "Allow") && self.may_deny(it))
    }

    fn allows(&self, statement: &Value) -> bool {
        is_ours(statement.get("Principal"))
            && some_or_many(statement.get("Action")).iter().any(|it| matches(it, self.action, false))
            && some_or_many(statement.get("Resource")).iter().any(|it| matches(it, self.resource, true))
            && self.conditions(statement).iter().all(|it| *it == Holds::Yes)
    }

    /// A Deny of others, of something else or under a condition that fails is none; everything else may be one.
    fn may_deny(&self, statement: &Value) -> bool {
        let others = statement.get("Principal").is_some_and(|it| !is_ours(Some(it)));
        let misses = |key: &str, text: &str, case: bool| {
            statement.get(key).is_some_and(|it| !some_or_many(Some(it)).iter().any(|it| matches(it, text, case)))
        };
        let else_ = misses("Action", self.action, false) || misses("Resource", self.resource, true);
        !others && !else_ && !self.conditions(statement).contains(&Holds::No)
    }

    fn conditions(&self, statement: &Value) -> Vec<Holds> {
        let blocks = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
        blocks
            .flat_map(|(operator, keys)| {
                let keys = keys.as_object().into_iter().flatten();
                keys.map(|(key, values)| self.condition(operator, key, values)).collect::<Vec<_>>()
            })
            .collect()
    }

    fn condition(&self, operator: &str, key: &str, values: &Value) -> Holds {
        let Some(value) = self.value(key) else { return Holds::Unknown };
        let values = some_or_many(Some(values));
        let text = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
        if values.is_empty() || values.iter().any(|it| text(it).contains("${")) {
            return Holds::Unknown;
        }
        let same = |it: &Value| text(it) == value;
        let same_but_case = |it: &Value| text(it).eq_ignore_ascii_case(value);
        let alike = |it: &Value| like(&text(it), value);
        let (found, negative) = match operator {
            "StringEquals" => (values.iter().any(same), false),
            "StringEqualsIgnoreCase" | "Bool" => (values.iter().any(same_but_case), false),
            "StringLike" | "ArnLike" | "ArnEquals" => (values.iter().any(alike), false),
            "StringNotEquals" => (values.iter().any(same), true),
            "StringNotEqualsIgnoreCase" => (values.iter().any(same_but_case), true),
            "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => (values.iter().any(alike), true),
            _ => return Holds::Unknown,
        };
        if found == negative { Holds::No } else { Holds::Yes }
    }

    /// What the request says of a condition key, as far as it is known.
    fn value(&self, key: &str) -> Option<&str> {
        Some(match key.to_ascii_lowercase().as_str() {
            "aws:sourceaccount" | "aws:sourceowner" => self.account,
            "aws:sourcearn" => self.alarm,
            "aws:securetransport" | "aws:principalisawsservice" => "true",
            "aws:principalservicename" => SERVICE,
            "kms:encryptioncontext:aws:sns:topicarn" => self.topic,
            _ => return None,
        })
    }
}

/// Whether a `Principal` is everybody or CloudWatch.
fn is_ours(principal: Option<&Value>) -> bool {
    let is = |value: Option<&Value>, name: &str| some_or_many(value).iter().any(|it| it.as_str() == Some(name));
    match principal {
        Some(Value::Object(kinds)) => {
            is(kinds.get("AWS"), "*") || is(kinds.get("Service"), SERVICE) || is(kinds.get("Service"), "*")
        }
        other => is(other, "*"),
    }
}

/// The members of a list, or the one that stands for a list of one.
fn some_or_many(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(many)) => many,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

fn matches(pattern: &Value, text: &str, case: bool) -> bool {
    let Some(pattern) = pattern.as_str() else { return false };
    if case { like(pattern, text) } else { like(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase()) }
}

/// Whether `pattern`, in which `*` is any text and `?` any character, matches the whole of `text`.
fn like(pattern: &str, text: &str) -> bool {
    WildMatch::new(pattern).matches(text)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alarms";

    const PUBLISH: Request<'_> = Request {
        action: "sns:Publish",
        resource: TOPIC,
        account: "111122223333",
        alarm: "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:Root",
        topic: TOPIC,
    };

    fn allow(principal: &Value, condition: &Value) -> Value {
        json!({"Effect": "Allow", "Principal": principal, "Action": "SNS:Publish", "Resource": TOPIC, "Condition": condition})
    }

    #[test]
    fn an_alarm_may_publish_where_the_policy_says_so_plainly() {
        let (service, everybody) = (json!({"Service": "cloudwatch.amazonaws.com"}), json!({"AWS": "*"}));
        let owner = json!({"StringEquals": {"AWS:SourceOwner": "111122223333"}});
        for (case, principal, condition, expected) in [
            ("the service", &service, json!({}), true),
            ("among services", &json!({"Service": ["a.amazonaws.com", "cloudwatch.amazonaws.com"]}), json!({}), true),
            ("the policy a topic is made with", &everybody, owner.clone(), true),
            ("everybody", &json!("*"), json!({}), true),
            ("another owner", &everybody, json!({"StringEquals": {"AWS:SourceOwner": "444455556666"}}), false),
            (
                "from this account",
                &service,
                json!({"StringEquals": {"aws:SourceAccount": ["1", "111122223333"]}}),
                true,
            ),
            (
                "from its alarms",
                &service,
                json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:111122223333:alarm:*"}}),
                true,
            ),
            (
                "from another alarm",
                &service,
                json!({"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:111122223333:alarm:x"}}),
                false,
            ),
            ("a key that is not known", &service, json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), false),
            ("an operator that is not known", &service, json!({"DateLessThan": {"aws:SourceAccount": "2"}}), false),
            ("a variable", &service, json!({"StringLike": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}), false),
            ("another service", &json!({"Service": "events.amazonaws.com"}), json!({}), false),
            ("the account", &json!({"AWS": "arn:aws:iam::111122223333:root"}), json!({}), false),
        ] {
            let policy = json!({ "Statement": [allow(principal, &condition)] });
            assert_eq!(PUBLISH.is_allowed_by(&policy), expected, "{case}");
        }
    }

    #[test]
    fn a_deny_counts_unless_it_is_known_not_to_apply() {
        let service = json!({"Service": "cloudwatch.amazonaws.com"});
        let insecure = json!({"Bool": {"aws:SecureTransport": "false"}});
        let others = json!({"StringNotEquals": {"aws:SourceAccount": "111122223333"}});
        for (case, deny, expected) in [
            (
                "unencrypted requests",
                json!({"Principal": "*", "Action": "sns:*", "Resource": "*", "Condition": insecure}),
                true,
            ),
            (
                "other accounts",
                json!({"Principal": "*", "Action": "sns:Publish", "Resource": TOPIC, "Condition": others}),
                true,
            ),
            ("others", json!({"Principal": {"AWS": "444455556666"}, "Action": "*", "Resource": "*"}), true),
            ("another action", json!({"Principal": "*", "Action": "sns:Subscribe", "Resource": "*"}), true),
            ("everybody", json!({"Principal": "*", "Action": "sns:Publish", "Resource": TOPIC}), false),
            ("all but some", json!({"NotPrincipal": {"AWS": "444455556666"}, "Action": "*", "Resource": "*"}), false),
            ("all but one action", json!({"Principal": "*", "NotAction": "sns:Subscribe", "Resource": "*"}), false),
            (
                "not known",
                json!({"Principal": "*", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:VpcSourceIp": "true"}}}),
                false,
            ),
        ] {
            let mut deny = deny;
            deny["Effect"] = json!("Deny");
            let policy = json!({ "Statement": [allow(&service, &json!({})), deny] });
            assert_eq!(PUBLISH.is_allowed_by(&policy), expected, "{case}");
        }
    }

    #[test]
    fn action_and_resource_are_compared_with_their_wildcards() {
        let statement = |action: &str, resource: &str| {
            let service = json!({"Service": "cloudwatch.amazonaws.com"});
            json!({"Statement": {"Effect": "Allow", "Principal": service, "Action": action, "Resource": resource}})
        };
        for (action, resource, expected) in [
            ("sns:publish", TOPIC, true),
            ("*", "*", true),
            ("sns:P?blish", "arn:aws:sns:*:alarms", true),
            ("sns:Subscribe", TOPIC, false),
            ("sns:Publish", "arn:aws:sns:eu-west-1:111122223333:Alarms", false),
        ] {
            assert_eq!(PUBLISH.is_allowed_by(&statement(action, resource)), expected, "{action} {resource}");
        }
        let key = Request { action: "kms:GenerateDataKey", resource: "key", ..PUBLISH };
        assert!(key.is_allowed_by(&statement("kms:GenerateDataKey*", "*")));
        assert!(!key.is_allowed_by(&statement("kms:Decrypt", "*")));
        assert!(!PUBLISH.is_allowed_by(&json!({})) && !PUBLISH.is_allowed_by(&json!("text")));
    }
}
