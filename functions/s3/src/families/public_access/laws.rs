//! The laws of the controls that end public access with the bucket-level block, over generated buckets.

use proptest::prelude::*;
use rectify_compliance::Remediation;
use rectify_compliance::values::Flag;
use rectify_testing::Laws;
use serde_json::json;

use super::{Action, Params, Subject, Undo};
use crate::families::access::{AccessPoint, Flags, Grant, Grantee, NetworkOrigin, Ownership, Permission};
use crate::testing::{allow, bare, open_access_point, policy};

/// Checks the laws for one of these controls.
pub(crate) fn hold<K>(control: &K, params: impl Strategy<Value = K::Params>)
where
    K: Remediation<Subject = Subject, Action = Action, Undo = Undo>,
{
    Laws::of(control, &["/block"], |_, live, undo| reverted(live, undo))
        .never(|before, after| !after.block.unwrap_or_default().missing(before.block.unwrap_or_default()).is_empty())
        .hold((subjects(), params));
}

/// Parameters of the two public access controls.
pub(crate) fn params() -> impl Strategy<Value = Params> {
    any::<bool>().prop_map(|authenticated| Params {
        treat_authenticated_users_as_public: Flag(authenticated),
        ..Params::default()
    })
}

/// Models the effect of an undo.
fn reverted(live: Subject, undo: &Undo) -> Subject {
    Subject { block: undo.flags(), ..live }
}

pub(crate) fn flags() -> impl Strategy<Value = Flags> {
    // Mostly off, since most flags end the public access that the laws need.
    let flag = || prop::bool::weighted(0.2);
    (flag(), flag(), flag(), flag()).prop_map(
        |(block_public_acls, ignore_public_acls, block_public_policy, restrict_public_buckets)| Flags {
            block_public_acls,
            ignore_public_acls,
            block_public_policy,
            restrict_public_buckets,
        },
    )
}

fn grants() -> impl Strategy<Value = Option<Vec<Grant>>> {
    let grantee = prop_oneof![
        1 => Just(Grantee::AllUsers),
        1 => Just(Grantee::AuthenticatedUsers),
        1 => Just(Grantee::LogDelivery),
        3 => Just(Grantee::Account("79a5".to_owned())),
    ];
    let permission = prop::sample::select(vec![
        Permission::Read,
        Permission::ReadAcp,
        Permission::Write,
        Permission::WriteAcp,
        Permission::FullControl,
    ]);
    let grant = (grantee, permission).prop_map(|(grantee, permission)| Grant { grantee, permission });
    prop::option::weighted(0.95, prop::collection::vec(grant, 0..3))
}

fn statement() -> impl Strategy<Value = serde_json::Value> {
    let principals = vec![
        json!("*"),
        json!({"AWS": ["*", "111122223333"]}),
        json!({"AWS": "arn:aws:iam::111122223333:root"}),
        json!({"AWS": "arn:aws:iam::444455556666:root"}),
        json!({"Service": "logging.s3.amazonaws.com"}),
        json!({"Federated": "accounts.google.com"}),
    ];
    let actions = vec!["s3:GetObject", "s3:PutObject", "s3:*", "s3:List*", "s3:ListAllMyBuckets"];
    let resources = vec!["*", "arn:aws:s3:::pics/*", "arn:aws:s3:::pics", "arn:aws:s3:::other/*"];
    let conditions = vec![
        json!({}),
        json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}}),
        json!({"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
    ];
    let pick = prop::sample::select::<serde_json::Value>;
    let (action, resource) = (prop::sample::select(actions), prop::sample::select(resources));
    (prop::bool::weighted(0.15), pick(principals), action, resource, pick(conditions)).prop_map(
        |(denies, principal, action, resource, condition)| {
            let effect = if denies { "Deny" } else { "Allow" };
            allow(json!({"Effect": effect, "Principal": principal, "Action": action, "Resource": resource,
                         "Condition": condition}))
        },
    )
}

fn access_points() -> impl Strategy<Value = Vec<AccessPoint>> {
    let origin = prop_oneof![Just(NetworkOrigin::Internet), Just(NetworkOrigin::Vpc)];
    let action = prop::sample::select(vec!["s3:GetObject", "s3:PutObject"]);
    let point =
        (origin, action, flags(), any::<bool>()).prop_map(|(network_origin, action, block, policy_is_public)| {
            AccessPoint { network_origin, block, policy_is_public, ..open_access_point("app", action) }
        });
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(point, 1..3)]
}

fn subjects() -> impl Strategy<Value = Subject> {
    let ownership = prop::sample::select(vec![
        Ownership::BucketOwnerEnforced,
        Ownership::BucketOwnerPreferred,
        Ownership::ObjectWriter,
    ]);
    let status = prop_oneof![3 => Just(None), 1 => any::<bool>().prop_map(Some)];
    (
        grants(),
        ownership,
        prop::option::weighted(0.95, prop::collection::vec(statement(), 0..4)),
        status,
        prop::option::of(flags()),
        flags(),
        prop::option::weighted(0.9, prop::bool::weighted(0.2)),
        access_points(),
    )
        .prop_map(
            |(acl, ownership, statements, policy_is_public, block, account_block, website, access_points)| {
                let policy = statements.map(|statements| policy(json!(statements)));
                Subject {
                    acl,
                    ownership,
                    policy,
                    policy_is_public,
                    block,
                    account_block,
                    website,
                    access_points,
                    ..bare()
                }
            },
        )
}
