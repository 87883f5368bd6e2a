//! Generated instances for the laws of the controls.

use proptest::prelude::*;
use rectify_compliance::Tags;

use crate::resources::database::{Database, Kind};
use crate::resources::instance::Instance;

/// Databases with one of these engines, any status and a few tags.
pub(crate) fn databases(kind: Kind, engines: &'static [&'static str]) -> impl Strategy<Value = Database> {
    let status = prop_oneof![
        6 => Just("available"),
        1 => prop::sample::select(vec!["creating", "deleting", "modifying", "stopped"]),
    ];
    let key = prop_oneof![3 => "[a-z]{1,4}", 1 => Just("deletionProtection".to_owned())];
    let value = prop_oneof![3 => "[a-z]{0,4}", 1 => Just("off".to_owned())];
    let tags = prop::collection::btree_map(key, value, 0..3);
    (prop::sample::select(engines), status, tags, "[a-z]{3,8}").prop_map(
        move |(engine, status, tags, identifier): (_, _, Tags, String)| Database {
            kind,
            id: format!("db-{}", identifier.to_uppercase()),
            arn: format!("arn:aws:rds:eu-west-1:111122223333:db:{identifier}"),
            identifier,
            engine: engine.to_owned(),
            status: status.to_owned(),
            tags,
        },
    )
}

/// `Some` about one time in four.
pub(crate) fn rarely<T: Clone + std::fmt::Debug + 'static>(value: T) -> impl Strategy<Value = Option<T>> {
    prop_oneof![3 => Just(None), 1 => Just(Some(value))]
}

/// Instances of many engines, cluster members and read replicas included.
pub(crate) fn instances() -> impl Strategy<Value = Instance> {
    const ENGINES: &[&str] =
        &["mysql", "postgres", "mariadb", "oracle-ee", "sqlserver-se", "aurora-mysql", "custom-oracle-ee"];
    let parts = (
        databases(Kind::Instance, ENGINES),
        rarely("shop".to_owned()),
        rarely("first".to_owned()),
        any::<bool>(),
        any::<bool>(),
        prop::option::of(any::<bool>()),
        (any::<bool>(), any::<bool>()),
    );
    parts.prop_map(|(database, cluster, replica_of, deletion_protection, multi_az, pending_multi_az, flags)| Instance {
        database,
        cluster,
        replica_of,
        deletion_protection,
        multi_az,
        pending_multi_az,
        auto_minor_version_upgrade: Some(flags.0),
        publicly_accessible: Some(flags.1),
        storage_encrypted: None,
        kms_key_id: None,
    })
}
