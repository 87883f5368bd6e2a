//! The IAM policy that a scan needs, from the permissions of the controls.

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::canonical::sorted;
use rectify_compliance::{Entry, Permission};
use serde_json::json;

/// Listings of a scan that no function makes, so no control declares them.
pub const LISTINGS: &[&str] = &["sns:ListTopics", "sqs:ListQueues"];

/// Calls to AWS Config, which lists types that their service does not list.
pub const RECORDED: &[&str] = &[
    "config:DescribeConfigurationRecorderStatus",
    "config:DescribeConfigurationRecorders",
    "config:ListDiscoveredResources",
];

/// Calls that find the accounts and regions of a scan: `--region`, `--accounts organization`.
pub const SITES: &[&str] = &["ec2:DescribeRegions", "organizations:ListAccounts"];

/// Calls of options that the policy leaves out, since it would name roles or allow all of them.
pub const OF_OPTIONS: &[&str] = &["sts:AssumeRole"];

/// The call that every principal may make, whatever its policies say.
pub const ALWAYS_ALLOWED: &str = "sts:GetCallerIdentity";

/// The call of `--aggregator`.
const QUERY: &str = "config:SelectAggregateResourceConfig";

/// The policy, as JSON: each action on the resources on which the deployed functions may use it, in any account,
/// partition and region.
#[must_use]
pub fn policy(controls: &[&Entry]) -> String {
    let mut statements: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let declared = controls.iter().flat_map(|control| of(control));
    for Permission { action, resource, .. } in declared {
        statements.entry(everywhere(resource)).or_default().insert(action);
    }
    let undeclared = LISTINGS.iter().chain(RECORDED).chain(SITES).chain(&[QUERY]);
    statements.entry("*".to_owned()).or_default().extend(undeclared);
    // What is allowed on everything need not be allowed on some resources again.
    let all = statements.get("*").cloned().unwrap_or_default();
    let mut statements: Vec<(String, BTreeSet<&str>)> = statements.into_iter().collect();
    for (_, actions) in statements.iter_mut().filter(|(resource, _)| resource != "*") {
        actions.retain(|action| !all.contains(action));
    }
    let statements = statements.into_iter().filter(|(_, actions)| !actions.is_empty());
    let statements: Vec<_> = statements
        .map(|(resource, actions)| json!({"Effect": "Allow", "Action": actions, "Resource": resource}))
        .collect();
    format!("{:#}\n", sorted(json!({"Version": "2012-10-17", "Statement": statements})))
}

/// What a scan of a control reads: its listing, its facts, and what its plan needs.
fn of(control: &Entry) -> Vec<Permission> {
    let mut all = control.rule_permissions();
    all.extend(control.remediation.map_or(&[][..], |remediation| remediation.read_permissions()));
    all
}

/// A pattern without the parameters of a stack, which an operator's policy does not have.
fn everywhere(resource: &str) -> String {
    let mut parts = resource.split("${");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('}').map_or("*", |(_, rest)| rest));
    rest.fold(first, |pattern, rest| pattern + "*" + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_parameters_match_everything() {
        let rows = [
            ("*", "*"),
            ("arn:${AWS::Partition}:s3:::*", "arn:*:s3:::*"),
            ("arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*", "arn:*:sns:*:*:*"),
            ("${CloudTrailLogsRoleArn}", "*"),
        ];
        for (resource, expected) in rows {
            assert_eq!(everywhere(resource), expected);
        }
    }

    #[test]
    fn the_policy_reads_only_and_fits_into_a_managed_policy() {
        let controls: Vec<_> = rectify_catalogue::controls().collect();
        let text = policy(&controls);
        let policy: serde_json::Value = serde_json::from_str(&text).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        let actions: Vec<&str> = statements
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap())
            .collect();
        for action in &actions {
            let is_read = ["Get", "List", "Describe", "Simulate"].iter().any(|it| action.contains(&format!(":{it}")));
            assert!(is_read || *action == QUERY, "{action}");
        }
        assert!(actions.len() > 60, "{} actions", actions.len());
        // IAM does not count white space.
        let length = text.chars().filter(|it| !it.is_whitespace()).count();
        assert!(length <= 6144, "{length} characters");
        let objects = statements.iter().find(|it| it["Action"].to_string().contains("s3:GetObject\"")).unwrap();
        assert_eq!(objects["Resource"], "arn:*:s3:::*/sg-baseline/*", "no other objects");
    }
}
