//! One log line per invocation, in JSON, with its metrics in CloudWatch's embedded metric format.
//!
//! Source of the format: "Specification: Embedded metric format" of the CloudWatch user guide, read 2026-11. Never log
//! complete events, policies or tokens.

use std::io::Write;
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::Error;

/// The namespace of the metrics.
const NAMESPACE: &str = "Rectify";

/// The log line and the metrics of one invocation.
#[derive(Debug)]
pub struct Invocation {
    started: Instant,
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
            control,
            request_id: request_id.to_owned(),
            fields: Map::new(),
            counts: Vec::new(),
        }
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
        let mut directives = vec![directive("Duration", None, "Milliseconds")];
        line.insert("Control".to_owned(), json!(self.control));
        line.insert("Duration".to_owned(), json!(milliseconds));
        let mut lines = Vec::new();
        for (metric, dimension, value, count) in &self.counts {
            if line.contains_key(*metric) {
                let mut more = Map::new();
                more.insert("Control".to_owned(), json!(self.control));
                more.insert((*dimension).to_owned(), json!(value));
                more.insert((*metric).to_owned(), json!(count));
                more.insert("request_id".to_owned(), json!(self.request_id));
                more.insert("_aws".to_owned(), aws(now, &[directive(metric, Some(dimension), "Count")]));
                lines.push(Value::Object(more));
            } else {
                line.insert((*metric).to_owned(), json!(count));
                line.insert((*dimension).to_owned(), json!(value));
                directives.push(directive(metric, Some(dimension), "Count"));
            }
        }
        line.insert("_aws".to_owned(), aws(now, &directives));
        lines.insert(0, Value::Object(line));
        lines
    }
}

fn directive(metric: &str, dimension: Option<&str>, unit: &str) -> Value {
    let dimensions: Vec<&str> = std::iter::once("Control").chain(dimension).collect();
    json!({"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": [{"Name": metric, "Unit": unit}]})
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
        let mut invocation = Invocation::start("restricted-ssh", "r-1");
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
}
