//! The laws of the remediation, over generated accounts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_compliance::StoredImage;

use super::tests::{account, classic, observed};
use super::*;

fn trails() -> impl Strategy<Value = ObservedTrail> {
    let owner = prop::sample::select(vec!["111122223333", "111122223333", "111122223333", "444455556666"]);
    let half = prop::sample::select(vec!["All", "ReadOnly", "WriteOnly"]);
    let excluded = prop::sample::select(vec![vec![], vec![], vec!["kms.amazonaws.com"]]);
    let region = prop::sample::select(vec!["us-east-1", "eu-west-1"]);
    ("[a-z]{3,6}", owner, region, any::<bool>(), any::<bool>(), half, excluded).prop_map(
        |(name, owner, region, multi, logging, half, excluded)| {
            observed(&name, owner, region, multi, logging, &classic(half, &excluded))
        },
    )
}

fn accounts() -> impl Strategy<Value = AccountTrails> {
    prop::collection::vec(trails(), 0..3).prop_map(|trails| {
        let by_arn: std::collections::BTreeMap<String, ObservedTrail> =
            trails.into_iter().map(|it| (it.trail.arn.clone(), it)).collect();
        account(by_arn.into_values().collect())
    })
}

fn parameters() -> impl Strategy<Value = MultiRegionCloudtrailEnabledParameters> {
    let half = prop::sample::select(vec![None, Some(ReadWriteType::All), Some(ReadWriteType::ReadOnly)]);
    (half, any::<bool>()).prop_map(|(half, logging)| MultiRegionCloudtrailEnabledParameters {
        read_write_type: half.map(WantedEvents),
        require_logging: Flag(logging),
        ..MultiRegionCloudtrailEnabledParameters::default()
    })
}

fn judge(subject: &AccountTrails, params: &MultiRegionCloudtrailEnabledParameters) -> Verdict {
    MultiRegionCloudtrailEnabled.evaluate(subject, params, Timestamp::UNIX_EPOCH)
}

fn plan(subject: &AccountTrails, params: &MultiRegionCloudtrailEnabledParameters) -> Plan<Action> {
    MultiRegionCloudtrailEnabled.plan(subject, params, Timestamp::UNIX_EPOCH)
}

#[test]
fn generated_accounts_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let params = MultiRegionCloudtrailEnabledParameters::default();
    let sample: Vec<AccountTrails> = (0..600).map(|_| accounts().new_tree(&mut runner).unwrap().current()).collect();
    let share = |kind: &dyn Fn(&AccountTrails) -> bool| sample.iter().filter(|it| kind(it)).count();
    let fixed = share(&|it| matches!(plan(it, &params), Plan::Do { .. }) && !plan(it, &params).calls().is_empty());
    let held = share(&|it| matches!(plan(it, &params), Plan::Hold { .. }));
    let compliant = share(&|it| judge(it, &params).is_compliant());
    assert!(fixed >= 60 && held >= 30 && compliant >= 60, "{fixed} fixed, {held} held, {compliant} compliant of 600");
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in accounts(), params in parameters()) {
        prop_assert_eq!(plan(&subject, &params) != Plan::Nothing, judge(&subject, &params).is_non_compliant());
    }

    #[test]
    fn the_fix_makes_an_account_compliant_weakens_nothing_and_undo_restores_it(
        subject in accounts(),
        params in parameters(),
    ) {
        let planned = plan(&subject, &params);
        let actions: Vec<Action> = planned.calls().into_iter().cloned().collect();
        let mut live = subject.clone();
        for action in &actions {
            live = MultiRegionCloudtrailEnabled.expect(live, action);
        }
        if matches!(planned, Plan::Do { .. }) && !actions.is_empty() {
            prop_assert!(judge(&live, &params).is_compliant());
            prop_assert_eq!(plan(&live, &params), Plan::Nothing);
        }
        for (before, after) in subject.trails.iter().zip(&live.trails) {
            let was = before.selectors.as_ref().unwrap().management_events();
            let is = after.selectors.as_ref().unwrap().management_events();
            for wanted in [Events::AnyHalf, Events::Reads, Events::Writes, Events::All] {
                prop_assert!(was.shortcoming(wanted).is_some() || is.shortcoming(wanted).is_none());
            }
            prop_assert!(!before.status.as_ref().unwrap().is_logging || after.status.as_ref().unwrap().is_logging);
            prop_assert_eq!(&before.trail.settings.s3_bucket_name, &after.trail.settings.s3_bucket_name);
        }
        let done = actions.to_vec();
        for undo in MultiRegionCloudtrailEnabled.undo(&subject, &done).unwrap() {
            // The same calls, one with a word of its own.
            let back = match undo {
                Undo::StopLogging { name } => {
                    for it in live.trails.iter_mut().filter(|it| it.trail.arn == name) {
                        it.status.as_mut().unwrap().is_logging = false;
                    }
                    continue;
                }
                Undo::UpdateTrail { name, is_multi_region_trail, include_global_service_events } => {
                    Action::UpdateTrail { name, is_multi_region_trail, include_global_service_events }
                }
                Undo::PutEventSelectors { trail_name, selectors } => Action::PutEventSelectors { trail_name, selectors },
            };
            live = MultiRegionCloudtrailEnabled.expect(live, &back);
        }
        prop_assert_eq!(MultiRegionCloudtrailEnabled.footprint(&live, &actions), MultiRegionCloudtrailEnabled.footprint(&subject, &actions));
        prop_assert_eq!(live, subject);
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored(subject in accounts(), params in parameters()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<AccountTrails>(), Ok(subject.clone()));
        for action in plan(&subject, &params).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&text).unwrap(), action);
        }
    }
}
