//! What the controls of the root user have in common: all but what they judge and what must be done.
//!
//! A control is a value of [`RootControl`]. It has no call: IAM inside the account cannot touch its root user.

use rectify_compliance::{
    AccountId, Control, Irreversible, Level, ManagedBy, Never, Parameters, Partition, Periodic, Permission, Plan,
    Remediation, ResourceState, Step, Timestamp, Verdict,
};
use serde_json::{Value, json};

/// A control of the root user.
#[derive(Debug)]
pub struct RootControl<S: 'static, P: 'static> {
    /// Judges what the account summary says of it.
    pub judge: fn(&S, &P) -> Verdict,
    /// What must be done about a finding, in order, and by whom.
    pub instructions: fn(&S) -> Vec<String>,
}

/// What reading the account summary may call; IAM cannot scope it.
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

    fn read_permissions(&self) -> &'static [Permission] {
        ACCOUNT_SUMMARY
    }

    fn fix_permissions(&self) -> &'static [Permission] {
        &[]
    }

    fn undo_permissions(&self) -> &'static [Permission] {
        &[]
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Nobody("only a person changes anything of the root user")
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
