//! Events as AWS delivers them, about fake widgets.

use std::time::Duration;

use rectify_compliance::AccountId;
use rectify_runtime::deadline::Deadline;
use rectify_runtime::serve::InvocationInfo;
use serde_json::{Value, json};

use crate::controls::WIDGET;
use crate::emulator::{ACCOUNT, REGION};

/// The capture time of these items, with milliseconds.
pub const CAPTURED: &str = "2026-03-04T05:06:07.512Z";
/// [`CAPTURED`] as the JSON 1.1 wire has it: epoch seconds with a fraction.
pub const CAPTURED_ON_WIRE: f64 = 1_772_600_767.512;
/// When scheduled notifications were created.
pub const SCHEDULED: &str = "2026-03-04T06:00:00.250Z";
/// [`SCHEDULED`] on the wire.
pub const SCHEDULED_ON_WIRE: f64 = 1_772_604_000.25;

/// The ARN of a rule's function.
pub const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:rectify-widget-disabled";

/// An event of AWS Config for a rule's function.
pub fn rule_event(invoking: &Value, parameters: &Value, token: &str) -> Value {
    json!({
        "version": "1.0",
        "invokingEvent": invoking.to_string(),
        "ruleParameters": parameters.to_string(),
        "resultToken": token,
        "eventLeftScope": false,
        "executionRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/config"),
        "configRuleArn": format!("arn:aws:config:{REGION}:{ACCOUNT}:config-rule/config-rule-0a1b2c"),
        "configRuleName": "rectify-widget-disabled",
        "configRuleId": "config-rule-0a1b2c",
        "accountId": ACCOUNT
    })
}

/// The item of a widget with these flags disabled.
pub fn item(id: &str, disabled: &[&str]) -> Value {
    json!({
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": CAPTURED,
        "configurationItemStatus": "OK",
        "configurationStateId": 1_772_600_767_512_u64,
        "awsAccountId": ACCOUNT,
        "awsRegion": REGION,
        "resourceType": WIDGET,
        "resourceId": id,
        "resourceName": null,
        "ARN": format!("arn:aws:widgets:{REGION}:{ACCOUNT}:widget/{id}"),
        "configuration": {"disabled": disabled},
        "supplementaryConfiguration": {},
        "tags": {},
        "relationships": []
    })
}

/// A change notification about this item.
pub fn change(item: &Value) -> Value {
    json!({
        "configurationItemDiff": null,
        "configurationItem": item,
        "notificationCreationTime": "2026-03-04T05:06:09.001Z",
        "messageType": "ConfigurationItemChangeNotification",
        "recordVersion": "1.3"
    })
}

/// An oversized notification about a widget in this status.
pub fn oversized(id: &str, status: &str) -> Value {
    json!({
        "configurationItemSummary": {
            "changeType": "UPDATE",
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": CAPTURED,
            "configurationStateId": 1_772_600_767_512_u64,
            "awsAccountId": ACCOUNT,
            "configurationItemStatus": status,
            "resourceType": WIDGET,
            "resourceId": id,
            "resourceName": null,
            "ARN": null,
            "awsRegion": REGION,
            "availabilityZone": null,
            "configurationStateMd5Hash": "",
            "resourceCreationTime": null
        },
        "messageType": "OversizedConfigurationItemChangeNotification"
    })
}

/// A scheduled notification.
pub fn scheduled() -> Value {
    json!({
        "awsAccountId": ACCOUNT,
        "notificationCreationTime": SCHEDULED,
        "messageType": "ScheduledNotification",
        "recordVersion": "1.0"
    })
}

/// An invocation of a rule's function with its whole timeout left.
pub fn invocation() -> InvocationInfo {
    invocation_with(Duration::from_secs(900))
}

/// An invocation of a rule's function with this much time left.
pub fn invocation_with(left: Duration) -> InvocationInfo {
    InvocationInfo {
        account: Some(AccountId::new(ACCOUNT)),
        request_id: "request".to_owned(),
        deadline: Deadline::after(left),
        function: FUNCTION.to_owned(),
    }
}

/// The EventBridge event that a widget turned NON_COMPLIANT, for a finding recorded at `recorded_at`.
pub fn finding(id: &str, recorded_at: &str) -> Value {
    let qualifier = json!({"configRuleName": "rectify-widget-disabled", "resourceType": WIDGET, "resourceId": id});
    json!({
        "version": "0",
        "id": "0a1b2c3d-0000-4000-8000-000000000000",
        "detail-type": "Config Rules Compliance Change",
        "source": "aws.config",
        "account": ACCOUNT,
        "time": "2026-03-04T05:06:10Z",
        "region": REGION,
        "resources": [],
        "detail": {
            "resourceId": id,
            "resourceType": WIDGET,
            "awsRegion": REGION,
            "awsAccountId": ACCOUNT,
            "configRuleName": "rectify-widget-disabled",
            "configRuleARN": format!("arn:aws:config:{REGION}:{ACCOUNT}:config-rule/config-rule-0a1b2c"),
            "recordVersion": "1.0",
            "messageType": "ComplianceChangeNotification",
            "notificationCreationTime": "2026-03-04T05:06:10.000Z",
            "newEvaluationResult": {
                "evaluationResultIdentifier": {"evaluationResultQualifier": qualifier, "orderingTimestamp": CAPTURED},
                "complianceType": "NON_COMPLIANT",
                "resultRecordedTime": recorded_at,
                "configRuleInvokedTime": "2026-03-04T05:06:08.700Z"
            }
        }
    })
}

/// The EventBridge event that requests the remediation of a widget, with or without the id of a stored request.
pub fn requested(widget: &str, recorded_at: &str, id: Option<&str>) -> Value {
    let mut detail = json!({
        "configRuleName": "rectify-widget-disabled",
        "awsAccountId": ACCOUNT,
        "awsRegion": REGION,
        "resourceType": WIDGET,
        "resourceId": widget,
        "resultRecordedTime": recorded_at
    });
    if let (Some(id), Some(members)) = (id, detail.as_object_mut()) {
        members.insert("requestId".to_owned(), json!(id));
    }
    json!({
        "version": "0",
        "id": "0a1b2c3d-0000-4000-8000-000000000001",
        "detail-type": "Rectify Remediation Requested",
        "source": "rectify",
        "account": ACCOUNT,
        "time": "2026-03-04T06:06:10Z",
        "region": REGION,
        "resources": [],
        "detail": detail
    })
}
