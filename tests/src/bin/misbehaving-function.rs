//! A Lambda function that follows its event, for the tests of the local Lambda host: it answers, fails, panics, exits,
//! hangs, or reports its environment and context.

use std::time::Duration;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    if std::env::var_os("END_AT_START").is_some() {
        std::process::exit(4);
    }
    if std::env::var_os("HANG_AT_START").is_some() {
        std::thread::sleep(Duration::from_secs(600));
    }
    lambda_runtime::run(service_fn(obey)).await
}

async fn obey(event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    let (order, context) = event.into_parts();
    let number = |name: &str| order.get(name).and_then(Value::as_u64).unwrap_or_default();
    match order.get("do").and_then(Value::as_str).unwrap_or_default() {
        "echo" => Ok(order),
        "fail" => Err(Diagnostic { error_type: "Misbehavior".to_owned(), error_message: "as ordered".to_owned() }),
        "panic" => misbehave(),
        "end" => std::process::exit(i32::try_from(number("status")).unwrap_or(1)),
        "write" => {
            use std::io::Write;
            let text = order.get("text").and_then(Value::as_str).unwrap_or_default();
            let written = writeln!(std::io::stderr(), "{text}").is_ok();
            Ok(json!({ "written": written }))
        }
        "wait" => {
            tokio::time::sleep(Duration::from_millis(number("ms"))).await;
            Ok(json!({ "process": std::process::id() }))
        }
        "report" => {
            let environment: std::collections::BTreeMap<String, String> = std::env::vars().collect();
            Ok(json!({
                "process": std::process::id(),
                "environment": environment,
                "request": context.request_id,
                "deadline": context.deadline,
                "arn": context.invoked_function_arn,
            }))
        }
        other => Err(Diagnostic { error_type: "Order".to_owned(), error_message: format!("`{other}`: unknown order") }),
    }
}

#[allow(clippy::panic)] // the event requests a panic
fn misbehave() -> ! {
    panic!("as ordered")
}
