//! `cloudwatch-alarm-console-login-without-mfa`: console sign-in without MFA raises no alarm.
//!
//! The control only names its events; [`alarm_control`](crate::families::alarm_control) does the rest.

use rectify_compliance::control;
use rectify_compliance::place::ACCOUNT_TYPE;

use crate::families::alarm_chain::filter::{ExpectedEvents, Variant};
use crate::families::alarm_control::{AlarmControl, FirstEvent, alarm_docs};

control! {
    /// ## What it checks
    /// That console sign-in without MFA raises an alarm that notifies an operator.
    #[doc = alarm_docs!(chain)]
    /// The CIS pattern for accounts with single sign-on misses root and federated users: it is accepted unless `acceptVariants` is false, and the annotation says so.
    #[doc = alarm_docs!(elsewhere)]
    ///
    /// ## Why it matters
    /// A password alone can be guessed, leaked or phished.
    /// A sign-in with only a password is often the first sign of an account takeover.
    ///
    /// ## Compliant example
    /// A filter `{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed != Yes }`, an alarm `Sum >= 1` over 300 seconds on its metric, and a topic with a confirmed subscription.
    ///
    /// ## Non-compliant example
    /// The same, but the alarm has its actions disabled: `Alarm chain broken at alarm: SignIn has its actions disabled (filter SignIn ok)`.
    ///
    #[doc = alarm_docs!(rest)]
    /// ## References
    /// - [Security Hub CloudWatch.3](https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-3), which requires one exact pattern
    #[doc = alarm_docs!(links)]
    pub CLOUDWATCH_ALARM_CONSOLE_LOGIN_WITHOUT_MFA: AlarmControl<FirstEvent> = LOGIC {
        id: "cloudwatch-alarm-console-login-without-mfa",
        title: "Console sign-in without MFA raises no alarm",
        severity: Medium,
        triggers: [Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[ACCOUNT_TYPE],
        level: L2,
        frameworks: {
            Cis30: ["4.2"],
            Cis50: ["4.2"],
            Nist80053r5: ["AU-6(1)", "AU-6(5)", "SI-4(12)"],
            Pci40: ["10.4.1.1", "10.7.2"],
        },
    }
}

/// Successful sign-ins without MFA, and the CIS pattern for single sign-on.
pub(crate) const EVENTS: ExpectedEvents = ExpectedEvents {
    pattern: r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed = "No") && ($.responseElements.ConsoleLogin = "Success") }"#,
    variants: &[Variant {
        pattern: r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }"#,
        remark: "root and federated sign-in not covered",
    }],
    refused: None,
};

/// The values that distinguish this control from the other [alarm controls](AlarmControl).
const LOGIC: AlarmControl<FirstEvent> = AlarmControl {
    id: "cloudwatch-alarm-console-login-without-mfa",
    events: EVENTS,
    metric: "ConsoleLoginWithoutMfa",
    one_datapoint: true,
    in_management_account: false,
    defaults: FirstEvent,
};
