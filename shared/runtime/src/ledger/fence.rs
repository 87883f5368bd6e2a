//! Operators' decisions during a delivery, as conditions of the write that precedes an action.

use aws_sdk_dynamodb::types::builders::ConditionCheckBuilder;
use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem};
use rectify_compliance::Timestamp;

use super::exemptions::Registry;
use super::item::{instant, key, number};
use super::key::{REVISION, STOP, decisions_on, exemptions_of, hold};
use super::{Ledger, ResourcePath};
use crate::Error;

/// The decisions that the gates read, which must still hold in the transaction that allows an action.
#[derive(Debug, Clone, Copy)]
pub struct Fence<'a> {
    /// The control.
    pub control: &'a str,
    /// The resource.
    pub path: &'a ResourcePath,
    /// The exemptions as they were read.
    pub registry: &'a Registry,
    /// When the action is made: a hold that ended earlier is ignored.
    pub now: Timestamp,
}

/// Which decision precedes the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overruled {
    /// A stop switch is on.
    Stopped,
    /// The resource is held, or the exemptions have changed: the gates decide again.
    Decided,
}

impl Ledger {
    /// The conditions of a fence: the two switches first, then the hold and the exemptions.
    pub(super) fn fenced(&self, fence: &Fence<'_>) -> Result<Vec<TransactWriteItem>, Error> {
        let Fence { control, path, registry, now } = fence;
        let absent = |check: ConditionCheckBuilder| check.condition_expression("attribute_not_exists(pk)");
        let mut checks = vec![
            absent(self.check(STOP, "*")),
            absent(self.check(STOP, control)),
            self.check(&decisions_on(path), &hold(control))
                .condition_expression("attribute_not_exists(pk) OR #until <= :now")
                .expression_attribute_names("#until", "until")
                .expression_attribute_values(":now", instant(*now)),
        ];
        for (scope, revision) in &registry.revisions {
            let check = self.check(&exemptions_of(scope), REVISION);
            checks.push(match revision {
                None => absent(check),
                Some(read) => check.condition_expression("n = :n").expression_attribute_values(":n", number(read)),
            });
        }
        checks.into_iter().map(checking).collect()
    }

    fn check(&self, pk: &str, sk: &str) -> ConditionCheckBuilder {
        ConditionCheck::builder().table_name(&self.table).set_key(Some(key(pk, sk)))
    }
}

impl Overruled {
    /// The decision that belongs to the failed condition of the fence, by its index.
    pub(super) const fn by(index: usize) -> Self {
        if index < 2 { Self::Stopped } else { Self::Decided }
    }
}

fn checking(check: ConditionCheckBuilder) -> Result<TransactWriteItem, Error> {
    let check = check.build().map_err(|error| Error::Ledger(error.to_string()))?;
    Ok(TransactWriteItem::builder().condition_check(check).build())
}
