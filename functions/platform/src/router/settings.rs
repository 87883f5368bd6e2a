//! The settings of the function.

use rectify_runtime::Error;
use rectify_runtime::settings::Environment;

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `LEDGER_TABLE`.
    pub ledger_table: String,
    /// `PREFIX` of the names of rules.
    pub prefix: String,
    /// `TICKETS`: the URL of the queue of tickets.
    pub tickets: String,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`Error::Setting`] for a missing variable.
    pub fn read(environment: &Environment) -> Result<Self, Error> {
        Ok(Self {
            ledger_table: environment.required("LEDGER_TABLE")?.to_owned(),
            prefix: environment.required("PREFIX")?.to_owned(),
            tickets: environment.required("TICKETS")?.to_owned(),
        })
    }
}
