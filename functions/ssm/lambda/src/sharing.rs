//! The setting that allows public documents.

use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{AccountId, Region, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Page};
use rectify_runtime::views::{Views, unknown_member, value_of};
use serde_json::Value;

use super::Clients;
use rectify_ssm::resources::sharing_setting::{PublicSharing, SETTING_ID, SharingSetting};

impl Clients {
    /// `GetServiceSetting`. A region without the setting is an error.
    async fn sharing_setting(&self, account: &AccountId, region: &Region) -> Result<SharingSetting, AwsError> {
        let answer = self.ssm.get_service_setting().setting_id(SETTING_ID).send().await;
        let answer = answer.map_err(|error| AwsError::call("ssm:GetServiceSetting", &error))?;
        let value = answer.service_setting().and_then(|it| it.setting_value());
        let value = value.ok_or_else(|| ShapeError::missing("ServiceSetting.SettingValue", "Enable or Disable"))?;
        Ok(SharingSetting {
            account: account.clone(),
            region: region.clone(),
            public_sharing: PublicSharing::parse(value)?,
            tags: Tags::new(),
        })
    }
}

impl Views<SharingSetting> for Clients {
    async fn read(&self, target: &Target) -> Result<Option<SharingSetting>, AwsError> {
        self.sharing_setting(&target.account, &target.region).await.map(Some)
    }

    async fn write(&self, id: &str, member: &str, value: &Value) -> Result<(), AwsError> {
        let value: PublicSharing = match member {
            "SettingValue" => value_of(member, value)?,
            _ => return Err(unknown_member(member)),
        };
        let call = self.ssm.update_service_setting().setting_id(id).setting_value(value.as_str());
        call.send().await.map(drop).map_err(|error| AwsError::call("ssm:UpdateServiceSetting", &error))
    }

    fn pages<'a>(
        &'a self,
        place: &'a AccountRegion,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<SharingSetting>, AwsError>> + Send + 'a {
        once(async move { Ok(Page::whole([self.sharing_setting(&place.account, &place.region).await?])) })
    }
}
