//! Trails: reads denied by this account and by others.

use rectify_cloudtrail::controls::cloud_trail_cloud_watch_logs_enabled::{
    CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED, CloudTrailCloudWatchLogsEnabled, TrailLogsParameters,
};
use rectify_cloudtrail::controls::cloud_trail_encryption_enabled::{
    CLOUD_TRAIL_ENCRYPTION_ENABLED, CloudTrailEncryptionEnabled, TrailEncryptionParameters,
};
use rectify_cloudtrail::controls::multi_region_cloudtrail_enabled::MULTI_REGION_CLOUDTRAIL_ENABLED;
use rectify_cloudtrail::resources::qualifying::{Qualification, Requirement};
use rectify_cloudtrail::resources::trail::{ObservedFrom, RecordedTrail};
use rectify_cloudtrail::resources::trail_delivery::Delivery;
use rectify_cloudtrail::resources::trail_key::{KeyAnswer, Keys};
use rectify_cloudtrail_lambda::{Clients, TrailReader};
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{ConfigurationItem, Plan, Resource, ResourceKey, Target, Timestamp};
use rectify_runtime::CallErrorKind;
use rectify_runtime::client::ReadFacts;
use rectify_tests::replay::{Answer, Replay};

use super::*;

#[tokio::test]
async fn denied_read_of_status_or_selectors_of_a_local_trail_is_an_error() {
    buckets().await;
    let trails = aws_sdk_cloudtrail::Client::new(&sdk_at(endpoint()));
    let create = trails.create_trail().name("everywhere").s3_bucket_name("trail-logs").is_multi_region_trail(true);
    create.send().await.unwrap();
    let free = Services::default();
    run_scheduled(&on_schedule::<_, Clients>(&MULTI_REGION_CLOUDTRAIL_ENABLED), &free, REGION).await.unwrap();
    for read in ["cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"] {
        assert!(free.calls().iter().any(|it| it == read), "{read}: {:?}", free.calls());
    }
    each_denied_read_is_reported(
        &on_schedule::<_, Clients>(&MULTI_REGION_CLOUDTRAIL_ENABLED),
        REGION,
        "AccessDeniedException",
    )
    .await;
}

/// `multi-region-cloudtrail-enabled/2`: a trail that another account denies is unverified; any other refusal is an
/// error.
#[tokio::test]
async fn denied_organization_trail_is_unverified_and_other_refusals_are_errors() {
    let arn = "arn:aws:cloudtrail:eu-west-1:444455556666:trail/org";
    let shown = || {
        Answer::ok(&json!({"trailList": [{"Name": "org", "TrailARN": arn, "HomeRegion": "eu-west-1",
            "IsMultiRegionTrail": true, "IsOrganizationTrail": true, "LogFileValidationEnabled": true}]}))
    };
    let here = ObservedFrom { account: AccountId::new(ACCOUNT), region: Region::new(REGION) };
    let denied = || Answer::refused("AccessDeniedException");
    let replay = Replay::of([shown(), denied(), Answer::refused("TrailNotFoundException")]);
    let trails = TrailReader::connect(&replay.sdk(REGION)).observe(&here).await.unwrap();
    let [trail] = trails.as_slice() else { panic!("{trails:?}") };
    assert_eq!((trail.trail.arn.as_str(), &trail.status, &trail.selectors), (arn, &None, &None));
    assert_eq!(trail.qualification(Requirement::EVERYTHING), Qualification::Unverified);

    let replay = Replay::of([shown(), denied(), Answer::refused("OperationNotPermittedException")]);
    let error = TrailReader::connect(&replay.sdk(REGION)).observe(&here).await.unwrap_err();
    assert!(error.is("OperationNotPermittedException"), "{error}");
}

/// A region in which no other test has trails.
const QUIET: &str = "ca-central-1";

#[tokio::test]
async fn denied_read_of_trails_or_of_a_local_key_is_an_error() {
    buckets().await;
    let sdk = sdk_at(endpoint()).to_builder().region(aws_types::region::Region::new(QUIET)).build();
    let key = aws_sdk_kms::Client::new(&sdk).create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap();
    let create = aws_sdk_cloudtrail::Client::new(&sdk).create_trail().name("quiet").s3_bucket_name("trail-logs");
    create.kms_key_id(key).send().await.unwrap();
    let free = Services::default();
    run_scheduled(&on_change_and_schedule::<_, Clients>(&CLOUD_TRAIL_ENCRYPTION_ENABLED), &free, QUIET).await.unwrap();
    assert_eq!(free.calls(), ["cloudtrail:DescribeTrails", "kms:DescribeKey"]);
    each_denied_read_is_reported(
        &on_change_and_schedule::<_, Clients>(&CLOUD_TRAIL_ENCRYPTION_ENABLED),
        QUIET,
        "AccessDeniedException",
    )
    .await;
}

fn main_trail() -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::new("AWS::CloudTrail::Trail", "main"),
        name: None,
        arn: None,
    }
}

fn recorded(key: &str) -> RecordedTrail {
    recorded_with(json!({ "kmsKeyId": key }))
}

/// A trail of this account with these settings.
fn recorded_with(mut settings: Value) -> RecordedTrail {
    settings["trailARN"] = json!(format!("arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main"));
    settings["logFileValidationEnabled"] = json!(true);
    let item = ConfigurationItem::from_notification(&json!({
        "awsAccountId": ACCOUNT, "awsRegion": REGION, "resourceType": "AWS::CloudTrail::Trail", "resourceId": "main",
        "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
        "configuration": settings
    }));
    RecordedTrail::from_item(&item.unwrap()).unwrap()
}

fn parameters(text: &str) -> TrailEncryptionParameters {
    RuleParameters::parse(Some(text)).unwrap().control
}

/// `cloud-trail-encryption-enabled/5`, `cloud-trail-encryption-enabled/6`
#[tokio::test]
async fn key_denied_by_another_account_is_a_fact_and_by_this_account_an_error() {
    let read = async |key: &str, params: &str, answers: Vec<Answer>| {
        let replay = Replay::of(answers);
        let clients = Clients::connect(&replay.sdk(REGION));
        let (target, params) = (main_trail(), parameters(params));
        let facts = CloudTrailEncryptionEnabled.facts(&clients, &target, &recorded(key), &params).await;
        (facts.map(|it| it.unwrap().unwrap().keys), replay.requests().len())
    };
    let local = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/1");
    let foreign = "arn:aws:kms:eu-west-1:444455556666:key/1";
    let refused = || vec![Answer::refused("AccessDeniedException")];
    let keys = |current, allowed: &[&str]| {
        Ok(Some(Keys { current: Some(current), allowed: allowed.iter().map(|it| (*it).to_owned()).collect() }))
    };
    assert_eq!(read(foreign, "{}", refused()).await, (keys(KeyAnswer::Denied, &[]), 1));
    let error = read(&local, "{}", refused()).await.0.unwrap_err();
    assert_eq!(error.kind(), Some(CallErrorKind::AccessDenied), "{error}");
    let error = read(foreign, "{}", vec![Answer::refused("KMSInvalidStateException")]).await.0.unwrap_err();
    assert!(error.is("KMSInvalidStateException"), "{error}");
    let gone = || Answer::refused("NotFoundException");
    assert_eq!(read(&local, "{}", vec![gone()]).await, (keys(KeyAnswer::Missing, &[]), 1));
    assert_eq!(read(&local, r#"{"checkKeyState": false}"#, vec![]).await, (Ok(None), 0));
    assert_eq!(read("", "{}", vec![]).await, (Ok(None), 0));

    let metadata =
        json!({"KeyMetadata": {"KeyId": "1", "Arn": local, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT"}});
    let by_alias = r#"{"kmsKeyArns": "alias/trails"}"#;
    let (found, calls) = read(&local, by_alias, vec![Answer::ok(&metadata), Answer::ok(&metadata)]).await;
    assert_eq!((found.unwrap().unwrap().allowed, calls), (vec![local.clone()], 2));
    let by_arn = json!({"kmsKeyArns": foreign}).to_string();
    let (found, calls) = read(&local, &by_arn, vec![Answer::ok(&metadata)]).await;
    assert_eq!((found.unwrap().unwrap().allowed, calls), (vec![foreign.to_owned()], 1));
    let error = read(&local, by_alias, vec![Answer::ok(&metadata), gone()]).await.0.unwrap_err();
    assert!(error.to_string().contains("ruleParameters.kmsKeyArns"), "{error}");
}

/// The policy of a candidate key in this account is read, and a denial is an error; that of another account is not
/// read.
#[tokio::test]
async fn policy_of_the_candidate_key_is_read_in_this_account_only() {
    let live = async |key: &str, answers: Vec<Answer>| {
        let arn = format!("arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main");
        let trail = json!({"Name": "main", "TrailARN": arn, "HomeRegion": REGION, "LogFileValidationEnabled": true});
        let metadata = json!({"KeyId": "1", "Arn": key, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT"});
        let read = [json!({"Trail": trail}), json!({"ResourceTagList": []}), json!({"KeyMetadata": metadata})];
        let replay = Replay::of(read.iter().map(Answer::ok).chain(answers));
        let clients = Clients::connect(&replay.sdk(REGION));
        let params = parameters(&json!({"remediationKeyArn": key}).to_string());
        let subject = CloudTrailEncryptionEnabled.live(&clients, &main_trail(), &params).await;
        let called: Vec<String> = replay.requests().into_iter().map(|(operation, _)| operation).collect();
        let allowed: Vec<&str> = entry(&CLOUD_TRAIL_ENCRYPTION_ENABLED.meta)
            .remediation_permissions()
            .iter()
            .filter_map(|it| it.action.split_once(':'))
            .map(|(_, name)| name)
            .collect();
        assert!(called.iter().all(|it| allowed.iter().any(|name| it.ends_with(name))), "{called:?}");
        (subject.map(|it| it.unwrap().candidate.unwrap().refused), called.len())
    };
    let local = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/1");
    let service = json!({"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "kms:DescribeKey", "Resource": "*"});
    let policy = json!({"Policy": json!({"Statement": [service]}).to_string()});
    let missing = Some(vec!["kms:GenerateDataKey".to_owned()]);
    assert_eq!(live(&local, vec![Answer::ok(&policy)]).await, (Ok(missing), 4));
    assert_eq!(live("arn:aws:kms:us-east-1:444455556666:key/1", vec![]).await, (Ok(None), 3));
    let error = live(&local, vec![Answer::refused("AccessDeniedException")]).await.0.unwrap_err();
    assert_eq!(error.kind(), Some(CallErrorKind::AccessDenied), "{error}");
    let error = live(&local, vec![Answer::ok(&json!({"Policy": "no policy"}))]).await.0.unwrap_err();
    assert!(error.to_string().starts_with("Policy: expected a policy document"), "{error}");
}

#[tokio::test]
async fn denied_read_of_trails_is_an_error_of_the_log_group_rule() {
    each_denied_read_is_reported(
        &on_change_and_schedule::<_, Clients>(&CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED),
        "eu-west-1",
        "AccessDeniedException",
    )
    .await;
}

/// The delivery status is read only if a parameter requires it, and a denial is an error.
#[tokio::test]
async fn trail_status_is_read_only_if_deliveries_are_checked() {
    let read = async |group: &str, params: &str, answers: Vec<Answer>| {
        let replay = Replay::of(answers);
        let clients = Clients::connect(&replay.sdk(REGION));
        let params: TrailLogsParameters = RuleParameters::parse(Some(params)).unwrap().control;
        let recorded = recorded_with(json!({"cloudWatchLogsLogGroupArn": group}));
        let facts = CloudTrailCloudWatchLogsEnabled.facts(&clients, &main_trail(), &recorded, &params).await;
        (facts.map(|it| it.map(|it| it.unwrap().delivery)), replay.requests().len())
    };
    let day = r#"{"expectedDeliveryWindowAge": "24"}"#;
    let status = json!({"IsLogging": true, "LatestCloudWatchLogsDeliveryTime": 1_772_593_200.5,
        "LatestCloudWatchLogsDeliveryError": ""});
    let latest_at = Some("2026-03-04T03:00:00Z".parse().unwrap());
    let delivery = Some(Delivery { latest_at, latest_error: None });
    assert_eq!(read("group", day, vec![Answer::ok(&status)]).await, (Ok(Some(delivery)), 1));
    let failing = json!({"IsLogging": true, "LatestCloudWatchLogsDeliveryError": "AccessDenied"});
    let delivery = Some(Delivery { latest_at: None, latest_error: Some("AccessDenied".to_owned()) });
    let check = r#"{"checkDeliveryError": true}"#;
    assert_eq!(read("group", check, vec![Answer::ok(&failing)]).await, (Ok(Some(delivery)), 1));
    assert_eq!(read("group", "{}", vec![]).await, (Ok(Some(None)), 0));
    assert_eq!(read("", day, vec![]).await, (Ok(Some(None)), 0));
    assert_eq!(read("group", day, vec![Answer::refused("TrailNotFoundException")]).await, (Ok(None), 1));
    let error = read("group", day, vec![Answer::refused("AccessDeniedException")]).await.0.unwrap_err();
    assert_eq!(error.kind(), Some(CallErrorKind::AccessDenied), "{error}");
}

/// Each read of the candidate log group and role is denied in turn: for the trail or the group that is an error, for
/// the role a plan for an operator.
#[tokio::test]
async fn denied_read_of_a_log_group_is_an_error_and_of_a_role_blocks_the_plan() {
    buckets().await;
    let sdk = sdk_at(endpoint()).to_builder().region(aws_types::region::Region::new(QUIET)).build();
    let trails = aws_sdk_cloudtrail::Client::new(&sdk);
    trails.create_trail().name("unwatched").s3_bucket_name("trail-logs").send().await.unwrap();
    let trust = r#"{"Version": "2012-10-17", "Statement": []}"#;
    let create = aws_sdk_iam::Client::new(&sdk).create_role().role_name("unwatched");
    let role = create.assume_role_policy_document(trust).send().await.unwrap().role.unwrap().arn;
    let group = format!("arn:aws:logs:{QUIET}:{ACCOUNT}:log-group:unwatched");
    let text = json!({"logGroupArn": group, "logRoleArn": role, "expectedDeliveryWindowAge": "24"}).to_string();
    let params = RuleParameters::parse(Some(&text)).unwrap().control;
    let region = Region::new(QUIET);
    let target = Target { region, resource: ResourceKey::new("AWS::CloudTrail::Trail", "unwatched"), ..main_trail() };
    let live = async |services: &Services| {
        let clients = Clients::connect(&services.sdk(QUIET));
        CloudTrailCloudWatchLogsEnabled.live(&clients, &target, &params).await
    };
    let free = Services::default();
    let read = live(&free).await.unwrap().unwrap().destination.unwrap();
    assert!(!read.log_group_exists && !read.role_rights.unwrap().trusts_cloudtrail);
    assert_permitted(&entry(&CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED.meta).remediation_permissions(), &free.calls());
    let reads = [
        "cloudtrail:GetTrail",
        "cloudtrail:ListTags",
        "cloudtrail:GetTrailStatus",
        "iam:GetRole",
        "iam:SimulatePrincipalPolicy",
        "logs:DescribeLogGroups",
    ];
    assert_eq!(free.calls(), reads);
    for operation in reads {
        let refusal = InjectedError { operation: Some(operation), number: 1, code: "AccessDenied" };
        let answer = live(&Services::refusing([refusal])).await;
        // The stack grants one role: for any other role, the plan is blocked and names the parameter to set.
        if operation.starts_with("iam:") {
            let subject = answer.unwrap().unwrap();
            let read = subject.destination.as_ref().unwrap();
            assert!(read.role_is_denied && read.role_rights.is_none(), "{operation}: {read:?}");
            let plan = CloudTrailCloudWatchLogsEnabled.plan(&subject, &params, Timestamp::now());
            let Plan::Blocked { reason, .. } = plan else { panic!("{operation}: {plan:?}") };
            let expected = format!("may not read or pass role {role}: set the stack's CloudTrailLogsRoleArn to it");
            assert!(reason.contains(&expected), "{operation}: {reason}");
        } else {
            let error = answer.unwrap_err();
            assert_eq!(error.kind(), Some(CallErrorKind::AccessDenied), "{operation}: {error}");
        }
    }
}
