//! The settings of the function.

use rectify_compliance::values::Bounded;
use rectify_runtime::Error;
use rectify_runtime::settings::Environment;

/// The ids of a service that has no role. A variable must not be empty: a missing one would report
/// Rectify's own changes as causes.
const NONE: &str = "-";

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `EVENT_BUS`.
    pub event_bus: String,
    /// `LEDGER_TABLE`.
    pub ledger_table: String,
    /// `OWN_ROLES`: the unique ids of the roles of Rectify, separated by blanks; none if nothing is remediated.
    pub own_roles: Vec<String>,
    /// `PREFIX` of the functions' names.
    pub prefix: String,
    /// `QUEUE`: the URL of the function's queue.
    pub queue: String,
    /// `RETRY_SECONDS`: the delay between the first and the second lookup; SQS delays a message by 900 seconds at most.
    pub retry_seconds: u32,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`Error::Setting`] for a missing or malformed variable: without the roles, Rectify's own changes would be
    /// reported as causes.
    pub fn read(environment: &Environment) -> Result<Self, Error> {
        let roles = environment.required("OWN_ROLES")?.split_whitespace().filter(|it| *it != NONE);
        Ok(Self {
            event_bus: environment.get("EVENT_BUS").unwrap_or("default").to_owned(),
            ledger_table: environment.required("LEDGER_TABLE")?.to_owned(),
            own_roles: roles.map(str::to_owned).collect(),
            prefix: environment.required("PREFIX")?.to_owned(),
            queue: environment.required("QUEUE")?.to_owned(),
            retry_seconds: environment.parsed("RETRY_SECONDS", Bounded::<1, 900>::of(900))?.get(),
        })
    }

    /// The name of a control's remediation, which is the name of its role's sessions.
    pub(super) fn fixer(&self, control: &str) -> String {
        format!("{}{control}-fix", self.prefix)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(extra: &[(&str, &str)]) -> Result<Settings, String> {
        let base =
            [("LEDGER_TABLE", "t"), ("OWN_ROLES", "AROA1 AROA2  -"), ("PREFIX", "rectify-"), ("QUEUE", "https://q")];
        let environment = Environment::of(base.iter().chain(extra).copied());
        Settings::read(&environment).map_err(|error| error.to_string())
    }

    #[test]
    fn roles_that_are_not_deployed_are_left_out() {
        let settings = read(&[]).unwrap();
        assert_eq!(
            (settings.own_roles.as_slice(), settings.retry_seconds),
            (&["AROA1", "AROA2"].map(str::to_owned)[..], 900)
        );
        assert_eq!(settings.fixer("door-ajar"), "rectify-door-ajar-fix");
        assert_eq!(read(&[("OWN_ROLES", "-")]).unwrap().own_roles, [""; 0]);
    }

    #[test]
    fn malformed_settings_are_named() {
        for (name, value, expected) in [
            ("OWN_ROLES", " ", "OWN_ROLES: expected a value: received nothing"),
            ("RETRY_SECONDS", "901", "RETRY_SECONDS: expected a whole number in 1..=900: received `901`"),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err(), expected);
        }
    }
}
