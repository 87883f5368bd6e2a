//! Verdicts and plans of `vpc-flow-logs-enabled`, and properties that hold for all flow logs.
use Traffic::{Accept, All, Reject};
use proptest::prelude::*;
use rectify_compliance::{AccountId, Region, Tags};
use rectify_testing::{Case, Cases, Laws, NOW};
use serde_json::json;

use super::*;

const BUCKET: &str = "arn:aws:s3:::flow-logs";
const TO_BUCKET: &str = r#"{"destinationArn":"arn:aws:s3:::flow-logs"}"#;
const NONE: &str = "vpc-1 has no active flow log";
const CHOOSE: &str =
    "L2 manual: choose a destination for the flow log of vpc-1 and create it, or name a bucket in destinationArn";

fn bucket() -> BucketArn {
    BucketArn::try_from(BUCKET.to_owned()).unwrap()
}

/// A VPC of this account with these flow logs, `fl-1`, `fl-2`, …, which deliver to another bucket.
fn vpc(logs: &[Traffic]) -> LoggedVpc {
    let account = AccountId::new("111122223333");
    let mut vpc = LoggedVpc::new(&account, account.clone(), &Region::new("eu-west-1"), "vpc-1", Tags::new());
    vpc.flow_logs = (1..).zip(logs).map(|(number, traffic)| elsewhere(number, *traffic)).collect();
    vpc
}

fn elsewhere(number: u32, traffic: Traffic) -> FlowLog {
    let other = BucketArn::try_from("arn:aws:s3:::other".to_owned()).unwrap();
    FlowLog { id: Some(format!("fl-{number}")), ..FlowLog::delivering(traffic, &other) }
}

fn case<'a>(name: &'a str, subject: LoggedVpc) -> Case<'a, VpcFlowLogsEnabled> {
    Cases::of(&VpcFlowLogsEnabled, subject).case(name, |_| ())
}

fn requiring(traffic: Traffic) -> String {
    json!({ "trafficType": traffic }).to_string()
}

fn create(traffic: Traffic) -> String {
    format!(
        r#"L2 CreateFlowLogs {{"LogDestination":"{BUCKET}","LogDestinationType":"s3","ResourceIds":["vpc-1"],"ResourceType":"VPC","TrafficType":"{traffic}"}}"#
    )
}

/// `vpc-flow-logs-enabled/1`: flow logs of a subnet are not listed.
#[test]
fn vpc_needs_an_active_flow_log_that_delivers() {
    case("none", vpc(&[])).non_compliant(NONE).planned(&[CHOOSE]);
    case("none, with a bucket", vpc(&[])).with(TO_BUCKET).non_compliant(NONE).planned(&[&create(All)]);
    case("one", vpc(&[Reject])).compliant();
    let mut failed = vpc(&[All]);
    failed.flow_logs[0].delivery_failed = true;
    case("vpc-flow-logs-enabled/2", failed.clone())
        .with(TO_BUCKET)
        .non_compliant("vpc-1 has no active flow log; fl-1 delivery FAILED")
        .planned(&[&create(All)]);
    case("vpc-flow-logs-enabled/2 not required", failed).with(r#"{"requireDelivery":"false"}"#).compliant();
    let mut inactive = vpc(&[All]);
    inactive.flow_logs[0].is_active = false;
    case("inactive", inactive).non_compliant("vpc-1 has no active flow log; fl-1 not active").planned(&[CHOOSE]);
}

#[test]
fn required_traffic_is_recorded_by_one_flow_log_or_by_two() {
    for (name, logs, required, compliant) in [
        ("vpc-flow-logs-enabled/3", &[All][..], Reject, true),
        ("the same", &[Reject], Reject, true),
        ("vpc-flow-logs-enabled/4", &[Accept, Reject], All, true),
        ("two of a type", &[Reject, Reject], All, false),
        ("the other", &[Accept], Reject, false),
    ] {
        let case = case(name, vpc(logs)).with(&requiring(required));
        if compliant {
            case.compliant();
            continue;
        }
        let shown: Vec<String> = (1..).zip(logs).map(|(number, traffic)| format!("fl-{number} {traffic}")).collect();
        case.non_compliant(&format!("{NONE} for {required} traffic; {}", shown.join(", "))).planned(&[CHOOSE]);
    }
    let parameters = json!({"trafficType": "REJECT", "destinationArn": BUCKET}).to_string();
    case("only the required traffic", vpc(&[Accept]))
        .with(&parameters)
        .non_compliant("vpc-1 has no active flow log for REJECT traffic; fl-1 ACCEPT")
        .planned(&[&create(Reject)]);
}

#[test]
fn shared_vpc_is_evaluated_by_its_owner() {
    let shared = LoggedVpc { owner: AccountId::new("444455556666"), ..vpc(&[]) };
    case("vpc-flow-logs-enabled/5", shared).not_applicable("vpc-1 belongs to account 444455556666, which evaluates it");
}

/// `vpc-flow-logs-enabled/9`
#[test]
fn second_flow_log_to_the_same_bucket_is_left_to_an_operator() {
    let mut failing = vpc(&[All]);
    failing.flow_logs[0].destination = Some(format!("{BUCKET}/"));
    failing.flow_logs[0].delivery_failed = true;
    case("the same bucket", failing)
        .with(TO_BUCKET)
        .non_compliant("vpc-1 has no active flow log; fl-1 delivery FAILED")
        .planned(&["L2 manual: fix or replace fl-1 of vpc-1, which delivers to arn:aws:s3:::flow-logs"]);
}

#[test]
fn undo_deletes_the_created_flow_logs_only() {
    let (subject, params) = (
        vpc(&[Reject]),
        VpcFlowLogsEnabledParameters { traffic_type: Some(All), destination_arn: Some(bucket()), ..Default::default() },
    );
    let plan = VpcFlowLogsEnabled.plan(&subject, &params, NOW);
    let done: Vec<CreateCall> = plan.calls().into_iter().cloned().collect();
    let undo = |answers: &[Value]| VpcFlowLogsEnabled.undo_with_responses(&subject, &done, answers);
    assert_eq!(
        undo(&[json!(["fl-9"])]),
        Ok(vec![DeleteCall::DeleteFlowLogs { flow_log_ids: vec!["fl-9".to_owned()] }])
    );
    for unreadable in [&[][..], &[Value::Null], &[json!({"FlowLogIds": []})]] {
        let error = undo(unreadable).unwrap_err().to_string();
        assert!(error.starts_with("CreateFlowLogs: cannot be undone: its response was not recorded"), "{error}");
    }
    let touched = |subject: &LoggedVpc| VpcFlowLogsEnabled.touched_fields(subject, &done);
    assert_eq!(touched(&subject), json!({"ALL to arn:aws:s3:::flow-logs": false}));
    let mut after = VpcFlowLogsEnabled.predict(subject.clone(), &done[0]);
    assert_eq!(touched(&after), json!({"ALL to arn:aws:s3:::flow-logs": true}));
    after.flow_logs.remove(0);
    assert_eq!(touched(&after), json!({"ALL to arn:aws:s3:::flow-logs": true}), "another flow log does not matter");
}

fn logs() -> impl Strategy<Value = Vec<FlowLog>> {
    let traffic = prop_oneof![Just(Accept), Just(Reject), Just(All)];
    let destination = prop_oneof![
        1 => Just(Some(BUCKET)),
        3 => Just(Some("arn:aws:s3:::other")),
        1 => Just(None),
    ];
    let log = (traffic, proptest::bool::weighted(0.8), proptest::bool::weighted(0.3), destination);
    let log = log.prop_map(|(traffic, is_active, delivery_failed, destination)| FlowLog {
        id: None,
        traffic,
        is_active,
        delivery_failed,
        destination: destination.map(str::to_owned),
    });
    proptest::collection::vec(log, 0..4).prop_map(|logs| {
        let number = |(number, log): (u32, FlowLog)| FlowLog { id: Some(format!("fl-{number}")), ..log };
        (1..).zip(logs).map(number).collect()
    })
}

#[test]
fn laws() {
    let required = proptest::option::of(prop_oneof![Just(Accept), Just(Reject), Just(All)]);
    let owner = prop_oneof![9 => Just("111122223333"), 1 => Just("444455556666")];
    let vpcs = (logs(), required, any::<bool>(), proptest::bool::weighted(0.8), owner);
    let vpcs = vpcs.prop_map(|(flow_logs, traffic_type, delivers, with_bucket, owner)| {
        let params = VpcFlowLogsEnabledParameters {
            traffic_type,
            require_delivery: Flag(delivers),
            destination_arn: with_bucket.then(bucket),
        };
        (LoggedVpc { owner: AccountId::new(owner), flow_logs, ..vpc(&[]) }, params)
    });
    // Undo needs the ids that EC2 returned, which the model does not have.
    Laws::of(&VpcFlowLogsEnabled, &["/flowLogs"], |_, live, _| live)
        .irreversible(|_| true)
        .never(|before, after| !after.flow_logs.starts_with(&before.flow_logs))
        .meeting(&[("manual plans", |plan| plan.calls().is_empty())])
        .hold(vpcs);
}
