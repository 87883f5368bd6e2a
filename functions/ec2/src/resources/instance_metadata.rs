//! How an instance's metadata service is set up, and whether anybody still calls it without a token.
//!
//! Knows no SDK: the client hands over texts and numbers, and what cannot be read stops here.

use rectify_compliance::{ConfigurationItem, Resource, ResourceKey, ResourceState, ShapeError, Tags, Timestamp};
use serde::{Deserialize, Serialize};

use crate::resources::instance::{Instance, TYPE};

/// `MetadataOptions` of an instance, as far as it is judged. What is set, not whether it is applied yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetadataOptions {
    /// Whether a session token is required, where that is stated.
    #[serde(default)]
    pub http_tokens: Option<HttpTokens>,
    /// Whether the service answers at all, where that is stated; unless it is disabled it is judged as enabled.
    #[serde(default)]
    pub http_endpoint: Option<HttpEndpoint>,
    /// How many hops an answer with a token may travel, 1..=64, where that is stated.
    #[serde(default)]
    pub http_put_response_hop_limit: Option<u32>,
}

/// `HttpTokens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HttpTokens {
    /// Calls without a token are answered: IMDSv1.
    Optional,
    /// They are refused.
    Required,
}

/// `HttpEndpoint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HttpEndpoint {
    /// The service answers.
    Enabled,
    /// It does not, with a token or without.
    Disabled,
}

/// The CloudWatch metric `AWS/EC2` `MetadataNoToken` of one instance over some days, summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenlessCalls {
    /// How long ago the oldest datapoint is, days, a day begun counting whole; 0 without any datapoint.
    pub observed_days: u32,
    /// The sum of all datapoints.
    pub calls: u64,
}

/// An item as far as it tells of the metadata service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedMetadata {
    instance: Instance,
    options: Option<MetadataOptions>,
}

/// An instance with its metadata service: what is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceMetadata {
    /// The instance.
    pub instance: Instance,
    /// How its metadata service is set up; absent for an instance that is gone, and judged as IMDSv1 for any other.
    pub options: Option<MetadataOptions>,
    /// Calls without a token, read by a remediation only.
    pub tokenless_calls: Option<TokenlessCalls>,
}

const DAY_SECONDS: i64 = 86_400;

impl TokenlessCalls {
    /// Sums up datapoints read at `now`; a fraction of a call counts as one.
    pub fn of(datapoints: impl IntoIterator<Item = (Timestamp, f64)>, now: Timestamp) -> Self {
        let (mut oldest, mut sum) = (None, 0.0_f64);
        for (at, calls) in datapoints {
            oldest = Some(oldest.map_or(at, |oldest: Timestamp| oldest.min(at)));
            sum += calls.max(0.0);
        }
        let observed = oldest.map_or(0, |oldest| (now.as_second() - oldest.as_second()).max(1));
        let days = observed.div_euclid(DAY_SECONDS) + i64::from(observed.rem_euclid(DAY_SECONDS) > 0);
        // A float past the largest u64 becomes just that; a negative one was left out.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let calls = sum.ceil() as u64;
        Self { observed_days: u32::try_from(days).unwrap_or(u32::MAX), calls }
    }
}

impl MetadataOptions {
    /// Whether they decide: an endpoint that is disabled does alone, and otherwise it takes the tokens, and the hop limit too
    /// `with_hop_limit`. Tokens that are optional decide only beside an endpoint that is known to be on.
    fn decide(&self, with_hop_limit: bool) -> bool {
        let tokens_decide = match self.http_tokens {
            None => false,
            Some(HttpTokens::Optional) => self.http_endpoint.is_some(),
            Some(HttpTokens::Required) => true,
        };
        self.http_endpoint == Some(HttpEndpoint::Disabled)
            || (tokens_decide && (!with_hop_limit || self.http_put_response_hop_limit.is_some()))
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
    /// Whether the item decides alone: `with_hop_limit` where the hop limit matters too.
    pub fn suffices(&self, with_hop_limit: bool) -> bool {
        self.instance.is_gone() || self.options.is_some_and(|options| options.decide(with_hop_limit))
    }

    /// What is judged: the options as read live, where they had to be.
    pub fn or_live(self, live: Option<MetadataOptions>) -> InstanceMetadata {
        InstanceMetadata { instance: self.instance, options: live.or(self.options), tokenless_calls: None }
    }
}

impl ResourceState for InstanceMetadata {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::new(TYPE, &self.instance.id)
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.instance.arn)
    }

    fn tags(&self) -> &Tags {
        &self.instance.tags
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::instance::tests::item_of;

    fn read(configuration: serde_json::Value) -> Result<Option<MetadataOptions>, String> {
        let read = RecordedMetadata::from_item(&item_of(configuration));
        read.map(|it| it.options).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read_whatever_their_state() {
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
    fn options_that_cannot_be_read_are_no_options() {
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
    fn datapoints_are_summed_up_and_dated() {
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
