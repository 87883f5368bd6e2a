//! AWS Config's operations, one function each, from request to answer or error.
//!
//! Member names and limits follow the service model (API version 2014-11-12).

mod compliance;
mod counts;
mod evaluations;
mod recording;
mod resources;
mod rules;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub(super) use self::compliance::{
    describe_compliance_by_config_rule, get_compliance_details_by_config_rule, get_compliance_details_by_resource,
};
pub(super) use self::counts::get_discovered_resource_counts;
pub(super) use self::evaluations::put_evaluations;
pub(super) use self::recording::{
    describe_configuration_recorder_status, describe_configuration_recorders, describe_delivery_channel_status,
    describe_delivery_channels, put_configuration_recorder, put_delivery_channel, start_configuration_recorder,
    stop_configuration_recorder,
};
pub(super) use self::resources::{batch_get_resource_config, get_resource_config_history, list_discovered_resources};
pub(super) use self::rules::{
    delete_config_rule, delete_rule, describe_config_rules, put_config_rule, put_rule, start_config_rules_evaluation,
};

use super::error::ApiError;
use super::page::BadToken;
use super::shape::Violations;

/// The request's members; a member of the wrong JSON type is a `SerializationException`, as in AWS.
fn request<T: DeserializeOwned>(body: Value) -> Result<T, ApiError> {
    serde_json::from_value(body).map_err(|error| ApiError::new("SerializationException", error.to_string()))
}

fn bad_next_token(_: BadToken) -> ApiError {
    ApiError::new("InvalidNextTokenException", "The specified next token is not valid.")
}

/// The page size of a request; 0 or none means the operation's default.
fn page_size(limit: Option<i64>, default: usize) -> usize {
    limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0).unwrap_or(default)
}

/// Validates the rule names in a request: at most 25, each 1 to 128 characters.
fn check_names(violations: &mut Violations, names: &[String], min: usize) {
    violations.count("configRuleNames", names.len(), min, 25);
    for (number, name) in (1..).zip(names) {
        violations.length(&format!("configRuleNames.{number}.member"), name, 1, 128);
    }
}

/// Adds the token of the next page to an answer, if there is one.
fn put_token(answer: &mut Value, member: &str, token: Option<String>) {
    if let (Some(members), Some(token)) = (answer.as_object_mut(), token) {
        members.insert(member.to_owned(), token.into());
    }
}
