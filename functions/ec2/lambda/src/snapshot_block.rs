//! The setting "block public access for snapshots" of an account in a region.

use aws_sdk_ec2::types::SnapshotBlockPublicAccessState;
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{AccountId, Region, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page};

use super::Clients;
use rectify_ec2::controls::ebs_snapshot_block_public_access::{
    EbsSnapshotBlockPublicAccess, EbsSnapshotBlockPublicAccessParameters, SnapshotBlockCall, SnapshotSetting,
};
use rectify_ec2::resources::snapshot_block::SnapshotBlock;

impl List<Clients> for EbsSnapshotBlockPublicAccess {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a EbsSnapshotBlockPublicAccessParameters,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<SnapshotSetting>, AwsError>> + Send + 'a {
        once(async move { Ok(Page::whole([clients.snapshot_setting(&place.account, &place.region).await?])) })
    }
}

impl Fix<Clients> for EbsSnapshotBlockPublicAccess {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &EbsSnapshotBlockPublicAccessParameters,
    ) -> Result<Option<SnapshotSetting>, AwsError> {
        let mut setting = clients.snapshot_setting(&target.account, &target.region).await?;
        if setting.would_block_public_snapshots(params) {
            setting.has_public_snapshots = Some(!clients.public_snapshots().await?.is_empty());
        }
        Ok(Some(setting))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &SnapshotBlockCall) -> Result<(), AwsError> {
        match action {
            SnapshotBlockCall::EnableSnapshotBlockPublicAccess { state } => {
                let state = SnapshotBlockPublicAccessState::from(state.api_name());
                let request = clients.ec2.enable_snapshot_block_public_access().state(state);
                request.send().await.map_err(|error| AwsError::call("ec2:EnableSnapshotBlockPublicAccess", &error))?;
            }
            SnapshotBlockCall::DisableSnapshotBlockPublicAccess {} => {
                let request = clients.ec2.disable_snapshot_block_public_access();
                request.send().await.map_err(|error| AwsError::call("ec2:DisableSnapshotBlockPublicAccess", &error))?;
            }
        }
        Ok(())
    }
}

impl Clients {
    async fn snapshot_setting(&self, account: &AccountId, region: &Region) -> Result<SnapshotSetting, AwsError> {
        let (state, managed_by) = self.snapshot_block().await?;
        let (account, region) = (account.clone(), region.clone());
        Ok(SnapshotSetting { account, region, state, managed_by, has_public_snapshots: None })
    }

    /// The state of the block, and the entity that manages it.
    pub(super) async fn snapshot_block(&self) -> Result<(SnapshotBlock, Option<String>), AwsError> {
        let answer = self.ec2.get_snapshot_block_public_access_state().send().await;
        let answer = answer.map_err(|error| AwsError::call("ec2:GetSnapshotBlockPublicAccessState", &error))?;
        let state = answer.state().ok_or_else(|| ShapeError::missing("State", "a state of the block"))?;
        Ok((SnapshotBlock::read(state.as_str())?, answer.managed_by().map(|it| it.as_str().to_owned())))
    }
}
