//! `cloudwatch-alarm-unauthorized-api-calls`: refused API calls raise no alarm.
//!
//! The control only names its events; [`alarm_control`](crate::families::alarm_control) does the rest.

use rectify_compliance::control;
use rectify_compliance::place::ACCOUNT_TYPE;

use crate::families::alarm_chain::filter::{ExpectedEvents, Variant};
use crate::families::alarm_control::{AlarmControl, Burst, alarm_docs};

control! {
    /// ## What it checks
    /// That a number of API calls denied for lack of permission raises an alarm that notifies an operator.
    #[doc = alarm_docs!(chain)]
    /// The CIS 3.0 pattern matches nearly every event, since its terms are joined by `||`: it is accepted with a warning unless `acceptNoisy` is false.
    /// The patterns of CIS 5.0 and later miss some denied calls: they are accepted unless `acceptVariants` is false, and the annotation says which calls.
    #[doc = alarm_docs!(elsewhere)]
    ///
    /// ## Why it matters
    /// An attacker with stolen credentials probes what they allow, and most of these calls are denied.
    /// A deployment whose role has lost a permission also shows up this way.
    ///
    /// ## Compliant example
    /// A filter `{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }`, an alarm `Sum >= 5` over 300 seconds on its metric, and a topic with a confirmed subscription.
    ///
    /// ## Non-compliant example
    /// The same with the filter `{ $.errorCode = "AccessDenied" }`, which matches only some of the codes: `Alarm chain broken at filter: none of 1 matches; closest Refused: *UnauthorizedOperation missing`.
    ///
    #[doc = alarm_docs!(rest)]
    /// ## References
    /// - [Security Hub CloudWatch.2](https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-2), which requires one exact pattern
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

/// Calls denied for lack of permission, and the CIS patterns.
pub(crate) const EVENTS: ExpectedEvents = ExpectedEvents {
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

/// The values that distinguish this control from the other [alarm controls](AlarmControl).
const LOGIC: AlarmControl<Burst> = AlarmControl {
    id: "cloudwatch-alarm-unauthorized-api-calls",
    events: EVENTS,
    metric: "UnauthorizedApiCalls",
    one_datapoint: false,
    in_management_account: false,
    defaults: Burst,
};
