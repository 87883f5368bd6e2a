//! Trails for property tests, most of them local.

use proptest::prelude::*;

use super::*;

fn settings() -> impl Strategy<Value = Settings> {
    let text = || prop::option::of("[a-z]{1,8}");
    let flag = || prop::option::of(any::<bool>());
    (text(), text(), text(), text(), text(), text(), flag(), flag(), flag(), flag()).prop_map(|it| Settings {
        s3_bucket_name: it.0,
        s3_key_prefix: it.1,
        sns_topic_arn: it.2,
        kms_key_id: it.3,
        cloud_watch_logs_log_group_arn: it.4,
        cloud_watch_logs_role_arn: it.5,
        include_global_service_events: it.6,
        is_multi_region_trail: it.7,
        is_organization_trail: it.8,
        recursive_logging: it.9,
        has_custom_event_selectors: it.6,
        has_insight_selectors: it.7,
    })
}

/// Trails as account 111122223333 sees them in eu-west-1.
pub(crate) fn trails() -> impl Strategy<Value = Trail> {
    let region = || prop::sample::select(vec!["eu-west-1", "eu-west-1", "eu-west-1", "us-east-1"]);
    let account = || prop::sample::select(vec!["111122223333", "111122223333", "111122223333", "444455556666"]);
    let tags = prop::collection::btree_map("[a-z]{1,4}", "[a-z]{0,4}", 0..3);
    (region(), account(), "[a-z]{3,8}", any::<bool>(), settings(), tags).prop_map(
        |(region, account, name, log_file_validation, settings, tags)| Trail {
            arn: Region::new(region).partition().arn("cloudtrail", region, account, &format!("trail/{name}")),
            name,
            owner: AccountId::new(account),
            home_region: Region::new(region),
            seen_from: ObservedFrom { account: AccountId::new("111122223333"), region: Region::new("eu-west-1") },
            log_file_validation,
            settings,
            tags,
        },
    )
}
