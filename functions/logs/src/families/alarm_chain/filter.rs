//! Whether a metric filter counts the expected events, exactly, more broadly, or as a known variant.

use std::cmp::Reverse;
use std::fmt;

use rectify_compliance::offenders;
use serde::{Deserialize, Serialize};

use crate::resources::pattern::{NotComparable, Pattern, Relation};

/// A metric filter, as `DescribeMetricFilters` returns it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricFilter {
    /// `filterName`.
    pub name: String,
    /// `filterPattern`.
    pub pattern: String,
    /// `metricTransformations`: the metrics it publishes.
    pub transformations: Vec<Transformation>,
    /// `applyOnTransformedLogs`: events are then not in CloudTrail's format.
    pub on_transformed_logs: bool,
    /// `fieldSelectionCriteria`, which restricts the filter by account or region.
    pub field_selection_criteria: Option<String>,
    /// Whether `emitSystemFieldDimensions` has entries.
    pub emits_system_fields: bool,
}

/// `MetricTransformation`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transformation {
    /// `metricNamespace`.
    pub metric_namespace: String,
    /// `metricName`.
    pub metric_name: String,
    /// `metricValue`: a number, or a field of the event.
    pub metric_value: String,
    /// `defaultValue`: published for a period whose events do not match.
    pub default_value: Option<f64>,
    /// Whether it has `dimensions`.
    pub has_dimensions: bool,
    /// `unit`; absent means the unit `None`.
    pub unit: Option<String>,
}

/// The events that must be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedEvents {
    /// The pattern that matches them.
    pub pattern: &'static str,
    /// Other accepted patterns, which match fewer or other events.
    pub variants: &'static [Variant],
    /// Events of which an accepted filter must not count all.
    pub refused: Option<Refused>,
}

/// A widely used pattern that does not match all expected events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// The pattern.
    pub pattern: &'static str,
    /// The remark on a filter with this pattern.
    pub remark: &'static str,
}

/// Events that would hide the expected ones if counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The pattern that matches them.
    pub pattern: &'static str,
    /// Why a filter that counts them is rejected.
    pub reason: &'static str,
}

/// What is accepted besides an equivalent or broader filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// `acceptNoisy`: a filter that matches nearly every event.
    pub noisy: bool,
    /// `acceptVariants`: a known variant.
    pub variants: bool,
}

/// Why a filter is rejected; the greatest is the closest to acceptance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// Its pattern cannot be compared.
    NotComparable(String),
    /// It neither contains the expected events nor is contained in them.
    Unrelated,
    /// It counts no event of some of the expected kinds: their number, and their values as text.
    Missing(Reverse<usize>, String),
    /// It counts only some of the expected events.
    Narrower,
    /// It counts nearly every event, which is not accepted.
    Noisy,
    /// It counts refused events.
    Refused(&'static str),
    /// Its pattern matches, but it does not count every matching event.
    Disqualified(&'static str),
}

impl fmt::Display for Rejection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotComparable(why) => write!(out, "not comparable: {why}"),
            Self::Unrelated => out.write_str("unrelated"),
            Self::Missing(_, values) => write!(out, "{values} missing"),
            Self::Narrower => out.write_str("narrower than required"),
            Self::Noisy => out.write_str("matches nearly every event"),
            Self::Refused(why) | Self::Disqualified(why) => out.write_str(why),
        }
    }
}

impl MetricFilter {
    /// Whether it counts the expected events; with a remark unless it counts exactly these.
    ///
    /// # Errors
    /// The first [`Rejection`].
    pub fn check(&self, expected: &ExpectedEvents, tolerance: Tolerance) -> Result<Option<&'static str>, Rejection> {
        let not_comparable = |why: NotComparable| Rejection::NotComparable(why.to_string());
        let parse = |text: &str| Pattern::parse(text).map_err(not_comparable);
        let found = parse(&self.pattern)?;
        let relation = |text: &str| parse(text)?.relation(&found).map_err(not_comparable);
        let expected_events = parse(expected.pattern)?;
        let remark = match expected_events.relation(&found).map_err(not_comparable)? {
            Relation::Equivalent => None,
            Relation::Broader if found.is_noisy().map_err(not_comparable)? => {
                if !tolerance.noisy {
                    return Err(Rejection::Noisy);
                }
                Some("matches nearly every event")
            }
            Relation::Broader => {
                if let Some(refused) = expected.refused
                    && matches!(relation(refused.pattern)?, Relation::Equivalent | Relation::Broader)
                {
                    return Err(Rejection::Refused(refused.reason));
                }
                Some("broader than required")
            }
            other @ (Relation::Narrower | Relation::Unrelated) => {
                let mut variant = None;
                for known in expected.variants.iter().filter(|_| tolerance.variants) {
                    if relation(known.pattern)? == Relation::Equivalent {
                        variant = Some(known.remark);
                    }
                }
                let Some(variant) = variant else {
                    let missing = expected_events.missing(&found).map_err(not_comparable)?;
                    return Err(match (missing.len(), other) {
                        (0, Relation::Narrower) => Rejection::Narrower,
                        (0, _) => Rejection::Unrelated,
                        (count, _) => Rejection::Missing(Reverse(count), offenders(missing)),
                    });
                };
                Some(variant)
            }
        };
        self.disqualification().map_or(Ok(remark), |why| Err(Rejection::Disqualified(why)))
    }

    /// Why a filter with an accepted pattern does not count every matching event.
    fn disqualification(&self) -> Option<&'static str> {
        if self.on_transformed_logs {
            return Some("reads transformed logs");
        }
        if self.field_selection_criteria.as_deref().is_some_and(|it| !it.trim().is_empty()) {
            return Some("restricted by field selection criteria");
        }
        if self.emits_system_fields || self.transformations.iter().any(|it| it.has_dimensions) {
            return Some("split over dimensions");
        }
        (!self.transformations.iter().any(|it| it.value().is_some())).then_some("metric value is not a positive number")
    }
}

impl Transformation {
    /// The value that one event adds to the metric; `None` if it is not a positive number.
    pub fn value(&self) -> Option<f64> {
        self.metric_value.trim().parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0)
    }
}

#[cfg(test)]
mod tests;
