//! `cloudwatch-alarm-cmk-disabled-or-deleted`: disabled or deleted KMS keys raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// Data that is encrypted under a deleted key is lost, and under a disabled key it cannot be read.
    /// A scheduled deletion can be canceled for 7 to 30 days, if an operator learns of it.
    pub CLOUDWATCH_ALARM_CMK_DISABLED_OR_DELETED {
        id: "cloudwatch-alarm-cmk-disabled-or-deleted",
        title: "Disabled or deleted KMS keys raise no alarm",
        subject: "KMS keys that are disabled or scheduled for deletion",
        events: ["DisableKey", "ScheduleKeyDeletion"],
        and: "$.eventSource = kms.amazonaws.com",
        metric: "DisabledOrDeletedKeys",
        cis: "4.7",
        security_hub: "7",
    }
}
