//! Crash at any step: a function dies before or after any call, and the next delivery recovers.

use rectify_runtime::remediation::RemediationContext;

use super::*;

/// Delivers to a function that may die; returns whether it did.
async fn crashes(context: RemediationContext, crash_point: &CrashPoint) -> bool {
    let event = finding("d-1", RECORDED);
    let delivery = doomed_delivery("doomed");
    let task = tokio::spawn(async move { deliver_through(&context, &event, &delivery).await });
    while !crash_point.is_reached() && !task.is_finished() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    if task.is_finished() {
        assert_eq!(ended(&task.await.unwrap().unwrap()).1, Outcome::Verified);
        return false;
    }
    task.abort();
    true
}

/// Whatever step it dies at, the next delivery ends the same attempt: each flag is enabled once, every receipt is
/// recorded, the prior state is the first one, the budget is used once, the outcome is announced, and undo restores the
/// widget.
#[tokio::test]
async fn crash_at_any_step_is_recovered_by_the_next_delivery() {
    let before = Widget::disabled("d-1", &["bottom", "top"]);
    let mut step = 1;
    loop {
        let world = World::with([before.clone()]).await;
        let crash_point = CrashPoint::at(step);
        if !crashes(world.crashing_context(&crash_point), &crash_point).await {
            break;
        }
        world.widgets.crash_at(&CrashPoint::at(usize::MAX));
        let disposition =
            world.deliver(&finding("d-1", RECORDED)).await.unwrap_or_else(|error| panic!("{step}: {error}"));
        let attempt = only(&world).await;
        assert_eq!(disposition.attempt(), Some(attempt.id.as_str()), "{step}");
        assert_eq!(attempt.outcome, Some(Outcome::Verified), "{step}");
        assert_eq!(attempt.before.as_ref().unwrap().read::<Widget>().unwrap(), before, "{step}");
        let receipts: Vec<Value> = attempt.done().map(|(_, receipt)| receipt.clone()).collect();
        assert_eq!(receipts, [json!({"Token": 101}), json!({"Token": 102})], "{step}");
        assert_eq!(world.widgets.effects(), [Call::Apply(enable("bottom")), Call::Apply(enable("top"))], "{step}");
        assert_eq!(world.sandbox.budget_used().await, 1, "{step}");
        let announced = world.sandbox.announced().await;
        assert!((1..=2).contains(&announced.len()), "{step}: {announced:?}");
        assert!(
            announced.iter().all(|it| it.1["attempt"] == attempt.id && it.1["outcome"] == "verified"),
            "{step}: {announced:?}"
        );
        world.undo(&attempt.id).await.unwrap();
        assert_eq!(world.widgets.widget("d-1").as_ref(), Some(&before), "{step}");
        step += 1;
    }
    assert!(step > 30, "a whole run has {step} steps");
}

/// The same in mode `plan`: the plan is recorded once and announced at least once, wherever the function dies.
#[tokio::test]
async fn plan_is_announced_after_a_crash_at_any_step() {
    let mut step = 1;
    loop {
        let world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("MODE", "plan");
        let crash_point = CrashPoint::at(step);
        let context = world.crashing_context(&crash_point);
        let event = finding("d-1", RECORDED);
        let task = tokio::spawn(async move { deliver_through(&context, &event, &doomed_delivery("doomed")).await });
        while !crash_point.is_reached() && !task.is_finished() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        if task.is_finished() {
            break;
        }
        task.abort();
        world.widgets.crash_at(&CrashPoint::at(usize::MAX));
        world.deliver(&finding("d-1", RECORDED)).await.unwrap();
        let attempt = only(&world).await;
        let announced = world.sandbox.announced().await;
        assert!((1..=2).contains(&announced.len()), "{step}: announced {} times", announced.len());
        assert!(
            announced.iter().all(|it| it.0 == "Rectify Plan" && it.1["attempt"] == attempt.id),
            "{step}: {announced:?}"
        );
        assert_eq!(world.widgets.writes(), [], "{step}");
        step += 1;
    }
    assert!(step > 12, "a whole run has {step} steps");
}
