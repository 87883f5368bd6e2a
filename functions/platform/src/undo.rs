//! The way back as a function: an attempt taken back by whoever may invoke it, with the function's role in place of
//! a person's. Deployed only on request, and started by nothing but an invocation.

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

/// What the function is invoked with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Request {
    /// The attempt's id.
    pub attempt: String,
    /// Who asks; it stands in the attempt and in the hold.
    pub by: String,
    /// How long the control leaves the resource alone afterwards, days, 0..=365. Default 7.
    #[serde(default = "a_week")]
    pub hold_days: u16,
}

const fn a_week() -> u16 {
    7
}

/// What the function keeps between invocations.
#[derive(Debug)]
pub struct Undoer {
    /// Reaches the services.
    pub config: SdkConfig,
    /// The ledger.
    pub ledger: Ledger,
}

/// Serves invocations.
pub fn serve() -> ExitCode {
    serve::run("undo", Undoer::from_environment, &async |shell, event, own, line| {
        let request = Request::read(&event)?;
        line.note("attempt", request.attempt.as_str());
        line.note("by", request.by.as_str());
        let account = own.account.as_ref();
        let account =
            account.ok_or_else(|| ShapeError::missing("invokedFunctionArn", "the account of the function"))?;
        let answer = shell.undo(rectify_catalogue_lambda::operations(), account, request).await?;
        if let Some(outcome) = answer.get("outcome") {
            line.note("outcome", outcome.clone());
        }
        Ok(answer)
    })
}

impl Request {
    /// Reads the event.
    ///
    /// # Errors
    /// [`Error`] of kind `UnexpectedShape` that names what is wrong.
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

    /// Takes an attempt back, in the account of the function's role.
    ///
    /// # Errors
    /// [`Error::UndoRefused`] with the reason; other faults as for a remediation.
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
        // What a person changed is overwritten by a person who has seen the difference, never from here.
        let request = UndoRequest { attempt: id.clone(), by, hold_days, overwrite: false };
        let undone = operations.undo(&self.config, &self.ledger, &attempt.target, &request).await?;
        Ok(answer(&attempt.id, &undone))
    }
}

/// What the invocation is answered with.
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
    fn a_request_names_the_attempt_and_who_asks() {
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
