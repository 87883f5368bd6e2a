//! Trails: what of them is denied, by whom.

use rectify_cloudtrail::client::{Clients, TrailReader};
use rectify_cloudtrail::multi_region_cloudtrail_enabled::MultiRegionCloudtrailEnabled;
use rectify_cloudtrail::qualifying::{Requirement, Standing};
use rectify_cloudtrail::trail::Vantage;
use rectify_tests::replay::{Answer, Replay};

use super::*;

#[tokio::test]
async fn denied_read_of_status_or_selectors_of_a_trail_of_the_account_is_a_fault() {
    buckets().await;
    let trails = aws_sdk_cloudtrail::Client::new(&sdk_at(endpoint()));
    let create = trails.create_trail().name("everywhere").s3_bucket_name("trail-logs").is_multi_region_trail(true);
    create.send().await.unwrap();
    let free = Services::default();
    inventory::<ScheduleOnly<MultiRegionCloudtrailEnabled>, Clients>(&free, REGION).await.unwrap();
    for read in ["cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"] {
        assert!(free.calls().iter().any(|it| it == read), "{read}: {:?}", free.calls());
    }
    each_denied_read_is_a_fault::<ScheduleOnly<MultiRegionCloudtrailEnabled>, Clients>(REGION, "AccessDeniedException")
        .await;
}

/// `multi-region-cloudtrail-enabled/2`: what another account does not let us read is unknown; any other refusal is a fault.
#[tokio::test]
async fn what_is_denied_of_an_organization_trail_is_unknown_and_any_other_refusal_is_a_fault() {
    let arn = "arn:aws:cloudtrail:eu-west-1:444455556666:trail/org";
    let shown = || {
        Answer::ok(&json!({"trailList": [{"Name": "org", "TrailARN": arn, "HomeRegion": "eu-west-1",
            "IsMultiRegionTrail": true, "IsOrganizationTrail": true, "LogFileValidationEnabled": true}]}))
    };
    let here = Vantage { account: AccountId::new(ACCOUNT), region: Region::new(REGION) };
    let denied = || Answer::refused("AccessDeniedException");
    let replay = Replay::of([shown(), denied(), Answer::refused("TrailNotFoundException")]);
    let trails = TrailReader::connect(&replay.sdk(REGION)).observe(&here).await.unwrap();
    let [trail] = trails.as_slice() else { panic!("{trails:?}") };
    assert_eq!((trail.trail.arn.as_str(), &trail.status, &trail.selectors), (arn, &None, &None));
    assert_eq!(trail.standing(Requirement::EVERYTHING), Standing::Unverified);

    let replay = Replay::of([shown(), denied(), Answer::refused("OperationNotPermittedException")]);
    let error = TrailReader::connect(&replay.sdk(REGION)).observe(&here).await.unwrap_err();
    assert!(error.is("OperationNotPermittedException"), "{error}");
}
