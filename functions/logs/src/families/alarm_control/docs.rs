//! The text that the pages of the alarm controls share.

/// A part of a page: the chain, its log group elsewhere, parameters and remediation, or links. Each line begins like a line of a doc comment.
macro_rules! alarm_docs {
    (chain) => {
        " A trail that records all management events of all regions and delivers to a log group in this account and region; a metric filter of that log group whose pattern matches these events; an alarm on its metric that fires soon enough and has its actions enabled; a topic that the alarm notifies, with a confirmed subscription, and with a topic policy and key policy that let CloudWatch alarms publish.
 One such chain is enough; without one, the annotation names the first broken link of the longest chain.
 Patterns are compared by the events they match, not by their text; a filter with a regular expression, dimensions, field selection criteria or a value that is not a positive number does not count."
    };
    (elsewhere) => {
        " If the log group is in another region or account, for example with an organization trail, the result is NOT_APPLICABLE and names that region or account."
    };
    (management_account) => {
        " Only the management account, from which an organization is administered, is evaluated; a member account, and an account without an organization, is NOT_APPLICABLE."
    };
    (rest) => {
        " ## Parameters
 The first seven decide which chains are accepted; `topicArn`, `logGroupName`, `namespace` and `threshold` configure the remediation.
 A threshold above `maxThreshold` is refused: the alarm that the remediation creates would be noncompliant.
 If a topic of another account cannot be read, the invocation fails unless `unverifiedTopic` gives the verdict; it does not matter if another chain is complete.

 ## Remediation
 Missing links are created in order; existing filters and alarms are not edited, except that disabled alarm actions are enabled.
 `logs:PutMetricFilter` creates a filter with the required pattern and `cloudwatch:PutMetricAlarm` an alarm on its metric, both named after this control (L1); `cloudwatch:EnableAlarmActions` is enough if an alarm only has its actions disabled (L1); `sns:SetTopicAttributes` adds a statement to the topic policy that lets alarms of this account publish (L2).
 The alarm needs `topicArn`, and the filter needs `logGroupName` if trails deliver to several log groups; without them the step is manual.
 An operator creates a trail, a log group or a subscription and changes a key policy (L0): only the recipient can confirm a subscription.
 What may break: nothing; the alarm is charged, and the topic's subscribers get new notifications.
 Blocked if the log group already has 100 filters, if a filter or an alarm named after the control already exists, and if a Deny in the topic policy overrides the new statement.
 `SetTopicAttributes` replaces the whole policy and supports no conditional write: a statement added in the milliseconds between the last read and the write is lost.
 How to undo: `DeleteMetricFilter`, `DeleteAlarms`, `DisableAlarmActions` and the previous policy, in reverse order, and only for what the remediation created or changed.
"
    };
    (links) => {
        " - [Creating metrics from log events](https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html)
 - [Filter pattern syntax](https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html)
 - [PutMetricAlarm](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html)
 - [Encrypted topics and CloudWatch alarms](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html)"
    };
}
pub(crate) use alarm_docs;
