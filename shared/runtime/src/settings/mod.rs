//! A function's environment, read once and typed. An invalid variable fails the invocation and is named in the error.

mod per_control;

use std::collections::HashMap;
use std::str::FromStr;

pub use rectify_compliance::Mode;
use rectify_compliance::values::{Bounded, Flag, Globs};
use rectify_compliance::{AccountId, Arn, Region};

use crate::Error;
pub use per_control::{AccountModes, PerControl};

/// The variables of a process, passed as a value so that no other code reads the environment.
#[derive(Debug, Clone, Default)]
pub struct Environment(HashMap<String, String>);

/// The settings of every function.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSettings {
    /// `AWS_REGION`: where the function runs.
    pub region: Region,
    /// `HOME_REGION`: where global controls are evaluated; absent means the partition's default.
    pub home_region: Option<Region>,
}

/// The settings of a remediation's function.
#[derive(Debug, Clone, PartialEq)]
pub struct RemediationSettings {
    /// `MODE`.
    pub mode: Mode,
    /// `ALLOW_L2`: whether steps of level L2 may be applied.
    pub allow_l2: bool,
    /// `PARAMETERS`: the rule's own parameters, so that rule and remediation evaluate with the same ones.
    pub parameters: String,
    /// `RULE_NAMES`: the rules whose events are accepted.
    pub rule_names: Globs,
    /// `LEDGER_TABLE`.
    pub ledger_table: String,
    /// `EVENT_BUS`.
    pub event_bus: String,
    /// `MAX_FIXES_PER_HOUR`: resources per control, account and hour.
    pub max_fixes_per_hour: u32,
    /// `MAX_FIXES_PERCENT`: of the resources of the control's types; one resource if AWS Config does not count them;
    /// 100 disables the share.
    pub budget_share_percent: u32,
    /// `EXEMPTIONS`: where exemptions are kept.
    pub exemptions: Exemptions,
    /// `ACCOUNT_MODES`: modes of single accounts; the lower one wins.
    pub account_modes: AccountModes,
    /// `ALLOW_TAG_MODE`: whether the tag `rectify:mode` of a resource may lower its mode. A principal that can open a
    /// port can usually tag, too.
    pub allow_tag_mode: bool,
    /// `GRACE_MINUTES`: the time between a finding and its enforcement.
    pub grace_minutes: PerControl<Bounded<0, MAX_GRACE>>,
    /// `PLANS_PER_HOUR`: plans announced individually per control and account; further ones are announced as one
    /// digest.
    pub plans_per_hour: u32,
    /// `PROTECTED_ARNS`: ARN patterns of resources that must not be changed, `*` as wildcard; `none` protects nothing.
    /// The role denies them, too.
    pub protected_arns: Option<Globs>,
    /// `REMEDIATE_MANAGED_STACKS`: whether resources that CloudFormation manages may be changed.
    pub remediate_managed_stacks: bool,
}

/// The longest grace period, minutes: a week.
pub const MAX_GRACE: u32 = 7 * 24 * 60;

/// Where exemptions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exemptions {
    /// In the ledger: an exemption that cannot be read forbids acting.
    Ledger,
    /// Nowhere: the operator states that nothing is exempt.
    None,
}

impl FromStr for Exemptions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ledger" => Ok(Self::Ledger),
            "none" => Ok(Self::None),
            other => Err(format!("expected `ledger` or `none`: received `{other}`")),
        }
    }
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self(std::env::vars().collect())
    }

    /// These variables, for tests and tools.
    pub fn of<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(variables.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// A variable; the empty string is the same as none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).map(str::trim).filter(|value| !value.is_empty())
    }

    /// A required variable.
    ///
    /// # Errors
    /// [`Error::Setting`] when it is missing.
    pub fn required(&self, name: &'static str) -> Result<&str, Error> {
        self.get(name).ok_or_else(|| Error::Setting { name, reason: "expected a value: received nothing".to_owned() })
    }

    /// A variable parsed as a `T`, or the default if it is absent.
    ///
    /// # Errors
    /// [`Error::Setting`] when it does not parse.
    pub fn parsed<T: FromStr<Err = String>>(&self, name: &'static str, default: T) -> Result<T, Error> {
        self.get(name).map_or(Ok(default), |text| text.parse().map_err(|reason| Error::Setting { name, reason }))
    }
}

impl FunctionSettings {
    /// Reads the settings of every function.
    ///
    /// # Errors
    /// [`Error::Setting`] when `AWS_REGION` is missing.
    pub fn read(environment: &Environment) -> Result<Self, Error> {
        Ok(Self {
            region: Region::new(environment.required("AWS_REGION")?),
            home_region: environment.get("HOME_REGION").map(Region::new),
        })
    }

    /// The region in which global controls are evaluated; a rule parameter overrides the function's setting.
    pub fn home(&self, parameter: Option<&Region>) -> Region {
        parameter.or(self.home_region.as_ref()).cloned().unwrap_or_else(|| self.region.default_home_region())
    }
}

impl RemediationSettings {
    /// Reads the settings of a remediation.
    ///
    /// # Errors
    /// [`Error::Setting`] for a missing or malformed variable, and for `MODE=enforce` without `EXEMPTIONS`: a control
    /// does not act unless exemptions can be checked.
    pub fn read(environment: &Environment) -> Result<Self, Error> {
        let mode = environment.parsed("MODE", Mode::Plan)?;
        if mode == Mode::Enforce && environment.get("EXEMPTIONS").is_none() {
            return Err(Error::Setting {
                name: "EXEMPTIONS",
                reason: "expected `ledger` or `none` in mode enforce: received nothing".to_owned(),
            });
        }
        Ok(Self {
            mode,
            allow_l2: environment.parsed("ALLOW_L2", Flag(false))?.0,
            parameters: environment.get("PARAMETERS").unwrap_or("{}").to_owned(),
            rule_names: environment
                .required("RULE_NAMES")?
                .parse()
                .map_err(|reason| Error::Setting { name: "RULE_NAMES", reason })?,
            ledger_table: environment.required("LEDGER_TABLE")?.to_owned(),
            event_bus: environment.get("EVENT_BUS").unwrap_or("default").to_owned(),
            max_fixes_per_hour: environment.parsed("MAX_FIXES_PER_HOUR", Bounded::<0, 1000>::of(5))?.get(),
            budget_share_percent: environment.parsed("MAX_FIXES_PERCENT", Bounded::<1, 100>::of(50))?.get(),
            exemptions: environment.parsed("EXEMPTIONS", Exemptions::Ledger)?,
            account_modes: environment.parsed("ACCOUNT_MODES", AccountModes::default())?,
            allow_tag_mode: environment.parsed("ALLOW_TAG_MODE", Flag(false))?.0,
            grace_minutes: environment.parsed("GRACE_MINUTES", PerControl::all(Bounded::of(0)))?,
            plans_per_hour: environment.parsed("PLANS_PER_HOUR", Bounded::<0, 1000>::of(10))?.get(),
            protected_arns: match environment.get("PROTECTED_ARNS") {
                None | Some("none") => None,
                Some(text) => Some(text.parse().map_err(|reason| Error::Setting { name: "PROTECTED_ARNS", reason })?),
            },
            remediate_managed_stacks: environment.parsed("REMEDIATE_MANAGED_STACKS", Flag(false))?.0,
        })
    }
}

impl RemediationSettings {
    /// The mode of a control in an account: the lower one of the function's and the account's own.
    pub fn mode_in(&self, account: &AccountId, control: &str) -> Mode {
        self.account_modes.of(account.as_str(), control).map_or(self.mode, |own| own.min(self.mode))
    }
}

/// The account of a function, from its ARN (`arn:<partition>:lambda:<region>:<account>:function:<name>`).
pub fn account_of_function(arn: &str) -> Option<AccountId> {
    arn.parse().ok().and_then(|it: Arn| it.account())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn remediation(extra: &[(&str, &str)]) -> Result<RemediationSettings, String> {
        let base = [("RULE_NAMES", "rectify-a"), ("LEDGER_TABLE", "t")];
        let environment = Environment::of(base.iter().chain(extra).copied());
        RemediationSettings::read(&environment).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_changed_by_default() {
        let settings = remediation(&[]).unwrap();
        assert_eq!((settings.mode, settings.allow_l2, settings.max_fixes_per_hour), (Mode::Plan, false, 5));
    }

    #[test]
    fn enforce_requires_exemptions() {
        assert_eq!(
            remediation(&[("MODE", "enforce")]).unwrap_err(),
            "EXEMPTIONS: expected `ledger` or `none` in mode enforce: received nothing"
        );
        for (text, exemptions) in [("ledger", Exemptions::Ledger), ("none", Exemptions::None)] {
            let settings = remediation(&[("MODE", "enforce"), ("EXEMPTIONS", text)]).unwrap();
            assert_eq!((settings.mode, settings.exemptions), (Mode::Enforce, exemptions));
        }
        assert!(remediation(&[("EXEMPTIONS", "table")]).unwrap_err().contains("received `table`"));
    }

    #[test]
    fn malformed_settings_are_named_with_the_received_value() {
        for (name, value, expected) in [
            ("MODE", "ENFORCE", "MODE: expected off, observe, plan or enforce: received `ENFORCE`"),
            ("ALLOW_L2", "yes", "ALLOW_L2: expected true or false: received `yes`"),
            ("ACCOUNT_MODES", "plan", "ACCOUNT_MODES: expected an object of accounts: received `plan`"),
            ("GRACE_MINUTES", "1h", "GRACE_MINUTES: expected a whole number in 0..=10080: received `1h`"),
            ("MAX_FIXES_PERCENT", "0", "MAX_FIXES_PERCENT: expected a whole number in 1..=100: received `0`"),
            ("PROTECTED_ARNS", " , ", "PROTECTED_ARNS: expected at least one pattern: received `,`"),
            ("MAX_FIXES_PER_HOUR", "-1", "MAX_FIXES_PER_HOUR: expected a whole number in 0..=1000: received `-1`"),
        ] {
            assert_eq!(remediation(&[(name, value)]).unwrap_err(), expected);
        }
        let error = RemediationSettings::read(&Environment::of([("RULE_NAMES", "a")])).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            ("InvalidSetting", "LEDGER_TABLE: expected a value: received nothing")
        );
    }

    #[test]
    fn home_is_the_parameter_then_the_setting_then_the_partition_default() {
        let environment = Environment::of([("AWS_REGION", "eu-west-1"), ("HOME_REGION", "eu-central-1")]);
        let settings = FunctionSettings::read(&environment).unwrap();
        assert_eq!(settings.home(Some(&Region::new("sa-east-1"))), Region::new("sa-east-1"));
        assert_eq!(settings.home(None), Region::new("eu-central-1"));
        let bare = FunctionSettings { home_region: None, ..settings };
        assert_eq!(bare.home(None), Region::new("us-east-1"));
    }

    #[test]
    fn the_account_is_read_from_the_function_arn() {
        let arn = "arn:aws-cn:lambda:cn-north-1:111122223333:function:rectify-restricted-ssh";
        assert_eq!(account_of_function(arn), Some(AccountId::new("111122223333")));
        assert_eq!(account_of_function("nonsense"), None);
    }
}
