//! The HTTP server: AWS JSON 1.1, `X-Amz-Target: StarlingDoveService.<operation>`.
//!
//! Parses requests and writes answers; the operations are in `api`.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error::ApiError;
use super::fault::{Fault, Operation};
use super::{Engine, api};

const TARGET: &str = "StarlingDoveService.";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Far above 100 evaluations of a kilobyte; AWS's own limit is not documented.
const MAX_BODY: usize = 1024 * 1024;

impl Engine {
    /// Serves AWS Config's operations on `listener` until the future is dropped.
    ///
    /// # Errors
    /// Errors of the listener.
    pub async fn serve(self, listener: tokio::net::TcpListener) -> std::io::Result<()> {
        axum::serve(listener, self.router()).await
    }

    /// The router, for a server that the caller runs.
    pub fn router(self) -> Router {
        Router::new().fallback(answer).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(self)
    }
}

async fn answer(State(engine): State<Engine>, method: Method, headers: HeaderMap, body: Bytes) -> Response {
    let request_id = crate::request_id::next();
    let (status, body) = match engine.call(&method, &headers, &body) {
        Ok(value) => (StatusCode::OK, value),
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            tracing::debug!(request_id, code = error.code, "config operation refused");
            (status, error.body())
        }
    };
    let headers = [(header::CONTENT_TYPE.as_str(), CONTENT_TYPE), ("x-amzn-requestid", request_id.as_str())];
    (status, headers, body.to_string()).into_response()
}

impl Engine {
    fn call(&self, method: &Method, headers: &HeaderMap, body: &[u8]) -> Result<Value, ApiError> {
        let operation = operation(method, headers)?;
        let body = parse(body)?;
        let fault = self.lock().faults.take(operation);
        let failing = match fault {
            Some(Fault::Error(error)) => return Err(error),
            Some(Fault::FailedEvaluations(ids)) => ids,
            None => Vec::new(),
        };
        match operation {
            Operation::PutConfigRule => api::put_config_rule(self, body),
            Operation::DescribeConfigRules => api::describe_config_rules(self, body),
            Operation::DeleteConfigRule => api::delete_config_rule(self, body),
            Operation::StartConfigRulesEvaluation => api::start_config_rules_evaluation(self, body),
            Operation::PutEvaluations => api::put_evaluations(self, body, &failing),
            Operation::GetComplianceDetailsByConfigRule => api::get_compliance_details_by_config_rule(self, body),
            Operation::GetComplianceDetailsByResource => api::get_compliance_details_by_resource(self, body),
            Operation::DescribeComplianceByConfigRule => api::describe_compliance_by_config_rule(self, body),
            Operation::GetDiscoveredResourceCounts => api::get_discovered_resource_counts(self, body),
            Operation::GetResourceConfigHistory => api::get_resource_config_history(self, body),
            Operation::BatchGetResourceConfig => api::batch_get_resource_config(self, body),
            Operation::ListDiscoveredResources => api::list_discovered_resources(self, body),
            Operation::DescribeConfigurationRecorderStatus => api::describe_configuration_recorder_status(self, body),
            Operation::DescribeConfigurationRecorders => api::describe_configuration_recorders(self, body),
            Operation::DescribeDeliveryChannelStatus => api::describe_delivery_channel_status(self, body),
            Operation::DescribeDeliveryChannels => api::describe_delivery_channels(self, body),
            Operation::PutConfigurationRecorder => api::put_configuration_recorder(self, body),
            Operation::PutDeliveryChannel => api::put_delivery_channel(self, body),
            Operation::StartConfigurationRecorder => api::start_configuration_recorder(self, body),
            Operation::StopConfigurationRecorder => api::stop_configuration_recorder(self, body),
        }
    }
}

fn operation(method: &Method, headers: &HeaderMap) -> Result<Operation, ApiError> {
    let unknown = |what: String| ApiError::new("UnknownOperationException", format!("local engine: {what}"));
    if method != Method::POST {
        return Err(unknown(format!("{method} is not supported, only POST")));
    }
    let target = headers.get("x-amz-target").ok_or_else(|| unknown("no X-Amz-Target".to_owned()))?;
    let target = String::from_utf8_lossy(target.as_bytes());
    let name =
        target.strip_prefix(TARGET).ok_or_else(|| unknown(format!("`{target}` is not an operation of AWS Config")))?;
    Operation::named(name).ok_or_else(|| unknown(format!("{name} is not implemented")))
}

fn parse(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice::<Value>(body)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| ApiError::new("SerializationException", "The request body is not a JSON object."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::engine::rule::tests::settings;

    fn call(method: &Method, target: Option<&str>, body: &str) -> Result<Value, String> {
        let (engine, _outputs) = Engine::new(settings());
        let headers = target.map(|target| (header::HeaderName::from_static("x-amz-target"), target.parse().unwrap()));
        engine
            .call(method, &headers.into_iter().collect(), body.as_bytes())
            .map_err(|error| format!("{} {}", error.status, error))
    }

    #[test]
    fn unknown_operation_is_refused_by_name() {
        let rows = [
            (Method::GET, Some("StarlingDoveService.DescribeConfigRules"), "GET is not supported, only POST"),
            (Method::POST, None, "no X-Amz-Target"),
            (Method::POST, Some("AmazonSQS.SendMessage"), "`AmazonSQS.SendMessage` is not an operation of AWS Config"),
            (Method::POST, Some("StarlingDoveService.PutTelegram"), "PutTelegram is not implemented"),
        ];
        for (method, target, why) in rows {
            let expected = format!("400 UnknownOperationException: local engine: {why}");
            assert_eq!(call(&method, target, "{}"), Err(expected));
        }
    }

    #[test]
    fn body_is_a_json_object_or_empty() {
        let target = Some("StarlingDoveService.DescribeConfigRules");
        let rules = json!({ "ConfigRules": [] });
        assert_eq!(call(&Method::POST, target, ""), Ok(rules.clone()));
        assert_eq!(call(&Method::POST, target, "{}"), Ok(rules));
        for body in ["[]", "{", "\"text\""] {
            let expected = "400 SerializationException: The request body is not a JSON object.".to_owned();
            assert_eq!(call(&Method::POST, target, body), Err(expected));
        }
    }
}
