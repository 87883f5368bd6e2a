//! `cloudwatch-alarm-console-login-failures`: failed console sign-ins raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// A failed sign-in is a mistyped password, or someone who guesses one.
    /// With many users, a `maxThreshold` and a `threshold` above the default 1 keep the first from hiding the second.
    pub CLOUDWATCH_ALARM_CONSOLE_LOGIN_FAILURES {
        id: "cloudwatch-alarm-console-login-failures",
        title: "Failed console sign-ins raise no alarm",
        subject: "failed console sign-ins",
        events: ["ConsoleLogin"],
        and: r#"$.errorMessage = "Failed authentication""#,
        metric: "ConsoleLoginFailures",
        cis: "4.6",
        security_hub: "6",
    }
}
