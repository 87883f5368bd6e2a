//! The laws of the remediation, over generated trails.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use rectify_compliance::StoredImage;

use super::tests::{giving, judge, now, plan};
use super::*;
use crate::trail::arbitrary::{are_of_every_kind, trails};
use crate::trail_delivery::Destination;
use crate::trail_delivery::tests::{GROUP, ROLE, destination};

fn deliveries() -> impl Strategy<Value = Delivery> {
    let hours = prop::option::of(0i64..48);
    let error = prop::option::of(Just("AccessDenied".to_owned()));
    (hours, error).prop_map(|(hours, latest_error)| Delivery {
        latest_at: hours.map(|it| Timestamp::from_second(now().as_second() - it * 3600).unwrap()),
        latest_error,
    })
}

/// What a live read shows: a group with its deliveries, or none with the one that would be given.
fn subjects() -> impl Strategy<Value = DeliveringTrail> {
    (trails(), any::<bool>(), deliveries(), any::<bool>()).prop_map(|(mut trail, delivers, delivery, there)| {
        trail.settings.cloud_watch_logs_log_group_arn = delivers.then(|| GROUP.to_owned());
        trail.settings.cloud_watch_logs_role_arn = delivers.then(|| ROLE.to_owned());
        let found = Destination { log_group_exists: there, ..destination() };
        DeliveringTrail {
            trail,
            delivery: Some(if delivers { delivery } else { Delivery::default() }),
            destination: (!delivers).then_some(found),
        }
    })
}

fn parameters() -> impl Strategy<Value = TrailLogsParameters> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(window, errors, give)| TrailLogsParameters {
        expected_delivery_window_age: window.then(|| Bounded::of(24)),
        check_delivery_error: Flag(errors),
        ..if give { giving() } else { TrailLogsParameters::default() }
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
    fn the_fix_gives_a_group_to_who_has_none_and_leaves_all_else_and_undo_restores_it(
        subject in subjects(),
        params in parameters(),
    ) {
        let planned = plan(&subject, &params);
        let actions: Vec<Action> = planned.calls().into_iter().cloned().collect();
        prop_assert!(actions.is_empty() || subject.trail.settings.cloud_watch_logs_log_group_arn.is_none());
        let mut live = subject.clone();
        for action in &actions {
            live = CloudTrailCloudWatchLogsEnabled.expect(live, action);
        }
        if planned.obstacle(true).is_none() {
            // With a window the first delivery is waited for; whatever else is asked for is so at once.
            prop_assert!(!judge(&live, &params).is_non_compliant() || CloudTrailCloudWatchLogsEnabled.is_settling(&live, &actions));
            prop_assert!(plan(&live, &params).calls().is_empty());
        }
        let mut only_the_two = subject.trail.clone();
        only_the_two.settings.cloud_watch_logs_log_group_arn = live.trail.settings.cloud_watch_logs_log_group_arn.clone();
        only_the_two.settings.cloud_watch_logs_role_arn = live.trail.settings.cloud_watch_logs_role_arn.clone();
        prop_assert_eq!(&live.trail, &only_the_two);

        let done = actions.to_vec();
        for undo in CloudTrailCloudWatchLogsEnabled.undo(&subject, &done).unwrap() {
            live = CloudTrailCloudWatchLogsEnabled.expect(live, &undo);
        }
        prop_assert_eq!(CloudTrailCloudWatchLogsEnabled.footprint(&live, &actions), CloudTrailCloudWatchLogsEnabled.footprint(&subject, &actions));
        prop_assert_eq!(live.trail, subject.trail);
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored(subject in subjects(), params in parameters()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<DeliveringTrail>(), Ok(subject.clone()));
        for action in plan(&subject, &params).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&text).unwrap(), action);
        }
    }
}
