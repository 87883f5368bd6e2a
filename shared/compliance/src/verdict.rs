//! What a rule answers about one resource.

use serde::{Deserialize, Serialize};

use crate::{Annotation, ResourceKey, Timestamp};

/// The answer of a control about one subject, with its reason.
///
/// There is no fourth variant for "could not tell": AWS Config refuses `INSUFFICIENT_DATA` from a rule, so what could not
/// be told is a failed invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "annotation", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// The control holds; annotated only where it holds for a reason that is not obvious.
    Compliant(Option<Annotation>),
    /// The control does not hold; the annotation names the offenders.
    NonCompliant(Annotation),
    /// The control says nothing about this resource; the annotation says why.
    NotApplicable(Annotation),
}

impl Verdict {
    /// Compliant without a remark.
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

    /// The text beside the verdict, where there is one.
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

    /// Whether the control holds.
    pub const fn is_compliant(&self) -> bool {
        matches!(self, Self::Compliant(_))
    }
}

/// One verdict, addressed: an element of `PutEvaluations.Evaluations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// `ComplianceResourceType` and `ComplianceResourceId`.
    pub resource: ResourceKey,
    /// `ComplianceType` and `Annotation`.
    pub verdict: Verdict,
    /// `OrderingTimestamp`: the capture time of the item, or the creation time of a scheduled notification; never now.
    pub ordering: Timestamp,
}
