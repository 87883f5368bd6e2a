//! The shared code of the controls for the root user; each control adds its verdict and its instructions.
//!
//! A control is a value of [`RootControl`]. Its plan has no API calls: IAM in the account cannot change the root user.

use rectify_compliance::{
    AccountId, Control, Irreversible, Level, ManagedBy, Never, Parameters, Partition, Periodic, Permission, Plan,
    Remediation, RemediationPermissions, ResourceState, Step, Timestamp, Verdict,
};
use serde_json::{Value, json};

/// A control for the root user.
#[derive(Debug)]
pub struct RootControl<S: 'static, P: 'static> {
    /// Evaluates the account summary.
    pub judge: fn(&S, &P) -> Verdict,
    /// The manual steps for a finding, in order, each with its actor.
    pub instructions: fn(&S) -> Vec<String>,
}

/// The permission to read the account summary; IAM cannot scope it to a resource.
const ACCOUNT_SUMMARY: &[Permission] = &[Permission::unscoped("iam:GetAccountSummary")];

impl<S: ResourceState, P: Parameters> Control for RootControl<S, P> {
    type Params = P;
    type Subject = S;

    fn evaluate(&self, root: &S, params: &P, _now: Timestamp) -> Verdict {
        (self.judge)(root, params)
    }
}

impl<S: ResourceState, P: Parameters> Periodic for RootControl<S, P> {
    fn list_permissions(&self) -> &'static [Permission] {
        ACCOUNT_SUMMARY
    }
}

impl<S: ResourceState, P: Parameters> Remediation for RootControl<S, P> {
    type Action = Never;
    type Undo = Never;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions { read: ACCOUNT_SUMMARY, fix: &[], undo: &[] }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Unmanaged("only an operator changes the root user")
    }

    fn fix(&self, live: &S, _params: &P, _now: Timestamp) -> Plan<Never> {
        let by_hand = |instruction| Step::manual(Level::L0, instruction);
        Plan::steps_in_order((self.instructions)(live).into_iter().map(by_hand).collect())
    }

    fn predict(&self, _live: S, action: &Never) -> S {
        match *action {}
    }

    fn touched_fields(&self, _subject: &S, _done: &[Never]) -> Value {
        json!({})
    }

    fn undo(&self, _before: &S, _done: &[Never]) -> Result<Vec<Never>, Irreversible> {
        Ok(Vec::new())
    }
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
