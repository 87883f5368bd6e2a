//! Statements of identity policies that allow all actions, or all actions of a service.
//!
//! Considers one statement alone and ignores Denies elsewhere: another policy may be attached without them.

use crate::statement::{Effect, Selection, Statement};

impl Statement {
    /// Whether its `Action` allows every action: `*` or `*:*`.
    pub fn allows_every_action(&self) -> bool {
        self.effect == Effect::Allow && self.actions.any(is_every_action)
    }

    /// Whether it allows all actions except some: `NotAction`.
    pub fn allows_all_but_some(&self) -> bool {
        self.effect == Effect::Allow && matches!(self.actions, Selection::AllBut(_))
    }

    /// Whether its `Resource` contains `*` alone.
    pub fn is_on_everything(&self) -> bool {
        self.resources.as_ref().is_some_and(|it| it.any(is_wild))
    }

    /// The patterns, as written, that match all actions of a service, such as `ec2:*`, or of all services. `Action`
    /// allows the actions they match, `NotAction` all others.
    pub fn whole_services(&self) -> Vec<&str> {
        let (Selection::Of(patterns) | Selection::AllBut(patterns)) = &self.actions;
        let is_whole = |it: &&str| is_wild(it) || it.split_once(':').is_some_and(|(_, name)| is_wild(name));
        match self.effect {
            Effect::Allow => patterns.iter().map(String::as_str).filter(is_whole).collect(),
            Effect::Deny => Vec::new(),
        }
    }
}

fn is_every_action(pattern: &str) -> bool {
    is_wild(pattern) || pattern.split_once(':').is_some_and(|(service, name)| is_wild(service) && is_wild(name))
}

fn is_wild(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|it| it == b'*')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::PolicyType;

    fn statement(effect: &str, element: &str, patterns: &Value, resource: &str) -> Statement {
        let value = json!({"Effect": effect, element: patterns, "Resource": resource});
        Statement::parse("p", 0, &value, PolicyType::Identity).unwrap()
    }

    #[test]
    fn patterns_for_every_action_and_for_whole_services_are_recognized() {
        for (element, patterns, every, whole) in [
            ("Action", json!("*"), true, vec!["*"]),
            ("Action", json!(["*:*"]), true, vec!["*:*"]),
            ("Action", json!(["s3:GetObject", "**"]), true, vec!["**"]),
            ("Action", json!("iam:*"), false, vec!["iam:*"]),
            ("Action", json!(["S3:*", "ec2:**", "logs:Put*"]), false, vec!["S3:*", "ec2:**"]),
            ("Action", json!(["ec2:Describe*", "s3:Get*"]), false, vec![]),
            ("Action", json!(["*:Get*", "", "ec2", "ec2:"]), false, vec![]),
            ("NotAction", json!("iam:*"), false, vec!["iam:*"]),
            ("NotAction", json!(["iam:CreateUser"]), false, vec![]),
        ] {
            let allow = statement("Allow", element, &patterns, "*");
            let deny = statement("Deny", element, &patterns, "*");
            assert_eq!((allow.allows_every_action(), allow.whole_services()), (every, whole), "{element} {patterns}");
            assert_eq!(allow.allows_all_but_some(), element == "NotAction");
            assert!(!deny.allows_every_action() && !deny.allows_all_but_some() && deny.whole_services().is_empty());
        }
    }

    #[test]
    fn only_a_single_wildcard_is_every_resource() {
        for (resource, expected) in [("*", true), ("arn:p:s3:::*", false), ("", false)] {
            assert_eq!(statement("Allow", "Action", &json!("*"), resource).is_on_everything(), expected, "{resource}");
        }
        let but = json!({"Effect": "Allow", "Action": "*", "NotResource": "*"});
        assert!(!Statement::parse("p", 0, &but, PolicyType::Identity).unwrap().is_on_everything());
    }
}
