//! The shared code of the controls for the root user; each adds its verdict and its instructions.
//!
//! Findings end by hand: IAM in the account cannot change the root user.

use rectify_compliance::{AccountId, ByHand, Level, Partition, Permission, Verdict};

/// The permission to read the account summary; IAM cannot scope it to a resource.
const ACCOUNT_SUMMARY: &[Permission] = &[Permission::unscoped("iam:GetAccountSummary")];

/// A control for the root user.
pub(crate) const fn control<S: 'static, P: 'static>(
    judge: fn(&S, &P) -> Verdict,
    instructions: fn(&S, &P) -> Vec<String>,
) -> ByHand<S, P> {
    ByHand { judge, instructions, level: Level::L0, list: ACCOUNT_SUMMARY, read: ACCOUNT_SUMMARY, needs_name: false }
}

/// The maximum session duration of `sts:AssumeRoot`, in seconds. STS service model, 2025-09.
const MAX_ROOT_SESSION_SECONDS: u32 = 900;

/// The manual step for a member account under central root access: who opens the `sts:AssumeRoot` session, and the
/// `calls` to make in it.
pub(crate) fn act_centrally(account: &AccountId, partition: &Partition, calls: &str) -> String {
    let task_policy = partition.arn("iam", "", "aws", "policy/root-task/IAMDeleteRootUserCredentials");
    format!(
        "management account or delegated administrator for IAM, if account {account} is a member of an organization \
         with central root access: at a regional STS endpoint sts:AssumeRoot(TargetPrincipal={account}, \
         TaskPolicyArn={task_policy}, DurationSeconds={MAX_ROOT_SESSION_SECONDS}), then in that session {calls}"
    )
}
