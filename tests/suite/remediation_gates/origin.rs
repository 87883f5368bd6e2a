//! Origin of events: only findings of this account and region and requests stored in the ledger trigger a remediation.

use rectify_runtime::ledger::{StoredRequest, new_id};
use rectify_tests::events::requested;

use super::*;

fn with(edit: fn(&mut Value)) -> Value {
    let mut event = finding("d-1", RECORDED);
    edit(&mut event);
    event
}

/// Rule names are the same in every region and account, and a bus may carry the events of all of them.
#[tokio::test]
async fn events_of_other_regions_and_accounts_are_ignored_before_any_read() {
    // The table does not exist, so that any read of the ledger fails.
    let world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("LEDGER_TABLE", "no-such-table");
    for (event, reason) in [
        (with(|it| it["detail"]["awsRegion"] = json!("ap-south-1")), "another region"),
        (with(|it| it["region"] = json!("ap-south-1")), "another region"),
        (with(|it| it["detail"]["awsAccountId"] = json!("444455556666")), "another account"),
        (with(|it| it["account"] = json!("444455556666")), "another account"),
    ] {
        assert_eq!(world.deliver(&event).await.unwrap(), Disposition::Ignored(reason));
    }
    assert_eq!(world.widgets.calls(), []);
}

/// AWS Config reports IAM resources in region `global`, in an event of this region.
#[tokio::test]
async fn region_global_is_the_functions_region() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let event = with(|it| it["detail"]["awsRegion"] = json!("global"));
    assert_eq!(ended(&world.deliver(&event).await.unwrap()).1, Outcome::Verified);
    assert_eq!(only(&world).await.target, target("d-1"));
}

/// Any principal that may call `events:PutEvents` can send such an event.
#[tokio::test]
async fn request_that_is_not_in_the_ledger_is_ignored() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("GRACE_MINUTES", "10080");
    let found = Timestamp::now().to_string();
    assert_eq!(ended(&world.deliver(&finding("d-1", &found)).await.unwrap()).1, Outcome::Planned);
    let calls = world.widgets.calls().len();
    for id in [None, Some("01ARZ3NDEKTSV4RRFFQ69G5FAV"), Some("")] {
        let event = requested("d-1", "2000-01-01T00:00:00Z", id);
        assert_eq!(world.deliver(&event).await.unwrap(), Disposition::Ignored("a request that is not in the ledger"));
    }
    assert_eq!((world.widgets.calls().len(), world.widgets.writes()), (calls, vec![]));
}

#[tokio::test]
async fn request_is_processed_once_with_the_time_in_the_ledger() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let (now, recorded) = (Timestamp::now(), RECORDED.parse().unwrap());
    let id = new_id(now);
    world
        .ledger()
        .store_request(&id, &StoredRequest::new("widget-disabled", &target("d-1"), recorded, now))
        .await
        .unwrap();
    let event = requested("d-1", "2000-01-01T00:00:00Z", Some(&id));
    assert_eq!(ended(&world.deliver(&event).await.unwrap()).1, Outcome::Verified);
    assert_eq!(only(&world).await.recorded_at, recorded);
    // EventBridge delivers an event at least once.
    let again = world.deliver(&event).await.unwrap();
    assert!(matches!(again, Disposition::Acknowledged(_)), "{again:?}");
    assert_eq!(world.widgets.writes().len(), 1);
}

#[tokio::test]
async fn request_for_another_resource_or_expired_is_ignored() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let now = Timestamp::now();
    let valid = StoredRequest::new("widget-disabled", &target("d-1"), now, now);
    for stored in [
        StoredRequest { control: "named-widget-disabled".to_owned(), ..valid.clone() },
        StoredRequest { target: target("d-2"), ..valid.clone() },
        StoredRequest { expires: now - jiff::SignedDuration::from_secs(1), ..valid },
    ] {
        let id = new_id(now);
        world.ledger().store_request(&id, &stored).await.unwrap();
        let event = requested("d-1", RECORDED, Some(&id));
        let ignored = Disposition::Ignored("a request that is not in the ledger");
        assert_eq!(world.deliver(&event).await.unwrap(), ignored, "{stored:?}");
    }
    assert_eq!((world.widgets.calls(), world.attempts("d-1").await), (vec![], vec![]));
}
