//! Tests of both controls: the laws of the remediation, and the stored form of a user.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rectify_compliance::StoredState;
use rectify_testing::Laws;
use serde_json::json;

use super::*;
use crate::controls::iam_user_mfa_enabled::Devices;
use crate::families::mfa_policy::tests::attachment;

/// Parameters with an opt-in, and the step that attaches the policy.
pub(crate) const OPTED_IN: &str = r#"{"mfaPolicyOptIn":"true",
    "mfaPolicyArn":"arn:aws:iam::111122223333:policy/security/require-mfa"}"#;
pub(crate) const ATTACH: &str = "L2 AttachUserPolicy \
     {\"PolicyArn\":\"arn:aws:iam::111122223333:policy/security/require-mfa\",\"UserName\":\"alice\"}";

/// The laws of `control` over users, some of which have reached their policy quota. A finding ends when the user
/// registers a device, as `registered` models; until then an attempt is pending.
pub(crate) fn hold<S: Stored, P: Parameters>(
    control: &MfaControl<S, P>,
    now: Timestamp,
    users: impl Strategy<Value = (MfaUser<S>, P)>,
    registered: fn(MfaUser<S>) -> MfaUser<S>,
) {
    let attached = |count| prop::collection::btree_set("[a-z]{4}", count);
    let attached = prop_oneof![attached(0..=9), attached(10..=11)];
    let users = (users, attached).prop_map(|((user, params), attached)| {
        (MfaUser { attachment: Some(Attachment { attached, ..attachment(&[]) }), ..user }, params)
    });
    Laws::of(control, &["/attachment/attached"], |_, mut it, call| {
        let DetachAction::DetachUserPolicy { user_name, policy_arn } = call;
        assert_eq!(*user_name, it.user.name);
        it.attachment.as_mut().unwrap().attached.remove(policy_arn.as_str());
        it
    })
    .at(now)
    .then(registered)
    .restores_full_state()
    .meeting(&[("blocked", |plan| matches!(plan, Plan::Blocked { .. }))])
    .hold(&users);
    let is_pending = |(user, params): (MfaUser<S>, P)| {
        let done: Vec<AttachAction> = control.plan(&user, &params, now).calls().into_iter().cloned().collect();
        prop_assert!(!control.is_in_progress(&user, &done));
        let after = done.iter().fold(user, |user, action| control.predict(user, action));
        prop_assert_eq!(control.is_in_progress(&after, &done), !done.is_empty());
        Ok(())
    };
    TestRunner::deterministic().run(&users, is_pending).unwrap();
}

#[test]
fn a_stored_user_round_trips_and_unknown_fields_are_rejected() {
    let user = json!({"account": "111122223333", "id": "AIDAEXAMPLEALICE00001", "name": "alice", "tags": {},
        "arn": "arn:aws:iam::111122223333:user/alice", "created": "2026-03-04T03:00:00Z"});
    let mut subject = json!({"user": user, "mfaDevices": ["m"], "credentials": null, "attachment": null});
    let stored = StoredState { version: 1, subject: subject.clone() };
    let read: MfaUser<Devices> = stored.read().unwrap();
    assert_eq!(StoredState::of(&read), Ok(stored));
    subject["console"] = json!("noPassword");
    let error = StoredState { version: 1, subject }.read::<MfaUser<Devices>>().unwrap_err().to_string();
    assert!(error.contains("unknown field `console`"), "{error}");
}
