//! The cases of the rule and of its remediation, and the laws over generated instances.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use rectify_compliance::StoredImage;
use rectify_compliance::parameters::RuleParameters;

use super::*;
use crate::arbitrary::{instances, is_mixed};
use crate::instance::tests::{instance, item};

const OPTED_IN: &str = r#"{"tagOptIn": "team=shop"}"#;

fn params(text: &str) -> MultiAzParameters {
    RuleParameters::parse(Some(text)).unwrap().control
}

fn judge(subject: &Deployment, text: &str) -> Verdict {
    RdsMultiAzSupport.evaluate(subject, &params(text), Timestamp::UNIX_EPOCH)
}

fn plan(subject: &Deployment, text: &str) -> Plan<Action> {
    RdsMultiAzSupport.plan(subject, &params(text), Timestamp::UNIX_EPOCH)
}

fn modify(multi_az: bool) -> Action {
    Action::ModifyDBInstance { identifier: "orders".into(), multi_az }
}

fn offered(instance: Instance, multi_az_capable: bool) -> Deployment {
    let offer = Offer { class: "db.m6g.large".into(), version: "8.0.40".into(), multi_az_capable };
    Deployment { instance, offer: Some(offer) }
}

fn steps() -> Vec<Step<Action>> {
    vec![Step::call(Level::L2, modify(true))]
}

#[test]
fn an_instance_is_judged_by_its_standby() {
    let single = || Verdict::non_compliant("orders (mysql) is single-AZ");
    let replica = json!({"readReplicaSourceDBInstanceIdentifier": "first"});
    let pending = |multi_az: bool, pending: bool| json!({"multiAZ": multi_az, "pendingModifiedValues": {"multiAZ": pending, "port": 3307}});
    let remark = |text: &str| Verdict::Compliant(Some(text.into()));
    let na = |text: &str| Verdict::not_applicable(text);
    for (case, changes, parameters, expected) in [
        ("rds-multi-az-support/1", json!({"multiAZ": false}), "{}", single()),
        ("not told", json!({"multiAZ": null}), "{}", single()),
        ("on", json!({"multiAZ": true}), "{}", Verdict::COMPLIANT),
        ("rds-multi-az-support/2", pending(false, true), "{}", remark("orders becomes Multi-AZ: pending")),
        ("pending, the same", pending(false, false), "{}", single()),
        ("pending, the other way", pending(true, false), "{}", remark("orders is about to become single-AZ")),
        (
            "rds-multi-az-support/3",
            json!({"engine": "aurora-mysql", "dBClusterIdentifier": "shop"}),
            "{}",
            na("orders belongs to cluster shop, whose zones count instead"),
        ),
        (
            "member of a Multi-AZ DB cluster",
            json!({"dBClusterIdentifier": "shop"}),
            "{}",
            na("orders belongs to cluster shop, whose zones count instead"),
        ),
        ("rds-multi-az-support/4", replica.clone(), "{}", na("orders is a read replica of first")),
        ("rds-multi-az-support/4, included", replica, r#"{"includeReplicas": "true"}"#, single()),
        (
            "rds-multi-az-support/5",
            json!({"engine": "docdb"}),
            "{}",
            na("orders (docdb) belongs to a cluster, whose zones count instead"),
        ),
        (
            "RDS Custom",
            json!({"engine": "custom-oracle-ee"}),
            "{}",
            na("orders (custom-oracle-ee) does not have the setting"),
        ),
        ("rds-multi-az-support/7", json!({"dBInstanceStatus": "stopped"}), "{}", single()),
    ] {
        let subject = Deployment::from_item(&item(&changes)).unwrap();
        assert_eq!(judge(&subject, parameters), expected, "{case}");
    }
}

#[test]
fn the_fix_is_one_call_that_waits_for_the_window() {
    assert_eq!(plan(&offered(instance(), true), OPTED_IN), Plan::Do { steps: steps() });
    let call = json!({"ModifyDBInstance": {"DBInstanceIdentifier": "orders", "MultiAZ": true}});
    assert_eq!(serde_json::to_value(modify(true)).unwrap(), call);
    let accepted = RdsMultiAzSupport.expect(offered(instance(), true), &modify(true));
    let expected = Instance { pending_multi_az: Some(true), ..instance() };
    assert_eq!(accepted, Deployment { instance: expected, offer: None });
    assert!(judge(&accepted, "{}").is_compliant());
    assert_eq!(plan(&accepted, OPTED_IN), Plan::Nothing);
    assert_eq!(RdsMultiAzSupport.undo(&offered(instance(), true), &[modify(true)]), Ok(vec![modify(false)]));
    let taken_back = RdsMultiAzSupport.expect(accepted, &modify(false));
    assert_eq!(taken_back.instance, instance());
}

#[test]
fn a_standby_that_is_there_by_now_has_the_footprint_of_one_that_was_pending() {
    let pending = Instance { pending_multi_az: Some(true), ..instance() };
    let there = Instance { multi_az: true, ..instance() };
    let footprint = |instance| RdsMultiAzSupport.footprint(&Deployment { instance, offer: None }, &[modify(true)]);
    assert_eq!(footprint(pending), footprint(there.clone()));
    assert_ne!(footprint(there), footprint(instance()));
    assert_eq!(RdsMultiAzSupport.footprint(&offered(instance(), true), &[]), json!({}));
}

#[test]
fn an_instance_that_cannot_or_must_not_be_changed_waits() {
    let mut stopped = offered(instance(), true);
    stopped.instance.database.status = "stopped".into();
    let not_asked = Deployment { instance: instance(), offer: None };
    for (case, subject, parameters, reason) in [
        (
            "rds-multi-az-support/6",
            offered(instance(), false),
            OPTED_IN,
            "MultiAZCapable: db.m6g.large of mysql 8.0.40 is not offered as Multi-AZ",
        ),
        ("rds-multi-az-support/7", stopped, OPTED_IN, "status of orders is `stopped`, not `available`"),
        (
            "rds-multi-az-support/8",
            offered(instance(), true),
            r#"{"tagOptIn": "ha=yes"}"#,
            "orders is not tagged ha=yes",
        ),
        (
            "rds-multi-az-support/8, another value",
            offered(instance(), true),
            r#"{"tagOptIn": "team=pay"}"#,
            "orders is not tagged team=pay",
        ),
        ("no opt-in at all", offered(instance(), true), "{}", "`tagOptIn` is not given"),
        (
            "planned from an item",
            not_asked,
            OPTED_IN,
            "whether it can be Multi-AZ is not known: only a live read can be planned from",
        ),
    ] {
        assert_eq!(plan(&subject, parameters), Plan::hold(reason, steps()), "{case}");
    }
}

#[test]
fn what_rds_still_works_on_is_no_failure() {
    let mut modifying = offered(instance(), true);
    modifying.instance.database.status = "modifying".into();
    assert!(RdsMultiAzSupport.is_settling(&modifying, &[modify(true)]));
    assert!(!RdsMultiAzSupport.is_settling(&modifying, &[]));
}

fn deployments() -> impl Strategy<Value = Deployment> {
    let tagged = prop_oneof![1 => Just(true), 1 => Just(false)];
    (instances(), tagged, any::<bool>()).prop_map(|(mut instance, tagged, capable)| {
        if tagged {
            instance.database.tags.insert("team".to_owned(), "shop".to_owned());
        }
        offered(instance, capable)
    })
}

#[test]
fn generated_instances_are_of_every_kind() {
    assert!(is_mixed(deployments(), |it| judge(it, "{}")));
}

proptest! {
    #[test]
    fn the_fix_makes_an_instance_compliant_and_leaves_all_else_and_undo_restores_it(subject in deployments()) {
        prop_assert_eq!(plan(&subject, OPTED_IN) != Plan::Nothing, judge(&subject, OPTED_IN).is_non_compliant());
        let mut live = subject.clone();
        let mut done = Vec::new();
        for action in plan(&subject, OPTED_IN).calls() {
            live = RdsMultiAzSupport.expect(live, action);
            done.push(action.clone());
        }
        prop_assert!(!judge(&live, OPTED_IN).is_non_compliant());
        prop_assert_eq!(plan(&live, OPTED_IN), Plan::Nothing);
        prop_assert!(wanted(&live.instance) >= wanted(&subject.instance));
        let only_the_setting =
            Instance { pending_multi_az: live.instance.pending_multi_az, ..subject.instance.clone() };
        prop_assert_eq!(&live.instance, &only_the_setting);

        let actions = done.clone();
        for action in RdsMultiAzSupport.undo(&subject, &done).unwrap() {
            live = RdsMultiAzSupport.expect(live, &action);
        }
        prop_assert_eq!(RdsMultiAzSupport.footprint(&live, &actions), RdsMultiAzSupport.footprint(&subject, &actions));
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<Deployment>(), Ok(subject));
        for action in actions {
            let text = serde_json::to_string(&action).unwrap();
            prop_assert_eq!(serde_json::from_str::<Action>(&text).unwrap(), action);
        }
    }
}
