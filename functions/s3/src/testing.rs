//! Subjects and items for the tests of this crate.

#![allow(clippy::needless_pass_by_value)]

use rectify_compliance::{AccountId, ConfigurationItem, Region};
use rectify_policy::Policy;
use serde_json::{Value, json};

use crate::families::access::{AccessPoint, Flags, Grant, Grantee, NetworkOrigin, Ownership, Permission};
use crate::families::public_access::Subject;
use crate::resources::bucket::Identity;

/// A notification for the bucket `pics` with this supplementary configuration.
pub(crate) fn notification(supplementary: Value) -> Value {
    json!({
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": "AWS::S3::Bucket", "resourceId": "pics",
        "resourceName": "pics", "ARN": "arn:aws:s3:::pics", "configurationItemStatus": "OK",
        "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "tags": {"team": "web"},
        "configuration": {"name": "pics"}, "supplementaryConfiguration": supplementary
    })
}

/// The item of that notification.
pub(crate) fn item(supplementary: Value) -> ConfigurationItem {
    ConfigurationItem::from_notification(&notification(supplementary)).unwrap()
}

/// The bucket of the tests in this crate.
pub(crate) fn pics() -> Identity {
    Identity::named("pics", &AccountId::new("111122223333"), &Region::new("eu-west-1"))
}

/// A bucket with the defaults before 2023: ACLs in effect, no policy, no block.
pub(crate) fn bare() -> Subject {
    Subject {
        bucket: pics(),
        acl: Some(Vec::new()),
        ownership: Ownership::ObjectWriter,
        policy: Some(Policy::default()),
        policy_is_public: None,
        block: None,
        account_block: Flags::NONE,
        website: Some(false),
        access_points: Vec::new(),
    }
}

/// [`bare`] with one grant.
pub(crate) fn granting(grantee: Grantee, permission: Permission) -> Subject {
    Subject { acl: Some(vec![Grant { grantee, permission }]), ..bare() }
}

/// A policy with these statements.
pub(crate) fn policy(statements: Value) -> Policy {
    Policy::parse("policy", &json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
}

/// [`bare`] with a policy of these statements.
pub(crate) fn allowing(statements: Value) -> Subject {
    Subject { policy: Some(policy(statements)), ..bare() }
}

/// An Allow on bucket and objects, with `changes`.
pub(crate) fn allow(changes: Value) -> Value {
    let mut statement = json!({"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                               "Resource": ["arn:aws:s3:::pics", "arn:aws:s3:::pics/*"]});
    let fields = statement.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        fields.insert(key.clone(), value.clone());
        if let Some(positive) = key.strip_prefix("Not") {
            fields.remove(positive);
        }
    }
    statement
}

/// An access point with the network origin Internet and a policy that allows everyone `action`.
pub(crate) fn open_access_point(name: &str, action: &str) -> AccessPoint {
    let arn = format!("arn:aws:s3:eu-west-1:111122223333:accesspoint/{name}");
    let resource = json!([arn, format!("{arn}/object/*")]);
    AccessPoint {
        name: name.to_owned(),
        network_origin: NetworkOrigin::Internet,
        block: Flags::NONE,
        policy: policy(allow(json!({"Action": action, "Resource": resource}))),
        policy_is_public: true,
        arn,
    }
}

/// A policy text as S3 may return it: every list in reverse order, and lists with one member as that member.
pub(crate) fn reordered(text: &str) -> String {
    fn reversed(value: &Value) -> Value {
        match value {
            Value::Array(members) => match members.as_slice() {
                [only] => reversed(only),
                _ => members.iter().rev().map(reversed).collect(),
            },
            Value::Object(members) => members.iter().map(|(key, value)| (key.clone(), reversed(value))).collect(),
            other => other.clone(),
        }
    }
    reversed(&serde_json::from_str(text).unwrap()).to_string()
}
