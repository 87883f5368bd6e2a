//! All recorded items per resource, oldest first.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::EngineError;
use super::item::{Item, ResourceKey};

/// The items of all resources. None is ever dropped, since a local session is short.
#[derive(Debug, Default)]
pub(super) struct History(BTreeMap<ResourceKey, Vec<Arc<Item>>>);

impl History {
    /// Adds an item, which must be newer than the resource's last one. Returns the last one and the new one.
    pub(super) fn record(&mut self, item: Item) -> Result<(Option<Arc<Item>>, Arc<Item>), EngineError> {
        let items = self.0.entry(item.key.clone()).or_default();
        let previous = items.last().cloned();
        if let Some(last) = previous.as_ref().filter(|last| item.captured <= last.captured) {
            return Err(EngineError::OutOfOrder { key: item.key, captured: item.captured, last: last.captured });
        }
        let item = Arc::new(item);
        items.push(Arc::clone(&item));
        Ok((previous, item))
    }

    /// All items of a resource, oldest first; empty if it was never recorded.
    pub(super) fn of(&self, key: &ResourceKey) -> &[Arc<Item>] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// The newest item of a resource, including one that records its deletion.
    pub(super) fn latest(&self, key: &ResourceKey) -> Option<&Arc<Item>> {
        self.of(key).last()
    }

    /// The newest item of every resource, by key.
    pub(super) fn all_latest(&self) -> impl Iterator<Item = &Arc<Item>> {
        self.0.values().filter_map(|items| items.last())
    }
}
