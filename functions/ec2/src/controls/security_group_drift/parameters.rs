//! The parameters of `security-group-drift`: where baselines are stored, and which differences count.

use rectify_compliance::parameters;
use rectify_compliance::values::{Bounded, Flag, Moment};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::rule::{Direction, Rule};

parameters! {
    /// The parameters of [`SecurityGroupDrift`](crate::SecurityGroupDrift); there is no managed rule.
    pub SecurityGroupDriftParameters, check: baseline_can_be_read {
        /// Where baselines are stored: `ssm`, `s3` or `config`. Default ssm.
        baseline_source: BaselineSource = BaselineSource::Ssm,
        /// The name of a baseline, with `{groupId}` in it: below `/sg-baseline/`, or `bucket/sg-baseline/…` for s3.
        baseline_name: String = "/sg-baseline/{groupId}".to_owned(),
        /// The time of the configuration item that is the baseline, RFC 3339; for `config` only. Default none.
        baseline_time: Option<Moment> = None,
        /// Which differences count: `exact` (both kinds), `extra` or `missing`. Default exact.
        drift_mode: DriftMode = DriftMode::Exact,
        /// Which rules count: `both`, `ingress` or `egress`. Default both.
        direction: Directions = Directions::Both,
        /// Whether a changed description counts. Default false.
        compare_descriptions: Flag = Flag(false),
        /// Whether a group without a baseline fails the invocation. Default false.
        require_baseline: Flag = Flag(false),
        /// How long after an approved change the plan is blocked, minutes, 0..=1440. Default 60.
        approval_grace_minutes: Bounded<0, 1440> = Bounded::of(60),
    }
}

/// Where baselines are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BaselineSource {
    /// A Systems Manager parameter.
    #[default]
    Ssm,
    /// An object in S3.
    S3,
    /// The configuration history of AWS Config.
    Config,
}

/// Which differences count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DriftMode {
    /// Extra and missing rules.
    #[default]
    Exact,
    /// Extra rules.
    Extra,
    /// Missing rules.
    Missing,
}

/// Which rules count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Directions {
    /// All rules.
    #[default]
    Both,
    /// Ingress rules.
    Ingress,
    /// Egress rules.
    Egress,
}

/// The placeholder for the id of the group in a baseline name.
const GROUP_ID: &str = "{groupId}";

fn baseline_can_be_read(params: &SecurityGroupDriftParameters) -> Result<(), String> {
    let name = &params.baseline_name;
    if !name.contains(GROUP_ID) {
        return Err(format!("baselineName: expected {GROUP_ID} in it: received `{name}`"));
    }
    match (params.baseline_source, params.baseline_time) {
        (BaselineSource::Config, None) => return Err("baselineSource `config` needs baselineTime".to_owned()),
        (BaselineSource::Ssm | BaselineSource::S3, Some(_)) => {
            return Err("baselineTime belongs to baselineSource `config`".to_owned());
        }
        _ => {}
    }
    let is_readable = match params.baseline_source {
        BaselineSource::Ssm => name.starts_with("/sg-baseline/"),
        BaselineSource::S3 => {
            params.object("").is_some_and(|(bucket, key)| !bucket.is_empty() && key.starts_with("sg-baseline/"))
        }
        BaselineSource::Config => true,
    };
    let expected = match params.baseline_source {
        BaselineSource::S3 => "bucket/sg-baseline/…",
        BaselineSource::Ssm | BaselineSource::Config => "/sg-baseline/…",
    };
    if is_readable { Ok(()) } else { Err(format!("baselineName: expected {expected}: received `{name}`")) }
}

impl SecurityGroupDriftParameters {
    /// The name of a group's baseline.
    pub fn name_for(&self, group_id: &str) -> String {
        self.baseline_name.replace(GROUP_ID, group_id)
    }

    /// Bucket and key of a group's baseline, if the name has both.
    pub fn object(&self, group_id: &str) -> Option<(String, String)> {
        self.name_for(group_id).split_once('/').map(|(bucket, key)| (bucket.to_owned(), key.to_owned()))
    }

    /// Whether a rule counts.
    pub fn applies_to(&self, rule: &Rule) -> bool {
        match self.direction {
            Directions::Both => true,
            Directions::Ingress => rule.direction == Direction::Ingress,
            Directions::Egress => rule.direction == Direction::Egress,
        }
    }
}
