//! The metadata options of an instance, and whether it still receives IMDSv1 calls.
//!
//! Knows no SDK: the client passes texts and numbers, and unreadable values are rejected here.

use rectify_compliance::{ConfigurationItem, Resource, ResourceIdentity, ResourceState, ShapeError, Timestamp};
use serde::{Deserialize, Serialize};

use crate::resources::instance::{Instance, TYPE};

/// The evaluated part of an instance's `MetadataOptions`: the settings, whether applied yet or still pending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetadataOptions {
    /// Whether a session token is required, if stated.
    #[serde(default)]
    pub http_tokens: Option<HttpTokens>,
    /// Whether the metadata endpoint is on, if stated; anything but `disabled` is evaluated as enabled.
    #[serde(default)]
    pub http_endpoint: Option<HttpEndpoint>,
    /// The hop limit of the response that carries a token, 1..=64, if stated.
    #[serde(default)]
    pub http_put_response_hop_limit: Option<u32>,
}

/// `HttpTokens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HttpTokens {
    /// Calls without a token are accepted: IMDSv1.
    Optional,
    /// Calls without a token are rejected.
    Required,
}

/// `HttpEndpoint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HttpEndpoint {
    /// The endpoint is on.
    Enabled,
    /// The endpoint is off, with or without a token.
    Disabled,
}

/// The sum of the CloudWatch metric `AWS/EC2` `MetadataNoToken` of one instance over some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenlessCalls {
    /// The age of the oldest datapoint in days, rounded up; 0 without datapoints.
    pub observed_days: u32,
    /// The sum of all datapoints.
    pub calls: u64,
}

/// The metadata options that an item records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedMetadata {
    instance: Instance,
    options: Option<MetadataOptions>,
}

/// An instance with its metadata options: the subject of the control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceMetadata {
    /// The instance.
    pub instance: Instance,
    /// Its metadata options; absent for an instance that is gone. For any other instance, missing options are a finding.
    pub options: Option<MetadataOptions>,
    /// Calls without a token; only a remediation reads them.
    pub tokenless_calls: Option<TokenlessCalls>,
}

const DAY_SECONDS: i64 = 86_400;

impl TokenlessCalls {
    /// Sums datapoints read at `now`, rounding up to whole calls.
    pub fn of(datapoints: impl IntoIterator<Item = (Timestamp, f64)>, now: Timestamp) -> Self {
        let (mut oldest, mut sum) = (None, 0.0_f64);
        for (at, calls) in datapoints {
            oldest = Some(oldest.map_or(at, |oldest: Timestamp| oldest.min(at)));
            sum += calls.max(0.0);
        }
        let observed = oldest.map_or(0, |oldest| (now.as_second() - oldest.as_second()).max(1));
        let days = observed.div_euclid(DAY_SECONDS) + i64::from(observed.rem_euclid(DAY_SECONDS) > 0);
        // A float above `u64::MAX` saturates; negative values were clamped above.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let calls = sum.ceil() as u64;
        Self { observed_days: u32::try_from(days).unwrap_or(u32::MAX), calls }
    }
}

impl MetadataOptions {
    /// Whether they are enough for a verdict: a disabled endpoint is; otherwise the tokens are needed, and the hop limit if
    /// `with_hop_limit`. Optional tokens are enough only if the endpoint is stated too.
    fn suffice(&self, with_hop_limit: bool) -> bool {
        let tokens_suffice = match self.http_tokens {
            None => false,
            Some(HttpTokens::Optional) => self.http_endpoint.is_some(),
            Some(HttpTokens::Required) => true,
        };
        self.http_endpoint == Some(HttpEndpoint::Disabled)
            || (tokens_suffice && (!with_hop_limit || self.http_put_response_hop_limit.is_some()))
    }
}

impl Resource for RecordedMetadata {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let path = "configuration.metadataOptions";
        let options = match item.configuration.get("metadataOptions") {
            None | Some(serde_json::Value::Null) => None,
            Some(options) => Some(
                MetadataOptions::deserialize(options)
                    .map_err(|error| ShapeError::new(path, "metadata options", format!("{options}: {error}")))?,
            ),
        };
        Ok(Self { instance: Instance::of_item(item), options })
    }
}

impl RecordedMetadata {
    /// Whether the item is enough for a verdict; `with_hop_limit` if the hop limit is evaluated too.
    pub fn is_sufficient(&self, with_hop_limit: bool) -> bool {
        self.instance.is_gone() || self.options.is_some_and(|options| options.suffice(with_hop_limit))
    }

    /// The subject, with the live options if they were read.
    pub fn or_live(self, live: Option<MetadataOptions>) -> InstanceMetadata {
        InstanceMetadata { instance: self.instance, options: live.or(self.options), tokenless_calls: None }
    }
}

impl ResourceState for InstanceMetadata {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.instance.identity()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::instance::tests::item_of;

    fn read(configuration: serde_json::Value) -> Result<Option<MetadataOptions>, String> {
        let read = RecordedMetadata::from_item(&item_of(configuration));
        read.map(|it| it.options).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read_in_any_state() {
        let expected = MetadataOptions {
            http_tokens: Some(HttpTokens::Required),
            http_endpoint: Some(HttpEndpoint::Disabled),
            http_put_response_hop_limit: Some(2),
        };
        let options = json!({
            "state": "pending", "httpTokens": "required", "httpEndpoint": "disabled", "httpPutResponseHopLimit": 2,
            "httpProtocolIpv6": "disabled", "instanceMetadataTags": "enabled"
        });
        assert_eq!(read(json!({"metadataOptions": options})), Ok(Some(expected)));
        let tokens = MetadataOptions { http_tokens: Some(HttpTokens::Required), ..MetadataOptions::default() };
        assert_eq!(read(json!({"metadataOptions": {"httpTokens": "required"}})), Ok(Some(tokens)));
        let endpoint = MetadataOptions { http_endpoint: Some(HttpEndpoint::Disabled), ..MetadataOptions::default() };
        for options in [
            json!({"httpEndpoint": "disabled"}),
            json!({"httpTokens": null, "httpEndpoint": "disabled", "httpPutResponseHopLimit": null}),
        ] {
            assert_eq!(read(json!({"metadataOptions": options})), Ok(Some(endpoint)));
        }
        assert_eq!(read(json!({"metadataOptions": {}})), Ok(Some(MetadataOptions::default())));
        assert_eq!(read(json!({})), Ok(None));
        assert_eq!(read(json!({"metadataOptions": null})), Ok(None));
    }

    #[test]
    fn unreadable_options_are_an_error() {
        for options in [
            json!({"httpTokens": "preferred"}),
            json!({"httpTokens": "required", "httpEndpoint": "open"}),
            json!({"httpTokens": "required", "httpPutResponseHopLimit": -1}),
            json!("required"),
        ] {
            let error = read(json!({"metadataOptions": options})).unwrap_err();
            assert!(error.starts_with("configuration.metadataOptions: expected metadata options: received"), "{error}");
        }
    }

    #[test]
    fn datapoints_are_summed_and_dated() {
        let now: Timestamp = "2026-03-15T12:00:00Z".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let of = |points: &[(&str, f64)]| TokenlessCalls::of(points.iter().map(|(time, sum)| (at(time), *sum)), now);
        for (points, observed_days, calls) in [
            (vec![], 0, 0),
            (vec![("2026-03-15T12:00:00Z", 0.0)], 1, 0),
            (vec![("2026-03-15T11:00:00Z", 0.0)], 1, 0),
            (vec![("2026-03-14T12:00:00Z", 0.0)], 1, 0),
            (vec![("2026-03-14T11:00:00Z", 0.0)], 2, 0),
            (vec![("2026-03-10T11:00:00Z", 2.0), ("2026-03-01T12:00:00Z", 1.0)], 14, 3),
            (vec![("2026-03-10T11:00:00Z", 0.25)], 6, 1),
        ] {
            assert_eq!(of(&points), TokenlessCalls { observed_days, calls }, "{points:?}");
        }
    }
}
