//! The change half: one item, one evaluation.

use rectify_compliance::gate::{self, Route};
use rectify_compliance::{ConfigurationItem, Control, Evaluation, Message, Verdict};

use super::{RuleKind, Run};
use crate::Fault;
use crate::edge::Connect;
use crate::invocation::Invocation;

/// Judges an item and sends the verdict with the item's own capture time.
pub(super) async fn judge<R, C>(
    rule: &R,
    run: &Run<'_, C, <R::Control as Control>::Params>,
    item: &ConfigurationItem,
    line: &mut Invocation,
) -> Result<(), Fault>
where
    R: RuleKind<C>,
    C: Connect,
{
    let verdict = rule.judge(run, item).await?.unwrap_or_else(|| Verdict::not_applicable("resource deleted"));
    run.send(&[Evaluation { resource: item.resource.clone(), verdict, ordering: item.captured_at }], line)
        .await
        .map(drop)
}

/// Fetches the item an oversized event speaks of, then judges it like any other.
pub(super) async fn judge_oversized<R, C>(
    rule: &R,
    run: &Run<'_, C, <R::Control as Control>::Params>,
    line: &mut Invocation,
) -> Result<(), Fault>
where
    R: RuleKind<C>,
    C: Connect,
{
    let Message::Oversized { summary, .. } = &run.event.message else {
        return Err(Fault::WrongHalf { half: "change" });
    };
    let item = run.shell.config.item_of(summary).await?;
    match gate::route_fetched(run.event, &run.scope, &item)? {
        Route::Answer(resource, verdict) => {
            run.send(&[Evaluation { resource, verdict, ordering: item.captured_at }], line).await.map(drop)
        }
        _ => judge(rule, run, &item, line).await,
    }
}
