//! `cloudwatch-alarm-cloudtrail-changes`: changes to CloudTrail trails raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// A trail that is stopped or deleted records nothing, and every alarm that depends on it is silent.
    /// `StopLogging` is often the first call of an intruder.
    pub CLOUDWATCH_ALARM_CLOUDTRAIL_CHANGES {
        id: "cloudwatch-alarm-cloudtrail-changes",
        title: "Changes to CloudTrail trails raise no alarm",
        subject: "changes to trails",
        events: ["CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"],
        metric: "TrailChanges",
        cis: "4.5",
        security_hub: "5",
    }
}
