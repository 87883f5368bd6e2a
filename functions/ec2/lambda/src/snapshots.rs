//! EBS snapshots of the account that everyone can restore.

use aws_sdk_ec2::types::{OperationType as ApiOperation, Snapshot, SnapshotAttributeName};
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{AccountId, Region, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page};

use super::{Clients, tags};
use rectify_ec2::controls::ebs_snapshot_public_restorable_check::{
    APPROVED, EbsSnapshotPublicRestorableCheck, EbsSnapshotPublicRestorableCheckParameters, OperationType,
    PublicSnapshots, SnapshotCall,
};

/// Snapshots per page, the API's maximum.
const SNAPSHOTS_PER_PAGE: i32 = 1000;

/// The error code for a snapshot that is gone.
const NO_SNAPSHOT: &str = "InvalidSnapshot.NotFound";

impl List<Clients> for EbsSnapshotPublicRestorableCheck {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a EbsSnapshotPublicRestorableCheckParameters,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<PublicSnapshots>, AwsError>> + Send + 'a {
        once(async move { Ok(Page::whole([clients.exposed_snapshots(&place.account, &place.region).await?])) })
    }
}

impl Fix<Clients> for EbsSnapshotPublicRestorableCheck {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &EbsSnapshotPublicRestorableCheckParameters,
    ) -> Result<Option<PublicSnapshots>, AwsError> {
        clients.exposed_snapshots(&target.account, &target.region).await.map(Some)
    }

    /// A deleted snapshot is not public; the undo of one fails.
    async fn apply(&self, clients: &Clients, _target: &Target, action: &SnapshotCall) -> Result<(), AwsError> {
        let SnapshotCall::ModifySnapshotAttribute { snapshot_id, attribute, operation_type, group_names } = action;
        let operation = match operation_type {
            OperationType::Add => ApiOperation::Add,
            OperationType::Remove => ApiOperation::Remove,
        };
        let request = clients.ec2.modify_snapshot_attribute().snapshot_id(snapshot_id);
        let request = request.attribute(SnapshotAttributeName::from(attribute.as_str())).operation_type(operation);
        let sent = request.set_group_names(Some(group_names.clone())).send().await;
        match sent.map_err(|error| AwsError::call("ec2:ModifySnapshotAttribute", &error)) {
            Err(error) if error.is(NO_SNAPSHOT) && *operation_type == OperationType::Remove => Ok(()),
            answer => answer.map(drop),
        }
    }
}

impl Clients {
    async fn exposed_snapshots(&self, account: &AccountId, region: &Region) -> Result<PublicSnapshots, AwsError> {
        let mut subject = PublicSnapshots {
            account: account.clone(),
            region: region.clone(),
            public: Default::default(),
            approved: Default::default(),
            block: None,
        };
        for snapshot in self.public_snapshots().await? {
            let id =
                snapshot.snapshot_id().ok_or_else(|| ShapeError::missing("Snapshots.SnapshotId", "a snapshot id"))?;
            if tags(snapshot.tags()).get(APPROVED.0).is_some_and(|value| value == APPROVED.1) {
                subject.approved.insert(id.to_owned());
            }
            subject.public.insert(id.to_owned());
        }
        if !subject.public.is_empty() {
            subject.block = Some(self.snapshot_block().await?.0);
        }
        Ok(subject)
    }

    /// The account's own public snapshots in the region, blocked or not: the block does not change their permissions.
    pub(super) async fn public_snapshots(&self) -> Result<Vec<Snapshot>, AwsError> {
        let request = self.ec2.describe_snapshots().owner_ids("self").restorable_by_user_ids("all");
        let mut pages = request.into_paginator().page_size(SNAPSHOTS_PER_PAGE).send();
        let mut snapshots = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("ec2:DescribeSnapshots", &error))?;
            snapshots.extend(page.snapshots.unwrap_or_default());
        }
        Ok(snapshots)
    }
}
