//! The reads of a deployed remediation: the environment of its function, and when AWS Config reported a finding.

use std::collections::HashMap;

use aws_sdk_config::types::ComplianceType;
use aws_sdk_lambda::error::SdkError;
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationError;
use aws_types::SdkConfig;
use rectify_compliance::{ResourceKey, Timestamp};
use rectify_runtime::AwsError;
use rectify_runtime::config_service::milliseconds;

/// The environment variables of a function; `None` if there is no function of this name.
pub(super) async fn variables(config: &SdkConfig, function: &str) -> Result<Option<HashMap<String, String>>, AwsError> {
    let call = aws_sdk_lambda::Client::new(config).get_function_configuration().function_name(function);
    match call.send().await {
        Ok(answer) => Ok(Some(answer.environment.and_then(|it| it.variables).unwrap_or_default())),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(AwsError::call("lambda:GetFunctionConfiguration", &error)),
    }
}

fn is_absent<R>(error: &SdkError<GetFunctionConfigurationError, R>) -> bool {
    error.as_service_error().is_some_and(GetFunctionConfigurationError::is_resource_not_found_exception)
}

/// When a rule's NON_COMPLIANT result about a resource was recorded; `None` if there is none.
pub(super) async fn reported_at(
    config: &SdkConfig,
    rule: &str,
    resource: &ResourceKey,
) -> Result<Option<Timestamp>, AwsError> {
    let mut pages = aws_sdk_config::Client::new(config)
        .get_compliance_details_by_resource()
        .resource_type(&resource.kind)
        .resource_id(&resource.id)
        .compliance_types(ComplianceType::NonCompliant)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| AwsError::call("config:GetComplianceDetailsByResource", &error))?;
        for result in page.evaluation_results.unwrap_or_default() {
            let id = result.evaluation_result_identifier.and_then(|it| it.evaluation_result_qualifier);
            if id.and_then(|it| it.config_rule_name).as_deref() == Some(rule) {
                return Ok(result.result_recorded_time.and_then(milliseconds));
            }
        }
    }
    Ok(None)
}
