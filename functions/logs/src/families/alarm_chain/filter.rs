//! Whether a metric filter counts the wanted events: all of them, or a known variant of them.

use std::fmt;

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
    /// `metricTransformations`: the metrics it writes.
    pub transformations: Vec<Transformation>,
    /// `applyOnTransformedLogs`: events are then not as CloudTrail wrote them.
    pub on_transformed_logs: bool,
    /// `fieldSelectionCriteria`, which narrows the filter by account or region.
    pub field_selection_criteria: Option<String>,
    /// Whether `emitSystemFieldDimensions` names any.
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
    /// `defaultValue`: written while events come of which none fits.
    pub default_value: Option<f64>,
    /// Whether `dimensions` names any.
    pub has_dimensions: bool,
    /// `unit`; absent is `None`, in the API's words.
    pub unit: Option<String>,
}

/// The events that must be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedEvents {
    /// The pattern that matches them.
    pub pattern: &'static str,
    /// Other patterns that are good enough though they match fewer or others.
    pub variants: &'static [Variant],
    /// Events that an accepted filter must not count all of.
    pub refused: Option<Refused>,
}

/// A pattern in wide use that does not match all that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// The pattern.
    pub pattern: &'static str,
    /// What to say of a filter that has it.
    pub remark: &'static str,
}

/// Events whose counting hides the wanted ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The pattern that matches them.
    pub pattern: &'static str,
    /// Why a filter that counts them is not accepted.
    pub reason: &'static str,
}

/// What else is accepted beside a filter of the same meaning or a broader one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// `acceptNoisy`: a filter that counts nearly every event.
    pub noisy: bool,
    /// `acceptVariants`: a known variant.
    pub variants: bool,
}

/// Why a filter does not count, in the order of nearness: the greatest is the nearest to counting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// Its pattern cannot be compared.
    NotComparable(String),
    /// It has nothing to do with the wanted events.
    Unrelated,
    /// It counts some of the wanted events only.
    Narrower,
    /// It counts nearly every event, and that is not accepted.
    Noisy,
    /// It counts what is refused.
    Refused(&'static str),
    /// Its pattern is right, but what it does with an event is not.
    Disqualified(&'static str),
}

impl fmt::Display for Rejection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotComparable(why) => write!(out, "not comparable: {why}"),
            Self::Unrelated => out.write_str("unrelated"),
            Self::Narrower => out.write_str("narrower than required"),
            Self::Noisy => out.write_str("matches nearly every event"),
            Self::Refused(why) | Self::Disqualified(why) => out.write_str(why),
        }
    }
}

impl MetricFilter {
    /// Whether it counts the wanted events; with what must be said of it, where it is not just what was wanted.
    ///
    /// # Errors
    /// [`Rejection`]: the first reason why it does not.
    pub fn counts(&self, wanted: &ExpectedEvents, tolerance: Tolerance) -> Result<Option<&'static str>, Rejection> {
        let not_comparable = |why: NotComparable| Rejection::NotComparable(why.to_string());
        let read = |text: &str| Pattern::parse(text).map_err(not_comparable);
        let found = read(&self.pattern)?;
        let relation = |text: &str| read(text)?.relation(&found).map_err(not_comparable);
        let remark = match relation(wanted.pattern)? {
            Relation::Equivalent => None,
            Relation::Broader if found.is_noisy().map_err(not_comparable)? => {
                if !tolerance.noisy {
                    return Err(Rejection::Noisy);
                }
                Some("matches nearly every event")
            }
            Relation::Broader => {
                if let Some(refused) = wanted.refused
                    && matches!(relation(refused.pattern)?, Relation::Equivalent | Relation::Broader)
                {
                    return Err(Rejection::Refused(refused.reason));
                }
                Some("broader than required")
            }
            other @ (Relation::Narrower | Relation::Unrelated) => {
                let mut variant = None;
                for known in wanted.variants.iter().filter(|_| tolerance.variants) {
                    if relation(known.pattern)? == Relation::Equivalent {
                        variant = Some(known.remark);
                    }
                }
                let plain = if other == Relation::Narrower { Rejection::Narrower } else { Rejection::Unrelated };
                Some(variant.ok_or(plain)?)
            }
        };
        self.disqualification().map_or(Ok(remark), |why| Err(Rejection::Disqualified(why)))
    }

    /// What keeps a filter with the right pattern from counting every event that fits.
    fn disqualification(&self) -> Option<&'static str> {
        if self.on_transformed_logs {
            return Some("reads transformed logs");
        }
        if self.field_selection_criteria.as_deref().is_some_and(|it| !it.trim().is_empty()) {
            return Some("narrowed by field selection criteria");
        }
        if self.emits_system_fields || self.transformations.iter().any(|it| it.has_dimensions) {
            return Some("spread over dimensions");
        }
        (!self.transformations.iter().any(|it| it.value().is_some()))
            .then_some("its metric value is no positive number")
    }
}

impl Transformation {
    /// What one event adds to the metric; `None` where it is no positive number.
    pub fn value(&self) -> Option<f64> {
        self.metric_value.trim().parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0)
    }
}

#[cfg(test)]
mod tests;
