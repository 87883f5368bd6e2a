//! What is decided about an event before any control looks at it, without a call.

use crate::parameters::CommonParameters;
use crate::rule_event::EvaluationMode;
use crate::{
    ConfigurationItem, ControlMeta, ItemStatus, Message, Region, ResourceKey, RuleEvent, Scope, ShapeError, Verdict,
};

/// Which resources a rule judges: the rule's function, its remediation and the command line decide by it alike.
#[derive(Debug, Clone, Copy)]
pub struct RuleScope<'a> {
    /// The control.
    pub meta: &'a ControlMeta,
    /// What the rule takes beside the control's own parameters.
    pub parameters: &'a CommonParameters,
    /// The region of the rule.
    pub here: &'a Region,
    /// The region in which global controls are evaluated.
    pub home: &'a Region,
}

impl RuleScope<'_> {
    /// Why the rule does not judge this resource, whatever its configuration; `None` for one that it judges. `name` is the
    /// resource's name as far as it is known: the item's, or the live one.
    pub fn out_of_scope(&self, resource: &ResourceKey, name: Option<&str>) -> Option<Verdict> {
        if let Some(away) = self.away() {
            return Some(away);
        }
        if !self.meta.resource_types.contains(&resource.kind.as_str()) {
            return Some(Verdict::not_applicable(format!("{} is not a type of this control", resource.kind)));
        }
        self.parameters.excludes(resource, name).then(|| Verdict::not_applicable("excluded by parameter"))
    }

    /// The answer of a global control outside of its home region.
    fn away(&self) -> Option<Verdict> {
        (self.meta.scope == Scope::Global && self.here != self.home)
            .then(|| Verdict::not_applicable(format!("evaluated in {}", self.home)))
    }
}

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
    Periodic,
    /// The rule's account as a whole is answered: a global control outside of its home region.
    AnswerAccount(Verdict),
}

/// Routes an event: what the rule does not judge, and what is gone, is answered here.
///
/// # Errors
/// [`ShapeError`] when the item says that the resource is there but carries no configuration.
pub fn route<'a>(event: &'a RuleEvent, scope: &RuleScope<'_>) -> Result<Route<'a>, ShapeError> {
    match &event.message {
        Message::Periodic { .. } => Ok(scope.away().map_or(Route::Periodic, Route::AnswerAccount)),
        Message::Oversized { summary, .. } => {
            let target = &summary.target;
            Ok(dismissal(event, scope, &target.resource, target.name.as_deref(), summary.status)
                .map_or(Route::Fetch, |verdict| Route::Answer(target.resource.clone(), verdict)))
        }
        Message::Change { item, .. } => route_fetched(event, scope, item),
    }
}

/// Decides about an item that came with the event, or was fetched for it: it may be gone, or renamed, by now.
///
/// # Errors
/// [`ShapeError`], as for [`admit`].
pub fn route_fetched<'a>(
    event: &RuleEvent,
    scope: &RuleScope<'_>,
    item: &'a ConfigurationItem,
) -> Result<Route<'a>, ShapeError> {
    match dismissal(event, scope, &item.resource, item.name.as_deref(), item.status) {
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

fn dismissal(
    event: &RuleEvent,
    scope: &RuleScope<'_>,
    resource: &ResourceKey,
    name: Option<&str>,
    status: ItemStatus,
) -> Option<Verdict> {
    if event.mode == EvaluationMode::Proactive {
        return Some(Verdict::not_applicable("proactive mode not supported"));
    }
    if let Some(verdict) = scope.out_of_scope(resource, name) {
        return Some(verdict);
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

    /// The route of an event in `here`, with the home region us-east-1.
    fn routed<'a>(event: &'a RuleEvent, meta: &ControlMeta, here: &str) -> Result<Route<'a>, ShapeError> {
        let (here, home) = (Region::new(here), Region::new("us-east-1"));
        let parameters = CommonParameters { exclude: Some("sg-vip, bastion-*".parse().unwrap()), ..Default::default() };
        route(event, &RuleScope { meta, parameters: &parameters, here: &here, home: &home })
    }

    fn answer(event: &RuleEvent, meta: &ControlMeta) -> String {
        match routed(event, meta, "eu-west-1").unwrap() {
            Route::Answer(_, verdict) => verdict.annotation().unwrap().to_string(),
            Route::AnswerAccount(verdict) => format!("account: {}", verdict.annotation().unwrap()),
            Route::Judge(_) => "judge".to_owned(),
            Route::Fetch => "fetch".to_owned(),
            Route::Periodic => "inventory".to_owned(),
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
        let error = routed(&event, &REGIONAL, "eu-west-1").unwrap_err();
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
        assert_eq!(routed(&periodic, &GLOBAL, "us-east-1").unwrap(), Route::Periodic);
    }

    #[test]
    fn excluded_resource_is_answered_by_its_id_or_its_name_whether_its_item_is_there_or_not() {
        let excluded = "excluded by parameter";
        for (id, name, expected) in [
            ("sg-vip", None, excluded),
            ("sg-1", Some("bastion-a"), excluded),
            ("bastion-a", Some("x"), excluded),
            ("sg-1", Some("my-bastion"), "judge"),
            ("sg-1", None, "judge"),
        ] {
            let mut event = event("OK", false, &json!({"a": 1}), "AWS::EC2::SecurityGroup");
            let Message::Change { item, .. } = &mut event.message else { panic!("a change") };
            (item.resource.id, item.name) = (id.to_owned(), name.map(str::to_owned));
            assert_eq!(answer(&event, &REGIONAL), expected, "{id} {name:?}");
        }
    }

    #[test]
    fn proactive_mode_is_refused_since_its_property_names_differ() {
        let mut event = event("OK", false, &json!({}), "AWS::EC2::SecurityGroup");
        event.mode = EvaluationMode::Proactive;
        assert_eq!(answer(&event, &REGIONAL), "proactive mode not supported");
    }
}
