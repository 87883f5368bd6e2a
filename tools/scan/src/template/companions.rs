//! Resources that CloudFormation declares apart and that are part of another one: ingress rules, resource policies,
//! policies of users.

use serde_json::{Map, Value};

use super::{Declared, Gap, Opening};

/// A resource that adds to another one.
struct Companion {
    kind: &'static str,
    /// The property that names the other, or a list of them.
    names: &'static str,
    other: &'static str,
    /// The property that it gives to the other; none for all of its properties, empty for its ARN.
    from: Option<&'static str>,
    /// The property of the other.
    to: &'static str,
    /// Whether that is a list, to which it adds.
    adds: bool,
    /// Whether it is judged as the other if the template does not have that one.
    stands_alone: bool,
}

const fn policy(kind: &'static str, names: &'static str, other: &'static str) -> Companion {
    let (from, to) = (Some("PolicyDocument"), "PolicyDocument");
    Companion { kind, names, other, from, to, adds: false, stands_alone: false }
}

const fn of_bucket(kind: &'static str, to: &'static str) -> Companion {
    let (other, from) = ("AWS::S3::Bucket", Some(to));
    Companion { kind, names: "Bucket", other, from, to, adds: false, stands_alone: false }
}

const fn of_user(kind: &'static str, names: &'static str) -> Companion {
    let (other, to) = ("AWS::IAM::User", "Policies");
    Companion { kind, names, other, from: None, to, adds: true, stands_alone: false }
}

/// The types that are joined. A managed policy is named by its ARN.
const COMPANIONS: &[Companion] = &[
    Companion {
        kind: "AWS::EC2::SecurityGroupIngress",
        names: "GroupId",
        other: "AWS::EC2::SecurityGroup",
        from: None,
        to: "SecurityGroupIngress",
        adds: true,
        stands_alone: true,
    },
    of_bucket("aws_s3_bucket_public_access_block", "PublicAccessBlockConfiguration"),
    of_bucket("aws_s3_bucket_versioning", "VersioningConfiguration"),
    of_bucket("aws_s3_bucket_logging", "LoggingConfiguration"),
    of_bucket("aws_s3_bucket_ownership_controls", "OwnershipControls"),
    of_bucket("aws_s3_bucket_acl", "AccessControl"),
    of_bucket("aws_s3_bucket_server_side_encryption_configuration", "BucketEncryption"),
    policy("AWS::S3::BucketPolicy", "Bucket", "AWS::S3::Bucket"),
    policy("AWS::SNS::TopicPolicy", "Topics", "AWS::SNS::Topic"),
    policy("AWS::SQS::QueuePolicy", "Queues", "AWS::SQS::Queue"),
    of_user("AWS::IAM::Policy", "Users"),
    of_user("AWS::IAM::UserPolicy", "UserName"),
    Companion {
        kind: "aws_iam_user_policy_attachment",
        names: "UserName",
        other: "AWS::IAM::User",
        from: Some("PolicyArn"),
        to: "ManagedPolicyArns",
        adds: true,
        stands_alone: false,
    },
    Companion {
        kind: "AWS::IAM::ManagedPolicy",
        names: "Users",
        other: "AWS::IAM::User",
        from: Some(""),
        to: "ManagedPolicyArns",
        adds: true,
        stands_alone: false,
    },
];

/// Adds each companion to the resources that it names. One that names a resource by a value that is not known may
/// belong to any: then the property is not known for any that does not have it.
pub(super) fn join(resources: &mut Vec<Declared>) {
    for companion in COMPANIONS {
        let parts: Vec<Declared> = resources.iter().filter(|it| it.kind == companion.kind).cloned().collect();
        for part in parts {
            let found = add(companion, &part, resources);
            if !found && companion.stands_alone {
                resources.push(alone(companion, &part));
            }
        }
    }
}

/// Whether the template has a resource that the companion names.
fn add(companion: &Companion, part: &Declared, resources: &mut [Declared]) -> bool {
    let named = part.properties.get(companion.names);
    let named: Vec<&Value> = match named {
        Some(Value::Array(list)) => list.iter().collect(),
        one => one.into_iter().collect(),
    };
    let pointer = format!("/{}", companion.names);
    let is_open = part.openings.iter().any(|it| within(&it.path, &pointer) && it.gap != Gap::Reference);
    let mut found = false;
    for other in resources.iter_mut().filter(|it| it.kind == companion.other) {
        let is_named =
            named.iter().any(|it| it.as_str().is_some_and(|it| it == other.names.reference || it == other.names.id));
        if is_named {
            found = true;
            give(companion, part, other);
        } else if is_open && !companion.stands_alone {
            let gap = Gap::Unknown(format!("{} of {}", companion.names, part.id));
            other.openings.push(Opening { path: format!("/{}", companion.to), gap });
        }
    }
    found
}

fn give(companion: &Companion, part: &Declared, other: &mut Declared) {
    let (value, from) = match companion.from {
        None => (part.properties.clone(), String::new()),
        Some("") => (Value::from(part.names.arn.as_str()), "/".to_owned()),
        Some(name) => (part.properties.get(name).cloned().unwrap_or_default(), format!("/{name}")),
    };
    if !other.properties.is_object() {
        other.properties = Value::Object(Map::new());
    }
    let Value::Object(members) = &mut other.properties else { return };
    let to = if companion.adds {
        let list = members.entry(companion.to).or_insert_with(|| Value::Array(Vec::new()));
        if !list.is_array() {
            *list = Value::Array(vec![list.take()]);
        }
        let Value::Array(list) = list else { return };
        list.push(value);
        format!("/{}/{}", companion.to, list.len() - 1)
    } else {
        members.insert(companion.to.to_owned(), value);
        format!("/{}", companion.to)
    };
    if companion.from == Some("") {
        other.openings.push(Opening { path: to, gap: Gap::Reference });
        return;
    }
    let moved = part.openings.iter().filter(|it| within(&it.path, &from)).filter_map(|it| {
        let rest = it.path.strip_prefix(from.as_str())?;
        Some((rest, it.gap.clone()))
    });
    other.openings.extend(moved.map(|(rest, gap)| Opening { path: format!("{to}{rest}"), gap }));
}

/// The companion as a resource with nothing else.
fn alone(companion: &Companion, part: &Declared) -> Declared {
    let mut other = Declared {
        kind: companion.other.to_owned(),
        properties: Value::Object(Map::new()),
        openings: Vec::new(),
        ..part.clone()
    };
    give(companion, part, &mut other);
    other
}

/// Whether a path is at or below another one.
pub(super) fn within(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
