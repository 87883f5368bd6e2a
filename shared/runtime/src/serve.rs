//! The event loop of a function: the context is built once, then events are handled one after the other.

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{LambdaEvent, service_fn};
use rectify_compliance::AccountId;
use serde_json::Value;

use crate::Error;
use crate::deadline::Deadline;
use crate::invocation::{self, Invocation, Metrics};
use crate::settings::{Environment, account_of_function};

/// A function, by the name of its program: a control's id, with the suffix `-remediation` for a remediation.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// The name.
    pub name: &'static str,
    /// Serves its events until Lambda ends the process.
    pub serve: fn() -> ExitCode,
}

/// The environment variable with the name of the function to serve, for a program of many functions.
pub const FUNCTION: &str = "RECTIFY_FUNCTION";

/// Serves the function that the environment names. With the argument `--list`, prints the names instead, one per line.
///
/// For development: one program per service links faster than one per function. Deployed programs serve one function.
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

/// The facts about the current invocation.
#[derive(Debug, Clone)]
pub struct InvocationInfo {
    /// The account of the function, from its ARN.
    pub account: Option<AccountId>,
    /// The request id, for lease owners.
    pub request_id: String,
    /// When Lambda ends it.
    pub deadline: Deadline,
    /// The invoked function ARN.
    pub function: String,
}

/// Builds the context from the environment and serves events until Lambda ends the process.
///
/// If the context cannot be built, each invocation fails with that error instead of a crash at start, so that the
/// reason reaches the dead-letter queue.
pub fn run<S, B, H>(control: &'static str, build: B, handle: &H) -> ExitCode
where
    S: Send + Sync + 'static,
    B: FnOnce(&Environment) -> Result<S, Error>,
    H: AsyncFn(&S, Value, &InvocationInfo, &mut Invocation) -> Result<Value, Error>,
{
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return start_failed(&error.to_string()),
    };
    runtime.block_on(async {
        invocation::init_logging();
        let environment = Environment::of_process();
        let context =
            environment.parsed("METRICS", Metrics::default()).and_then(|metrics| Ok((build(&environment)?, metrics)));
        let context = Arc::new(context);
        let served = lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
            let context = Arc::clone(&context);
            async move {
                let own = InvocationInfo {
                    account: account_of_function(&event.context.invoked_function_arn),
                    request_id: event.context.request_id,
                    deadline: Deadline { epoch_ms: event.context.deadline },
                    function: event.context.invoked_function_arn,
                };
                let metrics = context.as_ref().as_ref().map_or_else(|_| Metrics::default(), |(_, metrics)| *metrics);
                let mut log = Invocation::start(control, &own.request_id).publishing(metrics);
                let result = match context.as_ref() {
                    Ok((context, _)) => {
                        // Boxed: the future of a complete invocation is too deep for the compiler's layout computation.
                        let handled: Pin<Box<dyn Future<Output = Result<Value, Error>> + '_>> =
                            Box::pin(handle(context, event.payload, &own, &mut log));
                        handled.await
                    }
                    Err(error) => Err(error.clone()),
                };
                log.finish(result.as_ref().err());
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
    // Logging is not set up yet; Lambda logs what a process wrote before it ended.
    let _ = writeln!(std::io::stderr(), "{}", serde_json::json!({"level": "ERROR", "message": reason}));
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_name_is_refused_with_the_known_ones() {
        let functions = ["a", "a-remediation"].map(|name| Function { name, serve: || ExitCode::SUCCESS });
        assert_eq!(unknown(&functions, "b"), "RECTIFY_FUNCTION: expected one of `a`, `a-remediation`: received `b`");
    }
}
