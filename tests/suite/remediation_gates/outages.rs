//! Ledger outages: at any single call, from any call on, or after a call took effect.

use std::sync::atomic::Ordering;

use rectify_tests::outage::{Outage, during};

use super::*;

/// Fails each call to the ledger in turn, until a run makes fewer calls. After each run AWS works again and the finding
/// is delivered once more. In every case nothing is changed without a stored prior state, nothing is changed twice,
/// nothing is lost, and undo restores the widget.
async fn survives(code: &'static str, takes_effect: bool, lasts: bool) {
    let before = Widget::disabled("d-1", &["bottom", "top"]);
    let mut number = 1;
    loop {
        let world = World::with([before.clone()]).await;
        let last = if lasts { usize::MAX } else { number };
        let outage = Outage { containing: "DynamoDB", first: number, last, code, takes_effect };
        let (http, calls) = during(world.sandbox.http(), outage);
        let context = world.context_over(&world.sandbox.sdk_over(http));
        let result = deliver_through(&context, &finding("d-1", RECORDED), &doomed_delivery("w")).await;
        let case = format!("{code} takes_effect={takes_effect} lasts={lasts} call {number}");
        if calls.load(Ordering::SeqCst) < number {
            assert_eq!(ended(&result.unwrap()).1, Outcome::Verified, "{case}: a run without a fault");
            break;
        }
        if !world.widgets.effects().is_empty() {
            let stored = only(&world).await;
            assert_eq!(
                stored.before.unwrap().read::<Widget>().unwrap(),
                before,
                "{case}: changed without a stored prior state"
            );
        }
        world.end_lease("d-1").await;
        let disposition =
            world.deliver(&finding("d-1", RECORDED)).await.unwrap_or_else(|error| panic!("{case}: {error}"));
        let attempts = world.attempts("d-1").await;
        let attempt = attempts.first().unwrap_or_else(|| panic!("{case}: {disposition:?}"));
        assert_eq!((attempts.len(), attempt.outcome), (1, Some(Outcome::Verified)), "{case}: {attempts:?}");
        assert_eq!(world.widgets.effects(), [Call::Apply(enable("bottom")), Call::Apply(enable("top"))], "{case}");
        assert_eq!(world.sandbox.budget_used().await, 1, "{case}");
        assert!(!world.sandbox.announced().await.is_empty(), "{case}: not announced");
        world.undo(&attempt.id).await.unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(world.widgets.widget("d-1").as_ref(), Some(&before), "{case}");
        number += 1;
    }
    assert!(number > 12, "a run makes {number} calls");
}

#[tokio::test]
async fn single_failed_call_is_survived() {
    survives("InternalServerError", false, false).await;
}

#[tokio::test]
async fn single_throttled_call_is_survived() {
    survives("ThrottlingException", false, false).await;
}

#[tokio::test]
async fn single_lost_answer_is_survived() {
    survives("InternalServerError", true, false).await;
}

#[tokio::test]
async fn ledger_outage_from_any_call_on_is_survived() {
    survives("InternalServerError", false, true).await;
}
