//! The names of a resource in CloudTrail: its `ResourceName`, which is not always AWS Config's id.
//!
//! CloudTrail takes the names from a call's request and response, so one resource has several: one call names a trail
//! by its name, another by its ARN. Each name is looked up; `docs/attribution.md` has the table.

use crate::place::ACCOUNT_TYPE;
use crate::{Region, Target};

/// The names to look up, the most likely first, without duplicates. `arn` is the resource's ARN, if known. Empty for
/// the account as a whole, which no call names.
pub fn names(target: &Target, arn: Option<&str>) -> Vec<String> {
    if target.resource.kind == ACCOUNT_TYPE {
        return Vec::new();
    }
    let derived = derived_arn(target);
    let known = [
        target.name.as_deref(),
        Some(target.resource.id.as_str()),
        target.arn.as_deref().or(arn).or(derived.as_deref()),
    ];
    let mut names: Vec<String> = Vec::new();
    for name in known.into_iter().flatten().filter(|it| !it.is_empty()) {
        if !names.iter().any(|it| it == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The ARN, for types whose calls name it and for which it follows from type and name: calls on a key name only the
/// ARN.
fn derived_arn(target: &Target) -> Option<String> {
    let (service, resource) = match target.resource.kind.as_str() {
        "AWS::KMS::Key" => ("kms", format!("key/{}", target.resource.id)),
        "AWS::CloudTrail::Trail" => ("cloudtrail", format!("trail/{}", target.name_or_id())),
        _ => return None,
    };
    let Target { region, account, .. } = target;
    Some(region.partition().arn(service, region.as_str(), account.as_str(), &resource))
}

/// Whether an event is about a resource of this type, by the resources that CloudTrail lists under the name: a bucket
/// and a user may share a name. CloudTrail's type names look like AWS Config's but may differ, so only the service is
/// compared. A name without a type matches.
pub fn is_about(kind: &str, names: &[String], listed: &[(Option<String>, Option<String>)]) -> bool {
    let service = |kind: &str| kind.split("::").nth(1).unwrap_or_default().to_owned();
    let mut of_the_name = listed.iter().filter(|(_, name)| name.as_ref().is_some_and(|it| names.contains(it)));
    of_the_name.any(|(listed, _)| listed.as_deref().is_none_or(|it| it.is_empty() || service(it) == service(kind)))
}

/// Whether CloudTrail records this resource's events in one region of the partition: IAM's are in us-east-1, whatever
/// the region of the call.
pub fn is_global(kind: &str, region: &Region) -> bool {
    region.as_str() == "global" || kind.starts_with("AWS::IAM::")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, ResourceKey};

    fn target(kind: &str, id: &str, name: Option<&str>) -> Target {
        Target {
            account: AccountId::new("111122223333"),
            region: Region::new("cn-north-1"),
            resource: ResourceKey::new(kind, id),
            name: name.map(str::to_owned),
            arn: None,
        }
    }

    #[test]
    fn every_name_is_looked_up_once() {
        for (target, arn, expected) in [
            (target("AWS::S3::Bucket", "logs", Some("logs")), None, vec!["logs"]),
            (
                target("AWS::IAM::User", "AIDA1", Some("jane")),
                Some("arn:x:iam::111122223333:user/staff/jane"),
                vec!["jane", "AIDA1", "arn:x:iam::111122223333:user/staff/jane"],
            ),
            (
                target("AWS::KMS::Key", "0a-1b", None),
                None,
                vec!["0a-1b", "arn:aws-cn:kms:cn-north-1:111122223333:key/0a-1b"],
            ),
            (
                target("AWS::CloudTrail::Trail", "main", None),
                None,
                vec!["main", "arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/main"],
            ),
            (target("AWS::::Account", "111122223333", None), None, vec![]),
            (target("AWS::EC2::Volume", "", None), None, vec![]),
        ] {
            assert_eq!(names(&target, arn), expected, "{target:?}");
        }
    }

    #[test]
    fn an_event_of_another_service_with_the_same_name_is_not_about_it() {
        let names = ["deploy".to_owned()];
        let some = |text: &str| Some(text.to_owned());
        for (listed, expected) in [
            (vec![(some("AWS::S3::Bucket"), some("deploy"))], true),
            (vec![(some("AWS::S3::AccessPoint"), some("deploy"))], true),
            (vec![(some("AWS::IAM::User"), some("deploy"))], false),
            (vec![(some("AWS::S3::Bucket"), some("other"))], false),
            (vec![(some("AWS::IAM::User"), some("deploy")), (None, some("deploy"))], true),
            (vec![(some(""), some("deploy"))], true),
            (vec![(some("AWS::S3::Bucket"), None)], false),
            (vec![], false),
        ] {
            assert_eq!(is_about("AWS::S3::Bucket", &names, &listed), expected, "{listed:?}");
        }
    }

    #[test]
    fn identities_are_global() {
        assert!(is_global("AWS::IAM::User", &Region::new("eu-west-1")));
        assert!(is_global("AWS::X::Y", &Region::new("global")));
        assert!(!is_global("AWS::S3::Bucket", &Region::new("eu-west-1")));
    }
}
