//! The decisions about an event that need neither a control nor an API call.

use crate::parameters::CommonParameters;
use crate::rule_event::EvaluationMode;
use crate::{
    ConfigurationItem, ControlMeta, ItemStatus, Message, Region, ResourceKey, RuleEvent, Scope, ShapeError, Verdict,
};

/// The resources that a rule evaluates. The rule's function, its remediation and the command line all use it.
#[derive(Debug, Clone, Copy)]
pub struct RuleScope<'a> {
    /// The control.
    pub meta: &'a ControlMeta,
    /// The parameters that every rule has.
    pub parameters: &'a CommonParameters,
    /// The region of the rule.
    pub here: &'a Region,
    /// The region in which global controls are evaluated.
    pub home: &'a Region,
}

impl RuleScope<'_> {
    /// Why the rule does not evaluate this resource, whatever its configuration; `None` if it does. `name` is the
    /// resource's name, if known: the item's, or the live one.
    pub fn out_of_scope(&self, resource: &ResourceKey, name: Option<&str>) -> Option<Verdict> {
        if let Some(verdict) = self.outside_home_region() {
            return Some(verdict);
        }
        if !self.meta.resource_types.contains(&resource.kind.as_str()) {
            return Some(Verdict::not_applicable(format!("{} is not a type of this control", resource.kind)));
        }
        self.parameters.excludes(resource, name).then(|| Verdict::not_applicable("excluded by parameter"))
    }

    /// The verdict of a global control outside its home region.
    fn outside_home_region(&self) -> Option<Verdict> {
        (self.meta.scope == Scope::Global && self.here != self.home)
            .then(|| Verdict::not_applicable(format!("evaluated in {}", self.home)))
    }
}

/// What to do with an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Route<'a> {
    /// Report this verdict for this resource without calling the control.
    Answer(ResourceKey, Verdict),
    /// Evaluate this item.
    Judge(&'a ConfigurationItem),
    /// Fetch the item, then call [`route_fetched`].
    Fetch,
    /// List and evaluate all subjects.
    Periodic,
    /// Report this verdict for the rule's account: a global control outside its home region.
    AnswerAccount(Verdict),
}

/// Routes an event. Resources that are out of scope or deleted get their verdict here.
///
/// # Errors
/// [`ShapeError`] if the item's status is that of an existing resource but the item has no configuration.
pub fn route<'a>(event: &'a RuleEvent, scope: &RuleScope<'_>) -> Result<Route<'a>, ShapeError> {
    match &event.message {
        Message::Periodic { .. } => Ok(scope.outside_home_region().map_or(Route::Periodic, Route::AnswerAccount)),
        Message::Oversized { summary, .. } => {
            let target = &summary.target;
            Ok(not_applicable(event, scope, &target.resource, target.name.as_deref(), summary.status)
                .map_or(Route::Fetch, |verdict| Route::Answer(target.resource.clone(), verdict)))
        }
        Message::Change { item, .. } => route_fetched(event, scope, item),
    }
}

/// Routes an item that came with the event or was fetched for it. By now the resource may be deleted or renamed.
///
/// # Errors
/// [`ShapeError`], as for [`admit`].
pub fn route_fetched<'a>(
    event: &RuleEvent,
    scope: &RuleScope<'_>,
    item: &'a ConfigurationItem,
) -> Result<Route<'a>, ShapeError> {
    match not_applicable(event, scope, &item.resource, item.name.as_deref(), item.status) {
        Some(verdict) => Ok(Route::Answer(item.resource.clone(), verdict)),
        None => admit(item).map(Route::Judge),
    }
}

/// Returns the item if a control can evaluate it.
///
/// # Errors
/// [`ShapeError`] if `configuration` is not an object: missing data never counts as compliant.
pub fn admit(item: &ConfigurationItem) -> Result<&ConfigurationItem, ShapeError> {
    if item.configuration.is_object() {
        Ok(item)
    } else {
        Err(ShapeError::new("configurationItem.configuration", "an object", &item.configuration))
    }
}

fn not_applicable(
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
            Route::Periodic => "periodic".to_owned(),
        }
    }

    #[test]
    fn an_item_that_cannot_be_evaluated_gets_its_verdict_without_the_control() {
        let existing = json!({"a": 1});
        let kind = "AWS::EC2::SecurityGroup";
        for (status, left_scope, configuration, kind, expected) in [
            ("OK", false, &existing, kind, "judge"),
            ("ResourceDiscovered", false, &existing, kind, "judge"),
            ("OK", true, &existing, kind, "resource left the scope of the rule"),
            ("OK", true, &Value::Null, kind, "resource left the scope of the rule"),
            ("ResourceDeleted", true, &Value::Null, kind, "resource left the scope of the rule"),
            ("ResourceDeleted", false, &Value::Null, kind, "resource deleted"),
            ("ResourceDeletedNotRecorded", false, &Value::Null, kind, "resource deleted"),
            ("ResourceNotRecorded", false, &Value::Null, kind, "resource not recorded"),
            ("OK", false, &existing, "AWS::EC2::Volume", "AWS::EC2::Volume is not a type of this control"),
        ] {
            assert_eq!(
                answer(&event(status, left_scope, configuration, kind), &REGIONAL),
                expected,
                "{status} {left_scope} {kind}"
            );
        }
    }

    #[test]
    fn an_existing_resource_without_a_configuration_is_an_error() {
        let event = event("OK", false, &Value::Null, "AWS::EC2::SecurityGroup");
        let error = routed(&event, &REGIONAL, "eu-west-1").unwrap_err();
        assert_eq!(error.to_string(), "configurationItem.configuration: expected an object: received `null`");
    }

    #[test]
    fn a_global_control_is_evaluated_only_in_the_home_region() {
        let change = event("OK", false, &json!({}), "AWS::::Account");
        assert_eq!(answer(&change, &GLOBAL), "evaluated in us-east-1");
        let periodic = RuleEvent::parse(&json!({"resultToken": "t", "invokingEvent":
            "{\"messageType\":\"ScheduledNotification\",\"notificationCreationTime\":\"2026-03-04T00:00:00Z\"}"}))
        .unwrap();
        assert_eq!(answer(&periodic, &GLOBAL), "account: evaluated in us-east-1");
        assert_eq!(routed(&periodic, &GLOBAL, "us-east-1").unwrap(), Route::Periodic);
    }

    #[test]
    fn a_resource_is_excluded_by_id_or_name() {
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
    fn proactive_mode_is_not_applicable() {
        let mut event = event("OK", false, &json!({}), "AWS::EC2::SecurityGroup");
        event.mode = EvaluationMode::Proactive;
        assert_eq!(answer(&event, &REGIONAL), "proactive mode not supported");
    }
}
