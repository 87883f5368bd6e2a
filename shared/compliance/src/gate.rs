//! What is decided about an event before any control looks at it, without a call.

use crate::rule_event::EvaluationMode;
use crate::{
    ConfigurationItem, ControlMeta, ItemStatus, Message, Region, ResourceKey, RuleEvent, Scope, ShapeError, Verdict,
};

/// What to do with an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Route<'a> {
    /// Answer this about this resource; the control is not asked.
    Answer(ResourceKey, Verdict),
    /// Judge this item.
    Judge(&'a ConfigurationItem),
    /// Fetch the item, then ask [`route_fetched`].
    Fetch,
    /// Run the inventory.
    Inventory,
    /// The rule's account as a whole is answered: a global control outside of its home region.
    AnswerAccount(Verdict),
}

/// Sends an event on its way: foreign types, vanished resources, proactive mode and foreign regions end here.
///
/// # Errors
/// [`ShapeError`] when the item says that the resource is there but carries no configuration.
pub fn route<'a>(
    event: &'a RuleEvent,
    meta: &ControlMeta,
    here: &Region,
    home: &Region,
) -> Result<Route<'a>, ShapeError> {
    let away =
        (meta.scope == Scope::Global && here != home).then(|| Verdict::not_applicable(format!("evaluated in {home}")));
    match &event.message {
        Message::Periodic { .. } => Ok(away.map_or(Route::Inventory, Route::AnswerAccount)),
        Message::Oversized { summary, .. } => Ok(away
            .or_else(|| dismissal(event, meta, &summary.target.resource, summary.status))
            .map_or(Route::Fetch, |verdict| Route::Answer(summary.target.resource.clone(), verdict))),
        Message::Change { item, .. } => match away.or_else(|| dismissal(event, meta, &item.resource, item.status)) {
            Some(verdict) => Ok(Route::Answer(item.resource.clone(), verdict)),
            None => admit(item).map(Route::Judge),
        },
    }
}

/// Decides about an item that was fetched for an oversized event: it may be gone, or changed, by now.
///
/// # Errors
/// [`ShapeError`], as for [`admit`].
pub fn route_fetched<'a>(
    event: &RuleEvent,
    meta: &ControlMeta,
    item: &'a ConfigurationItem,
) -> Result<Route<'a>, ShapeError> {
    match dismissal(event, meta, &item.resource, item.status) {
        Some(verdict) => Ok(Route::Answer(item.resource.clone(), verdict)),
        None => admit(item).map(Route::Judge),
    }
}

/// Lets an item through that a control can judge.
///
/// # Errors
/// [`ShapeError`] when `configuration` is no object: absent data is never taken for compliance.
pub fn admit(item: &ConfigurationItem) -> Result<&ConfigurationItem, ShapeError> {
    if item.configuration.is_object() {
        Ok(item)
    } else {
        Err(ShapeError::new("configurationItem.configuration", "an object", &item.configuration))
    }
}

fn dismissal(event: &RuleEvent, meta: &ControlMeta, resource: &ResourceKey, status: ItemStatus) -> Option<Verdict> {
    if event.mode == EvaluationMode::Proactive {
        return Some(Verdict::not_applicable("proactive mode not supported"));
    }
    if !meta.resource_types.contains(&resource.kind.as_str()) {
        return Some(Verdict::not_applicable(format!("{} is not a type of this control", resource.kind)));
    }
    if event.left_scope {
        return Some(Verdict::not_applicable("resource left the scope of the rule"));
    }
    match status {
        ItemStatus::Ok | ItemStatus::Discovered => None,
        ItemStatus::Deleted | ItemStatus::DeletedNotRecorded => Some(Verdict::not_applicable("resource deleted")),
        ItemStatus::NotRecorded => Some(Verdict::not_applicable("resource not recorded")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::control::test_control::{GLOBAL, REGIONAL};
    use serde_json::{Value, json};

    fn event(status: &str, left_scope: bool, configuration: &Value, kind: &str) -> RuleEvent {
        let invoking = json!({"messageType": "ConfigurationItemChangeNotification", "configurationItem": {
            "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": kind, "resourceId": "x",
            "configurationItemStatus": status, "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
            "configuration": configuration}});
        RuleEvent::parse(
            &json!({"invokingEvent": invoking.to_string(), "resultToken": "t", "eventLeftScope": left_scope}),
        )
        .unwrap()
    }

    fn answer(event: &RuleEvent, meta: &ControlMeta) -> String {
        let region = Region::new("eu-west-1");
        match route(event, meta, &region, &Region::new("us-east-1")).unwrap() {
            Route::Answer(_, verdict) => verdict.annotation().unwrap().to_string(),
            Route::AnswerAccount(verdict) => format!("account: {}", verdict.annotation().unwrap()),
            Route::Judge(_) => "judge".to_owned(),
            Route::Fetch => "fetch".to_owned(),
            Route::Inventory => "inventory".to_owned(),
        }
    }

    #[test]
    fn what_cannot_be_judged_is_answered_without_the_control() {
        let there = json!({"a": 1});
        let kind = "AWS::EC2::SecurityGroup";
        for (status, left_scope, configuration, kind, expected) in [
            ("OK", false, &there, kind, "judge"),
            ("ResourceDiscovered", false, &there, kind, "judge"),
            ("OK", true, &there, kind, "resource left the scope of the rule"),
            ("OK", true, &Value::Null, kind, "resource left the scope of the rule"),
            ("ResourceDeleted", true, &Value::Null, kind, "resource left the scope of the rule"),
            ("ResourceDeleted", false, &Value::Null, kind, "resource deleted"),
            ("ResourceDeletedNotRecorded", false, &Value::Null, kind, "resource deleted"),
            ("ResourceNotRecorded", false, &Value::Null, kind, "resource not recorded"),
            ("OK", false, &there, "AWS::EC2::Volume", "AWS::EC2::Volume is not a type of this control"),
        ] {
            assert_eq!(
                answer(&event(status, left_scope, configuration, kind), &REGIONAL),
                expected,
                "{status} {left_scope} {kind}"
            );
        }
    }

    #[test]
    fn a_resource_that_is_there_without_a_configuration_is_a_fault_of_ours() {
        let event = event("OK", false, &Value::Null, "AWS::EC2::SecurityGroup");
        let here = Region::new("eu-west-1");
        let error = route(&event, &REGIONAL, &here, &here).unwrap_err();
        assert_eq!(error.to_string(), "configurationItem.configuration: expected an object: received `null`");
    }

    #[test]
    fn a_global_control_answers_only_at_home() {
        let change = event("OK", false, &json!({}), "AWS::::Account");
        assert_eq!(answer(&change, &GLOBAL), "evaluated in us-east-1");
        let periodic = RuleEvent::parse(&json!({"resultToken": "t", "invokingEvent":
            "{\"messageType\":\"ScheduledNotification\",\"notificationCreationTime\":\"2026-03-04T00:00:00Z\"}"}))
        .unwrap();
        assert_eq!(answer(&periodic, &GLOBAL), "account: evaluated in us-east-1");
        let home = Region::new("us-east-1");
        assert_eq!(route(&periodic, &GLOBAL, &home, &home).unwrap(), Route::Inventory);
    }

    #[test]
    fn proactive_mode_is_refused_since_its_property_names_differ() {
        let mut event = event("OK", false, &json!({}), "AWS::EC2::SecurityGroup");
        event.mode = EvaluationMode::Proactive;
        assert_eq!(answer(&event, &REGIONAL), "proactive mode not supported");
    }
}
