//! CloudTrail's events about a finding's resource: for each of its names, newest first, as far back as relevant.

use std::time::Duration;

use jiff::SignedDuration;
use rectify_compliance::attribution::{CLOCK_SKEW, History, OwnRoles, is_about, is_global, names};
use rectify_compliance::{AccountId, Region, Timestamp};
use rectify_runtime::ledger::{Attempt, Outcome, WINDOW};
use rectify_runtime::retry::Backoff;
use rectify_runtime::{AwsError, CallErrorKind, Error};
use serde_json::Value;

use super::Attributor;
use crate::client::trail::Page;

/// The length of CloudTrail's event history.
const HISTORY: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The maximum number of pages per name: a widely used encryption key has thousands of events an hour.
const MAX_PAGES: usize = 6;
/// The maximum number of changes in an announcement.
pub(super) const MAX_CHANGES: usize = 10;
/// The backoff for throttled lookups: the quota of two calls a second is shared by the whole account.
const THROTTLED: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(8), attempts: 5 };

/// The result of a lookup.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LookupResult {
    /// The changes.
    pub(super) history: History,
    /// The function's account and the roles of Rectify.
    pub(super) own: OwnRoles,
    /// The session of the finding's own remediation.
    pub(super) fixer: String,
    /// How complete the history is.
    pub(super) coverage: Coverage,
}

/// How complete the events from CloudTrail are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coverage {
    /// Complete, as far back as relevant.
    Complete,
    /// Only the newest events: there are too many.
    Newest,
    /// The finding is older than the event history.
    TooOld,
    /// CloudTrail has no name for this type of resource.
    Nameless,
}

impl Attributor {
    /// Reads the events of an attempt's resource.
    ///
    /// # Errors
    /// [`Error::Aws`] when CloudTrail cannot be read.
    pub(super) async fn look_up(
        &self,
        attempt: &Attempt,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<LookupResult, Error> {
        let mut lookup = LookupResult {
            history: History::default(),
            own: OwnRoles::new(account.clone(), self.settings.own_roles.iter().cloned()),
            fixer: self.settings.fixer(&attempt.control),
            coverage: Coverage::Complete,
        };
        let found = attempt.recorded_at;
        let kind = attempt.target.resource.kind.as_str();
        let names = names(&attempt.target, arn(attempt).as_deref());
        let from = now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN);
        let to = found.saturating_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
        if names.is_empty() {
            lookup.coverage = Coverage::Nameless;
        } else if from >= to {
            lookup.coverage = Coverage::TooOld;
        }
        if lookup.coverage != Coverage::Complete {
            return Ok(lookup);
        }
        let target = &attempt.target.region;
        let region = if is_global(kind, target) { self.region.default_home_region() } else { target.clone() };
        for name in &names {
            let mut next = None;
            for number in 1..=MAX_PAGES {
                let page = self.page(&region, name, (from, to), next).await?;
                for event in page.events.iter().filter(|it| is_about(kind, &names, &it.resources)) {
                    lookup.history.add(event.record.as_deref());
                }
                next = page.next;
                if next.is_none() || lookup.is_enough(attempt) {
                    break;
                }
                if number == MAX_PAGES {
                    lookup.coverage = Coverage::Newest;
                }
            }
        }
        Ok(lookup)
    }

    /// One page, with retries while CloudTrail throttles.
    async fn page(
        &self,
        region: &Region,
        name: &str,
        window: (Timestamp, Timestamp),
        next: Option<String>,
    ) -> Result<Page, AwsError> {
        let mut tries = THROTTLED.tries();
        loop {
            tries.next().await;
            match self.trail.page(region, name, window, next.clone()).await {
                Err(error) if error.kind() == Some(CallErrorKind::Throttled) && !tries.is_last() => {}
                answer => return answer,
            }
        }
    }
}

impl LookupResult {
    /// Whether older events cannot change the answer.
    fn is_enough(&self, attempt: &Attempt) -> bool {
        let found = attempt.recorded_at;
        if attempt.outcome == Some(Outcome::BreakerOpen) {
            let since = found.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
            return self.history.since().is_some_and(|oldest| oldest < since);
        }
        self.history.includes_fix(found, &self.own, &self.fixer)
            || self.history.behind(found, &self.own, &self.fixer).len() >= MAX_CHANGES
    }
}

/// The resource's ARN, if the prior state contains it: directly, or in its nested view.
fn arn(attempt: &Attempt) -> Option<String> {
    let subject = attempt.before.as_ref()?.subject.as_object()?;
    let own = |of: &Value| of.get("arn").and_then(Value::as_str).filter(|it| it.starts_with("arn:")).map(str::to_owned);
    let direct = subject.get("arn").and_then(Value::as_str).filter(|it| it.starts_with("arn:")).map(str::to_owned);
    direct.or_else(|| subject.values().find_map(own))
}
