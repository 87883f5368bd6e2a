//! The policy that leaves a user nothing but registering a device until it signs in with MFA: what the controls of users
//! without MFA attach where a person opted in.
//!
//! Attaching it does not give the user a device: the finding stands until the user registers one, and the attempt stays
//! open until then.

use std::collections::BTreeSet;

use rectify_compliance::values::Flag;
use rectify_compliance::{AccountId, Arn, Irreversible, Level, Permission, Plan, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::resources::policy::Document;
use crate::resources::user::{USERS, User};

/// What a user needs in order to register a device.
const SELF_SERVICE: [&str; 3] = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices"];

/// What nobody may do before: it would be a way around the policy.
const PROBE: &str = "iam:CreateAccessKey";

const POLICIES: &str = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/*";

/// The one policy the deployment grants attaching: without the condition, the role could make anybody an administrator.
const GRANTED: (&str, &str) = ("iam:PolicyARN", "${MfaPolicyArn}");

/// What reading an [`Attachment`] may call.
pub(crate) const READ: [Permission; 4] = [
    Permission::on("iam:ListAttachedUserPolicies", USERS),
    Permission::on("iam:GetPolicy", POLICIES),
    Permission::on("iam:GetPolicyVersion", POLICIES),
    Permission::unscoped("iam:GetAccountSummary"),
];

/// What attaching may call.
pub(crate) const ATTACH: &[Permission] = &[Permission::on("iam:AttachUserPolicy", USERS).when(GRANTED.0, GRANTED.1)];

/// What detaching may call.
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

/// What attaching the policy to a user depends on; read only where a person opted in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attachment {
    /// The ARNs of the managed policies attached to the user.
    pub attached: BTreeSet<String>,
    /// `AttachedPoliciesPerUserQuota` of the account.
    pub quota: u32,
    /// The default version of the policy to attach; `None` when there is no such policy.
    pub policy: Option<Document>,
}

/// What the remediation may call.
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

/// What undo may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum DetachAction {
    /// Detaches it again.
    DetachUserPolicy {
        /// `UserName`.
        user_name: String,
        /// `PolicyArn`.
        policy_arn: PolicyArn,
    },
}

/// Refuses an opt-in to nothing.
pub(crate) fn check(policy: Option<&PolicyArn>, opted_in: bool) -> Result<(), String> {
    if opted_in && policy.is_none() {
        return Err("mfaPolicyOptIn `true` needs mfaPolicyArn".to_owned());
    }
    Ok(())
}

/// The policy to attach, where a person opted in.
pub(crate) fn opted_in(policy: Option<&PolicyArn>, opt_in: Flag) -> Option<&PolicyArn> {
    policy.filter(|_| opt_in.0)
}

/// Attaches `policy` where a person opted in to that, or tells a person; `words` are what the user is told.
pub(crate) fn plan(
    user: &User,
    attachment: Option<&Attachment>,
    policy: Option<&PolicyArn>,
    words: String,
) -> Plan<AttachAction> {
    let told = || Plan::steps_in_order(vec![Step::manual(Level::L0, words)]);
    let Some(policy) = policy else { return told() };
    let attach = AttachAction::AttachUserPolicy { user_name: user.name.clone(), policy_arn: policy.clone() };
    let steps = vec![Step::call(Level::L2, attach)];
    let Some(attachment) = attachment else {
        return Plan::blocked("the user's policies were not read", steps);
    };
    if attachment.attached.contains(policy.as_str()) {
        return told();
    }
    let blockers = attachment.blockers(user, policy);
    if blockers.is_empty() { Plan::steps_in_order(steps) } else { Plan::blocked(blockers.join("; "), steps) }
}

pub(crate) fn predict(user: &User, attachment: &mut Option<Attachment>, action: &AttachAction) {
    let AttachAction::AttachUserPolicy { user_name, policy_arn } = action;
    if let Some(attachment) = attachment.as_mut().filter(|_| *user_name == user.name) {
        attachment.attached.insert(policy_arn.as_str().to_owned());
    }
}

/// Whether all that was done is still there: then only the user can go on.
pub(crate) fn is_in_place(after: Option<&Attachment>, done: &[AttachAction]) -> bool {
    let is_attached = |AttachAction::AttachUserPolicy { policy_arn, .. }: &AttachAction| {
        after.is_some_and(|it| it.attached.contains(policy_arn.as_str()))
    };
    !done.is_empty() && done.iter().all(is_attached)
}

/// Whether each policy is attached, so that other policies and a device do not stand in the way of an undo.
pub(crate) fn touched_fields(attachment: Option<&Attachment>, done: &[AttachAction]) -> Value {
    let is_attached = |AttachAction::AttachUserPolicy { policy_arn, .. }: &AttachAction| {
        let attached = attachment.map(|it| it.attached.contains(policy_arn.as_str()));
        (policy_arn.as_str().to_owned(), json!(attached))
    };
    Value::Object(done.iter().map(is_attached).collect::<Map<_, _>>())
}

/// Detaches what was not attached before, last first.
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
    /// What speaks against attaching `policy` to `user`.
    fn blockers(&self, user: &User, policy: &PolicyArn) -> Vec<String> {
        let arn = policy.as_str();
        let mut blockers = Vec::new();
        if !policy.is_of(&user.account) {
            blockers.push(format!("policy {arn} is not of account {}", user.account));
        }
        match &self.policy {
            None => blockers.push(format!("policy {arn} does not exist")),
            Some(document) => blockers.extend(unfit(&document.applied_to(&user.name), user, arn)),
        }
        let attached = self.attached.len();
        if attached >= usize::try_from(self.quota).unwrap_or(usize::MAX) {
            blockers.push(format!("user {} has {attached} of {} policies attached", user.name, self.quota));
        }
        blockers
    }
}

/// Why the document does not do what it is attached for.
fn unfit(document: &Document, user: &User, arn: &str) -> Vec<String> {
    let mut reasons = Vec::new();
    if !document.denies_without_mfa(PROBE, &user.arn) {
        reasons.push(format!("policy {arn} does not deny {PROBE} without MFA"));
    }
    // A device made in the console is named after the user, and without the user's path.
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
