//! A ledger that fails: at any single call, from any call on, or after it did what it was asked.

use std::sync::atomic::Ordering;

use rectify_tests::emulator::{endpoint, http, sdk_over};
use rectify_tests::outage::{Outage, during};

use super::*;

/// Every call to the ledger in turn goes wrong in this way, until a whole run meets no trouble; then AWS is well again and
/// the finding comes once more. Whatever happened: nothing was changed without a stored before-image, nothing was changed
/// twice, nothing is lost, and undo restores the widget.
async fn survives(code: &'static str, works: bool, lasts: bool) {
    let before = Widget::disabled("d-1", &["bottom", "top"]);
    let mut number = 1;
    loop {
        let world = World::with([before.clone()]).await;
        let last = if lasts { usize::MAX } else { number };
        let outage = Outage { holding: "DynamoDB", first: number, last, code, works };
        let (http, met) = during(http(), outage);
        let shell = world.shell_over(&sdk_over(endpoint(), http));
        let result = deliver_through(&shell, &finding("d-1", RECORDED), &doomed_delivery("w")).await;
        let case = format!("{code} works={works} lasts={lasts} call {number}");
        if met.load(Ordering::SeqCst) < number {
            assert_eq!(ended(&result.unwrap()).1, Outcome::Verified, "{case}: a run without trouble");
            break;
        }
        if !world.widgets.effects().is_empty() {
            let stored = only(&world).await;
            assert_eq!(stored.before.unwrap().read::<Widget>().unwrap(), before, "{case}: changed without an image");
        }
        world.outlive_lease("d-1").await;
        let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap_or_else(|fault| panic!("{case}: {fault}"));
        let attempts = world.attempts("d-1").await;
        let attempt = attempts.first().unwrap_or_else(|| panic!("{case}: {handled:?}"));
        assert_eq!((attempts.len(), attempt.outcome), (1, Some(Outcome::Verified)), "{case}: {attempts:?}");
        assert_eq!(world.widgets.effects(), [Call::Apply(shut("bottom")), Call::Apply(shut("top"))], "{case}");
        assert_eq!(world.around.budget_used().await, 1, "{case}");
        assert!(!world.around.announced().await.is_empty(), "{case}: nobody was told");
        world.undo(&attempt.id).await.unwrap_or_else(|fault| panic!("{case}: {fault}"));
        assert_eq!(world.widgets.widget("d-1").as_ref(), Some(&before), "{case}");
        number += 1;
    }
    assert!(number > 12, "a run makes {number} calls");
}

#[tokio::test]
async fn single_call_that_is_refused_is_survived() {
    survives("InternalServerError", false, false).await;
}

#[tokio::test]
async fn single_call_that_is_throttled_is_survived() {
    survives("ThrottlingException", false, false).await;
}

#[tokio::test]
async fn single_answer_that_is_lost_is_survived() {
    survives("InternalServerError", true, false).await;
}

#[tokio::test]
async fn ledger_that_is_down_from_a_call_on_is_survived() {
    survives("InternalServerError", false, true).await;
}
