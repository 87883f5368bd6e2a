//! Security groups: denied reads, and a group that could be closed only half-way.

use aws_sdk_ec2::types::{Filter, IpPermission, UserIdGroupPair};
use rectify_ec2::client::Clients;
use rectify_ec2::{RestrictedCommonPorts, VpcDefaultSecurityGroupClosed, VpcSgOpenOnlyToAuthorizedPorts};
use rectify_runtime::Fault;
use rectify_runtime::ledger::Outcome;
use rectify_runtime::remediation::Handled;
use rectify_runtime::rule::ChangeOrSchedule;
use rectify_tests::emulator::{ACCOUNT, Surroundings, endpoint, sdk_at};
use rectify_tests::services::{Refusal, Services};

use super::{each_denied_read_is_a_fault, ingress_rules, remedied};

#[tokio::test]
async fn denied_read_of_security_groups_is_a_fault_for_every_control_of_theirs() {
    const DENIED: &str = "UnauthorizedOperation";
    each_denied_read_is_a_fault::<ChangeOrSchedule<RestrictedCommonPorts>, Clients>("eu-west-1", DENIED).await;
    each_denied_read_is_a_fault::<ChangeOrSchedule<VpcSgOpenOnlyToAuthorizedPorts>, Clients>("eu-west-1", DENIED).await;
}

/// The default group of a new VPC, with the rule from itself that moto leaves out.
async fn default_group(cidr: &str) -> (aws_sdk_ec2::Client, String) {
    let ec2 = aws_sdk_ec2::Client::new(&sdk_at(endpoint()));
    let vpc = ec2.create_vpc().cidr_block(cidr).send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let in_vpc = Filter::builder().name("vpc-id").values(vpc).build();
    let groups = ec2.describe_security_groups().filters(in_vpc).send().await.unwrap().security_groups.unwrap();
    let id = groups[0].group_id().unwrap().to_owned();
    let itself = UserIdGroupPair::builder().group_id(&id).user_id(ACCOUNT).build();
    let from_itself = IpPermission::builder().ip_protocol("-1").user_id_group_pairs(itself).build();
    ec2.authorize_security_group_ingress().group_id(&id).ip_permissions(from_itself).send().await.unwrap();
    (ec2, id)
}

async fn rules(ec2: &aws_sdk_ec2::Client, group: &str) -> usize {
    let filter = Filter::builder().name("group-id").values(group).build();
    ec2.describe_security_group_rules().filters(filter).send().await.unwrap().security_group_rules().len()
}

/// `vpc-default-security-group-closed/6`
#[tokio::test]
async fn group_that_keeps_its_egress_is_a_failed_attempt() {
    let around = Surroundings::create().await;
    let (ec2, id) = default_group("10.7.0.0/16").await;
    let operation = Some("ec2:RevokeSecurityGroupEgress");
    let services = Services::refusing([Refusal { operation, number: 1, code: "UnauthorizedOperation" }]);
    let fault = remedied::<VpcDefaultSecurityGroupClosed, Clients>(&services, &around, &id).await.unwrap_err();
    assert!(matches!(&fault, Fault::ActionFailed { terminal: true, number: 2, total: 2, .. }), "{fault:?}");
    assert_eq!((ingress_rules(&ec2, &id).await.len(), rules(&ec2, &id).await), (0, 1), "half-way");
    let again = remedied::<VpcDefaultSecurityGroupClosed, Clients>(&Services::default(), &around, &id).await;
    let Ok(Handled::Acknowledged(finding)) = again else { panic!("{again:?}") };
    assert_eq!(finding.outcome, Outcome::Failed);
}

#[tokio::test]
async fn default_group_that_is_gone_needs_nothing() {
    let (around, services) = (Surroundings::create().await, Services::default());
    let gone = remedied::<VpcDefaultSecurityGroupClosed, Clients>(&services, &around, "sg-00000000000000000").await;
    assert!(matches!(gone, Ok(Handled::Ended { outcome: Outcome::Gone, .. })), "{gone:?}");
    assert_eq!(services.calls(), ["ec2:DescribeSecurityGroups"]);
}
