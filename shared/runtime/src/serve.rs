//! The loop of a function: built once, then one event after the other.

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{LambdaEvent, service_fn};
use rectify_compliance::AccountId;
use serde_json::Value;

use crate::Error;
use crate::deadline::Deadline;
use crate::invocation::{self, Invocation};
use crate::settings::{Environment, account_of_function};

/// A function, by the name of its program: a control's id, with `-remediation` where it remediates.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// The name.
    pub name: &'static str,
    /// Serves its events until Lambda ends the process.
    pub serve: fn() -> ExitCode,
}

/// Names the function that a program of many functions serves.
pub const FUNCTION: &str = "RECTIFY_FUNCTION";

/// Serves the function that the environment names. With the argument `--list`, prints the names instead, one a line.
///
/// For development: one program a service links faster than one program a function. What is deployed serves one function.
pub fn by_name(functions: &[Function]) -> ExitCode {
    use std::io::Write;
    if std::env::args().nth(1).is_some_and(|argument| argument == "--list") {
        let names: String = functions.iter().map(|function| format!("{}\n", function.name)).collect();
        return match std::io::stdout().write_all(names.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => start_failed(&error.to_string()),
        };
    }
    let name = std::env::var(FUNCTION).unwrap_or_default();
    match functions.iter().find(|function| function.name == name) {
        Some(function) => (function.serve)(),
        None => start_failed(&unknown(functions, &name)),
    }
}

fn unknown(functions: &[Function], name: &str) -> String {
    let names: Vec<String> = functions.iter().map(|function| format!("`{}`", function.name)).collect();
    format!("{FUNCTION}: expected one of {}: received `{name}`", names.join(", "))
}

/// What an invocation knows of itself.
#[derive(Debug, Clone)]
pub struct Own {
    /// The account of the function, from its ARN.
    pub account: Option<AccountId>,
    /// Who it is, for leases: request id.
    pub request_id: String,
    /// When Lambda ends it.
    pub deadline: Deadline,
    /// The function's ARN, as it was invoked.
    pub function: String,
}

/// Builds the shell from the environment and serves events until Lambda ends the process.
///
/// A shell that cannot be built fails each invocation with its own fault instead of crashing at start, so that the reason
/// reaches the dead-letter queue by name.
pub fn run<S, B, H>(control: &'static str, build: B, handle: &H) -> ExitCode
where
    S: Send + Sync + 'static,
    B: FnOnce(&Environment) -> Result<S, Error>,
    H: AsyncFn(&S, Value, &Own, &mut Invocation) -> Result<Value, Error>,
{
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return start_failed(&error.to_string()),
    };
    runtime.block_on(async {
        invocation::init_logging();
        let shell = Arc::new(build(&Environment::of_process()));
        let served = lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
            let shell = Arc::clone(&shell);
            async move {
                let own = Own {
                    account: account_of_function(&event.context.invoked_function_arn),
                    request_id: event.context.request_id,
                    deadline: Deadline { epoch_ms: event.context.deadline },
                    function: event.context.invoked_function_arn,
                };
                let mut line = Invocation::start(control, &own.request_id);
                let result = match shell.as_ref() {
                    Ok(shell) => {
                        // Boxed: the state of a whole invocation is deeper than the compiler lays out in one piece.
                        let handled: Pin<Box<dyn Future<Output = Result<Value, Error>> + '_>> =
                            Box::pin(handle(shell, event.payload, &own, &mut line));
                        handled.await
                    }
                    Err(fault) => Err(fault.clone()),
                };
                line.finish(result.as_ref().err());
                result
            }
        }))
        .await;
        match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => start_failed(&error.to_string()),
        }
    })
}

fn start_failed(reason: &str) -> ExitCode {
    use std::io::Write;
    // Nothing else is up yet; Lambda shows what a process wrote before it ended.
    let _ = writeln!(std::io::stderr(), "{}", serde_json::json!({"level": "ERROR", "message": reason}));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let functions = ["a", "a-remediation"].map(|name| Function { name, serve: || ExitCode::SUCCESS });
        assert_eq!(unknown(&functions, "b"), "RECTIFY_FUNCTION: expected one of `a`, `a-remediation`: received `b`");
    }
}
