//! EBS snapshots of the account that everyone can restore.

use aws_sdk_ec2::types::Snapshot;
use rectify_runtime::AwsError;

use super::Clients;

/// Snapshots per page, the API's maximum.
const SNAPSHOTS_PER_PAGE: i32 = 1000;

impl Clients {
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
