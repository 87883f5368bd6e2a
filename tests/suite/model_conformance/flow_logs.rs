//! Flow logs of VPCs.

use rectify_ec2::controls::vpc_flow_logs_enabled::VPC_FLOW_LOGS_ENABLED;
use rectify_ec2_lambda::Clients;
use rectify_tests::emulator::REGION;
use rectify_tests::services::Services;
use serde_json::json;

use super::{assert_model_conforms, target};

/// `vpc-flow-logs-enabled/8`: moto rejects the second call, as EC2 does.
#[tokio::test]
async fn creation_of_flow_logs_conforms() {
    let sdk = Services::default().sdk(REGION);
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    s3.create_bucket().bucket("model-flow-logs").send().await.unwrap();
    let ec2 = aws_sdk_ec2::Client::new(&sdk);
    let vpc = ec2.create_vpc().cidr_block("10.12.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let target = target(&VPC_FLOW_LOGS_ENABLED, REGION, &vpc);
    let params = json!({"trafficType": "REJECT", "destinationArn": "arn:aws:s3:::model-flow-logs"});
    let params = serde_json::from_value(params).unwrap();
    let calls = assert_model_conforms::<_, Clients>(&VPC_FLOW_LOGS_ENABLED, &sdk, &target, &params).await;
    let input = json!({"LogDestination": "arn:aws:s3:::model-flow-logs", "LogDestinationType": "s3",
        "ResourceIds": [vpc], "ResourceType": "VPC", "TrafficType": "REJECT"});
    assert_eq!(calls, [format!("CreateFlowLogs {input}")]);
}
