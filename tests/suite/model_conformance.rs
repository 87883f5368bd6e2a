//! Models conform to the emulator: each call of a plan changes a resource as `predict` says, and undo restores it.
//!
//! Each control reads, applies and reverts through its own client. A call that moto lacks runs against replayed answers
//! of the service, and the test says so.

mod cloudtrail;
mod config;
mod dynamodb;
mod ec2;
mod ec2_groups;
mod elb;
mod flow_logs;
mod iam;
mod instances;
mod kms;
mod logs;
mod messaging;
mod network;
mod policies;
mod rds;
mod s3;
mod s3_lifecycle;
mod snapshots;
mod ssm;
mod tags;

use aws_types::SdkConfig;
use rectify_compliance::{AccountId, Declared, Region, Remediation, ResourceKey, StoredState, Target, Timestamp};
use rectify_runtime::client::{Connect, Fix};
use rectify_tests::emulator::ACCOUNT;

/// A region of the emulator that no other test uses: the EBS defaults of a region are shared.
pub(super) const SEPARATE: &str = "ap-southeast-2";

pub(super) fn target<K: Remediation>(control: &'static Declared<K>, region: &str, id: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(region),
        resource: ResourceKey::new(control.meta.resource_types[0], id),
        name: None,
        arn: None,
    }
}

async fn live<K, C>(control: &'static Declared<K>, clients: &C, target: &Target, params: &K::Params) -> K::Subject
where
    K: Fix<C>,
    C: Connect,
{
    let live = control.logic.live(clients, target, params).await.unwrap().expect("the resource exists");
    // The gates read the subject from its stored form only.
    assert_eq!(StoredState::of(&live).unwrap().read(), Ok(live.clone()));
    live
}

/// Applies the plan for a resource and undoes it, compares every step with the model, and returns the calls.
pub(super) async fn assert_model_conforms<K, C>(
    control: &'static Declared<K>,
    sdk: &SdkConfig,
    target: &Target,
    params: &K::Params,
) -> Vec<String>
where
    K: Fix<C>,
    C: Connect,
{
    let now = Timestamp::now();
    let (actions, after) = apply_and_undo::<_, C>(control, sdk, target, params, now).await;
    assert!(!control.logic.evaluate(&after, params, now).is_non_compliant(), "{after:#?}");
    actions.iter().map(rectify_compliance::plan::call_text).collect()
}

/// The same for a plan made at `now` and without the verdict: returns the actions and the resulting subject.
pub(super) async fn apply_and_undo<K, C>(
    control: &'static Declared<K>,
    sdk: &SdkConfig,
    target: &Target,
    params: &K::Params,
    now: Timestamp,
) -> (Vec<K::Action>, K::Subject)
where
    K: Fix<C>,
    C: Connect,
{
    let clients = C::connect(sdk);
    let before = live::<_, C>(control, &clients, target, params).await;
    let plan = control.logic.plan(&before, params, now);
    let actions: Vec<K::Action> = plan.calls().into_iter().cloned().collect();
    assert!(!actions.is_empty(), "nothing to do about {before:#?}");
    let (mut expected, mut answers) = (before.clone(), Vec::new());
    for action in &actions {
        let answer = control.logic.apply_with_response(&clients, target, action).await.unwrap();
        let model = control.logic.predict(expected.clone(), action);
        assert_ne!(model, expected, "{action:?} changes nothing");
        expected = model;
        assert_eq!(live::<_, C>(control, &clients, target, params).await, expected, "after {action:?}");
        // A retry after a lost answer: the same call succeeds again and changes nothing.
        let again = control.logic.apply_with_response(&clients, target, action).await.unwrap();
        assert_eq!(again, answer, "{action:?} again");
        assert_eq!(live::<_, C>(control, &clients, target, params).await, expected, "after {action:?} again");
        answers.push(answer);
    }
    for undo in control.logic.undo_with_responses(&before, &actions, &answers).unwrap() {
        control.logic.revert(&clients, target, &undo).await.unwrap();
        control.logic.revert(&clients, target, &undo).await.unwrap();
    }
    let restored = live::<_, C>(control, &clients, target, params).await;
    assert_eq!(control.logic.touched_fields(&restored, &actions), control.logic.touched_fields(&before, &actions));
    assert_ne!(
        control.logic.touched_fields(&expected, &actions),
        control.logic.touched_fields(&before, &actions),
        "the touched fields show the change"
    );
    (actions, expected)
}
