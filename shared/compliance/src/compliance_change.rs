//! The event that starts a remediation: a resource became NON_COMPLIANT, or the reconciler requests another run for one
//! that still is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::item::{required, timestamp};
use crate::{AccountId, Region, ResourceKey, ShapeError, Target, Timestamp};

/// `detail-type` of the event that AWS Config emits on a transition.
pub const COMPLIANCE_CHANGE: &str = "Config Rules Compliance Change";
/// `detail-type` of the event that Rectify's reconciler emits.
pub const REMEDIATION_REQUESTED: &str = "Rectify Remediation Requested";

/// The resource and rule of a transition. Not the current state: a remediation reads that live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplianceChange {
    /// `detail.configRuleName`.
    pub rule_name: String,
    /// `detail.awsAccountId`.
    pub account: AccountId,
    /// `detail.awsRegion`.
    pub region: Region,
    /// `detail.resourceType` and `detail.resourceId`; the id is not always the name.
    pub resource: ResourceKey,
    /// `detail.messageType`.
    pub message_type: String,
    /// `detail.newEvaluationResult.complianceType`.
    pub compliance_type: String,
    /// `detail.newEvaluationResult.resultRecordedTime`: distinguishes one finding from the next. In a request it is
    /// informational; the request stored in the ledger has the authoritative time.
    pub recorded_at: Timestamp,
    /// The source of the event.
    pub origin: Origin,
}

/// The source of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// AWS Config, when the resource became NON_COMPLIANT.
    Config,
    /// Rectify, in a request for another run. Any principal with `events:PutEvents` can send one, so the event proves
    /// nothing: the request is valid only if the ledger has this id.
    Request(Option<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    config_rule_name: Option<String>,
    aws_account_id: Option<String>,
    aws_region: Option<String>,
    resource_type: Option<String>,
    resource_id: Option<String>,
    message_type: Option<String>,
    new_evaluation_result: Option<Outcome>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    compliance_type: Option<String>,
    result_recorded_time: Option<String>,
}

/// `detail` of a [`REMEDIATION_REQUESTED`] event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemediationRequest {
    /// The Config rule that still reports the resource.
    pub config_rule_name: String,
    /// Its account.
    pub aws_account_id: String,
    /// Its region.
    pub aws_region: String,
    /// The resource's type.
    pub resource_type: String,
    /// The resource's id.
    pub resource_id: String,
    /// When the stored result was recorded, RFC 3339.
    pub result_recorded_time: String,
    /// The id under which the request is stored in the ledger; without one the event is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Number of earlier unanswered requests about this resource; absent means 0. Informational.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub redrives: u32,
}

/// Serde passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl ComplianceChange {
    /// Reads `detail` of the event with this `source` and `detail-type`; `None` for an event that starts no
    /// remediation. Only AWS can send events with the source `aws.config`. A request starts a remediation only if the
    /// ledger has it: see [`Origin::Request`].
    ///
    /// # Errors
    /// [`ShapeError`] if a member is missing or of the wrong type.
    pub fn parse(source: &str, detail_type: &str, detail: &Value) -> Result<Option<Self>, ShapeError> {
        match (source, detail_type) {
            ("aws.config", COMPLIANCE_CHANGE) => Self::from_config(detail).map(Some),
            ("rectify", REMEDIATION_REQUESTED) => Self::from_request(detail).map(Some),
            _ => Ok(None),
        }
        .map_err(|error: ShapeError| error.within("detail"))
    }

    /// Whether the resource became NON_COMPLIANT.
    pub fn is_finding(&self) -> bool {
        self.message_type == "ComplianceChangeNotification" && self.compliance_type == "NON_COMPLIANT"
    }

    fn from_config(detail: &Value) -> Result<Self, ShapeError> {
        let raw = Detail::deserialize(detail).map_err(|error| ShapeError::new("", "a compliance change", error))?;
        let outcome = raw
            .new_evaluation_result
            .ok_or_else(|| ShapeError::missing("newEvaluationResult", "an evaluation result"))?;
        Ok(Self {
            rule_name: required(raw.config_rule_name, "configRuleName")?,
            account: AccountId::new(required(raw.aws_account_id, "awsAccountId")?),
            region: Region::new(required(raw.aws_region, "awsRegion")?),
            resource: ResourceKey::new(
                required(raw.resource_type, "resourceType")?,
                required(raw.resource_id, "resourceId")?,
            ),
            message_type: required(raw.message_type, "messageType")?,
            compliance_type: required(outcome.compliance_type, "newEvaluationResult.complianceType")?,
            recorded_at: timestamp(outcome.result_recorded_time.as_deref(), "newEvaluationResult.resultRecordedTime")?,
            origin: Origin::Config,
        })
    }

    fn from_request(detail: &Value) -> Result<Self, ShapeError> {
        let raw = RemediationRequest::deserialize(detail)
            .map_err(|error| ShapeError::new("", "a remediation request", error))?;
        Ok(Self {
            rule_name: required(Some(raw.config_rule_name), "configRuleName")?,
            account: AccountId::new(required(Some(raw.aws_account_id), "awsAccountId")?),
            region: Region::new(required(Some(raw.aws_region), "awsRegion")?),
            resource: ResourceKey::new(
                required(Some(raw.resource_type), "resourceType")?,
                required(Some(raw.resource_id), "resourceId")?,
            ),
            message_type: "ComplianceChangeNotification".to_owned(),
            compliance_type: "NON_COMPLIANT".to_owned(),
            recorded_at: timestamp(Some(&raw.result_recorded_time), "resultRecordedTime")?,
            origin: Origin::Request(raw.request_id.filter(|id| !id.trim().is_empty())),
        })
    }
}

impl RemediationRequest {
    /// A request with this id for another run on a resource that this rule reports.
    pub fn new(id: &str, rule: &str, target: &Target, recorded_at: Timestamp) -> Self {
        Self {
            config_rule_name: rule.to_owned(),
            aws_account_id: target.account.to_string(),
            aws_region: target.region.to_string(),
            resource_type: target.resource.kind.clone(),
            resource_id: target.resource.id.clone(),
            result_recorded_time: recorded_at.to_string(),
            request_id: Some(id.to_owned()),
            redrives: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn detail() -> Value {
        json!({
            "configRuleName": "rectify-restricted-ssh", "awsAccountId": "111122223333", "awsRegion": "eu-west-1",
            "resourceType": "AWS::EC2::SecurityGroup", "resourceId": "sg-0a", "recordVersion": "1.0",
            "messageType": "ComplianceChangeNotification", "notificationCreationTime": "2026-03-04T05:06:10.001Z",
            "newEvaluationResult": {"complianceType": "NON_COMPLIANT", "resultRecordedTime": "2026-03-04T05:06:09.500Z",
                "configRuleInvokedTime": "2026-03-04T05:06:09.000Z", "evaluationResultIdentifier": {}}
        })
    }

    #[test]
    fn the_old_result_and_the_annotation_are_ignored() {
        let plain = ComplianceChange::parse("aws.config", COMPLIANCE_CHANGE, &detail()).unwrap().unwrap();
        assert!(plain.is_finding());
        for (key, value) in
            [("oldEvaluationResult", json!(null)), ("oldEvaluationResult", json!({"complianceType": "COMPLIANT"}))]
        {
            let mut other = detail();
            other[key] = value;
            other["newEvaluationResult"]["annotation"] = json!("two\nlines");
            assert_eq!(ComplianceChange::parse("aws.config", COMPLIANCE_CHANGE, &other).unwrap().unwrap(), plain);
        }
    }

    #[test]
    fn only_a_change_to_non_compliant_is_a_finding() {
        for (message, compliance, finding) in [
            ("ComplianceChangeNotification", "NON_COMPLIANT", true),
            ("ComplianceChangeNotification", "COMPLIANT", false),
            ("ComplianceChangeNotification", "NOT_APPLICABLE", false),
            ("ConfigRulesEvaluationStarted", "NON_COMPLIANT", false),
        ] {
            let mut event = detail();
            event["messageType"] = json!(message);
            event["newEvaluationResult"]["complianceType"] = json!(compliance);
            let change = ComplianceChange::parse("aws.config", COMPLIANCE_CHANGE, &event).unwrap().unwrap();
            assert_eq!(change.is_finding(), finding, "{message} {compliance}");
        }
    }

    #[test]
    fn other_detail_types_start_nothing_and_malformed_events_are_errors() {
        assert_eq!(ComplianceChange::parse("aws.config", "Config Rules Re-evaluation Status", &json!({})), Ok(None));
        assert_eq!(ComplianceChange::parse("rectify", COMPLIANCE_CHANGE, &detail()), Ok(None));
        let mut event = detail();
        event["newEvaluationResult"]["resultRecordedTime"] = json!("yesterday");
        let error = ComplianceChange::parse("aws.config", COMPLIANCE_CHANGE, &event).unwrap_err();
        assert_eq!(
            error.to_string(),
            "detail.newEvaluationResult.resultRecordedTime: expected an RFC 3339 time: received `yesterday`"
        );
    }

    #[test]
    fn a_request_by_the_reconciler_is_the_same_finding() {
        let request = json!({
            "configRuleName": "rectify-restricted-ssh", "awsAccountId": "111122223333", "awsRegion": "eu-west-1",
            "resourceType": "AWS::EC2::SecurityGroup", "resourceId": "sg-0a", "resultRecordedTime": "2026-03-04T05:06:09.500Z"
        });
        let found = ComplianceChange::parse("aws.config", COMPLIANCE_CHANGE, &detail()).unwrap().unwrap();
        for (id, expected) in [(json!(null), None), (json!(" "), None), (json!("01J"), Some("01J".to_owned()))] {
            let mut request = request.clone();
            request["requestId"] = id;
            let origin = Origin::Request(expected);
            assert_eq!(
                ComplianceChange::parse("rectify", REMEDIATION_REQUESTED, &request).unwrap(),
                Some(ComplianceChange { origin, ..found.clone() })
            );
        }
    }

    #[test]
    fn a_request_round_trips() {
        let found = ComplianceChange::parse("aws.config", COMPLIANCE_CHANGE, &detail()).unwrap().unwrap();
        let ComplianceChange { account, region, resource, recorded_at, .. } = found.clone();
        let target = Target { account, region, resource, name: None, arn: None };
        let request = RemediationRequest::new("01J", &found.rule_name, &target, recorded_at);
        for redrives in [0, 2] {
            let written = json!(RemediationRequest { redrives, ..request.clone() });
            assert_eq!(written.get("redrives"), (redrives > 0).then(|| json!(redrives)).as_ref());
            let read = ComplianceChange::parse("rectify", REMEDIATION_REQUESTED, &written).unwrap().unwrap();
            assert_eq!(read, ComplianceChange { origin: Origin::Request(Some("01J".to_owned())), ..found.clone() });
        }
    }
}
