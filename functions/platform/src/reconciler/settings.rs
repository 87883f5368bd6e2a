//! The settings of the reconciler's function, and the controls it watches.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use rectify_compliance::AccountId;
use rectify_compliance::values::Bounded;
use rectify_runtime::Error;
use rectify_runtime::members;
use rectify_runtime::settings::{AccountModes, Environment, Exemptions, MAX_GRACE, Mode, PerControl};

/// The facts about a control that the reconciler needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownControl {
    /// Its id.
    pub id: &'static str,
    /// Whether it has a remediation.
    pub remediated: bool,
    /// Whether its rule has a periodic trigger.
    pub scheduled: bool,
}

/// A control in this deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Its id.
    pub id: &'static str,
    /// The name of its Config rule.
    pub rule: String,
    /// Its mode; without a remediation never above `observe`.
    pub mode: Mode,
    /// Whether its rule has a periodic trigger.
    pub scheduled: bool,
}

/// The settings of the function.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `PREFIX` and `MODES`: the rules, and the mode of each control.
    pub controls: Vec<Watched>,
    /// `LEDGER_TABLE`.
    pub ledger_table: String,
    /// `EVENT_BUS`.
    pub event_bus: String,
    /// `DEAD_LETTERS`: the URL of the dead-letter queue.
    pub dead_letters: String,
    /// `UNANSWERED`: the URL of the operators' queue.
    pub unanswered: String,
    /// `EXEMPTIONS`: where exemptions are kept.
    pub exemptions: Exemptions,
    /// `ACCOUNT_MODES`: modes of single accounts; the lower one wins.
    pub account_modes: AccountModes,
    /// `MEMBER_ACCOUNTS`: other accounts whose open attempts are requested.
    pub members: BTreeSet<AccountId>,
    /// `GRACE_MINUTES`: the time between a finding and its enforcement.
    pub grace_minutes: PerControl<Bounded<0, MAX_GRACE>>,
    /// `MAX_FIXES_PER_HOUR`, as the remediations have it.
    pub max_fixes_per_hour: u32,
    /// `REQUESTS_PER_RUN`: the maximum number of requests per control and run.
    pub requests_per_run: usize,
    /// `DEAD_LETTERS_PER_RUN`: the maximum number of dead letters per run.
    pub dead_letters_per_run: usize,
    /// `RETRY_AFTER_HOURS`: how long an answered finding is not requested again.
    pub retry_after: SignedDuration,
}

impl Watched {
    /// Whether a remediation handles requests to this control.
    pub fn handles_requests(&self) -> bool {
        self.mode >= Mode::Plan
    }
}

impl Settings {
    /// Reads them for these controls.
    ///
    /// # Errors
    /// [`Error::Setting`] for a missing or malformed variable, a mode without a control, and a control without a mode:
    /// a forgotten control would never be reconciled.
    pub fn read(environment: &Environment, catalogue: &[KnownControl]) -> Result<Self, Error> {
        let hours: Bounded<1, 720> = environment.parsed("RETRY_AFTER_HOURS", Bounded::of(24))?;
        Ok(Self {
            controls: watched(environment.required("PREFIX")?, environment.required("MODES")?, catalogue)
                .map_err(|reason| Error::Setting { name: "MODES", reason })?,
            ledger_table: environment.required("LEDGER_TABLE")?.to_owned(),
            event_bus: environment.get("EVENT_BUS").unwrap_or("default").to_owned(),
            dead_letters: environment.required("DEAD_LETTERS")?.to_owned(),
            unanswered: environment.required("UNANSWERED")?.to_owned(),
            exemptions: environment.parsed("EXEMPTIONS", Exemptions::Ledger)?,
            account_modes: environment.parsed("ACCOUNT_MODES", AccountModes::default())?,
            members: members::listed(environment)?,
            grace_minutes: environment.parsed("GRACE_MINUTES", PerControl::all(Bounded::of(0)))?,
            max_fixes_per_hour: environment.parsed("MAX_FIXES_PER_HOUR", Bounded::<0, 1000>::of(5))?.get(),
            requests_per_run: count(environment.parsed("REQUESTS_PER_RUN", Bounded::<1, 1000>::of(100))?),
            dead_letters_per_run: count(environment.parsed("DEAD_LETTERS_PER_RUN", Bounded::<1, 1000>::of(100))?),
            retry_after: SignedDuration::from_hours(i64::from(hours.get())),
        })
    }
}

impl Settings {
    /// The controls with their modes in this account.
    pub(super) fn in_account(&self, account: &AccountId) -> Vec<Watched> {
        let lower = |control: &Watched| {
            let own = self.account_modes.of(account.as_str(), control.id);
            Watched { mode: own.map_or(control.mode, |own| own.min(control.mode)), ..control.clone() }
        };
        self.controls.iter().map(lower).collect()
    }

    /// How long a control waits between a finding and its enforcement.
    pub(super) fn grace(&self, control: &str) -> SignedDuration {
        let minutes = self.grace_minutes.of(control).map_or(0, Bounded::get);
        SignedDuration::from_mins(i64::from(minutes))
    }
}

fn count(bounded: Bounded<1, 1000>) -> usize {
    usize::try_from(bounded.get()).unwrap_or(usize::MAX)
}

/// The mode of every control that is not named.
const ALL: &str = "*";

/// The controls with their modes, given as `id=mode` separated by blanks; `*=mode` is for those that are not named.
fn watched(prefix: &str, modes: &str, catalogue: &[KnownControl]) -> Result<Vec<Watched>, String> {
    let mut given = Vec::new();
    for pair in modes.split_whitespace() {
        let (id, mode) = pair.split_once('=').ok_or_else(|| format!("expected `id=mode`: received `{pair}`"))?;
        let mode: Mode = mode.parse().map_err(|why| format!("{id}: {why}"))?;
        if id != ALL && !catalogue.iter().any(|known| known.id == id) {
            return Err(format!("no control `{id}`"));
        }
        given.push((id, mode));
    }
    catalogue
        .iter()
        .map(|known| {
            let of = |name: &str| given.iter().find(|(id, _)| *id == name);
            let (_, mode) = of(known.id).or_else(|| of(ALL)).ok_or_else(|| format!("{}: no mode", known.id))?;
            let mode = if known.remediated { *mode } else { (*mode).min(Mode::Observe) };
            Ok(Watched { id: known.id, rule: format!("{prefix}{}", known.id), mode, scheduled: known.scheduled })
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CATALOGUE: [KnownControl; 2] = [
        KnownControl { id: "door-ajar", remediated: true, scheduled: false },
        KnownControl { id: "root-key", remediated: false, scheduled: true },
    ];

    fn read(extra: &[(&str, &str)]) -> Result<Settings, String> {
        let base = [
            ("PREFIX", "rectify-"),
            ("MODES", "door-ajar=enforce root-key=observe"),
            ("LEDGER_TABLE", "t"),
            ("DEAD_LETTERS", "https://q/1"),
            ("UNANSWERED", "https://q/2"),
        ];
        let environment = Environment::of(base.iter().chain(extra).copied());
        Settings::read(&environment, &CATALOGUE).map_err(|error| error.to_string())
    }

    #[test]
    fn controls_have_a_prefixed_rule_name_and_their_mode() {
        let settings = read(&[]).unwrap();
        let door =
            Watched { id: "door-ajar", rule: "rectify-door-ajar".to_owned(), mode: Mode::Enforce, scheduled: false };
        let key = Watched { id: "root-key", rule: "rectify-root-key".to_owned(), mode: Mode::Observe, scheduled: true };
        assert!(door.handles_requests() && !key.handles_requests());
        assert_eq!(settings.controls, [door, key]);
        assert_eq!((settings.requests_per_run, settings.dead_letters_per_run), (100, 100));
        assert_eq!(settings.retry_after, SignedDuration::from_hours(24));
    }

    #[test]
    fn control_without_remediation_handles_no_requests_in_any_mode() {
        let settings = read(&[("MODES", "door-ajar=off\n  root-key=enforce")]).unwrap();
        assert!(settings.controls.iter().all(|control| !control.handles_requests()));
    }

    #[test]
    fn account_mode_lowers_but_never_raises_a_mode() {
        let of = |modes: &str, account: &str| {
            let settings = read(&[("ACCOUNT_MODES", modes)]).unwrap();
            settings.in_account(&AccountId::new(account)).first().unwrap().mode
        };
        let modes = r#"{"111122223333": {"door-ajar": "observe"}, "444455556666": "enforce"}"#;
        assert_eq!(of(modes, "111122223333"), Mode::Observe);
        assert_eq!((of(modes, "444455556666"), of(modes, "777788889999")), (Mode::Enforce, Mode::Enforce));
    }

    #[test]
    fn malformed_settings_are_named() {
        for (name, value, expected) in [
            ("MODES", "door-ajar=plan", "MODES: root-key: no mode"),
            ("MODES", "window=plan", "MODES: no control `window`"),
            ("MODES", "door-ajar", "MODES: expected `id=mode`: received `door-ajar`"),
            (
                "MODES",
                "door-ajar=always root-key=off",
                "MODES: door-ajar: expected off, observe, plan or enforce: received `always`",
            ),
            ("REQUESTS_PER_RUN", "0", "REQUESTS_PER_RUN: expected a whole number in 1..=1000: received `0`"),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err(), expected);
        }
    }
}
