//! Instances, as every control of instances reads them.

use aws_sdk_ec2::types;
use rectify_compliance::{AccountId, Region, ResourceKey, ShapeError};
use rectify_runtime::AwsError;

use super::{Clients, tags};
use rectify_ec2::resources::instance::{Instance, TYPE};

impl Clients {
    /// `DescribeInstances`, all pages: the keys of all instances.
    pub(super) async fn instance_keys(&self) -> Result<Vec<ResourceKey>, AwsError> {
        let mut pages = self.ec2.describe_instances().include_managed_resources(true).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("ec2:DescribeInstances", &error))?;
            for instance in page.reservations().iter().flat_map(types::Reservation::instances) {
                let id = instance.instance_id();
                let id = id.ok_or_else(|| ShapeError::missing("Instances.InstanceId", "an instance id"))?;
                keys.push(ResourceKey::new(TYPE, id));
            }
        }
        Ok(keys)
    }

    /// `DescribeInstances` of one instance; `None` when EC2 no longer knows it.
    pub(super) async fn describe_instance(&self, id: &str) -> Result<Option<types::Instance>, AwsError> {
        let request = self.ec2.describe_instances().include_managed_resources(true).instance_ids(id);
        match request.send().await {
            Ok(answer) => {
                let instances = answer.reservations.unwrap_or_default().into_iter().flat_map(|it| it.instances);
                Ok(instances.flatten().find(|it| it.instance_id() == Some(id)))
            }
            Err(error) => {
                let error = AwsError::call("ec2:DescribeInstances", &error);
                if error.is("InvalidInstanceID.NotFound") { Ok(None) } else { Err(error) }
            }
        }
    }
}

/// The facts about an instance that every control needs.
pub(super) fn instance(answer: &types::Instance, account: &AccountId, region: &Region) -> Result<Instance, ShapeError> {
    let id = answer.instance_id().ok_or_else(|| ShapeError::missing("Instances.InstanceId", "an instance id"))?;
    Ok(Instance {
        account: account.clone(),
        region: region.clone(),
        id: id.to_owned(),
        arn: Instance::arn_of(region, account, id),
        state: answer.state().and_then(|state| state.name()).map(|name| name.as_str().to_owned()),
        vpc_id: answer.vpc_id().filter(|it| !it.is_empty()).map(str::to_owned),
        operator: operator(answer.operator()),
        tags: tags(answer.tags()),
    })
}

/// The service that manages an instance or one of its interfaces, if any.
pub(super) fn operator(operator: Option<&types::OperatorResponse>) -> Option<String> {
    let operator = operator.filter(|it| it.managed() == Some(true))?;
    Some(operator.principal().unwrap_or("a service").to_owned())
}
