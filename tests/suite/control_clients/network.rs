//! Volumes and what the network of a VPC exposes: denied and missing reads, and plans that are left to an operator.

use rectify_ec2::ENCRYPTED_VOLUMES;
use rectify_ec2_lambda::Clients;

use super::instances::{each_denied_live_read_is_an_error, instance};
use super::*;

fn ec2() -> aws_sdk_ec2::Client {
    aws_sdk_ec2::Client::new(&sdk_at(endpoint()))
}

/// Remediates a resource that violates, and returns the outcome with the calls.
async fn outcome<K: Fix<Clients>>(control: &'static Declared<K>, id: &str) -> (Outcome, Vec<String>) {
    let (sandbox, services) = (Sandbox::create().await, Services::default());
    let disposition = remediate::<_, Clients>(control, &services, &sandbox, id).await.unwrap();
    let Disposition::Ended { outcome, .. } = disposition else { panic!("{disposition:?}") };
    (outcome, services.calls())
}

#[tokio::test]
async fn unencrypted_volume_is_read_and_left_to_an_operator() {
    let id = instance().await;
    let found = ec2().describe_instances().instance_ids(id).send().await.unwrap();
    let mapping = &found.reservations()[0].instances()[0].block_device_mappings()[0];
    let volume = mapping.ebs().unwrap().volume_id().unwrap();
    let read = "ec2:DescribeVolumes";
    let (ended, calls) = outcome(&ENCRYPTED_VOLUMES, volume).await;
    assert_eq!((ended, calls.iter().all(|call| call == read)), (Outcome::Planned, true), "{calls:?}");
    let gone = outcome(&ENCRYPTED_VOLUMES, "vol-00000000000000000").await;
    assert_eq!(gone, (Outcome::Gone, vec![read.to_owned()]));
    each_denied_live_read_is_an_error::<_, Clients>(&ENCRYPTED_VOLUMES, volume, &[read], "no write").await;
}
