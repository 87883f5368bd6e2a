//! Tags: a denied read is an error of the rule and of the remediation.

use aws_sdk_ssm::types::ParameterType;
use rectify_ec2::REQUIRED_TAGS;
use rectify_ec2_lambda::Clients;
use rectify_runtime::rule::on_change;

use super::instances::{each_denied_fact_is_an_error, each_denied_live_read_is_an_error, instance};
use super::*;

#[tokio::test]
async fn denied_read_of_tags_or_of_a_stored_parameter_is_an_error() {
    let ssm = aws_sdk_ssm::Client::new(&sdk_at(endpoint()));
    let put = ssm.put_parameter().name("/rectify/denied").value(r#"{"Owner": {}}"#).r#type(ParameterType::String);
    put.send().await.unwrap();
    let id = instance().await;
    let parameters = json!({"required": "ssm:/rectify/denied"});
    let running = json!({"state": {"name": "running"}});
    each_denied_fact_is_an_error(
        &on_change::<_, Clients>(&REQUIRED_TAGS),
        "AWS::EC2::Instance",
        &id,
        &running,
        &parameters,
    )
    .await;
}

/// The finding is about the first of the control's types, which is read by ARN.
#[tokio::test]
async fn denied_live_read_of_tags_is_an_error() {
    let certificate = "arn:aws:acm:us-east-1:111122223333:certificate/0a1b";
    each_denied_live_read_is_an_error::<_, Clients>(
        &REQUIRED_TAGS,
        certificate,
        &["tag:GetResources"],
        "ec2:CreateTags",
    )
    .await;
}
