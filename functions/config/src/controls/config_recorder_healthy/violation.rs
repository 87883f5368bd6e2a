//! The violations of a recording, with their annotation texts and fixes.

use std::collections::BTreeSet;

use rectify_compliance::{Region, Timestamp, offenders};

use super::ConfigRecorderHealthyParameters;
use crate::resources::recording::{
    Channel, Delivery, Frequency, GLOBAL_TYPES, Outcome, RecordedTypes, Recorder, Recording,
};

/// How long a started recorder may take to record something, hours.
const PENDING_TIMEOUT: u32 = 1;

const MILLISECONDS_AN_HOUR: i128 = 60 * 60 * 1000;

/// The component that has the violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Component {
    /// The recorder.
    Recorder,
    /// The delivery channel.
    Delivery,
}

/// The fix of a violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fix {
    /// Start the recorder.
    Start,
    /// A manual step.
    Manual(String),
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) component: Component,
    pub(crate) text: String,
    pub(crate) fix: Fix,
}

fn of_recorder(text: impl Into<String>, fix: impl Into<String>) -> Violation {
    Violation { component: Component::Recorder, text: text.into(), fix: Fix::Manual(fix.into()) }
}

fn of_delivery(text: impl Into<String>, fix: impl Into<String>) -> Violation {
    Violation { component: Component::Delivery, text: text.into(), fix: Fix::Manual(fix.into()) }
}

/// Whether `since` is less than this many hours ago.
pub(crate) fn is_within_hours(since: Timestamp, hours: u32, now: Timestamp) -> bool {
    now.duration_since(since).as_millis() < i128::from(hours) * MILLISECONDS_AN_HOUR
}

/// All violations, recorder first.
pub(crate) fn violations(
    recording: &Recording,
    params: &ConfigRecorderHealthyParameters,
    now: Timestamp,
) -> Vec<Violation> {
    let Recording { region, recorder, channel, .. } = recording;
    let mut found = match recorder {
        None => vec![of_recorder(
            format!("No configuration recorder in {region}"),
            format!("create a configuration recorder in {region} with PutConfigurationRecorder and start it"),
        )],
        Some(recorder) => {
            let mut found = recorder.recording_violations(now);
            found.extend(recorder.setting_violations(params, region));
            found
        }
    };
    match channel {
        None => found.push(of_delivery("no channel", "create a delivery channel with PutDeliveryChannel")),
        Some(channel) => found.extend(channel.violations(recorder.as_ref(), params, now)),
    }
    found
}

/// The violations as one finding: `Recorder default: stopped; delivery: no SNS topic`.
pub(crate) fn finding(recorder: Option<&Recorder>, violations: &[Violation]) -> String {
    let of = |component: Component| {
        let texts = violations
            .iter()
            .filter(|violation| violation.component == component)
            .map(|violation| violation.text.as_str());
        texts.collect::<Vec<_>>().join(", ")
    };
    let delivery = Some(of(Component::Delivery)).filter(|it| !it.is_empty()).map(|it| format!("delivery: {it}"));
    let parts: Vec<String> =
        Some(of(Component::Recorder)).filter(|it| !it.is_empty()).into_iter().chain(delivery).collect();
    let parts = parts.join("; ");
    recorder.map_or(parts.clone(), |recorder| format!("Recorder {}: {parts}", recorder.name))
}

fn code(error: Option<&str>) -> &str {
    error.unwrap_or("no error code")
}

impl Recorder {
    /// Whether it records, and whether that succeeds. The last recording of a stopped recorder does not count.
    fn recording_violations(&self, now: Timestamp) -> Vec<Violation> {
        if !self.status.recording {
            return vec![Violation { component: Component::Recorder, text: "stopped".to_owned(), fix: Fix::Start }];
        }
        let name = &self.name;
        let investigate = |problem: &str| format!("find out why recorder {name} {problem}");
        let violation = match self.status.last {
            Some(Outcome::Success) => return Vec::new(),
            Some(Outcome::Pending) if self.is_young(PENDING_TIMEOUT, now) => return Vec::new(),
            Some(Outcome::Pending) => {
                let since = self.status.started.map_or("an unknown time".to_owned(), |it| format!("{it:.0}"));
                of_recorder(format!("nothing recorded since {since}"), investigate("records nothing"))
            }
            Some(Outcome::Failure) => {
                let code = code(self.status.last_error.as_deref());
                of_recorder(format!("last recording failed: {code}"), investigate(&format!("fails: {code}")))
            }
            Some(Outcome::NotApplicable) | None => {
                of_recorder("no outcome of the last recording", investigate("has no outcome of its last recording"))
            }
        };
        vec![violation]
    }

    /// Whether it was started less than this many hours ago.
    fn is_young(&self, hours: u32, now: Timestamp) -> bool {
        self.status.started.is_some_and(|started| is_within_hours(started, hours, now))
    }

    /// Violations of role, types and frequency.
    fn setting_violations(&self, params: &ConfigRecorderHealthyParameters, region: &Region) -> Vec<Violation> {
        let name = &self.name;
        let put = |change: &str| format!("change recorder {name} with PutConfigurationRecorder: {change}");
        let mut found = Vec::new();
        if self.role_arn.is_none() {
            found.push(of_recorder("no role", put("set the AWS Config role")));
        }
        if let Some(text) = self.missing_types(params) {
            found.push(of_recorder(text, put("record all required types")));
        }
        let unrecorded: Vec<&str> = GLOBAL_TYPES.into_iter().filter(|kind| !self.types.contain(kind)).collect();
        if params.requires_global_types_in(region) && !unrecorded.is_empty() {
            let text = format!("global types not recorded: {}", offenders(unrecorded));
            found.push(of_recorder(text, put("record the global IAM types")));
        }
        match &self.frequency {
            Frequency::Daily if !params.allow_daily.0 => {
                found.push(of_recorder("records once a day", put("record continuously")));
            }
            Frequency::DailyFor(types) if !params.allow_daily.0 => {
                let text = format!("records once a day: {}", offenders(types.iter().cloned()));
                found.push(of_recorder(text, put("record continuously")));
            }
            Frequency::Continuous | Frequency::Daily | Frequency::DailyFor(_) => {}
        }
        found
    }

    /// Missing types other than the global ones, which are evaluated in one region only.
    fn missing_types(&self, params: &ConfigRecorderHealthyParameters) -> Option<String> {
        let is_regional = |kind: &String| !GLOBAL_TYPES.contains(&kind.as_str());
        if let Some(required) = params.required() {
            let missing: BTreeSet<String> =
                required.iter().filter(|kind| is_regional(kind) && !self.types.contain(kind)).cloned().collect();
            return (!missing.is_empty()).then(|| format!("types not recorded: {}", offenders(missing)));
        }
        match &self.types {
            RecordedTypes::All { .. } => None,
            RecordedTypes::Except(excluded) => {
                let excluded: Vec<String> = excluded.iter().filter(|kind| is_regional(kind)).cloned().collect();
                (!excluded.is_empty()).then(|| format!("types excluded: {}", offenders(excluded)))
            }
            RecordedTypes::Only(included) => Some(format!("only {} types recorded, expected all", included.len())),
        }
    }
}

impl Channel {
    fn violations(
        &self,
        recorder: Option<&Recorder>,
        params: &ConfigRecorderHealthyParameters,
        now: Timestamp,
    ) -> Vec<Violation> {
        let put = |change: &str| format!("change the delivery channel with PutDeliveryChannel: {change}");
        let mut found = Vec::new();
        if self.bucket.is_none() {
            found.push(of_delivery("no S3 bucket", put("set a bucket")));
        }
        if params.require_sns.0 && self.topic.is_none() {
            found.push(of_delivery("no SNS topic", put("set a topic")));
        }
        let deliveries = [("history", &self.history), ("stream", &self.stream), ("snapshot", &self.snapshot)];
        for (kind, delivery) in deliveries {
            if let Some(Delivery { last: Some(Outcome::Failure), last_error, .. }) = delivery {
                let code = code(last_error.as_deref());
                found.push(of_delivery(format!("{kind} failed: {code}"), format!("fix the {kind} delivery: {code}")));
            }
        }
        // A stopped recorder delivers nothing, so a late snapshot is not a second violation.
        if let Some(recorder) = recorder.filter(|it| it.status.recording) {
            found.extend(self.late_snapshot(recorder, params.max_delivery_age_hours.get(), now));
        }
        found
    }

    /// Only scheduled snapshots can be late, and only after a first one: a history is delivered only when something has
    /// changed.
    fn late_snapshot(&self, recorder: &Recorder, hours: u32, now: Timestamp) -> Option<Violation> {
        let delivered = match &self.snapshot {
            None | Some(Delivery { last: Some(Outcome::Failure), .. }) => return None,
            Some(Delivery { last_success, .. }) => (*last_success)?,
        };
        if recorder.is_young(hours, now) || is_within_hours(delivered, hours, now) {
            return None;
        }
        let text = format!("snapshot last delivered {delivered:.0} (maximum age {hours} h)");
        Some(of_delivery(text, "find out why AWS Config delivers no snapshot"))
    }
}
