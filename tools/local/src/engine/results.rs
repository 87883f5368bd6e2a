//! Evaluation results: one per rule and resource, the one with the newest ordering time.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::clock::{Epoch, iso};
use super::item::ResourceKey;

/// A rule's verdict about a resource. `INSUFFICIENT_DATA` is set by AWS Config only and never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compliance {
    /// The resource meets the rule.
    Compliant,
    /// The resource violates the rule.
    NonCompliant,
    /// The rule does not apply, for example because the resource is deleted.
    NotApplicable,
}

impl Compliance {
    /// The names in the service model of `PutEvaluations`, including the one that it refuses.
    pub(super) const NAMES: [&str; 4] = ["COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compliant => "COMPLIANT",
            Self::NonCompliant => "NON_COMPLIANT",
            Self::NotApplicable => "NOT_APPLICABLE",
        }
    }

    /// The compliance of that name; none for `INSUFFICIENT_DATA` and for any other text.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Compliant, Self::NonCompliant, Self::NotApplicable].into_iter().find(|value| value.name() == name)
    }
}

impl fmt::Display for Compliance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A stored result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluated {
    /// The rule's verdict.
    pub compliance: Compliance,
    /// The rule's annotation, 1 to 256 characters.
    pub annotation: Option<String>,
    /// The ordering time: the capture time of the item, or the creation time of the scheduled notification.
    pub ordering: Timestamp,
    /// When the result was stored.
    pub recorded: Timestamp,
    /// When the rule was invoked.
    pub invoked: Timestamp,
}

impl Evaluated {
    /// `EvaluationResult` of the service model.
    pub(super) fn api(&self, rule: &str, key: &ResourceKey) -> Value {
        let mut result = Map::new();
        result.insert(
            "EvaluationResultIdentifier".to_owned(),
            json!({
                "EvaluationResultQualifier": {
                    "ConfigRuleName": rule,
                    "ResourceType": key.resource_type,
                    "ResourceId": key.resource_id,
                    "EvaluationMode": "DETECTIVE"
                },
                "OrderingTimestamp": Epoch(self.ordering)
            }),
        );
        result.insert("ComplianceType".to_owned(), self.compliance.name().into());
        result.insert("ResultRecordedTime".to_owned(), Epoch(self.recorded).value());
        result.insert("ConfigRuleInvokedTime".to_owned(), Epoch(self.invoked).value());
        if let Some(annotation) = &self.annotation {
            result.insert("Annotation".to_owned(), annotation.as_str().into());
        }
        Value::Object(result)
    }

    /// The result in a compliance change event: lower camel case and ISO times.
    pub(super) fn event(&self, rule: &str, key: &ResourceKey) -> Value {
        let mut result = json!({
            "evaluationResultIdentifier": {
                "evaluationResultQualifier": {
                    "configRuleName": rule,
                    "resourceType": key.resource_type,
                    "resourceId": key.resource_id,
                    "evaluationMode": "DETECTIVE"
                },
                "orderingTimestamp": iso(self.ordering)
            },
            "complianceType": self.compliance.name(),
            "resultRecordedTime": iso(self.recorded),
            "configRuleInvokedTime": iso(self.invoked)
        });
        if let (Some(fields), Some(annotation)) = (result.as_object_mut(), &self.annotation) {
            fields.insert("annotation".to_owned(), annotation.as_str().into());
        }
        result
    }
}

/// The effect of a reported result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reported {
    /// Older than the stored one: dropped.
    Stale,
    /// Stored; the compliance is unchanged.
    Same,
    /// Stored; the compliance changed, or this is the first result.
    Changed(Option<Evaluated>),
}

/// The results of all rules, by rule name and resource.
#[derive(Debug, Default)]
pub(super) struct Results(BTreeMap<String, BTreeMap<ResourceKey, Evaluated>>);

impl Results {
    /// Stores a result unless the stored one is newer. One with the same ordering time replaces it: a re-evaluation of
    /// the same item.
    pub(super) fn report(&mut self, rule: &str, key: ResourceKey, new: Evaluated) -> Reported {
        let results = self.0.entry(rule.to_owned()).or_default();
        let old = results.get(&key);
        if old.is_some_and(|old| old.ordering > new.ordering) {
            return Reported::Stale;
        }
        let same = old.is_some_and(|old| old.compliance == new.compliance);
        let old = results.insert(key, new);
        if same { Reported::Same } else { Reported::Changed(old) }
    }

    /// The results of one rule, by resource.
    pub(super) fn of_rule(&self, rule: &str) -> impl Iterator<Item = (&ResourceKey, &Evaluated)> {
        self.0.get(rule).into_iter().flatten()
    }

    /// The results of all rules about one resource, by rule name.
    pub(super) fn of_resource(&self, key: &ResourceKey) -> impl Iterator<Item = (&String, &Evaluated)> {
        self.0.iter().filter_map(move |(rule, results)| results.get(key).map(|result| (rule, result)))
    }

    /// Drops all results of a deleted rule.
    pub(super) fn forget(&mut self, rule: &str) {
        self.0.remove(rule);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    fn evaluated(compliance: Compliance, second: i64) -> Evaluated {
        let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
        Evaluated { compliance, annotation: None, ordering: at, recorded: at, invoked: at }
    }

    #[test]
    fn result_is_replaced_unless_it_is_newer() {
        use Compliance::{Compliant, NonCompliant, NotApplicable};
        let mut results = Results::default();
        let key = ResourceKey::new("AWS::S3::Bucket", "logs");
        let mut report = |compliance, second| results.report("rule", key.clone(), evaluated(compliance, second));
        assert_eq!(report(NonCompliant, 10), Reported::Changed(None));
        assert_eq!(report(Compliant, 9), Reported::Stale);
        assert_eq!(report(NonCompliant, 11), Reported::Same);
        assert_eq!(report(Compliant, 11), Reported::Changed(Some(evaluated(NonCompliant, 11))));
        assert_eq!(report(NotApplicable, 12), Reported::Changed(Some(evaluated(Compliant, 11))));
        let stored: Vec<_> = results.of_rule("rule").map(|(_, result)| result.clone()).collect();
        assert_eq!(stored, [evaluated(NotApplicable, 12)]);
    }
}
