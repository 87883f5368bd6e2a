//! `cloudwatch-alarm-root-usage`: root activity raises no alarm.
//!
//! The control only names its events; [`alarm_control`](crate::families::alarm_control) does the rest.

use rectify_compliance::control;
use rectify_compliance::place::ACCOUNT_TYPE;

use crate::families::alarm_chain::filter::{ExpectedEvents, Refused};
use crate::families::alarm_control::{AlarmControl, FirstEvent, alarm_docs};

control! {
    /// ## What it checks
    /// That activity of the account's root user raises an alarm that notifies an operator.
    #[doc = alarm_docs!(chain)]
    /// A filter without the `invokedBy` term is rejected: actions that services take for root would hide those of root itself.
    /// No variant of this pattern is widely used, so `acceptVariants` has no effect here.
    #[doc = alarm_docs!(elsewhere)]
    ///
    /// ## Why it matters
    /// The root user can do everything, and no IAM policy limits it; in a well-run account it is used a few times a year.
    /// Any other use is an emergency or an intruder.
    ///
    /// ## Compliant example
    /// A filter `{ $.userIdentity.type = Root && $.userIdentity.invokedBy NOT EXISTS && $.eventType != AwsServiceEvent }`, an alarm `Sum >= 1` over 300 seconds on its metric, and a topic with a confirmed subscription.
    ///
    /// ## Non-compliant example
    /// The same, but the topic's only subscription is pending: `Alarm chain broken at subscription: topic alarms has no confirmed subscription (filter RootUse ok, alarm RootUse ok)`.
    ///
    #[doc = alarm_docs!(rest)]
    /// ## References
    /// - [Security Hub CloudWatch.1](https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-1), which requires one exact pattern
    #[doc = alarm_docs!(links)]
    pub CLOUDWATCH_ALARM_ROOT_USAGE: AlarmControl<FirstEvent> = LOGIC {
        id: "cloudwatch-alarm-root-usage",
        title: "Root activity raises no alarm",
        severity: Medium,
        triggers: [Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[ACCOUNT_TYPE],
        level: L2,
        frameworks: {
            Cis30: ["4.3"],
            Cis50: ["4.3"],
            Nist80053r5: ["AU-6(1)", "AU-6(5)", "SI-4(12)"],
            Pci40: ["10.4.1.1", "10.7.2"],
        },
    }
}

/// Actions of root itself; the pattern of CIS and Security Hub.
pub(crate) const EVENTS: ExpectedEvents = ExpectedEvents {
    pattern: r#"{ ($.userIdentity.type = "Root") && ($.userIdentity.invokedBy NOT EXISTS) && ($.eventType != "AwsServiceEvent") }"#,
    variants: &[],
    refused: Some(Refused {
        pattern: r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy EXISTS && $.eventType != "AwsServiceEvent" }"#,
        reason: "counts actions of services for root",
    }),
};

/// The values that distinguish this control from the other [alarm controls](AlarmControl).
const LOGIC: AlarmControl<FirstEvent> = AlarmControl {
    id: "cloudwatch-alarm-root-usage",
    events: EVENTS,
    metric: "RootUsage",
    one_datapoint: true,
    in_management_account: false,
    defaults: FirstEvent,
};
