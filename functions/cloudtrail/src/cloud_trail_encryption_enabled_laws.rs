//! The laws of the remediation, over generated trails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use rectify_compliance::StoredImage;

use super::tests::{giving, judge, plan};
use super::*;
use crate::trail::arbitrary::{are_of_every_kind, trails};
use crate::trail_key::tests::{KEY, candidate, key};

fn answers() -> impl Strategy<Value = KeyAnswer> {
    let known = prop::sample::select(vec!["Enabled", "Enabled", "Disabled", "PendingDeletion"]);
    prop_oneof![6 => known.prop_map(|state| key(KEY, state)), 1 => Just(KeyAnswer::Denied), 1 => Just(KeyAnswer::Missing)]
}

/// What a live read shows: a key with what KMS says of it, or none with the one that would be given.
fn subjects() -> impl Strategy<Value = KeyedTrail> {
    (trails(), any::<bool>(), answers()).prop_map(|(mut trail, has_key, answer)| {
        trail.settings.kms_key_id = has_key.then(|| KEY.to_owned());
        let candidate = (!has_key).then(|| candidate(answer.clone()));
        KeyedTrail { trail, keys: Some(Keys { current: has_key.then_some(answer), allowed: vec![] }), candidate }
    })
}

fn parameters() -> impl Strategy<Value = TrailEncryptionParameters> {
    (any::<bool>(), any::<bool>()).prop_map(|(state, give)| {
        let params = if give { giving() } else { TrailEncryptionParameters::default() };
        TrailEncryptionParameters { check_key_state: Flag(state), ..params }
    })
}

#[test]
fn generated_trails_are_of_every_kind() {
    are_of_every_kind(subjects(), |it| plan(it, &giving()), |it| judge(it, &giving()));
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in subjects(), params in parameters()) {
        prop_assert_eq!(plan(&subject, &params) != Plan::Nothing, judge(&subject, &params).is_non_compliant());
    }

    #[test]
    fn the_fix_gives_a_key_to_who_has_none_and_leaves_all_else_and_undo_restores_it(
        subject in subjects(),
        params in parameters(),
    ) {
        let planned = plan(&subject, &params);
        let actions: Vec<Action> = planned.calls().into_iter().cloned().collect();
        prop_assert!(actions.is_empty() || subject.trail.settings.kms_key_id.is_none());
        let mut live = subject.clone();
        for action in &actions {
            live = CloudTrailEncryptionEnabled.expect(live, action);
        }
        if planned.obstacle(true).is_none() {
            prop_assert!(!judge(&live, &params).is_non_compliant());
            prop_assert_eq!(plan(&live, &params), Plan::Nothing);
        }
        let mut only_the_key = subject.trail.clone();
        only_the_key.settings.kms_key_id.clone_from(&live.trail.settings.kms_key_id);
        prop_assert_eq!(&live.trail, &only_the_key);

        let done = actions.to_vec();
        for undo in CloudTrailEncryptionEnabled.undo(&subject, &done).unwrap() {
            live = CloudTrailEncryptionEnabled.expect(live, &undo);
        }
        prop_assert_eq!(CloudTrailEncryptionEnabled.footprint(&live, &actions), CloudTrailEncryptionEnabled.footprint(&subject, &actions));
        prop_assert_eq!(live.trail, subject.trail);
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored(subject in subjects(), params in parameters()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<KeyedTrail>(), Ok(subject.clone()));
        for action in plan(&subject, &params).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&text).unwrap(), action);
        }
    }
}
