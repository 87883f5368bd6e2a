//! Plans of real controls.
#![allow(clippy::unwrap_used)]

use rectify_compliance::Step;
use serde_json::json;

use super::*;

fn snapshot_block() -> (&'static Entry, StoredState) {
    let control = rectify_catalogue::find("ebs-snapshot-block-public-access").unwrap();
    let subject = json!({ "account": "111122223333", "region": "eu-west-1", "state": "unblocked",
        "managedBy": "account", "hasPublicSnapshots": false });
    (control, StoredState { version: 1, subject })
}

#[test]
fn changes_of_a_finding_are_those_that_its_calls_make() {
    let (control, state) = snapshot_block();
    let plan = control.remediation.unwrap().plan(&state, "{}", "2026-03-04T05:06:07Z".parse().unwrap()).unwrap();
    let view = PlanView::of_finding(control, &state, &plan);
    // `hasPublicSnapshots` is not known afterwards, and no call changes it.
    assert_eq!(view.changes, ["- state: unblocked", "+ state: block-all-sharing"]);
    assert_eq!(view.summary().as_deref(), Some("1 changed"));
    let command = "aws ec2 enable-snapshot-block-public-access --cli-input-json '{\"State\":\"block-all-sharing\"}'";
    let commands = |view: &PlanView| view.steps.iter().map(|step| step.command.clone()).collect::<Vec<_>>();
    assert_eq!(commands(&view), [Some(command.to_owned())]);
    assert_eq!(commands(&view.in_region("eu-west-1")), [Some(format!("{command} --region eu-west-1"))]);
    assert_eq!(commands(&PlanView::of(&plan)), [None]);
}

#[test]
fn undo_reverses_the_changes() {
    let (control, state) = snapshot_block();
    let call = json!({ "EnableSnapshotBlockPublicAccess": { "State": "block-all-sharing" } });
    assert_eq!(changes_of_undo(control, &state, &[call]), ["- state: block-all-sharing", "+ state: unblocked"]);
}

#[test]
fn actions_of_another_control_have_no_changes() {
    let (control, state) = snapshot_block();
    assert_eq!(changes_of(control, &state, &[json!({ "DeleteThing": {} })]), [""; 0]);
}

#[test]
fn script_has_a_line_for_each_step_and_comments_out_what_is_no_command() {
    let (control, state) = snapshot_block();
    let steps = vec![
        Step::call(Level::L1, json!({ "EnableSnapshotBlockPublicAccess": {} })),
        Step::call(Level::L1, json!({ "DeleteThing": {} })),
        Step::manual(Level::L0, "delete the user's key\nrm -rf ~"),
    ];
    let plan = Plan::blocked("a website\nrm -rf ~", steps);
    let expected = "# not automatic: a website\\nrm -rf ~\naws ec2 enable-snapshot-block-public-access\n\
                    # no command: DeleteThing {}\n# manual: delete the user's key\\nrm -rf ~\n";
    assert_eq!(PlanView::of_finding(control, &state, &plan).script(), expected);
}
