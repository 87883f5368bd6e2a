//! Live reads that outlast the function: Lambda would end it in the middle, and nobody would hear why.

use rectify_runtime::deadline::Deadline;
use rectify_runtime::remediation::Delivery;

use super::*;

/// Delivers when no time is left for a read that takes any.
async fn deliver_late(world: &World) -> Error {
    let late = Delivery { reads_until: Deadline { epoch_ms: 0 }, ..delivery("late") };
    deliver_through(&world.shell(), &finding("d-1", RECORDED), &late).await.unwrap_err()
}

/// Nothing is changed by the delivery, and the next one need not wait for its lease.
#[tokio::test]
async fn read_before_an_action_is_given_up_and_nothing_is_changed() {
    for number in [1, 2] {
        let world = World::with([Widget::disabled("d-1", &["top"])]).await;
        world.widgets.meanwhile(On::Read, number, std::future::pending());
        let fault = deliver_late(&world).await;
        assert_eq!(fault.kind(), "OutOfTime", "read {number}: {fault}");
        assert!(fault.to_string().starts_with("live read of Rectify::Test::Widget d-1: "), "{fault}");
        assert_eq!(world.widgets.effects(), [], "read {number}");
        assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    }
}

/// What was changed is known, and verified by the next delivery.
#[tokio::test]
async fn read_after_an_action_is_given_up_and_the_attempt_stays_open() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.meanwhile(On::Read, 3, std::future::pending());
    let fault = deliver_late(&world).await;
    let attempt = only(&world).await;
    assert_eq!((fault.kind(), attempt.state, attempt.done().count()), ("OutOfTime", State::Open, 1), "{fault}");
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    assert_eq!(world.widgets.effects(), [Call::Apply(shut("top"))]);
}
