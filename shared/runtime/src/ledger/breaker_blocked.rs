//! The register of resources that an open breaker kept from being fixed, so that they can be listed.

use rectify_compliance::{Target, Timestamp};

use super::item::{Item, key, number, read_text, text};
use super::key::breaker_blocked_of;
use super::{Attempt, Ledger, Outcome, ResourcePath};
use crate::Error;

/// How long an entry is kept, seconds: longer than any breaker stays open.
const TTL: i64 = 9 * 24 * 3600;

/// A resource that a breaker recently kept from being fixed. The breaker itself says whether it is still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerBlocked {
    /// The control.
    pub control: String,
    /// The resource.
    pub target: Target,
}

impl Ledger {
    /// The resources that breakers recently kept a control from fixing.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table or an entry cannot be read.
    pub async fn breaker_blocked(&self, control: &str) -> Result<Vec<BreakerBlocked>, Error> {
        let read = |item: &Item| {
            let target = read_text(item, "target")?;
            Ok(BreakerBlocked {
                control: control.to_owned(),
                target: serde_json::from_str(target)
                    .map_err(|error| Error::Ledger(format!("target: {error}: received `{target}`")))?,
            })
        };
        self.query(&breaker_blocked_of(control), "").await?.iter().map(read).collect()
    }
}

/// The register entry of an attempt that ends with an open breaker.
pub(super) fn breaker_blocked_item(it: &Attempt, now: Timestamp) -> Result<Option<Item>, Error> {
    if it.outcome != Some(Outcome::BreakerOpen) {
        return Ok(None);
    }
    let target = serde_json::to_string(&it.target).map_err(|error| Error::Ledger(error.to_string()))?;
    let mut item = key(&breaker_blocked_of(&it.control), ResourcePath::of(&it.target).as_str());
    item.insert("target".to_owned(), text(target));
    item.insert("expires".to_owned(), number(now.as_second() + TTL));
    Ok(Some(item))
}
