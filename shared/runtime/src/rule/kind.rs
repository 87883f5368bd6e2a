//! The three kinds of rule, by which halves their control has. An event for a half that is missing fails by name.

use std::future::Future;

use rectify_compliance::{ConfigurationItem, Control, Declared, FromItem, Image, Inventory, Resource, Verdict};

use super::{Run, periodic};
use crate::Fault;
use crate::edge::{Connect, List, ReadFacts};
use crate::invocation::Invocation;

/// Which halves a rule's function serves.
pub trait RuleKind<C: Connect>: Send + Sync + 'static {
    /// The logic of the control.
    type Control: Control;

    /// The control.
    fn control(&self) -> &'static Declared<Self::Control>;

    /// Judges one item; `None` when the resource is gone by now.
    fn judge(
        &self,
        run: &Run<'_, C, <Self::Control as Control>::Params>,
        item: &ConfigurationItem,
    ) -> impl Future<Output = Result<Option<Verdict>, Fault>> + Send;

    /// Runs the inventory.
    fn inventory(
        &self,
        run: &Run<'_, C, <Self::Control as Control>::Params>,
        line: &mut Invocation,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Judges changes.
#[derive(Debug)]
pub struct ChangeOnly<K: 'static>(pub &'static Declared<K>);

/// Judges on a schedule.
#[derive(Debug)]
pub struct ScheduleOnly<K: 'static>(pub &'static Declared<K>);

/// Judges both.
#[derive(Debug)]
pub struct ChangeOrSchedule<K: 'static>(pub &'static Declared<K>);

impl<K: FromItem + ReadFacts<C>, C: Connect> RuleKind<C> for ChangeOnly<K> {
    type Control = K;

    fn control(&self) -> &'static Declared<K> {
        self.0
    }

    async fn judge(&self, run: &Run<'_, C, K::Params>, item: &ConfigurationItem) -> Result<Option<Verdict>, Fault> {
        judge_item(self.0, run, item).await
    }

    async fn inventory(&self, _: &Run<'_, C, K::Params>, _: &mut Invocation) -> Result<(), Fault> {
        Err(Fault::WrongHalf { half: "periodic" })
    }
}

impl<K: Inventory + List<C>, C: Connect> RuleKind<C> for ScheduleOnly<K> {
    type Control = K;

    fn control(&self) -> &'static Declared<K> {
        self.0
    }

    async fn judge(&self, _: &Run<'_, C, K::Params>, _: &ConfigurationItem) -> Result<Option<Verdict>, Fault> {
        Err(Fault::WrongHalf { half: "change" })
    }

    async fn inventory(&self, run: &Run<'_, C, K::Params>, line: &mut Invocation) -> Result<(), Fault> {
        periodic::run(self.0, run, line).await
    }
}

impl<K, C> RuleKind<C> for ChangeOrSchedule<K>
where
    K: FromItem + ReadFacts<C> + Inventory + List<C>,
    C: Connect,
{
    type Control = K;

    fn control(&self) -> &'static Declared<K> {
        self.0
    }

    async fn judge(&self, run: &Run<'_, C, K::Params>, item: &ConfigurationItem) -> Result<Option<Verdict>, Fault> {
        judge_item(self.0, run, item).await
    }

    async fn inventory(&self, run: &Run<'_, C, K::Params>, line: &mut Invocation) -> Result<(), Fault> {
        periodic::run(self.0, run, line).await
    }
}

/// Item and facts make the subject; the subject is judged.
async fn judge_item<K, C>(
    control: &'static Declared<K>,
    run: &Run<'_, C, K::Params>,
    item: &ConfigurationItem,
) -> Result<Option<Verdict>, Fault>
where
    K: FromItem + ReadFacts<C>,
    C: Connect,
{
    let resource = K::Resource::from_item(item)?;
    let clients = run.clients(&item.account, &item.region).await?;
    let params = &run.params.control;
    let Some(facts) = control.logic.facts(&clients, &item.target(), &resource, params).await? else {
        return Ok(None);
    };
    let subject = control.logic.subject(resource, facts);
    // The subject may know a name that its item does not.
    let excluded = run.scope.out_of_scope(&item.resource, subject.name());
    Ok(Some(excluded.unwrap_or_else(|| control.logic.evaluate(&subject, params, run.event.message.time()))))
}
