//! Permissions of functions beyond those of their controls: of the runtime of rules and remediations, and of the
//! platform functions. `template.yaml` is generated from these lists, and a test compares them with the code that makes
//! the calls.
//!
//! The ledger's keys allow [`Condition::Partitions`](crate::permission::Condition) to restrict writes: a remediation
//! writes leases and keys that begin with its control's id, and no decision of an operator.

use crate::Permission;

/// The ledger table.
pub const LEDGER: &str = "${Ledger.Arn}";
const BUS: &str = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default";
const CONFIG_RULES: &str = "arn:${AWS::Partition}:config:${AWS::Region}:${AWS::AccountId}:config-rule/*";
const DEAD_LETTERS: &str = "${DeadLetters.Arn}";
const REMEDIATION_LOGS: &str = "${RemediationLogs.Arn}";

/// The detail types of the events that a remediation sends.
pub const REMEDIATION_EVENTS: &[&str] = &[
    "Rectify Breaker Open",
    "Rectify Budget Stop",
    "Rectify Digest",
    "Rectify Outcome",
    "Rectify Plan",
    "Rectify Stop",
];

/// Keys of operators' decisions, which no remediation may write: the audit log, holds and resets, kill switches,
/// exemptions.
pub const OPERATOR_KEYS: &[&str] = &["ACTS#*", "D#*", "STOP", "X#*"];

/// Keys of operators' decisions that undo may not write either: it places holds only.
pub const OPERATOR_KEYS_EXCEPT_HOLDS: &[&str] = &["STOP", "X#*"];

/// Tags that exemptions and modes read. No function may write one.
pub const OPERATOR_TAGS: &str = "rectify:*";

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
pub const REMEDIATION_COMMON: &[Permission] = &[
    Permission::unscoped("config:GetDiscoveredResourceCounts"),
    Permission::on("events:PutEvents", BUS).of_events(REMEDIATION_EVENTS),
    Permission::on("sqs:SendMessage", DEAD_LETTERS),
    CREATE_STREAM,
    PUT_EVENTS_OF_LOG,
];

/// Permissions of every rule. `PutEvaluations` and `GetResourceConfigHistory` have no resource type in IAM. The
/// permission to read results does not name the rule: rule, permission, function and role would form a cycle.
pub const RULE_COMMON: &[Permission] = &[
    Permission::unscoped("config:GetResourceConfigHistory"),
    Permission::unscoped("config:PutEvaluations"),
    Permission::on("config:GetComplianceDetailsByConfigRule", CONFIG_RULES),
    Permission::on("sqs:SendMessage", DEAD_LETTERS),
    Permission::on("logs:CreateLogStream", "${RuleLogs.Arn}"),
    Permission::on("logs:PutLogEvents", "${RuleLogs.Arn}"),
];

/// Other permissions of a rule that lists an account: invoke its own function to continue the run. The ARN is written
/// out, since function and role would form a cycle.
pub const RULE_CONTINUATION: &[Permission] = &[Permission::on(
    "lambda:InvokeFunction",
    "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Prefix}<control>",
)];

const OF_THE_RECONCILER: &[&str] = &["reconciler#*"];

/// Permissions of the reconciler. It reads the ledger and writes only its own items there: no attempt, hold, exemption
/// or kill switch. It reads the results of a resource across rules: IAM has no resource type for that.
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

/// Permissions of attribution. It reads attempts and writes its own items. CloudTrail's event history belongs to the
/// account: IAM has no resource type for it. Lambda polls the queue with the function's role.
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

const ROUTER_QUEUE: &str = "${RouterQueue.Arn}";

/// Permissions of the router. It reads attempts and holds, writes its own items, and sends tickets. Lambda polls the
/// queue with the function's role.
pub const ROUTER: &[Permission] = &[
    READ,
    QUERY,
    PUT.in_partitions(&["router#*"]),
    Permission::on("sqs:DeleteMessage", ROUTER_QUEUE),
    Permission::on("sqs:GetQueueAttributes", ROUTER_QUEUE),
    Permission::on("sqs:ReceiveMessage", ROUTER_QUEUE),
    Permission::on("sqs:SendMessage", "${TicketQueue.Arn}"),
    CREATE_STREAM,
    PUT_EVENTS_OF_LOG,
];

const OF_UNDO: &[&str] = &["<control>#*", "ACTS#*", "D#*", "L#*"];

/// Permissions of the undo function beside those of the calls that undo: write attempts, leases, holds and the audit
/// log of any control.
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
