//! Verdicts and plans of `ebs-snapshot-block-public-access`, and properties that hold for every setting.
use SnapshotBlock::{BlockAllSharing, BlockNewSharing, Unblocked};
use proptest::prelude::*;
use rectify_testing::{Case, Cases, Laws};

use super::*;

const NEW_ONLY: &str = r#"{"acceptNewOnly":"true"}"#;
const ALL: &str = r#"EnableSnapshotBlockPublicAccess {"State":"block-all-sharing"}"#;
const NEW: &str = r#"L1 EnableSnapshotBlockPublicAccess {"State":"block-new-sharing"}"#;

/// A setting that the account manages, in a region without public snapshots.
fn setting(state: SnapshotBlock) -> SnapshotSetting {
    SnapshotSetting {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
        state,
        managed_by: Some(BY_ACCOUNT.to_owned()),
        has_public_snapshots: Some(false),
    }
}

fn case<'a>(name: &'a str, subject: SnapshotSetting) -> Case<'a, EbsSnapshotBlockPublicAccess> {
    Cases::of(&EbsSnapshotBlockPublicAccess, subject).case(name, |_| ())
}

fn finding(state: SnapshotBlock) -> String {
    format!("Public sharing of snapshots: {state} in us-east-1; expected block-all-sharing")
}

/// `ebs-snapshot-block-public-access/5`: the region has no snapshot.
#[test]
fn the_required_state_is_set() {
    let l1 = format!("L1 {ALL}");
    case("ebs-snapshot-block-public-access/1", setting(Unblocked)).non_compliant(&finding(Unblocked)).planned(&[&l1]);
    case("ebs-snapshot-block-public-access/2", setting(BlockNewSharing))
        .non_compliant(&finding(BlockNewSharing))
        .planned(&[&l1]);
    case("ebs-snapshot-block-public-access/2 accepted", setting(BlockNewSharing)).with(NEW_ONLY).compliant();
    case("ebs-snapshot-block-public-access/3", setting(BlockAllSharing)).compliant();
    case("stricter than required", setting(BlockAllSharing)).with(NEW_ONLY).compliant();
}

/// `ebs-snapshot-block-public-access/4`
#[test]
fn blocking_a_public_snapshot_is_l2() {
    for has_public_snapshots in [Some(true), None] {
        let subject = SnapshotSetting { has_public_snapshots, ..setting(Unblocked) };
        let name = format!("{has_public_snapshots:?}");
        case(&name, subject.clone()).non_compliant(&finding(Unblocked)).planned(&[&format!("L2 {ALL}")]);
        let unblocked = "Public sharing of snapshots: unblocked in us-east-1; expected block-new-sharing";
        case(&name, subject).with(NEW_ONLY).non_compliant(unblocked).planned(&[NEW]);
    }
}

/// `ebs-snapshot-block-public-access/7`
#[test]
fn a_setting_that_the_account_does_not_manage_is_left_alone() {
    for (managed_by, named) in [(Some("declarative-policy"), "declarative-policy"), (None, "an unknown entity")] {
        let subject = SnapshotSetting { managed_by: managed_by.map(str::to_owned), ..setting(Unblocked) };
        let blocked = format!("blocked: the setting is managed by {named}, not by the account");
        case(named, subject).non_compliant(&finding(Unblocked)).planned(&[&blocked, &format!("L1 {ALL}")]);
    }
}

/// `ebs-snapshot-block-public-access/6`
#[test]
fn nothing_is_planned_twice() {
    let (control, params) = (EbsSnapshotBlockPublicAccess, Default::default());
    let plan = control.plan(&setting(Unblocked), &params, rectify_testing::NOW);
    let after = control.predict(setting(Unblocked), plan.calls()[0]);
    assert_eq!(control.plan(&after, &params, rectify_testing::NOW), Plan::Noop);
}

/// `ebs-snapshot-block-public-access/8`
#[test]
fn undo_restores_the_previous_state() {
    let done = [SnapshotBlockCall::EnableSnapshotBlockPublicAccess { state: BlockAllSharing }];
    for (before, expected) in [
        (BlockNewSharing, SnapshotBlockCall::EnableSnapshotBlockPublicAccess { state: BlockNewSharing }),
        (Unblocked, SnapshotBlockCall::DisableSnapshotBlockPublicAccess {}),
    ] {
        assert_eq!(EbsSnapshotBlockPublicAccess.undo(&setting(before), &done), Ok(vec![expected]));
    }
}

#[test]
fn laws() {
    let states = prop_oneof![Just(Unblocked), Just(BlockNewSharing), Just(BlockAllSharing)];
    let managers = prop_oneof![4 => Just(Some("account")), 1 => Just(Some("declarative-policy")), 1 => Just(None)];
    let public = prop_oneof![Just(Some(false)), Just(Some(true)), Just(None)];
    let settings = (states, managers, public, any::<bool>()).prop_map(|(state, manager, public, new_only)| {
        let subject =
            SnapshotSetting { managed_by: manager.map(str::to_owned), has_public_snapshots: public, ..setting(state) };
        (subject, EbsSnapshotBlockPublicAccessParameters { accept_new_only: Flag(new_only) })
    });
    let touched = ["/state", "/hasPublicSnapshots"];
    // Undo makes calls of the same kind, so the model of the calls is also the model of the undo.
    Laws::of(&EbsSnapshotBlockPublicAccess, &touched, EbsSnapshotBlockPublicAccess::predict)
        .never(|before, after| after.state <= before.state)
        .meeting(&[("blocked plans", |plan| matches!(plan, Plan::Blocked { .. }))])
        .hold(settings);
}
