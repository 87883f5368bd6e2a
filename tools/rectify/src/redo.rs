//! `rectify redo`: requests a fix again that was undone.

use jiff::Timestamp;
use rectify_compliance::RemediationRequest;
use rectify_runtime::bus::Bus;
use rectify_runtime::ledger::{ResourcePath, StoredRequest, new_id};
use rectify_runtime::settings::Environment;
use serde_json::json;

use crate::arguments::RedoArguments;
use crate::cli_error::CliError;
use crate::place::{self, OpenLedger};
use crate::report::Report;

/// Ends the hold and requests the remediation for the resource as it is now: it makes a new plan and passes all gates.
pub(crate) async fn run(arguments: &RedoArguments, environment: &Environment) -> Result<Report, CliError> {
    let open = OpenLedger::open_to_decide(&arguments.ledger, environment).await?;
    let by = place::operator(arguments.operator.by.as_deref(), environment)?;
    let id = &arguments.attempt;
    let attempt = open.attempt(id).await?;
    if attempt.undo.is_none() {
        let reason = format!("redo {id}: it was never undone: see `rectify history {id}`");
        return Err(CliError::Refused { reason, details: json!({ "attempt": id }) });
    }
    let target = &attempt.target;
    open.ledger.end_hold(&ResourcePath::of(target), &attempt.control, &by).await?;
    let bus = arguments.bus.as_deref().or_else(|| environment.get("EVENT_BUS")).unwrap_or("default");
    // A new finding: that of the attempt is closed.
    let now = Timestamp::now();
    let id = new_id(now);
    open.ledger.store_request(&id, &StoredRequest::new(&attempt.control, target, now, now)).await?;
    let request = RemediationRequest::new(&id, &attempt.rule, target, now);
    for sent in Bus::new(open.caller.config(), bus).request(&[request]).await {
        sent?;
    }
    let text = format!(
        "requested {} for {}: its plan is applied if its mode and gates allow it\n",
        attempt.control, target.resource
    );
    Ok(Report::fine(
        text,
        json!({ "requested": attempt.control, "resource": target.resource, "redo": arguments.attempt }),
    ))
}
