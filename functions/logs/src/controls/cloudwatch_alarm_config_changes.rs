//! `cloudwatch-alarm-config-changes`: changes to AWS Config raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// Without a recorder no change is recorded and no rule evaluates one: findings stay as they were.
    pub CLOUDWATCH_ALARM_CONFIG_CHANGES {
        id: "cloudwatch-alarm-config-changes",
        title: "Changes to AWS Config raise no alarm",
        subject: "changes to the recorder and the delivery channel of AWS Config",
        events: [
            "StopConfigurationRecorder",
            "DeleteDeliveryChannel",
            "PutDeliveryChannel",
            "PutConfigurationRecorder",
        ],
        and: "$.eventSource = config.amazonaws.com",
        metric: "ConfigChanges",
        cis: "4.9",
        security_hub: "9",
    }
}
