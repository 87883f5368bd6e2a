//! The register of resources that an open breaker kept from being fixed, so that they are found without being named.

use rectify_compliance::{Target, Timestamp};

use super::item::{Item, key, number, read_text, text};
use super::key::held_back_of;
use super::{Attempt, Ledger, Outcome, ResourcePath};
use crate::Error;

/// How long it is remembered, seconds: longer than any breaker stays open.
const TTL: i64 = 9 * 24 * 3600;

/// A resource that a breaker kept from being fixed lately. Whether it still does, the breaker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerBlocked {
    /// The control.
    pub control: String,
    /// The resource.
    pub target: Target,
}

impl Ledger {
    /// What breakers kept a control from fixing lately.
    ///
    /// # Errors
    /// [`Error::Ledger`] when the table cannot be asked or an entry cannot be read.
    pub async fn breaker_blocked(&self, control: &str) -> Result<Vec<BreakerBlocked>, Error> {
        let read = |item: &Item| {
            let target = read_text(item, "target")?;
            Ok(BreakerBlocked {
                control: control.to_owned(),
                target: serde_json::from_str(target)
                    .map_err(|error| Error::Ledger(format!("target: {error}: received `{target}`")))?,
            })
        };
        self.query(&held_back_of(control), "").await?.iter().map(read).collect()
    }
}

/// What an attempt adds to the register when it ends, if it does.
pub(super) fn held_back_item(it: &Attempt, now: Timestamp) -> Result<Option<Item>, Error> {
    if it.outcome != Some(Outcome::BreakerOpen) {
        return Ok(None);
    }
    let target = serde_json::to_string(&it.target).map_err(|error| Error::Ledger(error.to_string()))?;
    let mut item = key(&held_back_of(&it.control), ResourcePath::of(&it.target).as_str());
    item.insert("target".to_owned(), text(target));
    item.insert("expires".to_owned(), number(now.as_second() + TTL));
    Ok(Some(item))
}
