//! One action of a plan: sent once, and again only while the live read says that it did not arrive.

use rectify_compliance::IdentifiedState;
use serde_json::Value;

use super::clearance::{Cleared, Forbidden, intend};
use super::run::RemediationRun;
use super::settling::{self, ActionState};
use crate::ledger::{Attempt, Lease};
use crate::retry::Backoff;
use crate::{AwsError, Error};

/// Codes after which trying again cannot help: parameters the service refuses, operations it does not permit, keys, roles and
/// log groups that do not let it in.
const TERMINAL_PREFIXES: [&str; 8] = [
    "InvalidParameter",
    "OperationNotPermitted",
    "InvalidHomeRegion",
    "NotOrganizationMasterAccount",
    "InsufficientEncryptionPolicy",
    "KmsKey",
    "InvalidCloudWatchLogs",
    "UnmodifiableEntity",
];

/// Why an action is not known to be done. `lost` says whether one of its requests may have been carried out.
pub(super) enum Unsent {
    /// People decided otherwise before the next request.
    Forbidden { by: Forbidden, lost: bool },
    /// It failed.
    Failed {
        /// What the service said, or what stood in the way of sending it again.
        reason: String,
        /// Whether trying again cannot help.
        terminal: bool,
        lost: bool,
    },
}

/// Sends the last action of `attempt`, which has been recorded there without a receipt, and returns the receipt. `before` is the
/// subject as it is when nothing of the action has happened.
///
/// Each request follows a save under lease and fence. One that failed in passing is repeated while there is time: not before a live
/// read has shown that the resource is still as it was.
///
/// # Errors
/// Outside, a fault of the ledger; inside, why the action is not known to be done.
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
            // What is gone is told by the call itself.
            let changed = |what: &str| {
                let reason = format!("changed by somebody else before it could be repeated: {what}");
                Unsent::Failed { reason, terminal: false, lost }
            };
            let standing =
                |live: IdentifiedState| settling::action_state(run.control, &live.image, &before.image, action);
            match live.map(standing).transpose()? {
                Some(ActionState::Done) if !lost => return Ok(Err(changed("it is so already"))),
                Some(ActionState::Done) if !run.control.needs_answers() => return Ok(Ok(Value::Null)),
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

/// Whether the same call may succeed a moment later.
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
