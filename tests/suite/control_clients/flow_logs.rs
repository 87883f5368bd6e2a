//! Flow logs of VPCs: denied reads, later pages, deleted VPCs, and calls that EC2 does not carry out.

use futures_util::StreamExt;
use rectify_compliance::{AccountId, Region, Target};
use rectify_ec2::controls::vpc_flow_logs_enabled::{CreateCall, DeleteCall, VPC_FLOW_LOGS_ENABLED, VpcFlowLogsEnabled};
use rectify_ec2::resources::flow_log::{BucketArn, LoggedVpc, TYPE, Traffic};
use rectify_ec2_lambda::Clients;
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Fix, List, Listed, Page};
use rectify_runtime::rule::on_schedule;
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::replay::{Answer, Replay};
use serde_json::json;

use super::each_denied_read_is_reported;

const BUCKET: &str = "arn:aws:s3:::flow-logs";

#[tokio::test]
async fn denied_read_of_flow_logs_is_an_error() {
    each_denied_read_is_reported(
        &on_schedule::<_, Clients>(&VPC_FLOW_LOGS_ENABLED),
        "eu-west-1",
        "UnauthorizedOperation",
    )
    .await;
}

/// A page of VPCs, with the token of the next page; empty for the last.
fn vpcs(ids: &[&str], next: &str) -> Answer {
    let item = |id: &&str| format!("<item><vpcId>{id}</vpcId><ownerId>{ACCOUNT}</ownerId></item>");
    let items: String = ids.iter().map(item).collect();
    Answer::ec2("DescribeVpcs", &format!("<vpcSet>{items}</vpcSet><nextToken>{next}</nextToken>"))
}

/// A page of flow logs: id, VPC, traffic and second of creation.
fn logs(logs: &[(&str, &str, &str, u32)], next: &str) -> Answer {
    let item = |(id, vpc, traffic, second): &(&str, &str, &str, u32)| {
        format!(
            "<item><flowLogId>{id}</flowLogId><resourceId>{vpc}</resourceId><trafficType>{traffic}</trafficType>\
             <flowLogStatus>ACTIVE</flowLogStatus><logDestination>{BUCKET}</logDestination>\
             <creationTime>2026-03-04T05:06:0{second}.000Z</creationTime></item>"
        )
    };
    let items: String = logs.iter().map(item).collect();
    Answer::ec2("DescribeFlowLogs", &format!("<flowLogSet>{items}</flowLogSet><nextToken>{next}</nextToken>"))
}

fn ids(vpc: &LoggedVpc) -> Vec<&str> {
    vpc.flow_logs.iter().filter_map(|log| log.id.as_deref()).collect()
}

#[tokio::test]
async fn every_page_of_vpcs_and_of_flow_logs_is_read() {
    let replay = Replay::of([
        vpcs(&["vpc-1", "vpc-2"], "2"),
        logs(&[("fl-2", "vpc-1", "ALL", 2)], "2"),
        logs(&[("fl-1", "vpc-1", "REJECT", 1), ("fl-3", "vpc-2", "DROP", 3)], ""),
        vpcs(&["vpc-3"], ""),
        logs(&[], ""),
    ]);
    let place = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(REGION) };
    let clients = Clients::connect(&replay.sdk(REGION));
    let params = Default::default();
    let pages: Vec<_> = VpcFlowLogsEnabled.pages(&clients, &place, &params, None).collect().await;
    let [Ok(Page { resources: first, next: Some(_) }), Ok(Page { resources: second, next: None })] = &pages[..] else {
        panic!("{pages:?}")
    };
    let [Listed::Read(sorted), Listed::Unreadable(found, error)] = &first[..] else { panic!("{first:?}") };
    assert_eq!(ids(sorted), ["fl-1", "fl-2"], "from the oldest to the newest");
    assert_eq!(found.resource.id, "vpc-2");
    assert!(error.to_string().contains("`DROP`"), "{error}");
    let [Listed::Read(without)] = &second[..] else { panic!("{second:?}") };
    assert_eq!(ids(without), [""; 0]);
    let filter = "Filter.1.Name=resource-id&Filter.1.Value.1=vpc-1&Filter.1.Value.2=vpc-2";
    assert!(replay.forms()[1].contains(filter), "{:?}", replay.forms());
}

fn target(vpc: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: rectify_compliance::ResourceKey::new(TYPE, vpc),
        name: None,
        arn: None,
    }
}

fn create() -> CreateCall {
    CreateCall::CreateFlowLogs {
        resource_type: "VPC".to_owned(),
        resource_ids: vec!["vpc-1".to_owned()],
        traffic_type: Traffic::All,
        log_destination_type: "s3".to_owned(),
        log_destination: BucketArn::try_from(BUCKET.to_owned()).unwrap(),
    }
}

/// EC2's answer about a resource for which it did not carry out the call.
fn unsuccessful(operation: &str, code: &str) -> Answer {
    let error = format!("<error><code>{code}</code><message>as scripted</message></error>");
    let item = format!("<item><resourceId>vpc-1</resourceId>{error}</item>");
    Answer::ec2(operation, &format!("<unsuccessful>{item}</unsuccessful>"))
}

/// `vpc-flow-logs-enabled/6`
#[tokio::test]
async fn deleted_vpc_is_gone() {
    let replay = Replay::of(["InvalidVpcID.NotFound", "UnauthorizedOperation"].map(Answer::refused_by_ec2));
    let clients = Clients::connect(&replay.sdk(REGION));
    let live = async || VpcFlowLogsEnabled.live(&clients, &target("vpc-1"), &Default::default()).await;
    assert_eq!(live().await, Ok(None));
    let denied = live().await.unwrap_err();
    assert!(denied.is("UnauthorizedOperation"), "{denied}");
}

/// `vpc-flow-logs-enabled/7`
#[tokio::test]
async fn unsuccessful_creation_is_an_error() {
    let replay = Replay::of([unsuccessful("CreateFlowLogs", "400"), Answer::ec2("CreateFlowLogs", "")]);
    let clients = Clients::connect(&replay.sdk(REGION));
    let error = VpcFlowLogsEnabled.apply_with_response(&clients, &target("vpc-1"), &create()).await.unwrap_err();
    assert_eq!(error.to_string(), "ec2:CreateFlowLogs: 400: as scripted");
    let error = VpcFlowLogsEnabled.apply_with_response(&clients, &target("vpc-1"), &create()).await.unwrap_err();
    assert!(matches!(error, AwsError::Shape(_)), "undo needs an id: {error}");
}

/// EC2 reports an existing flow log in either way; its id is read, if it is there.
#[tokio::test]
async fn existing_flow_log_is_returned_again() {
    const EXISTS: &str = "FlowLogAlreadyExists";
    let existing = [("fl-1", "vpc-1", "REJECT", 1), ("fl-2", "vpc-1", "ALL", 2)];
    for refused in [Answer::refused_by_ec2(EXISTS), unsuccessful("CreateFlowLogs", EXISTS)] {
        let read = [refused.clone(), vpcs(&["vpc-1"], ""), logs(&existing, "")].into_iter();
        let replay = Replay::of(read.chain([refused, vpcs(&["vpc-1"], ""), logs(&existing[..1], "")]));
        let clients = Clients::connect(&replay.sdk(REGION));
        let apply = async || VpcFlowLogsEnabled.apply_with_response(&clients, &target("vpc-1"), &create()).await;
        assert_eq!(apply().await, Ok(json!(["fl-2"])));
        let other = apply().await.unwrap_err();
        assert!(other.is(EXISTS), "{other}");
    }
}

#[tokio::test]
async fn deletion_of_a_deleted_flow_log_succeeds() {
    const GONE: &str = "InvalidFlowLogId.NotFound";
    let answers = [
        Answer::refused_by_ec2(GONE),
        unsuccessful("DeleteFlowLogs", GONE),
        unsuccessful("DeleteFlowLogs", "InternalError"),
    ];
    let replay = Replay::of(answers);
    let clients = Clients::connect(&replay.sdk(REGION));
    let delete = DeleteCall::DeleteFlowLogs { flow_log_ids: vec!["fl-1".to_owned()] };
    let revert = async || VpcFlowLogsEnabled.revert(&clients, &target("vpc-1"), &delete).await;
    assert_eq!(revert().await, Ok(()));
    assert_eq!(revert().await, Ok(()));
    assert!(matches!(revert().await, Err(AwsError::Call(_))));
}
