//! Settings that differ by control, or by account and control.

use std::collections::BTreeMap;
use std::str::FromStr;

use rectify_compliance::AccountId;
use serde_json::Value;

use super::Mode;

/// The key for every control or account without an entry of its own.
const ANY: &str = "*";

/// One value for all controls, or values by control: `60`, or `{"*": 60, "restricted-ssh": 0}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerControl<T> {
    all: Option<T>,
    own: BTreeMap<String, T>,
}

/// Modes by account: `{"111122223333": "plan", "444455556666": {"*": "observe", "restricted-ssh": "plan"}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountModes(BTreeMap<String, PerControl<Mode>>);

impl<T: Copy> PerControl<T> {
    /// The same value for all controls.
    pub const fn all(value: T) -> Self {
        Self { all: Some(value), own: BTreeMap::new() }
    }

    /// The control's own value, else the one for all.
    pub fn of(&self, control: &str) -> Option<T> {
        self.own.get(control).copied().or(self.all)
    }
}

impl AccountModes {
    /// The mode of a control by this account's entry, else by the entry for all accounts.
    pub fn of(&self, account: &str, control: &str) -> Option<Mode> {
        self.0.get(account).or_else(|| self.0.get(ANY))?.of(control)
    }
}

/// Reads a JSON scalar; numbers and booleans may be quoted.
fn scalar<T: FromStr<Err = String>>(value: &Value) -> Result<T, String> {
    match value {
        Value::String(text) => text.parse(),
        Value::Number(_) | Value::Bool(_) => value.to_string().parse(),
        other => Err(format!("expected one value: received `{other}`")),
    }
}

fn per_control<T: FromStr<Err = String>>(value: &Value) -> Result<PerControl<T>, String> {
    let Value::Object(entries) = value else {
        return Ok(PerControl { all: Some(scalar(value)?), own: BTreeMap::new() });
    };
    let mut read = PerControl { all: None, own: BTreeMap::new() };
    for (control, value) in entries {
        let value = scalar(value).map_err(|why| format!("{control}: {why}"))?;
        if control == ANY {
            read.all = Some(value);
        } else {
            read.own.insert(control.clone(), value);
        }
    }
    Ok(read)
}

impl<T: FromStr<Err = String>> FromStr for PerControl<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Most users write a plain word, which is not JSON.
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        per_control(&value)
    }
}

impl FromStr for AccountModes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            |received: &dyn std::fmt::Display| format!("expected an object of accounts: received `{received}`");
        let value: Value = serde_json::from_str(text).map_err(|_| refused(&text))?;
        let Value::Object(accounts) = value else { return Err(refused(&value)) };
        let read = |(account, value): (String, Value)| {
            let is_account = account == ANY || AccountId::is_id(&account);
            if !is_account {
                return Err(format!("expected an account of 12 digits or `*`: received `{account}`"));
            }
            let modes = per_control(&value).map_err(|why| format!("{account}: {why}"))?;
            Ok((account, modes))
        };
        accounts.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rectify_compliance::values::Bounded;

    use super::*;

    type Minutes = Bounded<0, 100>;

    #[test]
    fn value_applies_to_all_or_to_the_named_controls() {
        for (text, ssh, other) in [
            ("60", Some(60), Some(60)),
            ("{\"*\": 60, \"restricted-ssh\": \"5\"}", Some(5), Some(60)),
            ("{\"restricted-ssh\": 5}", Some(5), None),
            ("{}", None, None),
        ] {
            let read: PerControl<Minutes> = text.parse().unwrap();
            let of = |control| read.of(control).map(Bounded::get);
            assert_eq!((of("restricted-ssh"), of("other")), (ssh, other), "{text}");
        }
        for (text, why) in [
            ("101", "expected a whole number in 0..=100: received `101`"),
            ("soon", "expected a whole number in 0..=100: received `soon`"),
            ("{\"a\": []}", "a: expected one value: received `[]`"),
            ("{\"a\": 1", "expected a whole number in 0..=100: received `{\"a\": 1`"),
        ] {
            assert_eq!(text.parse::<PerControl<Minutes>>().unwrap_err(), why);
        }
    }

    #[test]
    fn account_has_its_own_modes_or_those_of_all_accounts() {
        let text =
            "{\"111122223333\": \"observe\", \"444455556666\": {\"restricted-ssh\": \"plan\"}, \"*\": \"enforce\"}";
        let modes: AccountModes = text.parse().unwrap();
        for (account, control, mode) in [
            ("111122223333", "restricted-ssh", Some(Mode::Observe)),
            ("444455556666", "restricted-ssh", Some(Mode::Plan)),
            ("444455556666", "other", None),
            ("777788889999", "other", Some(Mode::Enforce)),
        ] {
            assert_eq!(modes.of(account, control), mode, "{account} {control}");
        }
        for (text, why) in [
            ("plan", "expected an object of accounts: received `plan`"),
            ("[]", "expected an object of accounts: received `[]`"),
            ("{\"12\": \"plan\"}", "expected an account of 12 digits or `*`: received `12`"),
            (
                "{\"111122223333\": {\"a\": \"ENFORCE\"}}",
                "111122223333: a: expected off, observe, plan or enforce: received `ENFORCE`",
            ),
        ] {
            assert_eq!(text.parse::<AccountModes>().unwrap_err(), why);
        }
    }
}
