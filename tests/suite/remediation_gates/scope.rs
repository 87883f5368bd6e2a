//! The remediation has the rule's scope: excluded resources and global controls outside their home region are not
//! changed.

use rectify_tests::controls::GLOBAL_WIDGET_DISABLED;

use super::*;

const EXCLUDED: &str = r#"{"excludeResources": "d-1, porch"}"#;

async fn excluded(widget: Widget) -> World {
    World::with([widget]).await.setting("PARAMETERS", EXCLUDED)
}

#[tokio::test]
async fn excluded_resource_is_not_applicable_without_a_read() {
    let world = excluded(Widget::disabled("d-1", &["top"])).await;
    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert_eq!(ended(&disposition).1, Outcome::NotApplicable);
    assert_eq!((only(&world).await.reason.as_str(), world.widgets.calls()), ("excluded by parameter", vec![]));
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
    assert_eq!((world.attempts("d-1").await.len(), world.sandbox.announced().await), (1, vec![]));
}

/// The live name counts: AWS Config may not know it, and it may have changed.
#[tokio::test]
async fn resource_excluded_by_its_name_is_read_and_not_changed() {
    let world = excluded(Widget { name: Some("porch".to_owned()), ..Widget::disabled("d-2", &["top"]) }).await;
    let disposition = world.deliver(&finding("d-2", RECORDED)).await.unwrap();
    assert_eq!(ended(&disposition).1, Outcome::NotApplicable);
    assert_eq!(world.attempts("d-2").await.pop().unwrap().reason, "excluded by parameter");
    assert_eq!(world.widgets.calls(), [Call::Read("d-2".to_owned())]);
}

#[tokio::test]
async fn finding_is_fixed_once_its_exclusion_is_removed() {
    let mut world = excluded(Widget::disabled("d-1", &["top"])).await;
    world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    world.set("PARAMETERS", "{}");
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// The first action stays recorded, announced and undoable; the second flag stays disabled.
#[tokio::test]
async fn attempt_on_a_resource_excluded_later_is_not_continued() {
    for (exclude, reads) in [("d-1", 0), ("porch", 1)] {
        let widget = Widget { name: Some("porch".to_owned()), ..Widget::disabled("d-1", &["bottom", "top"]) };
        let mut world = World::with([widget.clone()]).await;
        world.widgets.inject_fault(On::Apply, 2, InjectedFault::Refused("NoKey", CallErrorKind::Rejected));
        world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
        assert_eq!(only(&world).await.state, State::Open);
        world.sandbox.announced().await;
        let calls = world.widgets.calls().len();
        world.set("PARAMETERS", &json!({ "excludeResources": exclude }).to_string());
        let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
        let attempt = only(&world).await;
        assert_eq!(ended(&disposition), (attempt.id.as_str(), Outcome::NotApplicable), "{exclude}");
        assert_eq!((attempt.state, attempt.actions.len()), (State::Finished, 1));
        assert_eq!(attempt.reason, "excluded by parameter; 1 of 2 calls were made before");
        assert_eq!(world.widgets.calls().len() - calls, reads, "{exclude}");
        let expected = announcement(&attempt, "Rectify Outcome", "not-applicable", &[call("bottom")]);
        assert_eq!(world.sandbox.announced().await, [expected]);
        world.undo(&attempt.id).await.unwrap();
        assert_eq!(world.widgets.widget("d-1"), Some(widget));
    }
}

#[tokio::test]
async fn global_control_changes_nothing_outside_its_home_region() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("HOME_REGION", "eu-central-1");
    let disposition = world.deliver_to(&GLOBAL_WIDGET_DISABLED, &finding("d-1", RECORDED)).await.unwrap();
    assert_eq!(ended(&disposition).1, Outcome::NotApplicable);
    assert_eq!((only(&world).await.reason.as_str(), world.widgets.calls()), ("evaluated in eu-central-1", vec![]));
}
