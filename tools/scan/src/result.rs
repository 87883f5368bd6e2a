//! What a scan found: a row per control and resource.

use rectify_compliance::{Severity, Timestamp, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PlanView, Since};

/// The version of the JSON form of a [`Scan`]; a removed or renamed field, or another meaning, is a new version.
pub const SCHEMA_VERSION: u32 = 1;

/// The [`Scan::source`] of a scan of accounts.
pub const LIVE: &str = "live";

/// A finished scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scan {
    /// The version of this form: 1.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// The version of Rectify.
    pub tool_version: String,
    /// When it began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started: Timestamp,
    /// When it ended.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub finished: Timestamp,
    /// What was read: `live`, `aggregator` and its name, or the names of files.
    pub source: String,
    /// The accounts and regions that were scanned.
    pub places: Vec<Place>,
    /// The ids of the controls that were scanned, in the order of the catalogue.
    pub controls: Vec<String>,
    /// The rows, ordered by control, then place, then resource.
    pub rows: Vec<Row>,
    /// What changed since an earlier scan, if it was compared with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

impl Scan {
    /// The rows that are new since the earlier scan; all of them without one.
    pub fn new_rows(&self) -> impl Iterator<Item = &Row> {
        let new = self.since.as_ref().map_or_else(|| (0..self.rows.len()).collect(), |since| since.new.clone());
        new.into_iter().filter_map(|at| self.rows.get(at))
    }

    /// The scan with only its [new rows](Self::new_rows).
    #[must_use]
    pub fn only_new(&self) -> Self {
        let rows: Vec<Row> = self.new_rows().cloned().collect();
        let since = self.since.clone().map(|since| Since { new: (0..rows.len()).collect(), ..since });
        Self { rows, since, ..self.clone() }
    }
}

/// An account and a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// 12 digits.
    pub account: String,
    /// E.g. `eu-west-1`.
    pub region: String,
}

/// One control about one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The control's id.
    pub control: String,
    /// The resource's account and region.
    #[serde(flatten)]
    pub place: Place,
    /// AWS Config's type, e.g. `AWS::EC2::SecurityGroup`.
    pub resource_type: String,
    /// AWS Config's id; `*` for a row about all resources of the control.
    pub resource_id: String,
    /// The name, if it differs from the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The ARN, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// Where the resource is declared, if it was read from a template or a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The result.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The file as it was given.
    pub file: String,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl std::fmt::Display for Source {
    /// `template.yaml:12`.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.file)?;
        self.line.map_or(Ok(()), |line| write!(out, ":{line}"))
    }
}

/// The result for one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Outcome {
    /// It meets the requirement.
    Passed {
        /// The reason, where it is not obvious.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// It violates the requirement.
    Failed {
        /// What is wrong.
        reason: String,
        /// What would fix it; none for a control without a remediation, or if the plan could not be made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<PlanView>,
    },
    /// The control does not apply to it.
    NotApplicable {
        /// Why.
        reason: String,
    },
    /// It could not be read, so it has no verdict: never a pass.
    Unreadable {
        /// The call and the error, e.g. `s3:GetBucketPolicy: AccessDenied`.
        reason: String,
    },
    /// The control cannot be evaluated from this source, or needs a value that is known only at deployment.
    NotScanned {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// The outcome of a verdict, with the plan if it is a finding.
    #[must_use]
    pub fn of(verdict: &Verdict, plan: Option<PlanView>) -> Self {
        let text = || verdict.annotation().map(ToString::to_string);
        match verdict {
            Verdict::Compliant(_) => Self::Passed { reason: text() },
            Verdict::NonCompliant(_) => Self::Failed { reason: text().unwrap_or_default(), plan },
            Verdict::NotApplicable(_) => Self::NotApplicable { reason: text().unwrap_or_default() },
        }
    }

    /// Whether it is a finding.
    #[must_use]
    pub const fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    /// Whether a verdict is missing.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::NotScanned { .. })
    }
}

/// The severity of a row's control; low for a control that this version does not have.
#[must_use]
pub fn severity(row: &Row) -> Severity {
    rectify_catalogue::find(&row.control).map_or(Severity::Low, |control| control.meta.severity)
}
