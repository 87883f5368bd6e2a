//! The policy that denies a user everything but registering a device until it signs in with MFA. The controls for users
//! without MFA attach it where an operator opted in.
//!
//! Attaching it does not give the user a device: the finding stays open until the user registers one, and the attempt
//! stays in progress until then.

use std::collections::BTreeSet;

use rectify_compliance::values::Flag;
use rectify_compliance::{AccountId, Arn, Irreversible, Level, Permission, Plan, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::resources::managed_policy::{GET_POLICY, GET_POLICY_VERSION};
use crate::resources::policy::Document;
use crate::resources::user::{LIST_ATTACHED_POLICIES, USERS, User};

/// The actions that a user needs to register a device.
const SELF_SERVICE: [&str; 3] = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices"];

/// The action that the policy must deny without MFA: an access key would bypass the policy.
const BYPASS: &str = "iam:CreateAccessKey";

/// The only policy that the deployment allows to attach: without this condition, the role could make any user an
/// administrator.
const GRANTED: (&str, &str) = ("iam:PolicyARN", "${MfaPolicyArn}");

/// The permissions to read an [`Attachment`].
pub(crate) const READ: [Permission; 4] =
    [LIST_ATTACHED_POLICIES, GET_POLICY, GET_POLICY_VERSION, Permission::unscoped("iam:GetAccountSummary")];

/// The permissions to attach the policy.
pub(crate) const ATTACH: &[Permission] = &[Permission::on("iam:AttachUserPolicy", USERS).when(GRANTED.0, GRANTED.1)];

/// The permissions to detach the policy.
pub(crate) const DETACH: &[Permission] = &[Permission::on("iam:DetachUserPolicy", USERS).when(GRANTED.0, GRANTED.1)];

/// The ARN of a customer managed policy: `arn:<partition>:iam::<account>:policy/<path and name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct PolicyArn(Arn);

impl PolicyArn {
    /// The ARN.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether this account owns the policy.
    fn is_of(&self, account: &AccountId) -> bool {
        self.0.account().as_ref() == Some(account)
    }
}

impl TryFrom<String> for PolicyArn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim();
        let is_policy = |it: &Arn| {
            let name = it.resource().strip_prefix("policy/");
            it.region().is_none()
                && it.account().is_some_and(|it| AccountId::is_id(it.as_str()))
                && name.is_some_and(|name| !name.is_empty() && !name.ends_with('/'))
        };
        let arn = Arn::of(text, "iam").filter(is_policy).map(Self);
        arn.ok_or_else(|| format!("expected the ARN of a customer managed policy: received `{text}`"))
    }
}

impl From<PolicyArn> for String {
    fn from(arn: PolicyArn) -> Self {
        arn.0.into()
    }
}

/// The preconditions for attaching the policy to a user; read only where an operator opted in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attachment {
    /// The ARNs of the managed policies attached to the user.
    pub attached: BTreeSet<String>,
    /// `AttachedPoliciesPerUserQuota` of the account.
    pub quota: u32,
    /// The default version of the policy to attach; `None` when the policy does not exist.
    pub policy: Option<Document>,
}

/// The calls of the remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum AttachAction {
    /// Attaches the policy.
    AttachUserPolicy {
        /// `UserName`.
        user_name: String,
        /// `PolicyArn`.
        policy_arn: PolicyArn,
    },
}

/// The calls of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum DetachAction {
    /// Detaches the policy.
    DetachUserPolicy {
        /// `UserName`.
        user_name: String,
        /// `PolicyArn`.
        policy_arn: PolicyArn,
    },
}

/// Rejects an opt-in without a policy.
pub(crate) fn check(policy: Option<&PolicyArn>, opted_in: bool) -> Result<(), String> {
    if opted_in && policy.is_none() {
        return Err("mfaPolicyOptIn `true` requires mfaPolicyArn".to_owned());
    }
    Ok(())
}

/// The policy to attach, where an operator opted in.
pub(crate) fn opted_in(policy: Option<&PolicyArn>, opt_in: Flag) -> Option<&PolicyArn> {
    policy.filter(|_| opt_in.0)
}

/// Plans to attach `policy` where an operator opted in; otherwise, or once attached, a manual step with `instruction`.
pub(crate) fn plan(
    user: &User,
    attachment: Option<&Attachment>,
    policy: Option<&PolicyArn>,
    instruction: String,
) -> Plan<AttachAction> {
    let by_hand = || Plan::steps_in_order(vec![Step::manual(Level::L0, instruction)]);
    let Some(policy) = policy else { return by_hand() };
    let attach = AttachAction::AttachUserPolicy { user_name: user.name.clone(), policy_arn: policy.clone() };
    let steps = vec![Step::call(Level::L2, attach)];
    let Some(attachment) = attachment else {
        return Plan::blocked("the user's policies were not read", steps);
    };
    if attachment.attached.contains(policy.as_str()) {
        return by_hand();
    }
    let blockers = attachment.blockers(user, policy);
    Plan::unless(blockers, steps)
}

pub(crate) fn predict(user: &User, attachment: &mut Option<Attachment>, action: &AttachAction) {
    let AttachAction::AttachUserPolicy { user_name, policy_arn } = action;
    if let Some(attachment) = attachment.as_mut().filter(|_| *user_name == user.name) {
        attachment.attached.insert(policy_arn.as_str().to_owned());
    }
}

/// Whether every policy attached by `done` is still attached: then only the user can end the finding.
pub(crate) fn is_in_place(after: Option<&Attachment>, done: &[AttachAction]) -> bool {
    let is_attached = |AttachAction::AttachUserPolicy { policy_arn, .. }: &AttachAction| {
        after.is_some_and(|it| it.attached.contains(policy_arn.as_str()))
    };
    !done.is_empty() && done.iter().all(is_attached)
}

/// Whether each policy is attached. Other policies and a device do not block an undo.
pub(crate) fn touched_fields(attachment: Option<&Attachment>, done: &[AttachAction]) -> Value {
    let is_attached = |AttachAction::AttachUserPolicy { policy_arn, .. }: &AttachAction| {
        let attached = attachment.map(|it| it.attached.contains(policy_arn.as_str()));
        (policy_arn.as_str().to_owned(), json!(attached))
    };
    Value::Object(done.iter().map(is_attached).collect::<Map<_, _>>())
}

/// Detaches the policies that were not attached before, last first.
///
/// # Errors
/// None: the signature is that of [`rectify_compliance::Remediation::undo`].
pub(crate) fn undo(before: Option<&Attachment>, done: &[AttachAction]) -> Result<Vec<DetachAction>, Irreversible> {
    let detach = |AttachAction::AttachUserPolicy { user_name, policy_arn }: &AttachAction| {
        let was_attached = before.is_some_and(|it| it.attached.contains(policy_arn.as_str()));
        (!was_attached)
            .then(|| DetachAction::DetachUserPolicy { user_name: user_name.clone(), policy_arn: policy_arn.clone() })
    };
    Ok(done.iter().rev().filter_map(detach).collect())
}

impl Attachment {
    /// Why `policy` cannot be attached to `user`.
    fn blockers(&self, user: &User, policy: &PolicyArn) -> Vec<String> {
        let arn = policy.as_str();
        let mut blockers = Vec::new();
        if !policy.is_of(&user.account) {
            blockers.push(format!("policy {arn} is not in account {}", user.account));
        }
        match &self.policy {
            None => blockers.push(format!("policy {arn} does not exist")),
            Some(document) => blockers.extend(unsuitable(&document.applied_to(&user.name), user, arn)),
        }
        let attached = self.attached.len();
        if attached >= usize::try_from(self.quota).unwrap_or(usize::MAX) {
            blockers.push(format!("user {} has {attached} of {} policies attached", user.name, self.quota));
        }
        blockers
    }
}

/// Why the document does not serve its purpose.
fn unsuitable(document: &Document, user: &User, arn: &str) -> Vec<String> {
    let mut reasons = Vec::new();
    if !document.denies_without_mfa(BYPASS, &user.arn) {
        reasons.push(format!("policy {arn} does not deny {BYPASS} without MFA"));
    }
    // The console names a device after the user, without the user's path.
    let owner = user.arn.split_once(":user/").map_or(user.arn.as_str(), |(owner, _)| owner);
    let device = format!("{owner}:mfa/{}", user.name);
    let blocked: Vec<&str> = SELF_SERVICE
        .into_iter()
        .filter(|action| {
            let resource = if *action == "iam:CreateVirtualMFADevice" { device.as_str() } else { user.arn.as_str() };
            !document.allows(action, resource) || document.may_deny(action, resource)
        })
        .collect();
    if !blocked.is_empty() {
        reasons.push(format!("policy {arn} does not let a user without MFA call {}", blocked.join(", ")));
    }
    reasons
}

#[cfg(test)]
pub(crate) mod tests;
