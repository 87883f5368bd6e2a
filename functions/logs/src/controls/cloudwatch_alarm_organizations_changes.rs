//! `cloudwatch-alarm-organizations-changes`: changes to the organization raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// A policy that is detached, or an account that leaves or moves, is no longer limited by the policies of the organization.
    /// A new account starts without the trails, rules and alarms of the others.
    pub CLOUDWATCH_ALARM_ORGANIZATIONS_CHANGES {
        id: "cloudwatch-alarm-organizations-changes",
        title: "Changes to the organization raise no alarm",
        subject: "changes to the organization, its accounts and its policies",
        events: [
            "AcceptHandshake",
            "AttachPolicy",
            "CreateAccount",
            "CreateOrganizationalUnit",
            "CreatePolicy",
            "DeclineHandshake",
            "DeleteOrganization",
            "DeleteOrganizationalUnit",
            "DeletePolicy",
            "DetachPolicy",
            "DisablePolicyType",
            "EnablePolicyType",
            "InviteAccountToOrganization",
            "LeaveOrganization",
            "MoveAccount",
            "RemoveAccountFromOrganization",
            "UpdatePolicy",
            "UpdateOrganizationalUnit",
        ],
        and: "$.eventSource = organizations.amazonaws.com",
        only_in: management_account,
        metric: "OrganizationsChanges",
        cis: "4.15",
    }
}
