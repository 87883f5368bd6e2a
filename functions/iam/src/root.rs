//! What the controls of the root user share: where it is read, and who can act for it, in words.

use rectify_compliance::{AccountId, Partition, Permission};

/// What reading the account summary may call; IAM cannot scope it.
pub(crate) const ACCOUNT_SUMMARY: &[Permission] = &[Permission::unscoped("iam:GetAccountSummary")];

/// The longest session `sts:AssumeRoot` gives, in seconds. STS service model, 2025-09.
const LONGEST_ROOT_SESSION: u32 = 900;

/// Who acts for the root user of a member account under central root access, and how; `calls` are made in that session.
pub(crate) fn act_centrally(account: &AccountId, partition: &Partition, calls: &str) -> String {
    let task_policy = partition.arn("iam", "", "aws", "policy/root-task/IAMDeleteRootUserCredentials");
    format!(
        "management account or delegated administrator for IAM, if account {account} is a member of an organization \
         with central root access: at a regional STS endpoint sts:AssumeRoot(TargetPrincipal={account}, \
         TaskPolicyArn={task_policy}, DurationSeconds={LONGEST_ROOT_SESSION}), then in that session {calls}"
    )
}
