//! Cases for the rule and its remediation, and laws over generated instances.

use proptest::prelude::*;
use rectify_testing::{Case, Cases, Laws};

use super::*;
use crate::arbitrary::instances;
use crate::resources::instance::tests::{instance, item};

const OPTED_IN: &str = r#"{"tagOptIn": "team=shop"}"#;
const SINGLE: &str = "orders (mysql) is single-AZ";
const FIX: &str = r#"L2 ModifyDBInstance {"DBInstanceIdentifier":"orders","MultiAZ":true}"#;

fn modify(multi_az: bool) -> Action {
    Action::ModifyDBInstance { identifier: "orders".into(), multi_az }
}

fn offered(instance: Instance, multi_az_capable: bool) -> Deployment {
    let offer = OrderableOption { class: "db.m6g.large".into(), version: "8.0.40".into(), multi_az_capable };
    Deployment { instance, offer: Some(offer) }
}

/// A case for an instance in one zone that RDS offers with Multi-AZ, after `change`.
fn case(name: &str, change: impl FnOnce(&mut Deployment)) -> Case<'_, RdsMultiAzSupport> {
    Cases::of(&RdsMultiAzSupport, offered(instance(), true)).case(name, change)
}

/// A case for an instance read from a configuration item.
fn recorded<'a>(name: &'a str, changes: &Value) -> Case<'a, RdsMultiAzSupport> {
    case(name, |it| *it = Deployment::from_item(&item(changes)).unwrap())
}

#[test]
fn the_standby_decides_the_verdict() {
    let replica = json!({"readReplicaSourceDBInstanceIdentifier": "first"});
    let pending = |multi_az: bool, pending: bool| json!({"multiAZ": multi_az, "pendingModifiedValues": {"multiAZ": pending, "port": 3307}});
    let of_cluster = "orders belongs to cluster shop, whose zones count instead";
    recorded("rds-multi-az-support/1", &json!({"multiAZ": false})).non_compliant(SINGLE);
    recorded("not stated", &json!({"multiAZ": null})).non_compliant(SINGLE);
    recorded("on", &json!({"multiAZ": true})).compliant();
    recorded("rds-multi-az-support/2", &pending(false, true)).compliant_with("orders becomes Multi-AZ: pending");
    recorded("pending, the same", &pending(false, false)).non_compliant(SINGLE);
    recorded("pending, the other way", &pending(true, false)).compliant_with("orders is about to become single-AZ");
    recorded("rds-multi-az-support/3", &json!({"engine": "aurora-mysql", "dBClusterIdentifier": "shop"}))
        .not_applicable(of_cluster);
    recorded("member of a Multi-AZ DB cluster", &json!({"dBClusterIdentifier": "shop"})).not_applicable(of_cluster);
    recorded("rds-multi-az-support/4", &replica).not_applicable("orders is a read replica of first");
    recorded("rds-multi-az-support/4, included", &replica).with(r#"{"includeReplicas": "true"}"#).non_compliant(SINGLE);
    recorded("rds-multi-az-support/5", &json!({"engine": "docdb"}))
        .not_applicable("orders (docdb) belongs to a cluster, whose zones count instead");
    recorded("RDS Custom", &json!({"engine": "custom-oracle-ee"}))
        .not_applicable("orders (custom-oracle-ee) has no Multi-AZ setting");
    recorded("rds-multi-az-support/7", &json!({"dBInstanceStatus": "stopped"})).non_compliant(SINGLE);
}

#[test]
fn a_plan_is_blocked_without_opt_in_or_while_the_instance_cannot_be_modified() {
    let blocked = |name, change: fn(&mut Deployment), params: &str, reason: &str| {
        case(name, change).with(params).non_compliant(SINGLE).planned(&[&format!("blocked: {reason}"), FIX]);
    };
    case("opted in", |_| ()).with(OPTED_IN).non_compliant(SINGLE).planned(&[FIX]);
    blocked(
        "rds-multi-az-support/6",
        |it| *it = offered(instance(), false),
        OPTED_IN,
        "MultiAZCapable: db.m6g.large of mysql 8.0.40 is not offered as Multi-AZ",
    );
    blocked(
        "rds-multi-az-support/7",
        |it| it.instance.database.status = "stopped".into(),
        OPTED_IN,
        "status of orders is `stopped`, not `available`",
    );
    blocked("rds-multi-az-support/8", |_| (), r#"{"tagOptIn": "ha=yes"}"#, "orders is not tagged ha=yes");
    blocked(
        "rds-multi-az-support/8, another value",
        |_| (),
        r#"{"tagOptIn": "team=pay"}"#,
        "orders is not tagged team=pay",
    );
    blocked("no opt-in at all", |_| (), "{}", "`tagOptIn` is not set");
    blocked(
        "planned from an item",
        |it| it.offer = None,
        OPTED_IN,
        "whether RDS offers it as Multi-AZ is unknown: planning needs a live read",
    );
}

#[test]
fn an_accepted_change_is_pending_until_the_window_and_undo_reverts_it() {
    let before = offered(instance(), true);
    let accepted = RdsMultiAzSupport.predict(before.clone(), &modify(true));
    let pending = Instance { pending_multi_az: Some(true), ..instance() };
    assert_eq!(accepted, Deployment { instance: pending, offer: None });
    assert_eq!(RdsMultiAzSupport.undo(&before, &[modify(true)]), Ok(vec![modify(false)]));
    assert_eq!(RdsMultiAzSupport.predict(accepted, &modify(false)).instance, instance());
}

#[test]
fn a_created_standby_has_the_touched_fields_of_a_pending_one() {
    let pending = Instance { pending_multi_az: Some(true), ..instance() };
    let created = Instance { multi_az: true, ..instance() };
    let touched_fields =
        |instance| RdsMultiAzSupport.touched_fields(&Deployment { instance, offer: None }, &[modify(true)]);
    assert_eq!(touched_fields(pending), touched_fields(created.clone()));
    assert_ne!(touched_fields(created), touched_fields(instance()));
    assert_eq!(RdsMultiAzSupport.touched_fields(&offered(instance(), true), &[]), json!({}));
}

#[test]
fn pending_modification_is_not_a_failure() {
    let mut modifying = offered(instance(), true);
    modifying.instance.database.status = "modifying".into();
    assert!(RdsMultiAzSupport.is_in_progress(&modifying, &[modify(true)]));
    assert!(!RdsMultiAzSupport.is_in_progress(&modifying, &[]));
}

fn deployments() -> impl Strategy<Value = Deployment> {
    (instances(), any::<bool>(), any::<bool>()).prop_map(|(mut instance, is_tagged, capable)| {
        if is_tagged {
            instance.database.tags.insert("team".to_owned(), "shop".to_owned());
        }
        offered(instance, capable)
    })
}

#[test]
fn laws() {
    let opted_in = MultiAzParameters { tag_opt_in: "team=shop".parse().ok(), ..MultiAzParameters::default() };
    Laws::of(&RdsMultiAzSupport, &["/instance/pendingMultiAz", "/offer"], Remediation::predict)
        .never(|before, after| multi_az_after_window(&before.instance) && !multi_az_after_window(&after.instance))
        .meeting(&[("blocked", |plan| matches!(plan, Plan::Blocked { .. }))])
        .hold((deployments(), Just(opted_in)));
}
