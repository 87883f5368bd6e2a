//! Whether a policy allows a request of an AWS service: use a key, assume a role, publish to a topic.
//!
//! If in doubt, the request is not allowed: an Allow counts only if its conditions are known to hold, and a Deny counts
//! unless it is known not to apply. A statement that cannot be read allows nothing and, unless it is an Allow, denies
//! everything. Depends on no named service.

use serde_json::Value;

use crate::statement::members;
use crate::{Condition, Identity, IdentityKind, PolicyType, Principal, Selection, Statement, pattern};

/// A request of an AWS service, with its condition keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceRequest<'a> {
    /// The service's principal: `cloudtrail.amazonaws.com`.
    pub service: &'a str,
    /// The IAM action: `kms:DescribeKey`.
    pub action: &'a str,
    /// The ARN of the resource; `None` for policies without `Resource`, such as a role's trust policy.
    pub resource: Option<&'a str>,
    /// Condition keys with their values in the request. Other keys are unknown.
    pub context: &'a [(&'a str, &'a str)],
}

/// Whether a condition holds for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
    Unknown,
}

impl ServiceRequest<'_> {
    /// Whether the policy allows it.
    pub fn is_allowed_by(&self, policy: &Value) -> bool {
        let kind = if self.resource.is_some() { PolicyType::Resource } else { PolicyType::Trust };
        let statements = policy.get("Statement").map_or(&[][..], members);
        let (allows, others): (Vec<&Value>, Vec<&Value>) =
            statements.iter().partition(|it| it.get("Effect").and_then(Value::as_str) == Some("Allow"));
        let read = |it: &Value| Statement::parse("", 0, it, kind).ok();
        allows.into_iter().filter_map(read).any(|it| self.is_allowed_in(&it))
            && !others.into_iter().any(|it| read(it).is_none_or(|it| self.may_be_denied_in(&it)))
    }

    fn is_allowed_in(&self, statement: &Statement) -> bool {
        let on = |resource: &str| {
            statement.resources.as_ref().is_some_and(|it| it.any(|pattern| pattern::matches(pattern, resource)))
        };
        self.resource.is_none_or(on)
            && statement.principal.as_ref().is_some_and(|it| self.is_among(it))
            && statement.actions.any(|it| self.is_action(it))
            && statement.conditions.iter().all(|it| self.condition(it) == Holds::Yes)
    }

    /// False for a Deny of other principals, actions or resources, or with a condition that fails; true for any other.
    fn may_be_denied_in(&self, statement: &Statement) -> bool {
        let of_others = match &statement.principal {
            Some(it @ Principal::Of(_)) => !self.is_among(it),
            Some(Principal::AllButSome) | None => false,
        };
        let is_other = |selection: &Selection, named: &dyn Fn(&str) -> bool| match selection {
            Selection::Of(patterns) => !patterns.iter().any(|it| named(it)),
            Selection::AllBut(_) => false,
        };
        let of_something_else = self
            .resource
            .zip(statement.resources.as_ref())
            .is_some_and(|(resource, selection)| is_other(selection, &|it| pattern::matches(it, resource)));
        let of_another_action = is_other(&statement.actions, &|it| self.is_action(it));
        let fails = |it: &Condition| self.condition(it) == Holds::No;
        !of_others && !of_another_action && !of_something_else && !statement.conditions.iter().any(fails)
    }

    /// Whether a principal is everyone or the service.
    fn is_among(&self, principal: &Principal) -> bool {
        let matches = |it: &Identity| match it.kind {
            IdentityKind::Aws => it.value == "*",
            IdentityKind::Service => it.value == "*" || it.value == self.service,
            IdentityKind::Federated | IdentityKind::CanonicalUser => false,
        };
        match principal {
            Principal::Of(identities) => identities.iter().any(matches),
            Principal::AllButSome => false,
        }
    }

    fn is_action(&self, pattern: &str) -> bool {
        pattern::matches(&pattern.to_ascii_lowercase(), &self.action.to_ascii_lowercase())
    }

    fn condition(&self, Condition { operator, key, values }: &Condition) -> Holds {
        let Some(actual) = self.value(key) else { return Holds::Unknown };
        if values.is_empty() || values.iter().any(|it| it.contains("${")) {
            return Holds::Unknown; // variables are not resolved here
        }
        let (positive, negative) = match operator.split_once("Not") {
            Some((kind, rest)) => (format!("{kind}{rest}"), true),
            None => (operator.to_owned(), false),
        };
        let found = match positive.as_str() {
            "StringEquals" => values.iter().any(|it| it == actual),
            "StringEqualsIgnoreCase" | "Bool" => values.iter().any(|it| it.eq_ignore_ascii_case(actual)),
            "StringLike" | "ArnLike" | "ArnEquals" => values.iter().any(|it| pattern::matches(it, actual)),
            _ => return Holds::Unknown,
        };
        if found == negative { Holds::No } else { Holds::Yes }
    }

    /// The request's value of a condition key, if known.
    fn value(&self, key: &str) -> Option<&str> {
        let given = self.context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| *value);
        given.or_else(|| match key.to_ascii_lowercase().as_str() {
            "aws:securetransport" | "aws:principalisawsservice" => Some("true"),
            "aws:principalservicename" => Some(self.service),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

    const DESCRIBE: ServiceRequest<'_> = ServiceRequest {
        service: "cloudtrail.amazonaws.com",
        action: "kms:DescribeKey",
        resource: Some(KEY),
        context: &[("aws:SourceAccount", "111122223333")],
    };

    fn allow(principal: &Value, condition: &Value) -> Value {
        json!({"Effect": "Allow", "Principal": principal, "Action": "kms:Describe*", "Resource": "*",
               "Condition": condition})
    }

    #[test]
    fn a_request_is_allowed_only_if_all_conditions_are_known_to_hold() {
        let service = json!({"Service": ["other.amazonaws.com", "cloudtrail.amazonaws.com"]});
        let account = |value: &str| json!({"StringEquals": {"AWS:sourceaccount": [value]}});
        for (case, principal, condition, expected) in [
            ("the service", &service, json!({}), true),
            ("everyone", &json!("*"), json!({}), true),
            ("all AWS principals", &json!({"AWS": "*"}), json!({}), true),
            ("of this account", &service, account("111122223333"), true),
            ("of another account", &service, account("444455556666"), false),
            ("alike", &service, json!({"StringLike": {"aws:SourceAccount": "1111*"}}), true),
            ("not of another", &service, json!({"StringNotEquals": {"aws:SourceAccount": "444455556666"}}), true),
            ("not of this", &service, json!({"StringNotLike": {"aws:SourceAccount": "1111*"}}), false),
            ("only services", &service, json!({"Bool": {"aws:PrincipalIsAWSService": true}}), true),
            ("an unknown key", &service, json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), false),
            ("an unknown operator", &service, json!({"Null": {"aws:SourceAccount": "false"}}), false),
            ("a variable", &service, json!({"StringLike": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}), false),
            ("another service", &json!({"Service": "sns.amazonaws.com"}), json!({}), false),
            ("the account", &json!({"AWS": "arn:aws:iam::111122223333:root"}), json!({}), false),
            ("no principal", &json!(null), json!({}), false),
        ] {
            let policy = json!({"Statement": [allow(principal, &condition)]});
            assert_eq!(DESCRIBE.is_allowed_by(&policy), expected, "{case}");
        }
        assert!(!DESCRIBE.is_allowed_by(&json!({})) && !DESCRIBE.is_allowed_by(&json!("text")));
    }

    #[test]
    fn a_deny_counts_unless_it_is_known_not_to_apply() {
        let service = json!({"Service": "cloudtrail.amazonaws.com"});
        let insecure = json!({"Bool": {"aws:SecureTransport": "false"}});
        let unknown = json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}});
        let another = "arn:aws:kms:eu-west-1:111122223333:key/2";
        for (case, deny, expected) in [
            ("insecure", json!({"Principal": "*", "Action": "*", "Resource": "*", "Condition": insecure}), true),
            ("others", json!({"Principal": {"AWS": "444455556666"}, "Action": "*", "Resource": "*"}), true),
            ("another action", json!({"Principal": "*", "Action": "kms:Encrypt", "Resource": "*"}), true),
            ("another key", json!({"Principal": "*", "Action": "kms:*", "Resource": another}), true),
            ("everyone", json!({"Principal": "*", "Action": "kms:*", "Resource": KEY}), false),
            ("all but some principals", json!({"NotPrincipal": {"AWS": "4"}, "Action": "*", "Resource": "*"}), false),
            ("all but one action", json!({"Principal": "*", "NotAction": "kms:Encrypt", "Resource": "*"}), false),
            ("an unknown key", json!({"Principal": "*", "Action": "*", "Resource": "*", "Condition": unknown}), false),
        ] {
            let mut deny = deny;
            deny["Effect"] = json!("Deny");
            let policy = json!({"Statement": [allow(&service, &json!({})), deny]});
            assert_eq!(DESCRIBE.is_allowed_by(&policy), expected, "{case}");
        }
    }

    #[test]
    fn actions_and_resources_match_with_wildcards() {
        let statement = |action: &str, resource: &str| json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": [action], "Resource": resource}});
        for (action, resource, expected) in [
            ("KMS:describekey", KEY, true),
            ("*", "arn:aws:kms:*:key/?", true),
            ("kms:Describe", KEY, false),
            ("kms:*", "arn:aws:kms:eu-west-1:111122223333:KEY/1", false),
        ] {
            assert_eq!(DESCRIBE.is_allowed_by(&statement(action, resource)), expected, "{action} {resource}");
        }
        let assume = ServiceRequest { action: "sts:AssumeRole", resource: None, ..DESCRIBE };
        let trust = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
                                          "Action": "sts:AssumeRole"}]});
        assert!(assume.is_allowed_by(&trust) && !DESCRIBE.is_allowed_by(&trust));
    }
}
