//! The EBS encryption defaults of an account in a region, and their keys.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{EbsEncryptionSupport, Reservation};
use aws_sdk_kms::types::KeyManagerType;
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::kms_key::KmsKey;
use rectify_compliance::{AccountId, Region, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page};

use super::{Clients, filter};
use rectify_ec2::controls::ec2_ebs_encryption_by_default::{
    EbsAction, EbsDefaults, EbsUndo, Ec2EbsEncryptionByDefault, Ec2EbsEncryptionByDefaultParameters, Keys,
};

/// Instances per page, the API's maximum.
const INSTANCES_PER_PAGE: i32 = 1000;

/// States of instances that are not terminated.
const EXISTING: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];

/// The maximum number of values of a `DescribeInstances` filter.
const TYPES_PER_FILTER: usize = 200;

impl List<Clients> for Ec2EbsEncryptionByDefault {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        params: &'a Ec2EbsEncryptionByDefaultParameters,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<EbsDefaults>, AwsError>> + Send + 'a {
        once(async move { Ok(Page::whole([clients.ebs_defaults(&place.account, &place.region, params).await?])) })
    }
}

impl Fix<Clients> for Ec2EbsEncryptionByDefault {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &Ec2EbsEncryptionByDefaultParameters,
    ) -> Result<Option<EbsDefaults>, AwsError> {
        let mut defaults = clients.ebs_defaults(&target.account, &target.region, params).await?;
        if !defaults.enabled {
            defaults.unsupported_types = Some(clients.unsupported_types_in_use().await?);
        }
        Ok(Some(defaults))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &EbsAction) -> Result<(), AwsError> {
        match action {
            EbsAction::EnableEbsEncryptionByDefault {} => {
                let request = clients.ec2.enable_ebs_encryption_by_default();
                let answer =
                    request.send().await.map_err(|error| AwsError::call("ec2:EnableEbsEncryptionByDefault", &error))?;
                is_now("ec2:EnableEbsEncryptionByDefault", answer.ebs_encryption_by_default(), true)
            }
            EbsAction::ModifyEbsDefaultKmsKeyId { kms_key_id } => clients.modify_default_key(kms_key_id).await,
        }
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &EbsUndo) -> Result<(), AwsError> {
        match undo {
            EbsUndo::DisableEbsEncryptionByDefault {} => {
                let request = clients.ec2.disable_ebs_encryption_by_default();
                let answer = request
                    .send()
                    .await
                    .map_err(|error| AwsError::call("ec2:DisableEbsEncryptionByDefault", &error))?;
                is_now("ec2:DisableEbsEncryptionByDefault", answer.ebs_encryption_by_default(), false)
            }
            EbsUndo::ModifyEbsDefaultKmsKeyId { kms_key_id } => clients.modify_default_key(kms_key_id).await,
            EbsUndo::ResetEbsDefaultKmsKeyId {} => {
                let request = clients.ec2.reset_ebs_default_kms_key_id();
                request.send().await.map_err(|error| AwsError::call("ec2:ResetEbsDefaultKmsKeyId", &error))?;
                Ok(())
            }
        }
    }
}

impl Clients {
    async fn ebs_defaults(
        &self,
        account: &AccountId,
        region: &Region,
        params: &Ec2EbsEncryptionByDefaultParameters,
    ) -> Result<EbsDefaults, AwsError> {
        let request = self.ec2.get_ebs_encryption_by_default();
        let answer = request.send().await.map_err(|error| AwsError::call("ec2:GetEbsEncryptionByDefault", &error))?;
        let enabled = answer
            .ebs_encryption_by_default()
            .ok_or_else(|| ShapeError::missing("EbsEncryptionByDefault", "a boolean"))?;
        let keys = match &params.kms_key_id {
            Some(wanted) => Some(self.keys(wanted).await?),
            None => None,
        };
        Ok(EbsDefaults {
            account: account.clone(),
            region: region.clone(),
            enabled,
            keys,
            unsupported_types: None,
            tags: Tags::new(),
        })
    }

    /// A required key that does not exist is an error of the parameter. A default key that does not exist is a finding.
    async fn keys(&self, wanted: &str) -> Result<Keys, AwsError> {
        let wanted = self.key(wanted.trim()).await?;
        let request = self.ec2.get_ebs_default_kms_key_id();
        let answer = request.send().await.map_err(|error| AwsError::call("ec2:GetEbsDefaultKmsKeyId", &error))?;
        let default_id = answer.kms_key_id().ok_or_else(|| ShapeError::missing("KmsKeyId", "a key"))?.to_owned();
        let default = match self.key(&default_id).await {
            Ok(key) => Some(key),
            Err(error) if error.is("NotFoundException") => None,
            Err(error) => return Err(error),
        };
        Ok(Keys { default_id, default, wanted })
    }

    async fn key(&self, id: &str) -> Result<KmsKey, AwsError> {
        let request = self.kms.describe_key().key_id(id);
        let answer = request.send().await.map_err(|error| AwsError::call("kms:DescribeKey", &error))?;
        let missing = |field: &str| ShapeError::missing(format!("KeyMetadata.{field}"), "a text");
        let key = answer.key_metadata().ok_or_else(|| ShapeError::missing("KeyMetadata", "an object"))?;
        Ok(KmsKey {
            arn: key.arn().ok_or_else(|| missing("Arn"))?.to_owned(),
            state: key.key_state().ok_or_else(|| missing("KeyState"))?.as_str().to_owned(),
            spec: key.key_spec().ok_or_else(|| missing("KeySpec"))?.as_str().to_owned(),
            aws_managed: key.key_manager() == Some(&KeyManagerType::Aws),
        })
    }

    async fn modify_default_key(&self, id: &str) -> Result<(), AwsError> {
        let request = self.ec2.modify_ebs_default_kms_key_id().kms_key_id(id);
        request.send().await.map_err(|error| AwsError::call("ec2:ModifyEbsDefaultKmsKeyId", &error))?;
        Ok(())
    }

    /// The types of existing instances without support for encrypted volumes. These types are few and old, so they are
    /// listed first, and then only instances of these types.
    async fn unsupported_types_in_use(&self) -> Result<BTreeSet<String>, AwsError> {
        let unsupported: Vec<String> = self.unsupported_types().await?.into_iter().collect();
        let mut in_use = BTreeSet::new();
        for types in unsupported.chunks(TYPES_PER_FILTER) {
            let request = self
                .ec2
                .describe_instances()
                .include_managed_resources(true)
                .filters(filter("instance-type", types))
                .filters(filter("instance-state-name", EXISTING));
            let mut pages = request.into_paginator().page_size(INSTANCES_PER_PAGE).send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| AwsError::call("ec2:DescribeInstances", &error))?;
                let instances = page.reservations().iter().flat_map(Reservation::instances);
                in_use.extend(instances.filter_map(|it| Some(it.instance_type()?.as_str().to_owned())));
            }
        }
        Ok(in_use)
    }

    async fn unsupported_types(&self) -> Result<BTreeSet<String>, AwsError> {
        let unsupported = EbsEncryptionSupport::Unsupported;
        let request =
            self.ec2.describe_instance_types().filters(filter("ebs-info.encryption-support", [unsupported.as_str()]));
        let mut pages = request.into_paginator().send();
        let mut types = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("ec2:DescribeInstanceTypes", &error))?;
            for it in page.instance_types() {
                if it.ebs_info().and_then(|info| info.encryption_support()) == Some(&unsupported) {
                    types.extend(it.instance_type().map(|name| name.as_str().to_owned()));
                }
            }
        }
        Ok(types)
    }
}

/// Checks the new setting in EC2's answer.
fn is_now(operation: &'static str, answer: Option<bool>, expected: bool) -> Result<(), AwsError> {
    match answer {
        Some(setting) if setting != expected => {
            Err(ShapeError::new(format!("{operation}.EbsEncryptionByDefault"), expected.to_string(), setting).into())
        }
        Some(_) | None => Ok(()),
    }
}
