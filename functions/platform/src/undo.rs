//! Undo as a function: any principal that may invoke it can undo an attempt with the function's role. It is deployed
//! only on request, and nothing but an invocation starts it.

use std::process::ExitCode;

use rectify_compliance::{AccountId, ShapeError};
use rectify_runtime::ledger::Ledger;
use rectify_runtime::operations::Operations;
use rectify_runtime::remediation::undo::{UndoRequest, Undone};
use rectify_runtime::settings::{Environment, FunctionSettings};
use rectify_runtime::{Error, clients, serve};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::SdkConfig;

/// The input of the function.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Request {
    /// The attempt's id.
    pub attempt: String,
    /// Who requests it; recorded in the attempt and in the hold.
    pub by: String,
    /// The duration of the hold, days, 0..=365. Default 7.
    #[serde(default = "a_week")]
    pub hold_days: u16,
}

const fn a_week() -> u16 {
    7
}

/// The context of the function, kept between invocations.
#[derive(Debug)]
pub struct Undoer {
    /// The SDK configuration.
    pub config: SdkConfig,
    /// The ledger.
    pub ledger: Ledger,
}

/// Serves invocations.
pub fn serve() -> ExitCode {
    serve::run("undo", Undoer::from_environment, &async |undoer, event, own, log| {
        let request = Request::read(&event)?;
        log.note("attempt", request.attempt.as_str());
        log.note("by", request.by.as_str());
        let account = crate::own_account(own)?;
        let answer = undoer.undo(rectify_catalogue_lambda::operations(), account, request).await?;
        if let Some(outcome) = answer.get("outcome") {
            log.note("outcome", outcome.clone());
        }
        Ok(answer)
    })
}

impl Request {
    /// Reads the event.
    ///
    /// # Errors
    /// [`Error`] of kind `UnexpectedShape` that names the malformed field.
    pub fn read(event: &Value) -> Result<Self, Error> {
        let request = Self::deserialize(event)
            .map_err(|error| ShapeError::new("event", "`attempt`, `by` and perhaps `holdDays`", error))?;
        for (name, text) in [("event.attempt", &request.attempt), ("event.by", &request.by)] {
            if text.trim().is_empty() {
                return Err(ShapeError::missing(name, "a text").into());
            }
        }
        if request.hold_days > 365 {
            return Err(ShapeError::new("event.holdDays", "a whole number in 0..=365", request.hold_days).into());
        }
        Ok(request)
    }
}

impl Undoer {
    /// Builds it from the environment, before the first event.
    ///
    /// # Errors
    /// [`Error::Setting`] when a variable is missing.
    pub fn from_environment(environment: &Environment) -> Result<Self, Error> {
        let function = FunctionSettings::read(environment)?;
        let config = clients::sdk_config(environment, &function.region)?;
        let ledger = Ledger::new(&config, environment.required("LEDGER_TABLE")?);
        Ok(Self { config, ledger })
    }

    /// Undoes an attempt, in the account of the function's role.
    ///
    /// # Errors
    /// [`Error::UndoRefused`] with the reason; other errors as for a remediation.
    pub async fn undo(
        &self,
        operations: impl Iterator<Item = Operations>,
        account: &AccountId,
        request: Request,
    ) -> Result<Value, Error> {
        let Request { attempt: id, by, hold_days } = request;
        let refused = |reason: String| Error::UndoRefused { attempt: id.clone(), reason };
        let operations: Vec<Operations> = operations.collect();
        let controls = operations.iter().map(Operations::id);
        let attempt =
            self.ledger.find_attempt(&id, controls).await?.ok_or_else(|| refused("no such attempt".to_owned()))?;
        if attempt.target.account != *account {
            let (home, account) = (account.to_string(), attempt.target.account.to_string());
            return Err(Error::ForeignAccount { home, account });
        }
        let operations = operations.iter().find(|it| it.id() == attempt.control);
        let operations =
            operations.ok_or_else(|| refused(format!("control `{}` has nothing to undo with", attempt.control)))?;
        // Later changes are overwritten only by an operator who has seen the difference, never by this function.
        let request = UndoRequest { attempt: id.clone(), by, hold_days, overwrite: false };
        let undone = operations.undo(&self.config, &self.ledger, &attempt.target, &request).await?;
        Ok(answer(&attempt.id, &undone))
    }
}

/// The response of the invocation.
fn answer(attempt: &str, undone: &Undone) -> Value {
    match undone {
        Undone::Restored { calls, held_until } => {
            json!({"attempt": attempt, "outcome": "restored", "calls": calls, "heldUntil": held_until})
        }
        Undone::AlreadyUndone => json!({"attempt": attempt, "outcome": "already-undone"}),
        Undone::NothingToUndo => json!({"attempt": attempt, "outcome": "nothing-to-undo"}),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn request_names_the_attempt_and_the_requester() {
        let request = |hold_days| Request { attempt: "01J".to_owned(), by: "jane".to_owned(), hold_days };
        assert_eq!(Request::read(&json!({"attempt": "01J", "by": "jane"})).unwrap(), request(7));
        assert_eq!(Request::read(&json!({"attempt": "01J", "by": "jane", "holdDays": 0})).unwrap(), request(0));
        for event in [
            json!({}),
            json!({"attempt": "01J"}),
            json!({"attempt": "", "by": "jane"}),
            json!({"attempt": "01J", "by": " "}),
            json!({"attempt": "01J", "by": "jane", "holdDays": 366}),
            json!({"attempt": "01J", "by": "jane", "holdDays": -1}),
            json!({"attempt": "01J", "by": "jane", "hold": 7}),
            json!("01J"),
        ] {
            assert_eq!(Request::read(&event).unwrap_err().kind(), "UnexpectedShape", "{event}");
        }
    }
}
