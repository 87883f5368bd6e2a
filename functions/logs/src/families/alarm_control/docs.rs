//! What the pages of the alarm controls say alike.

/// A part of a page: what a chain is, parameters and remediation, links. Each line begins as that of a doc comment does.
macro_rules! alarm_docs {
    (chain) => {
        " A trail that records all management events of all regions, writes to a log group here, and delivers; a metric filter of that log group whose pattern matches these events; an alarm on its metric that goes off soon enough and may act; a topic that it notifies, with a confirmed subscription, whose policy and key let CloudWatch alarms use it.
 One such chain is enough, and where there is none the annotation names the first broken link of the longest.
 Patterns are compared by what they match and not by how they are written; one with a regular expression, with dimensions, with field selection criteria or with a value that is no positive number does not count."
    };
    (rest) => {
        " ## Parameters
 The first seven decide what is accepted; `topicArn`, `logGroupName`, `namespace` and `threshold` are the remediation's.
 A threshold above `maxThreshold` is refused: the alarm that the remediation made would be a finding.
 The topic of another account that cannot be read fails the invocation, unless `unverifiedTopic` says what it is; where another chain is whole, it does not matter.

 ## Remediation
 What is missing is made, one link after the other, and nothing that is there is edited.
 A filter of the wanted pattern by `logs:PutMetricFilter` and an alarm on it by `cloudwatch:PutMetricAlarm`, both named after this control (L1), or `cloudwatch:EnableAlarmActions` where an alarm lacks nothing else (L1); a statement that lets alarms of this account publish, added to the topic's policy by `sns:SetTopicAttributes` (L2).
 The alarm needs `topicArn`, and the filter `logGroupName` where trails write to several log groups; without them a person is asked.
 A trail, a log group, a subscription and the policy of a key are a person's to make (L0): a subscription is confirmed by whoever receives it.
 What may break: nothing that exists; the alarm is one more to pay for, and somebody is notified who was not.
 Held back where the log group has a hundred filters, where a filter or an alarm of the control's name exists already, and where a Deny in the topic's policy would outweigh the statement.
 `SetTopicAttributes` replaces the whole policy and has no revision to compare, so a statement that somebody adds in the milliseconds between the last read and the write is lost.
 How to undo: `DeleteMetricFilter`, `DeleteAlarms`, `DisableAlarmActions` and the previous policy, last first, and only for what the remediation made.
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
