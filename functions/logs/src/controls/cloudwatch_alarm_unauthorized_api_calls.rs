//! `cloudwatch-alarm-unauthorized-api-calls`: refused API calls raise no alarm.
//!
//! All but the events it wants is [`alarm_control`](crate::families::alarm_control)'s.

use rectify_compliance::control;
use rectify_compliance::place::ACCOUNT_TYPE;

use crate::families::alarm_chain::filter::{ExpectedEvents, Variant};
use crate::families::alarm_control::{AlarmControl, Burst, alarm_docs};

control! {
    /// ## What it checks
    /// That somebody is told when calls are refused for lack of permission, in numbers.
    #[doc = alarm_docs!(chain)]
    /// The pattern that CIS 3.0 prints matches nearly every event, since its terms are joined by `||`: it is accepted with a warning unless `acceptNoisy` is false.
    /// Those that CIS prints from 5.0 on leave out some refused calls: they are accepted, and the annotation says which, unless `acceptVariants` is false.
    /// Where the log group lies in another region or account, as with an organization's trail, the answer is NOT_APPLICABLE and names the place.
    ///
    /// ## Why it matters
    /// Whoever holds stolen credentials tries what they are good for, and most of it is refused.
    /// So does a deployment whose role has lost a permission.
    ///
    /// ## Compliant example
    /// A filter `{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }`, an alarm `Sum >= 5` over 300 seconds on its metric, and a topic with a confirmed subscription.
    ///
    /// ## Non-compliant example
    /// The same with the filter `{ $.errorCode = "AccessDenied" }`, which matches some of the codes only: `Alarm chain broken at filter: none of 1 counts; nearest Refused: narrower than required`.
    ///
    #[doc = alarm_docs!(rest)]
    /// ## References
    /// - [Security Hub CloudWatch.2](https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-2), which asks for one exact pattern
    #[doc = alarm_docs!(links)]
    pub CLOUDWATCH_ALARM_UNAUTHORIZED_API_CALLS: AlarmControl<Burst> = LOGIC {
        id: "cloudwatch-alarm-unauthorized-api-calls",
        title: "Refused API calls raise no alarm",
        severity: Medium,
        triggers: [Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[ACCOUNT_TYPE],
        level: L2,
        frameworks: {
            Cis30: ["4.1"],
            Cis50: ["4.1"],
            Nist80053r5: ["AU-6(1)", "AU-6(5)", "SI-4(12)"],
            Pci40: ["10.4.1.1", "10.7.2"],
        },
    }
}

/// Calls refused for lack of permission, with what CIS prints instead of it.
pub(crate) const WANTED: ExpectedEvents = ExpectedEvents {
    pattern: r#"{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }"#,
    variants: &[
        Variant {
            pattern: r#"{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") && ($.sourceIPAddress != "delivery.logs.amazonaws.com") && ($.eventName != "HeadBucket") }"#,
            remark: "AccessDenied of log delivery and of HeadBucket not covered",
        },
        Variant {
            pattern: r#"{ (($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*")) && ($.sourceIPAddress != "delivery.logs.amazonaws.com") && ($.eventName != "HeadBucket") }"#,
            remark: "log delivery and HeadBucket not covered",
        },
    ],
    refused: None,
};

/// The control on its own: what sets it apart from the other [alarm controls](AlarmControl).
const LOGIC: AlarmControl<Burst> = AlarmControl {
    id: "cloudwatch-alarm-unauthorized-api-calls",
    wanted: WANTED,
    metric: "UnauthorizedApiCalls",
    one_datapoint: false,
    defaults: Burst,
};
