//! The violations of a log bucket's lifecycle: missing actions, and rules that expire logs too early.

use rectify_compliance::offenders;

use super::{Params, Subject};
use crate::resources::lifecycle::Rule;

/// The violations of a bucket's lifecycle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Enabled rules that expire logs too early, as text. A rule limited by a tag or a size counts too: it can delete
    /// logs.
    pub early: Vec<String>,
    /// The same for noncurrent versions.
    pub early_noncurrent: Vec<String>,
    /// No rule for all logs transitions them to an accepted class in time.
    pub no_transition: bool,
    /// No rule for all logs aborts incomplete multipart uploads in time.
    pub no_abort: bool,
    /// No rule for all logs transitions or expires noncurrent versions.
    pub no_noncurrent: bool,
    /// The minimum days after which a rule for all logs aborts incomplete uploads; `None` if no rule does.
    late_abort: Option<i32>,
}

/// Whether `days` is set and at most `max`.
fn within(days: Option<i32>, max: u32) -> bool {
    days.and_then(|days| u32::try_from(days).ok()).is_some_and(|days| days <= max)
}

impl Findings {
    /// The violations of this subject.
    pub fn of(subject: &Subject, params: &Params) -> Self {
        let prefix = params.log_prefix.as_str();
        let enabled = || subject.rules().iter().filter(|rule| rule.is_enabled());
        let touching = || enabled().filter(|rule| rule.touches(prefix));
        let covered = |does: &dyn Fn(&Rule) -> bool| enabled().any(|rule| rule.covers(prefix) && does(rule));
        let versions = params.require_noncurrent.0 && subject.keeps_versions();

        let (transition, abort) = (params.transition_days.get(), params.abort_multipart_days.get());
        let moves = |rule: &Rule| {
            let mut transitions = rule.transitions.iter();
            transitions
                .any(|it| within(it.days, transition) && params.storage_classes.accept(it.storage_class.as_ref()))
        };
        let aborts =
            |rule: &Rule| rule.abort_incomplete_multipart_upload.as_ref().and_then(|it| it.days_after_initiation);
        let noncurrent = |rule: &Rule| {
            !rule.noncurrent_version_transitions.is_empty() || rule.noncurrent_version_expiration.is_some()
        };
        let late_abort = enabled().filter(|rule| rule.covers(prefix)).filter_map(aborts).min();
        Self {
            early: touching().filter_map(|rule| early(rule, params)).collect(),
            early_noncurrent: touching()
                .filter(|_| versions)
                .filter_map(|rule| early_noncurrent(rule, params))
                .collect(),
            no_transition: transition > 0 && !covered(&moves),
            no_abort: abort > 0 && !covered(&|rule| within(aborts(rule), abort)),
            no_noncurrent: versions && !covered(&noncurrent),
            late_abort,
        }
    }

    /// Whether a rule expires logs or noncurrent versions too early.
    pub fn lose_logs(&self) -> bool {
        !self.early.is_empty() || !self.early_noncurrent.is_empty()
    }

    /// All violations in one line; `None` if there are none.
    pub fn text(&self, params: &Params) -> Option<String> {
        let mut parts = Vec::new();
        if !self.early.is_empty() {
            parts.push(format!("expires {}", offenders(self.early.iter().cloned())));
        }
        if !self.early_noncurrent.is_empty() {
            parts.push(format!("noncurrent versions expire {}", offenders(self.early_noncurrent.iter().cloned())));
        }
        if self.no_transition {
            parts.push(format!("no transition to {} within {} d", params.storage_classes, params.transition_days));
        }
        match self.late_abort {
            _ if !self.no_abort => {}
            Some(days) => parts.push(format!("aborts after {days} d (> {})", params.abort_multipart_days)),
            None => parts.push("no abort rule".to_owned()),
        }
        if self.no_noncurrent {
            parts.push("no rule for noncurrent versions".to_owned());
        }
        (!parts.is_empty()).then(|| format!("Lifecycle: {}", parts.join("; ")))
    }
}

/// When logs expire under this rule, if too early. A date applies to every object at once, so it is always too early.
fn early(rule: &Rule, params: &Params) -> Option<String> {
    let expiration = rule.expiration.as_ref()?;
    let required = params.min_retention_days;
    match (&expiration.date, expiration.days) {
        (Some(date), _) => Some(format!("on {date} in rule {}", rule.name())),
        (None, Some(days)) if !lasts(days, required.get()) => {
            Some(format!("after {days} d (< {required}) in rule {}", rule.name()))
        }
        (None, _) => None,
    }
}

fn early_noncurrent(rule: &Rule, params: &Params) -> Option<String> {
    let required = params.min_retention_days;
    let days = rule.noncurrent_version_expiration.as_ref()?.noncurrent_days;
    let days = days.filter(|days| !lasts(*days, required.get()))?;
    Some(format!("after {days} d (< {required}) in rule {}", rule.name()))
}

fn lasts(days: i32, required: u32) -> bool {
    u32::try_from(days).is_ok_and(|days| days >= required)
}
