//! The settings of an instance.

use aws_sdk_rds::types;
use rectify_compliance::{ByHand, Never, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;
use rectify_runtime::views::{Views, unknown_member, value_of};
use serde_json::Value;

use super::{Clients, instance, modify};
use rectify_rds::controls::rds_multi_az_support::{
    Action as Spread, Deployment, MultiAzParameters, OrderableOption, RdsMultiAzSupport,
};
use rectify_rds::controls::rds_storage_encrypted::StorageParameters;
use rectify_rds::resources::instance::Instance;

impl Clients {
    /// `DescribeOrderableDBInstanceOptions`, all pages: whether an instance of this class and version can be Multi-AZ.
    async fn orderable_option(&self, instance: &types::DbInstance) -> Result<OrderableOption, AwsError> {
        let required = |value: Option<&str>, path: &str| {
            value.map(str::to_owned).ok_or_else(|| ShapeError::missing(path, "a non-empty string"))
        };
        let class = required(instance.db_instance_class(), "DBInstanceClass")?;
        let version = required(instance.engine_version(), "EngineVersion")?;
        let call = self
            .rds
            .describe_orderable_db_instance_options()
            .engine(required(instance.engine(), "Engine")?)
            .engine_version(&version)
            .db_instance_class(&class);
        let mut options = call.into_paginator().items().send();
        let mut multi_az_capable = false;
        while let Some(option) = options.next().await {
            let option = option.map_err(|error| AwsError::call("rds:DescribeOrderableDBInstanceOptions", &error))?;
            multi_az_capable |= is_capable(&option, instance.storage_type());
        }
        Ok(OrderableOption { class, version, multi_az_capable })
    }
}

/// Whether an option is Multi-AZ capable on this storage type; an option without a type covers all types.
fn is_capable(option: &types::OrderableDbInstanceOption, storage: Option<&str>) -> bool {
    let matches_storage = option.storage_type().is_none_or(|it| storage.is_none_or(|storage| it == storage));
    matches_storage && option.multi_az_capable() == Some(true)
}

impl Views<Instance> for Clients {
    async fn read(&self, target: &Target) -> Result<Option<Instance>, AwsError> {
        let Some(found) = self.describe_instance(target).await? else { return Ok(None) };
        let instance = instance(&found)?;
        Ok(Some(instance).filter(|it| it.database.is_target(target)))
    }

    async fn write(&self, id: &str, member: &str, value: &Value) -> Result<(), AwsError> {
        let call = self.modify_instance(id);
        modify(match member {
            "DeletionProtection" => call.deletion_protection(value_of(member, value)?),
            "AutoMinorVersionUpgrade" => call.auto_minor_version_upgrade(value_of(member, value)?),
            "PubliclyAccessible" => call.publicly_accessible(value_of(member, value)?),
            _ => return Err(unknown_member(member)),
        })
        .await
    }
}

impl Fix<Clients> for ByHand<Instance, StorageParameters> {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &StorageParameters,
    ) -> Result<Option<Instance>, AwsError> {
        Views::<Instance>::read(clients, target).await
    }

    async fn apply(&self, _clients: &Clients, _target: &Target, action: &Never) -> Result<(), AwsError> {
        match *action {}
    }
}

impl Fix<Clients> for RdsMultiAzSupport {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &MultiAzParameters,
    ) -> Result<Option<Deployment>, AwsError> {
        let Some(found) = clients.describe_instance(target).await? else { return Ok(None) };
        let instance = instance(&found)?;
        if !instance.database.is_target(target) {
            return Ok(None);
        }
        let deployment = Deployment { instance, offer: None };
        if !deployment.is_finding(params) {
            return Ok(Some(deployment));
        }
        Ok(Some(Deployment { offer: Some(clients.orderable_option(&found).await?), ..deployment }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Spread) -> Result<(), AwsError> {
        let Spread::ModifyDBInstance { identifier, multi_az } = action;
        modify(clients.modify_instance(identifier).multi_az(*multi_az)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_counts_only_for_the_storage_type_of_the_instance() {
        let option = |storage: Option<&str>, capable: Option<bool>| {
            types::OrderableDbInstanceOption::builder()
                .set_storage_type(storage.map(str::to_owned))
                .set_multi_az_capable(capable)
                .build()
        };
        for (storage, capable, of_instance, expected) in [
            (Some("gp3"), Some(true), Some("gp3"), true),
            (Some("io1"), Some(true), Some("gp3"), false),
            (Some("gp3"), Some(false), Some("gp3"), false),
            (Some("gp3"), None, Some("gp3"), false),
            (None, Some(true), Some("gp3"), true),
            (Some("gp3"), Some(true), None, true),
        ] {
            assert_eq!(is_capable(&option(storage, capable), of_instance), expected, "{storage:?} {of_instance:?}");
        }
    }
}
