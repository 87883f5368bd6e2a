//! Parameters that are kept in Systems Manager.

use rectify_compliance::ShapeError;
use rectify_compliance::json_parameter::{JsonParameter, read_stored};
use rectify_runtime::AwsError;
use serde::de::DeserializeOwned;

use super::Clients;

impl Clients {
    /// What is kept under the name a parameter gives; `None` where it holds its value itself. One that is not there fails:
    /// the parameter is wrong.
    pub(super) async fn stored<T: DeserializeOwned>(
        &self,
        parameter: Option<&JsonParameter<T>>,
    ) -> Result<Option<T>, AwsError> {
        let Some(name) = parameter.and_then(JsonParameter::stored) else { return Ok(None) };
        let request = self.ssm.get_parameter().name(name).with_decryption(false);
        let answer = request.send().await.map_err(|error| AwsError::call("ssm:GetParameter", &error))?;
        let text = answer.parameter().and_then(|it| it.value());
        let text = text.ok_or_else(|| ShapeError::missing(format!("ssm:{name}"), "a text"))?;
        Ok(Some(read_stored(name, text)?))
    }
}
