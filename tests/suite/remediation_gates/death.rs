//! Death between any two steps: a function that stops for good before or after any call, and the delivery that follows.

use rectify_runtime::remediation::RemediationContext;

use super::*;

/// Delivers to a function that dies on the way; `true` when it died.
async fn dies(shell: RemediationContext, life: &Life) -> bool {
    let event = finding("d-1", RECORDED);
    let delivery = doomed_delivery("doomed");
    let task = tokio::spawn(async move { deliver_through(&shell, &event, &delivery).await });
    while !life.is_over() && !task.is_finished() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    if task.is_finished() {
        assert_eq!(ended(&task.await.unwrap().unwrap()).1, Outcome::Verified);
        return false;
    }
    task.abort();
    true
}

/// Whatever step it dies at, the next delivery ends the same attempt: each flag is shut once, every receipt is known, the
/// before-image is the first one's, the budget is taken once, the outcome is told, and undo restores the widget.
#[tokio::test]
async fn function_that_dies_at_any_step_is_succeeded_without_harm() {
    let before = Widget::disabled("d-1", &["bottom", "top"]);
    let mut step = 1;
    loop {
        let world = World::with([before.clone()]).await;
        let life = Life::of(step);
        if !dies(world.mortal_shell(&life), &life).await {
            break;
        }
        world.widgets.lives(&Life::of(usize::MAX));
        let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap_or_else(|fault| panic!("{step}: {fault}"));
        let attempt = only(&world).await;
        assert_eq!(handled.attempt(), Some(attempt.id.as_str()), "{step}");
        assert_eq!(attempt.outcome, Some(Outcome::Verified), "{step}");
        assert_eq!(attempt.before.as_ref().unwrap().read::<Widget>().unwrap(), before, "{step}");
        let receipts: Vec<Value> = attempt.done().map(|(_, receipt)| receipt.clone()).collect();
        assert_eq!(receipts, [json!({"Token": 101}), json!({"Token": 102})], "{step}");
        assert_eq!(world.widgets.effects(), [Call::Apply(shut("bottom")), Call::Apply(shut("top"))], "{step}");
        assert_eq!(world.around.budget_used().await, 1, "{step}");
        let told = world.around.announced().await;
        assert!((1..=2).contains(&told.len()), "{step}: {told:?}");
        assert!(
            told.iter().all(|it| it.1["attempt"] == attempt.id && it.1["outcome"] == "verified"),
            "{step}: {told:?}"
        );
        world.undo(&attempt.id).await.unwrap();
        assert_eq!(world.widgets.widget("d-1").as_ref(), Some(&before), "{step}");
        step += 1;
    }
    assert!(step > 30, "a whole run has {step} steps");
}

/// The same in mode plan: the plan is recorded once and told at least once, wherever the function died.
#[tokio::test]
async fn plan_is_told_wherever_the_function_died() {
    let mut step = 1;
    loop {
        let world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("MODE", "plan");
        let life = Life::of(step);
        let shell = world.mortal_shell(&life);
        let event = finding("d-1", RECORDED);
        let task = tokio::spawn(async move { deliver_through(&shell, &event, &doomed_delivery("doomed")).await });
        while !life.is_over() && !task.is_finished() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        if task.is_finished() {
            break;
        }
        task.abort();
        world.widgets.lives(&Life::of(usize::MAX));
        world.deliver(&finding("d-1", RECORDED)).await.unwrap();
        let attempt = only(&world).await;
        let told = world.around.announced().await;
        assert!((1..=2).contains(&told.len()), "{step}: told {} times", told.len());
        assert!(told.iter().all(|it| it.0 == "Rectify Plan" && it.1["attempt"] == attempt.id), "{step}: {told:?}");
        assert_eq!(world.widgets.writes(), [], "{step}");
        step += 1;
    }
    assert!(step > 12, "a whole run has {step} steps");
}
