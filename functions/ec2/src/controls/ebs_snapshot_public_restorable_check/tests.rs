//! Verdicts and plans of `ebs-snapshot-public-restorable-check`, and properties that hold for all snapshots.
use SnapshotBlock::{BlockAllSharing, BlockNewSharing, Unblocked};
use proptest::prelude::*;
use rectify_testing::{Case, Cases, Laws};

use super::*;

const HONOUR: &str = r#"{"honourBlockPublicAccess":"true"}"#;

/// These public snapshots, of an account without a block.
fn public(ids: &[&str]) -> PublicSnapshots {
    PublicSnapshots {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
        public: ids.iter().map(|id| (*id).to_owned()).collect(),
        approved: BTreeSet::new(),
        block: (!ids.is_empty()).then_some(Unblocked),
    }
}

fn case<'a>(name: &'a str, subject: &PublicSnapshots) -> Case<'a, EbsSnapshotPublicRestorableCheck> {
    Cases::of(&EbsSnapshotPublicRestorableCheck, subject.clone()).case(name, |_| ())
}

fn remove(id: &str) -> String {
    format!(
        r#"L2 ModifySnapshotAttribute {{"Attribute":"createVolumePermission","GroupNames":["all"],"OperationType":"remove","SnapshotId":"{id}"}}"#
    )
}

/// `ebs-snapshot-public-restorable-check/2`: a snapshot that is shared with an account is not listed.
#[test]
fn each_public_snapshot_is_closed() {
    case("none is public", &public(&[])).compliant();
    case("one", &public(&["snap-1"]))
        .non_compliant("Public EBS snapshots in us-east-1: snap-1")
        .planned(&[&remove("snap-1")]);
    case("four", &public(&["snap-1", "snap-2", "snap-3", "snap-4"]))
        .non_compliant("Public EBS snapshots in us-east-1: snap-1, snap-2, snap-3 +1 more")
        .planned(&["snap-1", "snap-2", "snap-3", "snap-4"].map(remove).each_ref().map(String::as_str));
}

/// `ebs-snapshot-public-restorable-check/5`
#[test]
fn blocked_snapshots_are_a_finding_unless_the_block_counts() {
    let with = |block| PublicSnapshots { block: Some(block), ..public(&["snap-1"]) };
    let finding = "Public EBS snapshots in us-east-1: snap-1";
    let blocked = format!("{finding}; blocked by account setting");
    let (all, new) = (with(BlockAllSharing), with(BlockNewSharing));
    case("blocked", &all).non_compliant(&blocked).planned(&[&remove("snap-1")]);
    case("blocked and honoured", &all).with(HONOUR).compliant_with(&blocked);
    case("only new sharing", &new).with(HONOUR).non_compliant(finding).planned(&[&remove("snap-1")]);
}

/// `ebs-snapshot-public-restorable-check/8`
#[test]
fn approved_snapshots_are_left_to_an_operator() {
    let mut subject = public(&["snap-1", "snap-2"]);
    subject.approved.insert("snap-2".to_owned());
    let decide = "L0 manual: decide whether snapshots with tag public=approved stay public: snap-2";
    case("one of two", &subject)
        .non_compliant("Public EBS snapshots in us-east-1: snap-1, snap-2")
        .planned(&[&remove("snap-1"), decide]);
    let plan = EbsSnapshotPublicRestorableCheck.plan(&subject, &Default::default(), rectify_testing::NOW);
    assert_eq!(plan.blocker(true).as_deref(), Some("a step requires an operator"));
}

/// `ebs-snapshot-public-restorable-check/9`
#[test]
fn many_public_snapshots_block_the_plan() {
    let ids: Vec<String> = (0..=MAX_SNAPSHOTS).map(|number| format!("snap-{number:02}")).collect();
    let mut subject = public(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    let blocker = |subject: &PublicSnapshots| {
        EbsSnapshotPublicRestorableCheck.plan(subject, &Default::default(), rectify_testing::NOW).blocker(true)
    };
    assert_eq!(blocker(&subject).as_deref(), Some("51 snapshots are public; expected at most 50"));
    subject.public.remove("snap-00");
    assert_eq!(blocker(&subject), None);
}

#[test]
fn undo_adds_the_group_to_the_last_snapshot_first() {
    let subject = public(&["snap-1", "snap-2"]);
    let plan = EbsSnapshotPublicRestorableCheck.plan(&subject, &Default::default(), rectify_testing::NOW);
    let done: Vec<SnapshotCall> = plan.calls().into_iter().cloned().collect();
    let add = |id| SnapshotCall::everyone(OperationType::Add, id);
    assert_eq!(EbsSnapshotPublicRestorableCheck.undo(&subject, &done), Ok(vec![add("snap-2"), add("snap-1")]));
}

#[test]
fn laws() {
    let ids = proptest::collection::btree_map("snap-[0-9]", proptest::bool::weighted(0.2), 0..4);
    let blocks = prop_oneof![Just(Unblocked), Just(BlockNewSharing), Just(BlockAllSharing)];
    let snapshots = (ids, blocks, any::<bool>()).prop_map(|(ids, block, honour)| {
        let approved = ids.iter().filter(|(_, approved)| **approved).map(|(id, _)| id.clone()).collect();
        let block = (!ids.is_empty()).then_some(block);
        let subject = PublicSnapshots { public: ids.into_keys().collect(), approved, block, ..public(&[]) };
        (subject, EbsSnapshotPublicRestorableCheckParameters { honour_block_public_access: Flag(honour) })
    });
    // Undo makes calls of the same kind, so the model of the calls is also the model of the undo.
    Laws::of(&EbsSnapshotPublicRestorableCheck, &["/public", "/block"], EbsSnapshotPublicRestorableCheck::predict)
        .never(|before, after| !after.public.is_subset(&before.public))
        .hold(snapshots);
}
