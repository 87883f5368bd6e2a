//! The change trigger: one item, one evaluation.

use rectify_compliance::gate::{self, Route};
use rectify_compliance::{ConfigurationItem, Evaluation, Message, Verdict};

use super::Run;
use crate::Error;
use crate::invocation::Invocation;

/// Evaluates an item and sends the verdict with the item's own capture time.
pub(super) async fn judge(run: &Run<'_>, item: &ConfigurationItem, log: &mut Invocation) -> Result<(), Error> {
    let judge = run.judge(&item.account, &item.region).await?;
    let verdict = judge.item(item, run.scope, run.event.message.time()).await?;
    let verdict = verdict.unwrap_or_else(|| Verdict::not_applicable("resource deleted"));
    run.send(&[Evaluation { resource: item.resource.clone(), verdict, ordering: item.captured_at }], log)
        .await
        .map(drop)
}

/// Fetches the item of an oversized event, then evaluates it like any other.
pub(super) async fn judge_oversized(run: &Run<'_>, log: &mut Invocation) -> Result<(), Error> {
    let Message::Oversized { summary, .. } = &run.event.message else {
        return Err(Error::UnsupportedTrigger { half: "change" });
    };
    let item = run.config().await?.item_of(summary).await?;
    match gate::route_fetched(run.event, &run.scope, &item)? {
        Route::Answer(resource, verdict) => {
            run.send(&[Evaluation { resource, verdict, ordering: item.captured_at }], log).await.map(drop)
        }
        _ => judge(run, &item, log).await,
    }
}
