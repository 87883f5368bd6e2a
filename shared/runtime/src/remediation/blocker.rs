//! Blockers, which leave a finding at its plan: exemptions, holds, levels, stacks, modes and grace; and the budget.

use rectify_compliance::exemption::{self, Known};
use rectify_compliance::{IdentifiedState, Plan, Tags, Timestamp};
use serde_json::Value;

use super::facts::Facts;
use super::managed;
use super::run::RemediationRun;
use crate::Error;
use crate::ledger::{Outcome, Registry};
use crate::settings::Mode;

/// The tag that may lower the mode for one resource, if the stack allows it.
const MODE_TAG: &str = "rectify:mode";

/// Why a plan is not applied, and the outcome to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocker {
    pub(super) outcome: Outcome,
    pub(super) reason: String,
}

impl Blocker {
    fn planned(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Planned, reason: reason.into() }
    }

    fn managed(stack: &str) -> Self {
        Self::planned(format!("managed by CloudFormation stack `{stack}`"))
    }
}

/// How many remediations of this control may begin in this hour, and the reason to record once they have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) limit: u32,
    pub(super) reason: String,
}

/// Why this plan is not applied, if it is blocked.
pub(super) async fn blocker<F: Facts>(
    facts: &F,
    registry: &Registry,
    plan: &Plan<Value>,
    live: &IdentifiedState,
    now: Timestamp,
) -> Result<Option<Blocker>, Error> {
    let settings = facts.settings();
    let known = Known::Live { name: live.name.as_deref(), arn: live.arn.as_deref(), tags: &live.tags };
    if let Some(reason) = exemption::forbids(&registry.entries, facts.target(), known, now) {
        return Ok(Some(Blocker { outcome: Outcome::Exempt, reason }));
    }
    if let Some(hold) = facts.hold(now).await? {
        let reason = format!("held by {} until {}: {}", hold.by, hold.until, hold.reason);
        return Ok(Some(Blocker::planned(reason)));
    }
    let protected = |arn: &&String| settings.protected_arns.as_ref().is_some_and(|it| it.matches(arn));
    if let Some(arn) = live.arn.as_ref().filter(protected) {
        return Ok(Some(Blocker::planned(format!("protected by the stack's ProtectedArns: {arn}"))));
    }
    if let Some(reason) = plan.blocker(settings.allow_l2) {
        return Ok(Some(Blocker::planned(reason)));
    }
    let unmanaged = settings.remediate_managed_stacks;
    if let Some(stack) = managed::stack(&live.tags).filter(|_| !unmanaged) {
        return Ok(Some(Blocker::managed(stack)));
    }
    if let Some(reason) = mode(facts, &live.tags).or_else(|| grace(facts, now)) {
        return Ok(Some(Blocker::planned(reason)));
    }
    // Last, because it costs calls.
    let stack = if unmanaged { None } else { facts.stack(live, plan).await? };
    Ok(stack.as_deref().map(Blocker::managed))
}

/// The reason if the mode is below `enforce`: the function's, its account's or the resource's own; the lowest wins.
fn mode<F: Facts>(facts: &F, tags: &Tags) -> Option<String> {
    let (settings, account) = (facts.settings(), &facts.target().account);
    let own = settings.mode_in(account, facts.control());
    let tagged = tags.get(MODE_TAG).filter(|_| settings.allow_tag_mode);
    let tagged = tagged.map(|text| match text.parse::<Mode>() {
        Ok(mode) => (mode, format!("mode {} by tag {MODE_TAG}", mode.name())),
        // An unreadable tag was meant to lower the mode.
        Err(why) => (Mode::Plan, format!("tag {MODE_TAG}: {why}")),
    });
    if let Some((mode, reason)) = tagged
        && mode < own
    {
        return Some(reason);
    }
    let by = if own < settings.mode { format!(" by account {account}") } else { String::new() };
    (own < Mode::Enforce).then(|| format!("mode {}{by}", own.name()))
}

/// The reason if the grace period after the finding has not ended; the reconciler returns when it has.
fn grace<F: Facts>(facts: &F, now: Timestamp) -> Option<String> {
    let minutes = facts.settings().grace_minutes.of(facts.control())?.get();
    let until = facts.recorded_at().saturating_add(jiff::SignedDuration::from_mins(i64::from(minutes)));
    let until = until.unwrap_or(Timestamp::MAX);
    (minutes > 0 && now < until).then(|| format!("grace until {until}"))
}

impl RemediationRun<'_> {
    /// The hour's budget: a number, and at most a share of all resources; one resource if AWS Config does not count
    /// them.
    ///
    /// # Errors
    /// [`Error::Aws`] when AWS Config does not answer: the population is not guessed.
    pub(super) async fn budget(&self) -> Result<Budget, Error> {
        let settings = &self.context.settings;
        let (per_hour, percent) = (settings.max_fixes_per_hour, settings.budget_share_percent);
        if percent >= 100 || per_hour == 0 {
            return Ok(budget(per_hour, None));
        }
        let population = self.context.config.population(self.context.deployed.meta.resource_types).await?;
        Ok(budget(per_hour, Some(Share { percent, population })))
    }
}

/// The share of its resources that a control may change in an hour.
#[derive(Debug, Clone, Copy)]
struct Share {
    percent: u32,
    /// The number of resources; `None` if AWS Config does not count them: types it does not record, or the account
    /// itself.
    population: Option<u64>,
}

impl Share {
    /// The number of resources, and the reason. At least one, or a single resource could never be fixed; exactly one if
    /// they are not counted, since two could exceed the share.
    fn of_resources(self) -> (u32, String) {
        let percent = self.percent;
        let Some(all) = self.population else {
            return (1, format!("{percent} % of resources that AWS Config does not count"));
        };
        let part = u32::try_from(all * u64::from(percent) / 100).unwrap_or(u32::MAX);
        (part.max(1), format!("{percent} % of {all} resources"))
    }
}

fn budget(per_hour: u32, share: Option<Share>) -> Budget {
    match share.map(Share::of_resources) {
        Some((share, why)) if share < per_hour => {
            Budget { limit: share, reason: format!("budget of {share} an hour used up: {why}") }
        }
        _ => Budget { limit: per_hour, reason: format!("budget of {per_hour} an hour used up") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_is_the_lower_of_number_and_share_and_a_share_is_never_zero() {
        for (per_hour, percent, population, limit) in [
            (5, 50, None, 1),
            (5, 99, None, 1),
            (1, 50, None, 1),
            (0, 50, None, 0),
            (5, 50, Some(100), 5),
            (5, 50, Some(10), 5),
            (5, 50, Some(9), 4),
            (5, 50, Some(1), 1),
            (5, 1, Some(99), 1),
            (0, 50, Some(100), 0),
        ] {
            let share = Share { percent, population };
            assert_eq!(budget(per_hour, Some(share)).limit, limit, "{per_hour} {percent} {population:?}");
        }
        assert_eq!(budget(5, None).limit, 5, "a share of 100 % is ignored");
        let reason = |population| budget(5, Some(Share { percent: 50, population })).reason;
        assert_eq!(reason(Some(4)), "budget of 2 an hour used up: 50 % of 4 resources");
        assert_eq!(reason(None), "budget of 1 an hour used up: 50 % of resources that AWS Config does not count");
        assert_eq!(reason(Some(100)), "budget of 5 an hour used up");
    }
}
