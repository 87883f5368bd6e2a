//! Everything that leaves a finding at its plan: exemptions, holds, levels, stacks, modes, grace, and how much may be done.

use rectify_compliance::exemption::{self, Known};
use rectify_compliance::{IdentifiedState, Plan, Tags, Timestamp};
use serde_json::Value;

use super::facts::Facts;
use super::managed;
use super::run::RemediationRun;
use crate::Error;
use crate::ledger::{Outcome, Registry};
use crate::settings::Mode;

/// The tag that may lower the mode for one resource, where that is allowed.
const MODE_TAG: &str = "rectify:mode";

/// Why nothing is applied, and how that is recorded.
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

/// How many remediations of this control may begin in this hour, and what to say when they have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) limit: u32,
    pub(super) reason: String,
}

/// Why this plan is not applied, if it is not.
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
    // The one that costs calls comes last.
    let stack = if unmanaged { None } else { facts.stack(live, plan).await? };
    Ok(stack.as_deref().map(Blocker::managed))
}

/// What the mode says, if it is below `enforce`: the function's, its account's, or the resource's own; the lowest wins.
fn mode<F: Facts>(facts: &F, tags: &Tags) -> Option<String> {
    let (settings, account) = (facts.settings(), &facts.target().account);
    let own = settings.mode_in(account, facts.control());
    let tagged = tags.get(MODE_TAG).filter(|_| settings.allow_tag_mode);
    let tagged = tagged.map(|text| match text.parse::<Mode>() {
        Ok(mode) => (mode, format!("mode {} by tag {MODE_TAG}", mode.name())),
        // Whoever wrote it wanted less than what happens without it.
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

/// What is left of the time between finding and enforcement; the reconciler comes back when it is over.
fn grace<F: Facts>(facts: &F, now: Timestamp) -> Option<String> {
    let minutes = facts.settings().grace_minutes.of(facts.control())?.get();
    let until = facts.recorded_at().saturating_add(jiff::SignedDuration::from_mins(i64::from(minutes)));
    let until = until.unwrap_or(Timestamp::MAX);
    (minutes > 0 && now < until).then(|| format!("grace until {until}"))
}

impl RemediationRun<'_> {
    /// The hour's budget: a number, and no more than a share of the resources there are; one resource where AWS Config does
    /// not count them.
    ///
    /// # Errors
    /// [`Error::Aws`] when AWS Config does not answer: how much is at stake is not guessed.
    pub(super) async fn budget(&self) -> Result<Budget, Error> {
        let settings = &self.context.settings;
        let (per_hour, percent) = (settings.budget_per_hour, settings.budget_share_percent);
        if percent >= 100 || per_hour == 0 {
            return Ok(budget(per_hour, None));
        }
        let population = self.context.config.population(self.context.deployed.meta.resource_types).await?;
        Ok(budget(per_hour, Some(Share { percent, population })))
    }
}

/// The part of its resources that a control may change in an hour.
#[derive(Debug, Clone, Copy)]
struct Share {
    percent: u32,
    /// How many there are; `None` where AWS Config does not count them: types it does not record, or the account itself.
    population: Option<u64>,
}

impl Share {
    /// The number of resources, and why it is that one. At least one, or a single resource could never be fixed; and one
    /// where nobody counts them, since any more could be more than the share.
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
    fn the_budget_is_the_number_or_the_share_whichever_is_less_and_never_none_by_share() {
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
        assert_eq!(budget(5, None).limit, 5, "a share of 100 % is not looked at");
        let reason = |population| budget(5, Some(Share { percent: 50, population })).reason;
        assert_eq!(reason(Some(4)), "budget of 2 an hour used up: 50 % of 4 resources");
        assert_eq!(reason(None), "budget of 1 an hour used up: 50 % of resources that AWS Config does not count");
        assert_eq!(reason(Some(100)), "budget of 5 an hour used up");
    }
}
