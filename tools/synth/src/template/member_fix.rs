//! Remediations in member accounts: a role per control in each member, and the way of a member's finding to the central
//! account.
//!
//! One role per control, as in the central account: a remediation can do no more in a member than its own plan.

use rectify_compliance::{Mode, Permission};

use super::member::{self, REGION, in_every_region};
use super::options::given;
use super::{control, guard, policy, sorted};
use crate::fragment::{Unfilled, fill};
use crate::settings::{Selected, Settings};

const ROLE: &str = include_str!("member-fix.yaml");
const FINDINGS: &str = include_str!("member-findings.yaml");
const BUS: &str = include_str!("bus-members.yaml");

/// What a remediation's resources in the central account have for the members.
pub(super) struct Reached {
    /// The environment variables of its function.
    pub(super) variables: String,
    /// The inline policy of its role.
    pub(super) policy: String,
    /// The accounts whose events it receives.
    pub(super) accounts: String,
    /// The limit to findings of its own account. With members the function itself compares a finding or a request with
    /// its sender, since a pattern has at most 2,048 characters.
    pub(super) own_findings: &'static str,
}

const OWN: &str = "!Ref \"AWS::AccountId\"";

/// The name of a control's role in each member; `None` if remediations act in their own account only.
fn role(settings: &Settings, id: &str) -> Option<String> {
    given(settings, "memberFixRole").map(|start| format!("{start}-{id}"))
}

/// What this control's remediation has for the members.
pub(super) fn reached(settings: &Settings, id: &str) -> Reached {
    match role(settings, id) {
        None => Reached {
            variables: String::new(),
            policy: String::new(),
            accounts: format!("[{OWN}]"),
            own_findings: "awsAccountId: [!Ref \"AWS::AccountId\"]",
        },
        Some(role) => {
            let members = member::accounts(settings).into_iter().map(|it| member::text_of(&it));
            let accounts: Vec<String> = [OWN.to_owned()].into_iter().chain(members).collect();
            Reached {
                variables: member::variables_with(settings, &role),
                policy: policy::named("members", &member::statement_for(settings, &role)),
                accounts: format!("[{}]", accounts.join(", ")),
                own_findings: "",
            }
        }
    }
}

/// The variable with the accounts in which remediations act besides their own; nothing without any.
pub(super) fn accounts_variable(settings: &Settings) -> String {
    match given(settings, "memberFixRole") {
        None => String::new(),
        Some(_) => format!("MEMBER_ACCOUNTS: {}\n", member::text_of(&member::accounts(settings).join(","))),
    }
}

/// The policy of the central account's bus; nothing if remediations act in their own account only.
///
/// # Errors
/// [`Unfilled`] when the fragment has a placeholder without a value.
pub(super) fn bus(settings: &Settings) -> Result<String, Unfilled> {
    if given(settings, "memberFixRole").is_none() {
        return Ok(String::new());
    }
    let principal = |account: String| format!("- !Sub \"arn:${{AWS::Partition}}:iam::{account}:root\"\n");
    let accounts: String = member::accounts(settings).into_iter().map(principal).collect();
    fill(BUS, &[("accounts", &accounts)])
}

/// The resources of a member's template; nothing if remediations act in their own account only.
///
/// # Errors
/// As [`bus`].
pub(super) fn resources(settings: &Settings) -> Result<String, Unfilled> {
    if given(settings, "memberFixRole").is_none() {
        return Ok(String::new());
    }
    let roles = settings.deployed().map(|it| role_of(settings, it)).collect::<Result<String, _>>()?;
    Ok(FINDINGS.to_owned() + &roles)
}

/// A control's role: its reads, and its writes if its mode is `enforce`.
fn role_of(settings: &Settings, selected: &Selected) -> Result<String, Unfilled> {
    let meta = selected.control.meta;
    let (Some(role), Some(remediation)) = (role(settings, meta.id), selected.control.remediation) else {
        return Ok(String::new());
    };
    if selected.mode < Mode::Plan {
        return Ok(String::new());
    }
    let counts = Permission::unscoped("config:GetDiscoveredResourceCounts");
    let everywhere = |list: &[Permission]| sorted(&list.iter().copied().map(in_every_region).collect::<Vec<_>>());
    let reads = everywhere(&[control::live(remediation), vec![counts]].concat());
    let calls = if selected.mode == Mode::Enforce { remediation.fix_permissions() } else { &[] };
    let mut policies = policy::inline(&[("reads", &reads), ("fixes", &everywhere(calls))], &[meta.id]);
    let guard = guard::of_resources(calls.iter().copied())?;
    if !guard.is_empty() {
        policies.push_str(&policy::named("guard", &guard));
    }
    fill(
        ROLE,
        &[
            ("Control", &meta.pascal_id()),
            ("id", meta.id),
            ("role", &role),
            ("external-id", &member::external_id(settings)),
            ("policies", &policies.replace(REGION, "*")),
        ],
    )
}
