//! The event AWS Config sends to a rule's function.
//!
//! Unknown keys are ignored at every level: AWS added `evaluationMode` without a new version, and captured events have
//! keys of tools. Members whose default could change a verdict are required.

use serde::Deserialize;
use serde_json::Value;

use crate::item::{Identity, RulePlace, non_empty, required, timestamp};
use crate::{AccountId, Arn, ConfigurationItem, EventError, ItemStatus, ShapeError, Target, Timestamp};

/// Tokens that tools send in place of a real one: AWS Config must not store evaluations with them.
const TEST_TOKENS: [&str; 2] = ["TESTMODE", "No token found"];

/// The event, parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleEvent {
    /// `invokingEvent`: the notification.
    pub message: Message,
    /// `ruleParameters`: JSON text, absent in some real events.
    pub parameters: Option<String>,
    /// `resultToken`: the token for `PutEvaluations`.
    pub token: ResultToken,
    /// `eventLeftScope`: the resource is no longer in the scope of the rule; absent means false.
    pub left_scope: bool,
    /// `evaluationMode`; absent means detective.
    pub mode: EvaluationMode,
    /// `accountId`: the account that owns the rule.
    pub account: Option<AccountId>,
    /// `configRuleName`.
    pub rule_name: Option<String>,
    /// `configRuleArn`, possibly with an `aws-service-rule/…` segment.
    pub rule_arn: Option<String>,
}

/// `ResultToken` of `PutEvaluations`.
#[derive(Clone, PartialEq, Eq)]
pub struct ResultToken(String);

impl ResultToken {
    /// The token itself. It belongs to one invocation: never log or store it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this is a test token. `PutEvaluations` then runs in test mode: AWS Config validates and stores nothing.
    pub fn is_test(&self) -> bool {
        TEST_TOKENS.contains(&self.0.as_str())
    }
}

impl std::fmt::Debug for ResultToken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if self.is_test() { "ResultToken(test)" } else { "ResultToken(…)" })
    }
}

/// `evaluationMode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluationMode {
    /// The resource exists.
    Detective,
    /// The resource is about to be created and has CloudFormation's property names.
    Proactive,
}

/// `invokingEvent`, by its `messageType`.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// `ConfigurationItemChangeNotification`.
    Change {
        /// The current item. The diff is dropped: a re-evaluation has none, so it must not matter.
        item: Box<ConfigurationItem>,
        /// `notificationCreationTime`, absent in captured events.
        created_at: Option<Timestamp>,
    },
    /// `OversizedConfigurationItemChangeNotification`: the item must be fetched.
    Oversized {
        /// The summary of the item.
        summary: Box<ItemSummary>,
        /// `notificationCreationTime`, absent in AWS's own sample.
        created_at: Option<Timestamp>,
    },
    /// `ScheduledNotification`, or `ConfigurationSnapshotDeliveryCompleted`, which also starts a periodic run.
    Periodic {
        /// `awsAccountId`; a snapshot delivery has none.
        account: Option<AccountId>,
        /// `notificationCreationTime`: `OrderingTimestamp` of every evaluation of the run.
        created_at: Timestamp,
    },
}

/// `configurationItemSummary` of an oversized notification.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemSummary {
    /// The resource.
    pub target: Target,
    /// `configurationItemStatus`, checked before the item is fetched.
    pub status: ItemStatus,
    /// `configurationItemCaptureTime`: the time at which to read the history.
    pub captured_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    invoking_event: Option<String>,
    rule_parameters: Option<String>,
    result_token: Option<String>,
    event_left_scope: Option<bool>,
    evaluation_mode: Option<String>,
    account_id: Option<String>,
    config_rule_name: Option<String>,
    config_rule_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invoking {
    message_type: Option<String>,
    configuration_item: Option<Value>,
    configuration_item_summary: Option<Identity>,
    notification_creation_time: Option<String>,
    aws_account_id: Option<String>,
}

impl RuleEvent {
    /// Reads the event as AWS Config delivers it.
    ///
    /// # Errors
    /// [`EventError`] if it is malformed, has no result token, or has an unknown message type. Nothing is evaluated
    /// then.
    pub fn parse(event: &Value) -> Result<Self, EventError> {
        let envelope = Envelope::deserialize(event)
            .map_err(|error| ShapeError::new("event", "an AWS Config rule event", error))?;
        let text = required(envelope.invoking_event, "invokingEvent")?;
        let token = ResultToken(required(envelope.result_token, "resultToken")?);
        let mode = match envelope.evaluation_mode.as_deref() {
            None | Some("DETECTIVE") => EvaluationMode::Detective,
            Some("PROACTIVE") => EvaluationMode::Proactive,
            Some(other) => return Err(ShapeError::new("evaluationMode", "DETECTIVE or PROACTIVE", other).into()),
        };
        let rule_arn = non_empty(envelope.config_rule_arn);
        let arn: Option<Arn> = rule_arn.as_deref().and_then(|it| it.parse().ok());
        let account = non_empty(envelope.account_id);
        let place = RulePlace {
            account: account.clone().or_else(|| arn.as_ref()?.account().map(|it| it.to_string())),
            region: arn.as_ref().and_then(Arn::region).map(|it| it.to_string()),
        };
        Ok(Self {
            message: Message::parse(&text, &place)?,
            parameters: envelope.rule_parameters,
            token,
            left_scope: envelope.event_left_scope.unwrap_or(false),
            mode,
            account: account.map(AccountId::new),
            rule_name: envelope.config_rule_name,
            rule_arn,
        })
    }
}

impl Message {
    /// The time of evaluation: when AWS Config sent the event or, if that is unknown, when the item was captured. Never
    /// the current time, so that a redelivered event gets the same verdict.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Change { item, created_at } => created_at.unwrap_or(item.captured_at),
            Self::Oversized { summary, created_at } => created_at.unwrap_or(summary.captured_at),
            Self::Periodic { created_at, .. } => *created_at,
        }
    }

    /// Reads the JSON text of `invokingEvent`, in an event for a rule in this account and region.
    fn parse(text: &str, rule: &RulePlace) -> Result<Self, EventError> {
        let not_json =
            |error: serde_json::Error| EventError::NotJson { path: "invokingEvent", reason: error.to_string() };
        let value: Value = serde_json::from_str(text).map_err(not_json)?;
        let invoking = Invoking::deserialize(&value)
            .map_err(|error| ShapeError::new("invokingEvent", "an AWS Config notification", error))?;
        let created_at = match invoking.notification_creation_time.as_deref() {
            None => None,
            text => Some(timestamp(text, "invokingEvent.notificationCreationTime")?),
        };
        match invoking.message_type.as_deref() {
            Some("ConfigurationItemChangeNotification") => {
                let item = invoking
                    .configuration_item
                    .ok_or_else(|| ShapeError::missing("invokingEvent.configurationItem", "a configuration item"))?;
                let item = ConfigurationItem::for_rule(&item, rule)
                    .map_err(|error| error.within("invokingEvent.configurationItem"))?;
                Ok(Self::Change { item: Box::new(item), created_at })
            }
            Some("OversizedConfigurationItemChangeNotification") => {
                const PATH: &str = "invokingEvent.configurationItemSummary";
                let summary =
                    invoking.configuration_item_summary.ok_or_else(|| ShapeError::missing(PATH, "a summary"))?;
                let summary = ItemSummary::read(summary, rule).map_err(|error| error.within(PATH))?;
                Ok(Self::Oversized { summary: Box::new(summary), created_at })
            }
            Some("ScheduledNotification" | "ConfigurationSnapshotDeliveryCompleted") => Ok(Self::Periodic {
                account: non_empty(invoking.aws_account_id).map(AccountId::new),
                created_at: created_at
                    .ok_or_else(|| ShapeError::missing("invokingEvent.notificationCreationTime", "an RFC 3339 time"))?,
            }),
            Some(other) => Err(EventError::UnknownMessageType(other.to_owned())),
            None => Err(ShapeError::missing("invokingEvent.messageType", "a message type").into()),
        }
    }
}

impl ItemSummary {
    fn read(raw: Identity, rule: &RulePlace) -> Result<Self, ShapeError> {
        let (target, status, captured_at) = raw.read(rule)?;
        Ok(Self { target, status, captured_at })
    }
}

#[cfg(test)]
#[path = "rule_event_tests.rs"]
mod tests;
