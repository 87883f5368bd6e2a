//! The result of a rule for one resource.

use serde::{Deserialize, Serialize};

use crate::{Annotation, ResourceKey, Timestamp};

/// The result of a control for one subject, with its reason.
///
/// There is no variant for "unknown": AWS Config rejects `INSUFFICIENT_DATA` from a rule, so an evaluation without a
/// result is a failed invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "annotation", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// The resource meets the requirement; annotated only if the reason is not obvious.
    Compliant(Option<Annotation>),
    /// The resource violates the requirement; the annotation names the offenders.
    NonCompliant(Annotation),
    /// The control does not apply to this resource; the annotation gives the reason.
    NotApplicable(Annotation),
}

impl Verdict {
    /// COMPLIANT without an annotation.
    pub const COMPLIANT: Self = Self::Compliant(None);

    /// NON_COMPLIANT with this finding.
    pub fn non_compliant(finding: impl Into<Annotation>) -> Self {
        Self::NonCompliant(finding.into())
    }

    /// NOT_APPLICABLE for this reason.
    pub fn not_applicable(reason: impl Into<Annotation>) -> Self {
        Self::NotApplicable(reason.into())
    }

    /// The `ComplianceType` of the AWS Config API.
    pub const fn compliance_type(&self) -> &'static str {
        match self {
            Self::Compliant(_) => "COMPLIANT",
            Self::NonCompliant(_) => "NON_COMPLIANT",
            Self::NotApplicable(_) => "NOT_APPLICABLE",
        }
    }

    /// The annotation, if there is one.
    pub const fn annotation(&self) -> Option<&Annotation> {
        match self {
            Self::Compliant(annotation) => annotation.as_ref(),
            Self::NonCompliant(annotation) | Self::NotApplicable(annotation) => Some(annotation),
        }
    }

    /// Whether this is a finding.
    pub const fn is_non_compliant(&self) -> bool {
        matches!(self, Self::NonCompliant(_))
    }

    /// Whether the resource meets the requirement.
    pub const fn is_compliant(&self) -> bool {
        matches!(self, Self::Compliant(_))
    }
}

/// The verdict for one resource: an element of `PutEvaluations.Evaluations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// `ComplianceResourceType` and `ComplianceResourceId`.
    pub resource: ResourceKey,
    /// `ComplianceType` and `Annotation`.
    pub verdict: Verdict,
    /// `OrderingTimestamp`: the capture time of the item, or the creation time of a scheduled notification; never the
    /// current time.
    pub ordering: Timestamp,
}
