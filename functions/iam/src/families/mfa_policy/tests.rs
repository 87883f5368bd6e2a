//! When the policy is attached and detached, and what blocks the plan; laws over generated attachments.

use proptest::prelude::*;

use super::*;
use crate::resources::user::tests::alice;

const ARN: &str = "arn:aws:iam::111122223333:policy/security/require-mfa";

pub(crate) fn require_mfa() -> PolicyArn {
    PolicyArn::try_from(ARN.to_owned()).unwrap()
}

/// A policy that allows users to register a device and denies everything else without MFA.
fn document() -> Value {
    let listed = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "sts:GetSessionToken"];
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:CreateVirtualMFADevice", "Resource": "arn:aws:iam::*:mfa/*"},
        {"Effect": "Allow", "Action": ["iam:EnableMFADevice", "iam:ListMFADevices"],
            "Resource": "arn:aws:iam::*:user/${aws:username}"},
        {"Effect": "Deny", "NotAction": listed, "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
    ]})
}

pub(crate) fn attachment(attached: &[&str]) -> Attachment {
    Attachment {
        attached: attached.iter().map(|it| (*it).to_owned()).collect(),
        quota: 10,
        policy: Some(Document::read("d", &document().to_string()).unwrap()),
    }
}

pub(crate) fn attach() -> AttachAction {
    AttachAction::AttachUserPolicy { user_name: "alice".into(), policy_arn: require_mfa() }
}

fn plan_with(attachment: &Attachment) -> Plan<AttachAction> {
    plan(&alice(), Some(attachment), Some(&require_mfa()), "register".to_owned())
}

fn reason(plan: &Plan<AttachAction>) -> String {
    match plan {
        Plan::Blocked { reason, steps } if steps == &[Step::call(Level::L2, attach())] => reason.clone(),
        other => panic!("expected a blocked call: {other:?}"),
    }
}

#[test]
fn only_the_arn_of_a_customer_managed_policy_is_valid() {
    for text in [
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::111122223333:policy/",
        "arn:aws:iam::111122223333:policy/path/",
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:iam::1111:policy/x",
        "require-mfa",
        "",
    ] {
        assert!(PolicyArn::try_from(text.to_owned()).unwrap_err().starts_with("expected the ARN of a"), "{text}");
    }
    assert_eq!(PolicyArn::try_from(format!(" {ARN} ")), Ok(require_mfa()));
    assert_eq!(check(None, true).unwrap_err(), "mfaPolicyOptIn `true` requires mfaPolicyArn");
    assert_eq!((check(None, false), check(Some(&require_mfa()), true)), (Ok(()), Ok(())));
}

#[test]
fn the_step_is_manual_without_an_opt_in_and_once_attached() {
    let by_hand = Plan::Apply { steps: vec![Step::manual(Level::L0, "register")] };
    assert_eq!(plan(&alice(), Some(&attachment(&[])), None, "register".to_owned()), by_hand);
    let case = "mfa-enabled-for-iam-console-access/8";
    assert_eq!(plan_with(&attachment(&[ARN])), by_hand, "{case}");
    assert_eq!(plan_with(&attachment(&[])), Plan::Apply { steps: vec![Step::call(Level::L2, attach())] }, "{case}");
}

#[test]
fn a_failed_precondition_blocks_the_call_and_is_named() {
    let nine = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    assert!(matches!(plan_with(&attachment(&nine)), Plan::Apply { .. }));
    let full = Attachment { quota: 9, ..attachment(&nine) };
    assert_eq!(reason(&plan_with(&full)), "user alice has 9 of 9 policies attached");
    let gone = Attachment { policy: None, ..attachment(&[]) };
    assert_eq!(reason(&plan_with(&gone)), format!("policy {ARN} does not exist"));
    let unread = plan(&alice(), None, Some(&require_mfa()), "register".to_owned());
    assert_eq!(reason(&unread), "the user's policies were not read");
    let mut elsewhere = alice();
    elsewhere.account = rectify_compliance::AccountId::new("444455556666");
    let foreign = plan(&elsewhere, Some(&attachment(&[])), Some(&require_mfa()), "register".to_owned());
    assert_eq!(reason(&foreign), format!("policy {ARN} is not in account 444455556666"));
}

#[test]
fn a_policy_that_locks_users_out_or_denies_nothing_is_not_attached() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut document = document();
        change(&mut document["Statement"]);
        let policy = Some(Document::read("d", &document.to_string()).unwrap());
        reason(&plan_with(&Attachment { policy, ..attachment(&[]) }))
    };
    let blocks = format!("policy {ARN} does not let a user without MFA call ");
    let harmless = format!("policy {ARN} does not deny iam:CreateAccessKey without MFA");
    let enable = format!("{blocks}iam:EnableMFADevice, iam:ListMFADevices");
    let all = format!("{blocks}iam:CreateVirtualMFADevice, iam:EnableMFADevice, iam:ListMFADevices");
    for (case, reason, expected) in [
        ("allowed for another user", with(&|it| it[1]["Resource"] = json!("arn:aws:iam::*:user/bob")), enable.clone()),
        (
            "allowed on a condition",
            with(&|it| it[1]["Condition"] = json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
            enable,
        ),
        (
            "creating devices not allowed",
            with(&|it| it[0]["Action"] = json!("iam:GetUser")),
            format!("{blocks}iam:CreateVirtualMFADevice"),
        ),
        ("everything denied", with(&|it| it[2]["NotAction"] = json!([])), all),
        (
            "denied even with MFA",
            with(&|it| it[2]["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
            harmless.clone(),
        ),
        ("denies nothing", with(&|it| it[2]["Effect"] = json!("Allow")), harmless),
    ] {
        assert_eq!(reason, expected, "{case}");
    }
}

#[test]
fn calls_serialize_in_the_spelling_of_the_api() {
    let input = json!({"UserName": "alice", "PolicyArn": ARN});
    assert_eq!(serde_json::to_value(attach()).unwrap(), json!({"AttachUserPolicy": input}));
    let undo = undo(Some(&attachment(&[])), &[attach()]).unwrap();
    assert_eq!(serde_json::to_value(undo).unwrap(), json!([{"DetachUserPolicy": input}]));
}

#[test]
fn an_attempt_is_in_place_while_its_policy_is_attached() {
    assert!(is_in_place(Some(&attachment(&["x", ARN])), &[attach()]));
    assert!(!is_in_place(Some(&attachment(&["x"])), &[attach()]));
    assert!(!is_in_place(None, &[attach()]) && !is_in_place(Some(&attachment(&[ARN])), &[]));
}

proptest! {
    #[test]
    fn attaching_adds_only_the_policy_and_undo_removes_only_it(
        others in prop::collection::btree_set("[a-z]{1,6}", 0..=12), already in any::<bool>(), quota in 8_u32..=12,
    ) {
        let mut attached = others;
        if already {
            attached.insert(ARN.to_owned());
        }
        let before = Attachment { attached, quota, ..attachment(&[]) };
        let planned = plan_with(&before);
        prop_assert_eq!(planned.calls().is_empty(), already);
        prop_assert_eq!(
            matches!(planned, Plan::Blocked { .. }), !already && before.attached.len() >= usize::try_from(quota).unwrap()
        );
        let mut live = Some(before.clone());
        let mut done = Vec::new();
        for action in planned.calls() {
            predict(&alice(), &mut live, action);
            done.push(action.clone());
        }
        let after = live.clone().unwrap();
        let more: Vec<&String> = after.attached.difference(&before.attached).collect();
        prop_assert_eq!(more.len(), done.len());
        prop_assert!(more.iter().all(|it| *it == ARN) && before.attached.is_subset(&after.attached));
        prop_assert!(plan_with(&after).calls().is_empty());
        for DetachAction::DetachUserPolicy { policy_arn, .. } in undo(Some(&before), &done).unwrap() {
            live.as_mut().unwrap().attached.remove(policy_arn.as_str());
        }
        prop_assert_eq!(live, Some(before));
    }
}
