//! Sends one action of a plan once, and again only if a live read shows that it had no effect.

use rectify_compliance::IdentifiedState;
use serde_json::Value;

use super::clearance::{Cleared, Forbidden, intend};
use super::run::RemediationRun;
use super::settling::{self, ActionState};
use crate::ledger::{Attempt, Lease};
use crate::retry::Backoff;
use crate::{AwsError, Error};

/// Error codes after which a retry cannot succeed: refused parameters and policies, forbidden operations, and keys, roles and log
/// groups without the permissions that the service needs.
const TERMINAL_PREFIXES: [&str; 9] = [
    "InvalidParameter",
    "OperationNotPermitted",
    "InvalidHomeRegion",
    "NotOrganizationMasterAccount",
    "InsufficientEncryptionPolicy",
    "KmsKey",
    "InvalidCloudWatchLogs",
    "MalformedPolicyDocument",
    "UnmodifiableEntity",
];

/// Why an action is not known to be done. `lost` says whether one of its requests may have been applied.
pub(super) enum Unsent {
    /// An operator's decision forbade the next request.
    Forbidden { by: Forbidden, lost: bool },
    /// It failed.
    Failed {
        /// The service's error, or the reason why it was not retried.
        reason: String,
        /// Whether a retry cannot succeed.
        terminal: bool,
        lost: bool,
    },
}

/// Sends the last action of `attempt`, which is recorded there without a receipt, and returns the receipt. `before` is
/// the state without any effect of the action.
///
/// Each request follows a save under lease and fence. A transient failure is retried while there is time, and only
/// after a live read has shown that the resource is unchanged.
///
/// # Errors
/// The outer one is an error of the ledger; the inner one says why the action is not known to be done.
pub(super) async fn send(
    run: &RemediationRun<'_>,
    lease: &Lease,
    attempt: &Attempt,
    cleared: &mut Cleared,
    before: &IdentifiedState,
    action: &Value,
    parameters: &str,
) -> Result<Result<Value, Unsent>, Error> {
    let writer = run.writer().await?;
    let mut lost = false;
    let mut tries = Backoff::ACTION.tries();
    loop {
        let is_repeated = tries.next().await.is_some_and(|number| number > 0);
        if is_repeated {
            let live = match run.live(parameters).await {
                Ok(live) => live,
                Err(error) => return Ok(Err(Unsent::Failed { reason: error.to_string(), terminal: false, lost })),
            };
            // If the resource is gone, the call itself reports it.
            let changed = |what: &str| {
                let reason = format!("changed outside this attempt before the call could be retried: {what}");
                Unsent::Failed { reason, terminal: false, lost }
            };
            let state_of =
                |live: IdentifiedState| settling::action_state(run.control, &live.image, &before.image, action);
            match live.map(state_of).transpose()? {
                Some(ActionState::Done) if !lost => return Ok(Err(changed("the change is already in place"))),
                Some(ActionState::Done) if !run.control.needs_responses() => return Ok(Ok(Value::Null)),
                Some(ActionState::Done) => {}
                Some(ActionState::Changed(difference)) => return Ok(Err(changed(&difference))),
                Some(ActionState::Untouched) | None => {}
            }
        }
        if let Some(by) = intend(run, lease, attempt, cleared, before).await? {
            return Ok(Err(Unsent::Forbidden { by, lost }));
        }
        let mark = writer.mark();
        let error = match writer.clients().apply(&run.target, action).await {
            Ok(receipt) => return Ok(Ok(receipt)),
            Err(error) => error,
        };
        lost |= writer.may_have_arrived(mark, &error);
        if !is_passing(&error) || tries.is_last() || !run.has_time() {
            return Ok(Err(Unsent::Failed { reason: error.to_string(), terminal: is_terminal(&error), lost }));
        }
    }
}

/// Whether a retry may succeed.
pub(super) fn is_passing(error: &AwsError) -> bool {
    match error {
        AwsError::Call(error) => error.is_passing(),
        AwsError::Shape(_) => false,
    }
}

fn is_terminal(error: &AwsError) -> bool {
    match error {
        AwsError::Call(error) => {
            !error.is_passing()
                && (error.kind == crate::CallErrorKind::AccessDenied
                    || TERMINAL_PREFIXES.iter().any(|prefix| error.code.starts_with(prefix)))
        }
        AwsError::Shape(_) => false,
    }
}
