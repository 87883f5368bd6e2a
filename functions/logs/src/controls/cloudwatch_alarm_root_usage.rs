//! `cloudwatch-alarm-root-usage`: root activity raises no alarm.
//!
//! All but the events it wants is [`alarm_control`](crate::families::alarm_control)'s.

use rectify_compliance::control;
use rectify_compliance::place::ACCOUNT_TYPE;

use crate::families::alarm_chain::filter::{ExpectedEvents, Refused};
use crate::families::alarm_control::{AlarmControl, FirstEvent, alarm_docs};

control! {
    /// ## What it checks
    /// That somebody is told when the root user of the account does something.
    #[doc = alarm_docs!(chain)]
    /// A filter that leaves out the term of `invokedBy` is refused: what services do for root would hide what root does.
    /// No variant of this pattern is in wide use, so `acceptVariants` changes nothing here.
    /// Where the log group lies in another region or account, as with an organization's trail, the answer is NOT_APPLICABLE and names the place.
    ///
    /// ## Why it matters
    /// The root user can do everything, and no policy limits it; in an account that is run well it is used a few times a year.
    /// Any other use is an emergency, or somebody else.
    ///
    /// ## Compliant example
    /// A filter `{ $.userIdentity.type = Root && $.userIdentity.invokedBy NOT EXISTS && $.eventType != AwsServiceEvent }`, an alarm `Sum >= 1` over 300 seconds on its metric, and a topic with a confirmed subscription.
    ///
    /// ## Non-compliant example
    /// The same with a topic whose only subscription is pending: `Alarm chain broken at subscription: topic alarms has 0 confirmed (filter RootUse ok, alarm RootUse ok)`.
    ///
    #[doc = alarm_docs!(rest)]
    /// ## References
    /// - [Security Hub CloudWatch.1](https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-1), which asks for one exact pattern
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

/// What root does itself; the pattern of CIS and Security Hub.
pub(crate) const WANTED: ExpectedEvents = ExpectedEvents {
    pattern: r#"{ ($.userIdentity.type = "Root") && ($.userIdentity.invokedBy NOT EXISTS) && ($.eventType != "AwsServiceEvent") }"#,
    variants: &[],
    refused: Some(Refused {
        pattern: r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy EXISTS && $.eventType != "AwsServiceEvent" }"#,
        reason: "counts what services do for root",
    }),
};

/// The control on its own: what sets it apart from the other [alarm controls](AlarmControl).
const LOGIC: AlarmControl<FirstEvent> = AlarmControl {
    id: "cloudwatch-alarm-root-usage",
    wanted: WANTED,
    metric: "RootUsage",
    one_datapoint: true,
    defaults: FirstEvent,
};
