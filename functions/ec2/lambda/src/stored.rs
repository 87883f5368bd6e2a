//! Parameters stored in Systems Manager.

use rectify_compliance::ShapeError;
use rectify_compliance::json_parameter::{JsonParameter, read_stored};
use rectify_runtime::AwsError;
use serde::de::DeserializeOwned;

use super::Clients;

impl Clients {
    /// The value stored under the name in a rule parameter; `None` if the rule parameter contains the value itself. A
    /// missing Systems Manager parameter is an error.
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
