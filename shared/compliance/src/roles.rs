//! What functions may call beyond their control's own calls: the shell of a rule and of a remediation, and the
//! functions of no control. `template.yaml` is written from these lists, and a law compares them with the code that
//! makes the calls.
//!
//! The ledger's keys are made so that [`Condition::Partitions`](crate::permission::Condition) can say who writes where:
//! a remediation writes the leases and what begins with its control's id, and nothing that people decide.

use crate::Permission;

/// The ledger table.
pub const LEDGER: &str = "${Ledger.Arn}";
const BUS: &str = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default";
const CONFIG_RULES: &str = "arn:${AWS::Partition}:config:${AWS::Region}:${AWS::AccountId}:config-rule/*";
const DEAD_LETTERS: &str = "${DeadLetters.Arn}";
const REMEDIATION_LOGS: &str = "${RemediationLogs.Arn}";

/// The detail types of the events that a remediation sends.
pub const ANNOUNCED: &[&str] = &[
    "Rectify Breaker Open",
    "Rectify Budget Stop",
    "Rectify Digest",
    "Rectify Outcome",
    "Rectify Plan",
    "Rectify Stop",
];

/// Where people's decisions lie, which no remediation may write: the record of their acts, holds and resets, stop
/// switches, exemptions.
pub const DECIDED: &[&str] = &["ACTS#*", "D#*", "STOP", "X#*"];

/// Of people's decisions, what undo may not write either: it places holds, and nothing else of them.
pub const DECIDED_BUT_FOR_HOLDS: &[&str] = &["STOP", "X#*"];

/// Tags that exemptions and modes read: no function may write one.
pub const DECIDING_TAGS: &str = "rectify:*";

const READ: Permission = Permission::on("dynamodb:GetItem", LEDGER);
const QUERY: Permission = Permission::on("dynamodb:Query", LEDGER);
const CHECK: Permission = Permission::on("dynamodb:ConditionCheckItem", LEDGER);
const PUT: Permission = Permission::on("dynamodb:PutItem", LEDGER);
const UPDATE: Permission = Permission::on("dynamodb:UpdateItem", LEDGER);
const DELETE: Permission = Permission::on("dynamodb:DeleteItem", LEDGER);
const CREATE_STREAM: Permission = Permission::on("logs:CreateLogStream", REMEDIATION_LOGS);
const PUT_EVENTS_OF_LOG: Permission = Permission::on("logs:PutLogEvents", REMEDIATION_LOGS);

const OF_THE_CONTROL: &[&str] = &["<control>#*", "L#*"];
const OPEN_OF_THE_CONTROL: &[&str] = &["<control>#OPEN"];

/// Ledger permissions of the remediation of one control.
pub const REMEDIATION_LEDGER: &[Permission] = &[
    CHECK,
    READ,
    QUERY,
    PUT.in_partitions(OF_THE_CONTROL),
    UPDATE.in_partitions(OF_THE_CONTROL),
    DELETE.in_partitions(OPEN_OF_THE_CONTROL),
];

/// Other permissions of every remediation: count resources, send events, write logs, send to the dead-letter queue.
pub const REMEDIATION_SHELL: &[Permission] = &[
    Permission::unscoped("config:GetDiscoveredResourceCounts"),
    Permission::on("events:PutEvents", BUS).of_events(ANNOUNCED),
    Permission::on("sqs:SendMessage", DEAD_LETTERS),
    CREATE_STREAM,
    PUT_EVENTS_OF_LOG,
];

/// Permissions of every rule. `PutEvaluations` and `GetResourceConfigHistory` have no resource type in IAM. The
/// permission to read results does not name the rule: rule, permission, function and role would form a cycle.
pub const RULE_SHELL: &[Permission] = &[
    Permission::unscoped("config:GetResourceConfigHistory"),
    Permission::unscoped("config:PutEvaluations"),
    Permission::on("config:GetComplianceDetailsByConfigRule", CONFIG_RULES),
    Permission::on("sqs:SendMessage", DEAD_LETTERS),
    Permission::on("logs:CreateLogStream", "${RuleLogs.Arn}"),
    Permission::on("logs:PutLogEvents", "${RuleLogs.Arn}"),
];

/// What the rule that lists an account may do besides: go on in another invocation of its own function. That is named
/// by text, since function and role would form a circle.
pub const RULE_GOES_ON: &[Permission] = &[Permission::on(
    "lambda:InvokeFunction",
    "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Prefix}<control>",
)];

const OF_THE_RECONCILER: &[&str] = &["reconciler#*"];

/// What the reconciler may do. It reads the ledger and writes its own rows there: no attempt, hold, exemption or
/// switch. The results of a resource are read across rules: IAM knows no part of them.
pub const RECONCILER: &[Permission] = &[
    Permission::on("config:GetComplianceDetailsByConfigRule", CONFIG_RULES),
    Permission::unscoped("config:GetComplianceDetailsByResource"),
    Permission::on("config:StartConfigRulesEvaluation", CONFIG_RULES),
    READ,
    QUERY,
    PUT.in_partitions(OF_THE_RECONCILER),
    Permission::on("events:PutEvents", BUS).of_events(&["Rectify Remediation Requested"]),
    Permission::on("sqs:DeleteMessage", DEAD_LETTERS),
    Permission::on("sqs:ReceiveMessage", DEAD_LETTERS),
    Permission::on("sqs:SendMessage", DEAD_LETTERS),
    Permission::on("sqs:SendMessage", "${Unanswered.Arn}"),
    CREATE_STREAM,
    PUT_EVENTS_OF_LOG,
];

const ATTRIBUTOR_QUEUE: &str = "${AttributorQueue.Arn}";

/// What attribution may do. It reads attempts and writes its own notes. CloudTrail's event history is the account's:
/// IAM knows no part of it. Lambda polls the queue with the function's role.
pub const ATTRIBUTION: &[Permission] = &[
    Permission::unscoped("cloudtrail:LookupEvents"),
    READ,
    QUERY,
    PUT.in_partitions(&["attribution#*"]),
    Permission::on("events:PutEvents", BUS).of_events(&["Rectify Attribution"]),
    Permission::on("sqs:DeleteMessage", ATTRIBUTOR_QUEUE),
    Permission::on("sqs:GetQueueAttributes", ATTRIBUTOR_QUEUE),
    Permission::on("sqs:ReceiveMessage", ATTRIBUTOR_QUEUE),
    Permission::on("sqs:SendMessage", ATTRIBUTOR_QUEUE),
    CREATE_STREAM,
    PUT_EVENTS_OF_LOG,
];

const OF_UNDO: &[&str] = &["<control>#*", "ACTS#*", "D#*", "L#*"];

/// What the undo function may do beside the calls that undo: any control's attempts, leases, holds and the record of
/// them.
pub const UNDO: &[Permission] = &[
    CHECK,
    READ,
    QUERY,
    PUT.in_partitions(OF_UNDO),
    UPDATE.in_partitions(OF_UNDO),
    DELETE.in_partitions(OPEN_OF_THE_CONTROL),
    CREATE_STREAM,
    PUT_EVENTS_OF_LOG,
];
