//! Live reads that would outlast the function's timeout, which would end it without an error.

use rectify_runtime::deadline::Deadline;
use rectify_runtime::remediation::Delivery;

use super::*;

/// Delivers with no time left for reads.
async fn deliver_late(world: &World) -> Error {
    let late = Delivery { reads_until: Deadline { epoch_ms: 0 }, ..delivery("late") };
    deliver_through(&world.context(), &finding("d-1", RECORDED), &late).await.unwrap_err()
}

/// The delivery changes nothing, and the next one does not wait for its lease.
#[tokio::test]
async fn slow_read_before_an_action_fails_and_nothing_is_changed() {
    for number in [1, 2] {
        let world = World::with([Widget::disabled("d-1", &["top"])]).await;
        world.widgets.during_call(On::Read, number, std::future::pending());
        let error = deliver_late(&world).await;
        assert_eq!(error.kind(), "OutOfTime", "read {number}: {error}");
        assert!(error.to_string().starts_with("live read of Rectify::Test::Widget d-1: "), "{error}");
        assert_eq!(world.widgets.effects(), [], "read {number}");
        assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    }
}

/// The change is recorded, and verified by the next delivery.
#[tokio::test]
async fn slow_read_after_an_action_fails_and_the_attempt_stays_open() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.during_call(On::Read, 3, std::future::pending());
    let error = deliver_late(&world).await;
    let attempt = only(&world).await;
    assert_eq!((error.kind(), attempt.state, attempt.done().count()), ("OutOfTime", State::Open, 1), "{error}");
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    assert_eq!(world.widgets.effects(), [Call::Apply(enable("top"))]);
}
