//! The gates in their order, and what closes each: a closed one leaves a finding at its plan. And the budget.

use rectify_compliance::exemption::{self, Known};
use rectify_compliance::{IdentifiedState, Plan, Tags, Timestamp};
use serde_json::Value;

use super::facts::Facts;
use super::managed;
use crate::Error;
use crate::config_service::ConfigService;
use crate::ledger::{OpenBreaker, Outcome, Registry};
use crate::settings::{Mode, RemediationSettings};

/// The tag that may lower the mode for one resource, if the stack allows it.
pub const MODE_TAG: &str = "rectify:mode";
/// The settings that may lower it.
pub const ACCOUNT_MODES: &str = "accountModes";
const MODE: &str = "mode";

/// A gate between a finding and its fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// A stop switch.
    Stop,
    /// The scope of the deployed rule.
    Scope,
    /// An exemption.
    Exemption,
    /// A hold.
    Hold,
    /// The stack's protected ARNs.
    ProtectedArn,
    /// The levels that may be applied without an operator.
    Level,
    /// CloudFormation, by the resource's tags.
    StackTag,
    /// The mode.
    Mode,
    /// The grace period after the finding.
    Grace,
    /// CloudFormation, by a lookup.
    StackLookup,
    /// A circuit breaker.
    Breaker,
    /// The budget of the hour.
    Budget,
}

impl Gate {
    /// All gates, in their order.
    pub const ORDER: [Self; 12] = [
        Self::Stop,
        Self::Scope,
        Self::Exemption,
        Self::Hold,
        Self::ProtectedArn,
        Self::Level,
        Self::StackTag,
        Self::Mode,
        Self::Grace,
        Self::StackLookup, // after the other blockers, because it costs calls
        Self::Breaker,
        Self::Budget,
    ];
    /// The gates that a plan passes again before each of its actions; the fence and the breaker are the others.
    const BLOCKERS: [Self; 8] = [
        Self::Exemption,
        Self::Hold,
        Self::ProtectedArn,
        Self::Level,
        Self::StackTag,
        Self::Mode,
        Self::Grace,
        Self::StackLookup,
    ];

    /// Its name in the output of the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop switch",
            Self::Scope => "scope",
            Self::Exemption => "exemption",
            Self::Hold => "hold",
            Self::ProtectedArn => "protected ARN",
            Self::Level => "level",
            Self::StackTag | Self::StackLookup => "stack",
            Self::Mode => "mode",
            Self::Grace => "grace period",
            Self::Breaker => "breaker",
            Self::Budget => "budget",
        }
    }

    /// The outcome of an attempt that ends here.
    pub(super) const fn outcome(self) -> Outcome {
        match self {
            Self::Stop => Outcome::Stopped,
            Self::Scope => Outcome::NotApplicable,
            Self::Exemption => Outcome::Exempt,
            Self::Breaker => Outcome::BreakerOpen,
            Self::Budget => Outcome::OverBudget,
            _ => Outcome::Planned,
        }
    }
}

/// A closed gate: why a plan is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// The gate.
    pub gate: Gate,
    /// The reason, with who closed it and until when, where that is known.
    pub reason: String,
    /// What to name to open it: the scope of a stop switch (`*` or the control), the id of an exemption, the stack, the
    /// scope of a breaker (`*` for the whole control, else `resource`), and for a mode the setting or tag that lowers it.
    pub key: Option<String>,
}

impl Blocker {
    pub(super) fn new(gate: Gate, reason: impl Into<String>) -> Self {
        Self { gate, reason: reason.into(), key: None }
    }

    fn keyed(gate: Gate, reason: impl Into<String>, key: impl Into<String>) -> Self {
        Self { gate, reason: reason.into(), key: Some(key.into()) }
    }

    /// An open breaker.
    pub(super) fn breaker(open: &OpenBreaker) -> Self {
        let scope = if matches!(open, OpenBreaker::Control { .. }) { "*" } else { "resource" };
        Self::keyed(Gate::Breaker, open.to_string(), scope)
    }

    fn managed(gate: Gate, stack: &str) -> Self {
        Self::keyed(gate, format!("managed by CloudFormation stack `{stack}`"), stack)
    }

    /// The outcome to record.
    pub(super) const fn outcome(&self) -> Outcome {
        self.gate.outcome()
    }
}

/// A plan at the gates, and what was read for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Considered<'a> {
    pub(super) registry: &'a Registry,
    pub(super) plan: &'a Plan<Value>,
    pub(super) live: &'a IdentifiedState,
}

/// How many remediations of this control may begin in this hour, and the reason to record once they have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Budget {
    pub(super) limit: u32,
    pub(super) reason: String,
}

/// Why this plan is not applied, if it is blocked: the first closed gate.
pub(super) async fn blocker<F: Facts>(facts: &F, it: Considered<'_>, now: Timestamp) -> Result<Option<Blocker>, Error> {
    for gate in Gate::BLOCKERS {
        if let Some(first) = closed(gate, facts, it, now).await?.into_iter().next() {
            return Ok(Some(first));
        }
    }
    Ok(None)
}

/// Why this gate is closed; empty if it is open. Only the budget is not looked at here: the ledger counts it in the
/// transaction that begins an attempt.
pub(super) async fn closed<F: Facts>(
    gate: Gate,
    facts: &F,
    it: Considered<'_>,
    now: Timestamp,
) -> Result<Vec<Blocker>, Error> {
    let Considered { registry, plan, live } = it;
    let (settings, target) = (facts.settings(), facts.target());
    let unmanaged = settings.remediate_managed_stacks;
    let reason = |reason: Option<String>| reason.map(|it| Blocker::new(gate, it));
    let found = match gate {
        Gate::Stop => {
            let stops = facts.stops().await?;
            return Ok(stops.into_iter().map(|it| Blocker::keyed(gate, it.to_string(), it.scope)).collect());
        }
        Gate::Scope => {
            let names = [target.name.as_deref(), live.name.as_deref()];
            let outside = names.into_iter().find_map(|name| facts.out_of_scope(name));
            reason(outside.map(|it| it.annotation().map(ToString::to_string).unwrap_or_default()))
        }
        Gate::Exemption => {
            let known = Known::Live { name: live.name.as_deref(), arn: live.arn.as_deref(), tags: &live.tags };
            let all = exemption::all(&registry.entries, target, known, now);
            return Ok(all.map(|(it, reason)| Blocker::keyed(gate, reason, it.id())).collect());
        }
        Gate::Hold => {
            let hold = facts.hold(now).await?;
            reason(hold.map(|it| format!("held by {} until {}: {}", it.by, it.until, it.reason)))
        }
        Gate::ProtectedArn => {
            let protected = |arn: &&String| settings.protected_arns.as_ref().is_some_and(|it| it.matches(arn));
            let arn = live.arn.as_ref().filter(protected);
            reason(arn.map(|arn| format!("protected by the stack's ProtectedArns: {arn}")))
        }
        Gate::Level => reason(plan.blocker(settings.allow_l2)),
        Gate::StackTag => {
            let stack = managed::stack(&live.tags).filter(|_| !unmanaged);
            stack.map(|stack| Blocker::managed(gate, stack))
        }
        Gate::Mode => mode(facts, &live.tags),
        Gate::Grace => reason(grace(facts, now)),
        Gate::StackLookup => {
            let stack = if unmanaged { None } else { facts.stack(live, plan).await? };
            stack.map(|stack| Blocker::managed(gate, &stack))
        }
        Gate::Breaker => facts.breaker(None, now).await?.map(|open| Blocker::breaker(&open)),
        Gate::Budget => None,
    };
    Ok(found.into_iter().collect())
}

/// The reason if the mode is below `enforce`: the function's, its account's or the resource's own; the lowest wins.
fn mode<F: Facts>(facts: &F, tags: &Tags) -> Option<Blocker> {
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
        return Some(Blocker::keyed(Gate::Mode, reason, MODE_TAG));
    }
    let (by, key) =
        if own < settings.mode { (format!(" by account {account}"), ACCOUNT_MODES) } else { (String::new(), MODE) };
    (own < Mode::Enforce).then(|| Blocker::keyed(Gate::Mode, format!("mode {}{by}", own.name()), key))
}

/// The reason if the grace period after the finding has not ended; the reconciler returns when it has.
fn grace<F: Facts>(facts: &F, now: Timestamp) -> Option<String> {
    let minutes = facts.settings().grace_minutes.of(facts.control())?.get();
    let until = facts.recorded_at().saturating_add(jiff::SignedDuration::from_mins(i64::from(minutes)));
    let until = until.unwrap_or(Timestamp::MAX);
    (minutes > 0 && now < until).then(|| format!("grace until {until}"))
}

/// The hour's budget of a control with resources of these types: a number, and at most a share of all resources; one
/// resource if AWS Config does not count them.
///
/// # Errors
/// [`Error::Aws`] when AWS Config does not answer: the population is not guessed.
pub(super) async fn budget_of(
    settings: &RemediationSettings,
    config: &ConfigService,
    types: &[&str],
) -> Result<Budget, Error> {
    let (per_hour, percent) = (settings.max_fixes_per_hour, settings.budget_share_percent);
    if percent >= 100 || per_hour == 0 {
        return Ok(budget(per_hour, None));
    }
    let population = config.population(types).await?;
    Ok(budget(per_hour, Some(Share { percent, population })))
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
