//! Volumes, read one by one: their rule evaluates the item alone.

use aws_sdk_ec2::types;
use rectify_compliance::{ByHand, Never, Parameters, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;

use super::{Clients, tags};
use rectify_ec2::resources::volume::Volume;

impl<P: Parameters> Fix<Clients> for ByHand<Volume, P> {
    async fn live(&self, clients: &Clients, target: &Target, _params: &P) -> Result<Option<Volume>, AwsError> {
        let id = target.resource.id.as_str();
        let answer = match clients.ec2.describe_volumes().include_managed_resources(true).volume_ids(id).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = AwsError::call("ec2:DescribeVolumes", &error);
                return if error.is("InvalidVolume.NotFound") { Ok(None) } else { Err(error) };
            }
        };
        let found = answer.volumes().iter().find(|it| it.volume_id() == Some(id));
        found.map(|it| volume(it, target)).transpose().map_err(Into::into)
    }

    async fn apply(&self, _clients: &Clients, _target: &Target, action: &Never) -> Result<(), AwsError> {
        match *action {}
    }
}

fn volume(answer: &types::Volume, target: &Target) -> Result<Volume, ShapeError> {
    let id = target.resource.id.as_str();
    let attachments = answer.attachments().iter();
    Ok(Volume {
        id: id.to_owned(),
        arn: Volume::arn_of(&target.region, &target.account, id),
        size: answer.size().map(i64::from),
        state: answer.state().map(|it| it.as_str().to_owned()),
        encrypted: answer.encrypted().ok_or_else(|| ShapeError::missing("Volumes.Encrypted", "a boolean"))?,
        kms_key_id: answer.kms_key_id().map(str::to_owned),
        attachments: attachments.map(|it| Volume::attachment(it.instance_id(), it.device())).collect(),
        tags: tags(answer.tags()),
    })
}
