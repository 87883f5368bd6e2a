//! One log line per invocation, in JSON, with its metrics in CloudWatch's embedded metric format.
//!
//! Source of the format: "Specification: Embedded metric format" of the CloudWatch user guide, read 2026-11. Never log
//! complete events, policies or tokens.
//!
//! CloudWatch charges for each metric, that is, for each value of each dimension: [`Metrics`] says which are published.
//! Counts that are not published are still in the log line.

use std::io::Write;
use std::str::FromStr;
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::Error;
use crate::ledger::Outcome;

/// The namespace of the metrics.
const NAMESPACE: &str = "Rectify";

/// Which metrics are published, from the variable `METRICS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Metrics {
    /// What needs attention: failures, resources that cannot be read, fixes that failed or were stopped by a breaker.
    #[default]
    Failures,
    /// These, and durations, evaluations by verdict, remediations by outcome and all other counts.
    All,
    /// Nothing.
    None,
}

impl FromStr for Metrics {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "failures" => Ok(Self::Failures),
            "all" => Ok(Self::All),
            "none" => Ok(Self::None),
            _ => Err("failures, all or none".to_owned()),
        }
    }
}

impl Metrics {
    /// Whether a count of this metric, by this value of its dimension, is published.
    fn publish(self, metric: &str, value: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Failures => match metric {
                "Failures" | "Unreadable" => true,
                "Remediations" => value == Outcome::Failed.name() || value == Outcome::BreakerOpen.name(),
                _ => false,
            },
        }
    }
}

/// The log line and the metrics of one invocation.
#[derive(Debug)]
pub struct Invocation {
    started: Instant,
    metrics: Metrics,
    control: &'static str,
    request_id: String,
    fields: Map<String, Value>,
    counts: Vec<(&'static str, &'static str, String, u64)>,
}

impl Invocation {
    /// An invocation that starts now.
    pub fn start(control: &'static str, request_id: &str) -> Self {
        Self {
            started: Instant::now(),
            metrics: Metrics::default(),
            control,
            request_id: request_id.to_owned(),
            fields: Map::new(),
            counts: Vec::new(),
        }
    }

    /// The invocation, with these metrics published.
    #[must_use]
    pub fn publishing(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Adds a field to the line: `rule`, `resource_id`, `account`, `verdict`, …
    pub fn note(&mut self, field: &'static str, value: impl Into<Value>) {
        self.fields.insert(field.to_owned(), value.into());
    }

    /// Counts `metric` by one dimension in addition to the control, e.g. `Evaluations` by `Verdict`.
    pub fn count(&mut self, metric: &'static str, dimension: &'static str, value: &str, by: u64) {
        match self.counts.iter_mut().find(|it| it.0 == metric && it.1 == dimension && it.2 == value) {
            Some(entry) => entry.3 += by,
            None => self.counts.push((metric, dimension, value.to_owned(), by)),
        }
    }

    /// Ends the invocation: writes the line at level info, or at level error with the error.
    pub fn finish(mut self, error: Option<&Error>) {
        if let Some(error) = error {
            self.count("Failures", "ErrorType", error.kind(), 1);
        }
        let milliseconds = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default();
        let lines = self.lines(now, milliseconds, error);
        let mut out = std::io::stdout().lock();
        for line in lines {
            // Without standard output there is nowhere to report the error.
            let _ = writeln!(out, "{line}");
        }
    }

    /// The line, and one more for each further value of a dimension: an EMF document has one value per dimension.
    pub(crate) fn lines(&self, now: u64, milliseconds: u64, error: Option<&Error>) -> Vec<Value> {
        let mut line = Map::new();
        line.insert("level".to_owned(), json!(if error.is_some() { "ERROR" } else { "INFO" }));
        line.insert("message".to_owned(), json!(error.map_or_else(|| "invocation".to_owned(), ToString::to_string)));
        line.insert("request_id".to_owned(), json!(self.request_id));
        line.extend(self.fields.clone());
        let mut directives = Vec::new();
        if self.metrics == Metrics::All {
            directives.push(directive("Duration", &[&["Control"]], "Milliseconds"));
        }
        line.insert("Control".to_owned(), json!(self.control));
        line.insert("Duration".to_owned(), json!(milliseconds));
        let mut lines = Vec::new();
        for (metric, dimension, value, count) in &self.counts {
            let published = self.metrics.publish(metric, value);
            // Without the control, for an alarm on all controls of the account and region.
            let sets: [&[&str]; 2] = [&["Control", dimension], &[dimension]];
            let sets = if *metric == "Remediations" { &sets[..] } else { &sets[..1] };
            if line.contains_key(*metric) {
                let mut more = Map::new();
                more.insert("Control".to_owned(), json!(self.control));
                more.insert((*dimension).to_owned(), json!(value));
                more.insert((*metric).to_owned(), json!(count));
                more.insert("request_id".to_owned(), json!(self.request_id));
                if published {
                    more.insert("_aws".to_owned(), aws(now, &[directive(metric, sets, "Count")]));
                }
                lines.push(Value::Object(more));
            } else {
                line.insert((*metric).to_owned(), json!(count));
                line.insert((*dimension).to_owned(), json!(value));
                if published {
                    directives.push(directive(metric, sets, "Count"));
                }
            }
        }
        // A document without a directive is an ordinary log line.
        if !directives.is_empty() {
            line.insert("_aws".to_owned(), aws(now, &directives));
        }
        lines.insert(0, Value::Object(line));
        lines
    }
}

/// A metric with the sets of dimensions that it is published under.
fn directive(metric: &str, sets: &[&[&str]], unit: &str) -> Value {
    json!({"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": [{"Name": metric, "Unit": unit}]})
}

fn aws(now: u64, directives: &[Value]) -> Value {
    json!({"Timestamp": now, "CloudWatchMetrics": directives})
}

/// Installs the subscriber for all other logs: JSON, level warn and above.
pub fn init_logging() {
    // A second call, in tests, keeps the installed one.
    let _ = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::WARN)
        .with_current_span(false)
        .with_writer(std::io::stdout)
        .try_init();
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_declared_with_its_dimensions_and_is_a_root_member() {
        let mut invocation = Invocation::start("restricted-ssh", "r-1").publishing(Metrics::All);
        invocation.note("resource_id", "sg-1");
        invocation.count("Evaluations", "Verdict", "COMPLIANT", 2);
        invocation.count("Evaluations", "Verdict", "COMPLIANT", 1);
        invocation.count("Evaluations", "Verdict", "NON_COMPLIANT", 1);
        let lines = invocation.lines(7, 12, None);
        assert_eq!(lines.len(), 2);
        assert_eq!(
            lines[0],
            json!({
                "level": "INFO", "message": "invocation", "request_id": "r-1", "resource_id": "sg-1",
                "Control": "restricted-ssh", "Duration": 12, "Evaluations": 3, "Verdict": "COMPLIANT",
                "_aws": {"Timestamp": 7, "CloudWatchMetrics": [
                    {"Namespace": "Rectify", "Dimensions": [["Control"]], "Metrics": [{"Name": "Duration", "Unit": "Milliseconds"}]},
                    {"Namespace": "Rectify", "Dimensions": [["Control", "Verdict"]], "Metrics": [{"Name": "Evaluations", "Unit": "Count"}]}
                ]}
            })
        );
        assert_eq!((&lines[1]["Verdict"], &lines[1]["Evaluations"]), (&json!("NON_COMPLIANT"), &json!(1)));
    }

    #[test]
    fn error_is_counted_by_type_and_logged() {
        let mut invocation = Invocation::start("c", "r");
        let error = Error::UnsupportedTrigger { half: "change" };
        invocation.count("Failures", "ErrorType", error.kind(), 1);
        let lines = invocation.lines(0, 0, Some(&error));
        assert_eq!(lines[0]["level"], "ERROR");
        assert_eq!(lines[0]["message"], "event: this control has no change trigger");
        assert_eq!(lines[0]["ErrorType"], "UnsupportedTrigger");
    }

    /// The names of the published metrics, with the values of their dimensions and the sets of dimensions.
    fn published(metrics: Metrics) -> Vec<(String, usize)> {
        let mut invocation = Invocation::start("c", "r").publishing(metrics);
        invocation.count("Evaluations", "Verdict", "NON_COMPLIANT", 1);
        invocation.count("Remediations", "Outcome", "verified", 1);
        invocation.count("Remediations", "Outcome", "breaker-open", 1);
        invocation.count("Unreadable", "ReadError", "AccessDenied", 1);
        let mut found = Vec::new();
        for line in invocation.lines(0, 0, None) {
            for directive in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
                let name = directive["Metrics"][0]["Name"].as_str().unwrap_or_default();
                let sets = directive["Dimensions"].as_array().map_or(0, Vec::len);
                found.push((format!("{name} {}", line["Outcome"].as_str().unwrap_or_default()), sets));
            }
        }
        found
    }

    #[test]
    fn only_the_selected_metrics_are_published_and_all_counts_are_logged() {
        let owned =
            |all: &[(&str, usize)]| all.iter().map(|(name, sets)| ((*name).to_owned(), *sets)).collect::<Vec<_>>();
        assert_eq!(published(Metrics::None), []);
        assert_eq!(
            published(Metrics::Failures),
            owned(&[("Unreadable verified", 1), ("Remediations breaker-open", 2)])
        );
        assert_eq!(
            published(Metrics::All),
            owned(&[
                ("Duration verified", 1),
                ("Evaluations verified", 1),
                ("Remediations verified", 2),
                ("Unreadable verified", 1),
                ("Remediations breaker-open", 2),
            ])
        );
        let mut invocation = Invocation::start("c", "r").publishing(Metrics::None);
        invocation.count("Evaluations", "Verdict", "COMPLIANT", 3);
        let line = &invocation.lines(0, 9, None)[0];
        assert_eq!((&line["Evaluations"], &line["Duration"], line.get("_aws")), (&json!(3), &json!(9), None));
    }

    #[test]
    fn an_unknown_selection_of_metrics_is_refused() {
        assert_eq!("all".parse(), Ok(Metrics::All));
        assert_eq!("some".parse::<Metrics>(), Err("failures, all or none".to_owned()));
    }
}
