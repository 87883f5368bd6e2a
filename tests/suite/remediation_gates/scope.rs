//! What the rule does not judge, the remediation does not change: excluded resources, and controls away from home.

use rectify_tests::controls::GLOBAL_WIDGET_AJAR;

use super::*;

const EXCLUDED: &str = r#"{"excludeResources": "d-1, porch"}"#;

async fn excluded(widget: Widget) -> World {
    World::with([widget]).await.setting("PARAMETERS", EXCLUDED)
}

#[tokio::test]
async fn excluded_resource_is_not_applicable_and_nobody_asks_the_service_about_it() {
    let world = excluded(Widget::disabled("d-1", &["top"])).await;
    let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert_eq!(ended(&handled).1, Outcome::NotApplicable);
    assert_eq!((only(&world).await.reason.as_str(), world.widgets.calls()), ("excluded by parameter", vec![]));
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
    assert_eq!((world.attempts("d-1").await.len(), world.around.announced().await), (1, vec![]));
}

/// The name is the live one: AWS Config need not know it, and it may have changed since.
#[tokio::test]
async fn resource_excluded_by_its_name_is_read_and_left_alone() {
    let world = excluded(Widget { name: Some("porch".to_owned()), ..Widget::disabled("d-2", &["top"]) }).await;
    let handled = world.deliver(&finding("d-2", RECORDED)).await.unwrap();
    assert_eq!(ended(&handled).1, Outcome::NotApplicable);
    assert_eq!(world.attempts("d-2").await.pop().unwrap().reason, "excluded by parameter");
    assert_eq!(world.widgets.calls(), [Call::Read("d-2".to_owned())]);
}

#[tokio::test]
async fn exclusion_that_is_lifted_does_not_settle_the_finding() {
    let mut world = excluded(Widget::disabled("d-1", &["top"])).await;
    world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    world.set("PARAMETERS", "{}");
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// What was done stays recorded, announced and undoable; the second flag stays disabled.
#[tokio::test]
async fn open_attempt_on_a_resource_that_is_excluded_meanwhile_goes_no_further() {
    for (exclude, reads) in [("d-1", 0), ("porch", 1)] {
        let widget = Widget { name: Some("porch".to_owned()), ..Widget::disabled("d-1", &["bottom", "top"]) };
        let mut world = World::with([widget.clone()]).await;
        world.widgets.disturb(On::Apply, 2, InjectedFault::Refused("NoKey", CallErrorKind::Rejected));
        world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
        assert_eq!(only(&world).await.state, State::Open);
        world.around.announced().await;
        let calls = world.widgets.calls().len();
        world.set("PARAMETERS", &json!({ "excludeResources": exclude }).to_string());
        let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
        let attempt = only(&world).await;
        assert_eq!(ended(&handled), (attempt.id.as_str(), Outcome::NotApplicable), "{exclude}");
        assert_eq!((attempt.state, attempt.actions.len()), (State::Finished, 1));
        assert_eq!(attempt.reason, "excluded by parameter; 1 of 2 calls were made before");
        assert_eq!(world.widgets.calls().len() - calls, reads, "{exclude}");
        let expected = announcement(&attempt, "Rectify Outcome", "not-applicable", &[call("bottom")]);
        assert_eq!(world.around.announced().await, [expected]);
        world.undo(&attempt.id).await.unwrap();
        assert_eq!(world.widgets.widget("d-1"), Some(widget));
    }
}

#[tokio::test]
async fn global_control_changes_nothing_away_from_home() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("HOME_REGION", "eu-central-1");
    let handled = world.deliver_to(&GLOBAL_WIDGET_AJAR, &finding("d-1", RECORDED)).await.unwrap();
    assert_eq!(ended(&handled).1, Outcome::NotApplicable);
    assert_eq!((only(&world).await.reason.as_str(), world.widgets.calls()), ("evaluated in eu-central-1", vec![]));
}
