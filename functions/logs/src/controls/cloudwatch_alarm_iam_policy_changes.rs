//! `cloudwatch-alarm-iam-policy-changes`: changes to IAM policies raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// A policy decides what a principal may do: one attached policy turns a limited user into an administrator.
    /// An intruder attaches one to keep access; most accounts change policies only through a pipeline.
    pub CLOUDWATCH_ALARM_IAM_POLICY_CHANGES {
        id: "cloudwatch-alarm-iam-policy-changes",
        title: "Changes to IAM policies raise no alarm",
        subject: "changes to IAM policies and their attachments",
        events: [
            "DeleteGroupPolicy",
            "DeleteRolePolicy",
            "DeleteUserPolicy",
            "PutGroupPolicy",
            "PutRolePolicy",
            "PutUserPolicy",
            "CreatePolicy",
            "DeletePolicy",
            "CreatePolicyVersion",
            "DeletePolicyVersion",
            "AttachRolePolicy",
            "DetachRolePolicy",
            "AttachUserPolicy",
            "DetachUserPolicy",
            "AttachGroupPolicy",
            "DetachGroupPolicy",
        ],
        also_from: "iam.amazonaws.com",
        metric: "IamPolicyChanges",
        cis: "4.4",
        security_hub: "4",
    }
}
