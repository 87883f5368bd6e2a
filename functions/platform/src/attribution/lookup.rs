//! What CloudTrail says about a finding's resource: every name of it, newest first, as far back as can matter.

use std::time::Duration;

use jiff::SignedDuration;
use rectify_compliance::attribution::{CLOCKS, History, Ours, is_about, is_global, names};
use rectify_compliance::{AccountId, Region, Timestamp};
use rectify_runtime::ledger::{Attempt, Outcome, WINDOW};
use rectify_runtime::retry::Backoff;
use rectify_runtime::{AwsError, CallErrorKind, Error};
use serde_json::Value;

use super::Attributor;
use crate::client::trail::Page;

/// How long CloudTrail's event history is.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The most pages read of one name: a key that everything is encrypted with has thousands of events an hour.
const PAGES: usize = 6;
/// How many changes are told.
pub(super) const MOST: usize = 10;
/// When CloudTrail says that it is asked too often: two calls a second are shared with everybody else in the account.
const THROTTLED: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(8), attempts: 5 };

/// What was found out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Looked {
    /// The changes.
    pub(super) history: History,
    /// Who we are.
    pub(super) ours: Ours,
    /// The session of the finding's own remediation.
    pub(super) fixer: String,
    /// How far it could be asked.
    pub(super) reach: Reach,
}

/// How far CloudTrail could be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// As far back as can matter.
    Whole,
    /// Not past the newest events: there are too many.
    Newest,
    /// The finding is older than what CloudTrail remembers.
    TooOld,
    /// No call names this kind of resource.
    Nameless,
}

impl Attributor {
    /// RequestHistory.
    ///
    /// # Errors
    /// [`Error::Aws`] when CloudTrail cannot be asked.
    pub(super) async fn look_up(
        &self,
        attempt: &Attempt,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<Looked, Error> {
        let mut looked = Looked {
            history: History::default(),
            ours: Ours::new(account.clone(), self.settings.own_roles.iter().cloned()),
            fixer: self.settings.fixer(&attempt.control),
            reach: Reach::Whole,
        };
        let found = attempt.recorded_at;
        let kind = attempt.target.resource.kind.as_str();
        let names = names(&attempt.target, arn(attempt).as_deref());
        let from = now.saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        let to = found.saturating_add(CLOCKS).unwrap_or(Timestamp::MAX);
        if names.is_empty() {
            looked.reach = Reach::Nameless;
        } else if from >= to {
            looked.reach = Reach::TooOld;
        }
        if looked.reach != Reach::Whole {
            return Ok(looked);
        }
        let target = &attempt.target.region;
        let region = if is_global(kind, target) { self.region.default_home() } else { target.clone() };
        for name in &names {
            let mut next = None;
            for number in 1..=PAGES {
                let page = self.page(&region, name, (from, to), next).await?;
                for event in page.events.iter().filter(|it| is_about(kind, &names, &it.resources)) {
                    looked.history.add(event.record.as_deref());
                }
                next = page.next;
                if next.is_none() || looked.is_enough(attempt) {
                    break;
                }
                if number == PAGES {
                    looked.reach = Reach::Newest;
                }
            }
        }
        Ok(looked)
    }

    /// One page; tried again while CloudTrail is asked too often.
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

impl Looked {
    /// Whether older events cannot change what is told.
    fn is_enough(&self, attempt: &Attempt) -> bool {
        let found = attempt.recorded_at;
        if attempt.outcome == Some(Outcome::BreakerOpen) {
            let since = found.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
            return self.history.since().is_some_and(|oldest| oldest < since);
        }
        self.history.reaches_a_fix(found, &self.ours, &self.fixer)
            || self.history.behind(found, &self.ours, &self.fixer).len() >= MOST
    }
}

/// The resource's ARN, where its image has it: of itself, or of the one view it is made of.
fn arn(attempt: &Attempt) -> Option<String> {
    let subject = attempt.before.as_ref()?.subject.as_object()?;
    let own = |of: &Value| of.get("arn").and_then(Value::as_str).filter(|it| it.starts_with("arn:")).map(str::to_owned);
    let direct = subject.get("arn").and_then(Value::as_str).filter(|it| it.starts_with("arn:")).map(str::to_owned);
    direct.or_else(|| subject.values().find_map(own))
}
