//! The shared code of the controls for users without MFA; each control adds its evaluated users and credentials.
//!
//! A control is a value of [`MfaControl`]. The policy that its remediation attaches, and when, is in
//! [`mfa_policy`](crate::families::mfa_policy).

use std::fmt::Debug;

use rectify_compliance::{
    Control, Irreversible, ManagedBy, Parameters, Periodic, Permission, PhysicalId, Plan, Remediation,
    RemediationPermissions, ResourceIdentity, ResourceState, Stored, Timestamp, Verdict,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::families::mfa_policy::{self, AttachAction, Attachment, DetachAction, PolicyArn};
use crate::resources::user::User;

/// A user with its credentials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MfaUser<S> {
    /// The user.
    pub user: User,
    /// The credentials that the control evaluates.
    #[serde(flatten)]
    pub sign_in: S,
    /// The preconditions for attaching the policy; read only by a remediation with opt-in.
    pub attachment: Option<Attachment>,
}

impl<S: Stored> ResourceState for MfaUser<S> {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.user.identity()
    }
}

/// A control for users that must have an MFA device.
#[derive(Debug)]
pub struct MfaControl<S: 'static, P: 'static> {
    /// Evaluates a user.
    pub judge: fn(&MfaUser<S>, &P, Timestamp) -> Verdict,
    /// The policy to attach to this user, where an operator opted in.
    pub policy: for<'a> fn(&MfaUser<S>, &'a P) -> Option<&'a PolicyArn>,
    /// The alternative to registering a device.
    pub alternative: &'static str,
    /// Why the plan for this user is still blocked.
    pub grace: fn(&User, &P, Timestamp) -> Option<String>,
    /// The permissions to list users.
    pub list: &'static [Permission],
    /// The permissions for the live read.
    pub read: &'static [Permission],
}

impl<S: Stored, P: Parameters> Control for MfaControl<S, P> {
    type Params = P;
    type Subject = MfaUser<S>;

    fn evaluate(&self, subject: &MfaUser<S>, params: &P, now: Timestamp) -> Verdict {
        (self.judge)(subject, params, now)
    }
}

impl<S: Stored, P: Parameters> Periodic for MfaControl<S, P> {
    fn list_permissions(&self) -> &'static [Permission] {
        self.list
    }
}

impl<S: Stored, P: Parameters> Remediation for MfaControl<S, P> {
    type Action = AttachAction;
    type Undo = DetachAction;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions { read: self.read, fix: mfa_policy::ATTACH, undo: mfa_policy::DETACH }
    }

    fn needs_name(&self) -> bool {
        true
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Lookup("the name of the user")
    }

    fn stack_resources(&self, _live: &MfaUser<S>, action: &AttachAction) -> Vec<PhysicalId> {
        let AttachAction::AttachUserPolicy { user_name, .. } = action;
        vec![PhysicalId::here(user_name)]
    }

    fn fix(&self, live: &MfaUser<S>, params: &P, now: Timestamp) -> Plan<AttachAction> {
        let instruction = format!(
            "user {} or its owner: register an MFA device under \"Security credentials\", or {}",
            live.user.name, self.alternative
        );
        let plan = mfa_policy::plan(&live.user, live.attachment.as_ref(), (self.policy)(live, params), instruction);
        match ((self.grace)(&live.user, params, now), plan) {
            (Some(reason), Plan::Apply { steps }) => Plan::blocked(reason, steps),
            (_, plan) => plan,
        }
    }

    fn predict(&self, mut live: MfaUser<S>, action: &AttachAction) -> MfaUser<S> {
        mfa_policy::predict(&live.user, &mut live.attachment, action);
        live
    }

    /// The policy is attached; only the user can register the device.
    fn is_in_progress(&self, after: &MfaUser<S>, done: &[AttachAction]) -> bool {
        mfa_policy::is_in_place(after.attachment.as_ref(), done)
    }

    fn touched_fields(&self, subject: &MfaUser<S>, done: &[AttachAction]) -> Value {
        mfa_policy::touched_fields(subject.attachment.as_ref(), done)
    }

    fn undo(&self, before: &MfaUser<S>, done: &[AttachAction]) -> Result<Vec<DetachAction>, Irreversible> {
        mfa_policy::undo(before.attachment.as_ref(), done)
    }
}

#[cfg(test)]
pub(crate) mod tests;
