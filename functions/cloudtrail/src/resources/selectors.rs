//! Event selectors: which management events a trail records.
//!
//! Knows no trail and no SDK. Selectors are kept complete, in the API's spelling, because the API only replaces the
//! whole list.

use std::collections::BTreeSet;

use rectify_compliance::canonical::unordered;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The maximum number of basic event selectors of a trail (`PutEventSelectors`, API reference, 2026-11).
const MAX_SELECTORS: usize = 5;

/// All selectors of a trail: basic or advanced, never both. Serialized as in the API. Equality ignores the order of
/// lists,
/// which has no meaning to CloudTrail.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
pub enum Selectors {
    /// Basic selectors.
    EventSelectors(Vec<EventSelector>),
    /// Advanced selectors.
    AdvancedEventSelectors(Vec<AdvancedEventSelector>),
}

/// `EventSelector`: management events (read, write or both), and data events of these resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct EventSelector {
    /// `ReadWriteType`; `All` if the API omits it.
    pub read_write_type: ReadWriteType,
    /// `IncludeManagementEvents`; true if the API omits it.
    pub include_management_events: bool,
    /// `DataResources`.
    pub data_resources: Vec<DataResource>,
    /// `ExcludeManagementEventSources`, e.g. `kms.amazonaws.com`.
    pub exclude_management_event_sources: Vec<String>,
}

/// `ReadWriteType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReadWriteType {
    /// Read events.
    ReadOnly,
    /// Write events.
    WriteOnly,
    /// Both.
    All,
}

/// `DataResource`: the resources of one type whose data events are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DataResource {
    /// `Type`.
    #[serde(rename = "Type")]
    pub kind: Option<String>,
    /// `Values`: ARNs or ARN prefixes.
    pub values: Vec<String>,
}

/// `AdvancedEventSelector`: the events that match every field selector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AdvancedEventSelector {
    /// `Name`, a description.
    pub name: Option<String>,
    /// `FieldSelectors`.
    pub field_selectors: Vec<FieldSelector>,
}

/// `AdvancedFieldSelector`: the values that one field of an event must or must not have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct FieldSelector {
    /// `Field`, e.g. `eventCategory`.
    pub field: String,
    /// `Equals`: one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equals: Vec<String>,
    /// `StartsWith`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub starts_with: Vec<String>,
    /// `EndsWith`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ends_with: Vec<String>,
    /// `NotEquals`: none of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_equals: Vec<String>,
    /// `NotStartsWith`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_starts_with: Vec<String>,
    /// `NotEndsWith`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_ends_with: Vec<String>,
}

/// The management events that all selectors together record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManagementEvents {
    /// The event sources excluded from read events; `None` if read events are not recorded.
    pub reads: Option<BTreeSet<String>>,
    /// The event sources excluded from write events; `None` if write events are not recorded.
    pub writes: Option<BTreeSet<String>>,
    /// Fields by which a selector for management events filters, so that it does not count, e.g. `eventName`.
    pub narrowed_by: BTreeSet<String>,
}

impl PartialEq for Selectors {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Selectors {
    /// The selectors as JSON with sorted lists, for the comparison before an undo.
    pub fn canonical(&self) -> Value {
        unordered(serde_json::to_value(self).unwrap_or_default())
    }

    /// Combines all selectors. An event is recorded when any selector matches it (`PutEventSelectors`, API reference),
    /// so a source is excluded from read or write events only if every selector for these events excludes it.
    pub fn management_events(&self) -> ManagementEvents {
        let mut events = ManagementEvents::default();
        match self {
            Self::EventSelectors(all) => all.iter().for_each(|it| it.add_to(&mut events)),
            Self::AdvancedEventSelectors(all) => all.iter().for_each(|it| it.add_to(&mut events)),
        }
        events
    }

    /// The same selectors with one for all management events appended. No existing selector is widened: that would
    /// widen its
    /// data events too.
    ///
    /// # Errors
    /// The reason, as text: the maximum is reached, or there are no selectors that an undo could restore.
    pub fn with_all_management_events(&self) -> Result<Self, &'static str> {
        match self {
            Self::EventSelectors(all) if all.is_empty() => Err("it has no event selectors that an undo could restore"),
            Self::EventSelectors(all) if all.len() >= MAX_SELECTORS => {
                Err("it already has the maximum number of event selectors")
            }
            Self::EventSelectors(all) => {
                let added = EventSelector::all_management_events();
                Ok(Self::EventSelectors(all.iter().cloned().chain([added]).collect()))
            }
            Self::AdvancedEventSelectors(all) => {
                let added = AdvancedEventSelector::all_management_events();
                Ok(Self::AdvancedEventSelectors(all.iter().cloned().chain([added]).collect()))
            }
        }
    }
}

impl ManagementEvents {
    fn add(&mut self, read_write_type: ReadWriteType, excluded: &BTreeSet<String>) {
        let narrow = |side: &mut Option<BTreeSet<String>>| {
            *side = Some(side.take().map_or_else(|| excluded.clone(), |known| &known & excluded));
        };
        if read_write_type != ReadWriteType::WriteOnly {
            narrow(&mut self.reads);
        }
        if read_write_type != ReadWriteType::ReadOnly {
            narrow(&mut self.writes);
        }
    }
}

impl EventSelector {
    /// The selector that records every management event and no data event.
    pub fn all_management_events() -> Self {
        Self {
            read_write_type: ReadWriteType::All,
            include_management_events: true,
            data_resources: Vec::new(),
            exclude_management_event_sources: Vec::new(),
        }
    }

    fn add_to(&self, events: &mut ManagementEvents) {
        if self.include_management_events {
            let excluded = self.exclude_management_event_sources.iter().cloned().collect();
            events.add(self.read_write_type, &excluded);
        }
    }
}

impl AdvancedEventSelector {
    /// The selector that records every management event.
    pub fn all_management_events() -> Self {
        let category = FieldSelector {
            field: "eventCategory".to_owned(),
            equals: vec!["Management".to_owned()],
            ..FieldSelector::default()
        };
        Self { name: Some("All management events".to_owned()), field_selectors: vec![category] }
    }

    fn add_to(&self, events: &mut ManagementEvents) {
        let is_management = |it: &FieldSelector| it.field == "eventCategory" && it.only_equal() == Some("Management");
        if !self.field_selectors.iter().any(is_management) {
            return;
        }
        let mut read_write_type = ReadWriteType::All;
        let mut excluded = BTreeSet::new();
        for selector in self.field_selectors.iter().filter(|it| !is_management(it)) {
            match (selector.field.as_str(), selector.only_equal()) {
                ("readOnly", Some("true")) if read_write_type != ReadWriteType::WriteOnly => {
                    read_write_type = ReadWriteType::ReadOnly;
                }
                ("readOnly", Some("false")) if read_write_type != ReadWriteType::ReadOnly => {
                    read_write_type = ReadWriteType::WriteOnly;
                }
                ("eventSource", None) if selector.only_excludes() => {
                    excluded.extend(selector.not_equals.iter().cloned());
                }
                // Any other field selector may exclude events.
                (field, _) => {
                    events.narrowed_by.insert(field.to_owned());
                    return;
                }
            }
        }
        events.add(read_write_type, &excluded);
    }
}

impl FieldSelector {
    /// The value, if one `Equals` value is the only condition.
    fn only_equal(&self) -> Option<&str> {
        let [value] = self.equals.as_slice() else { return None };
        (self.operators() == 1).then_some(value)
    }

    /// Whether the selector only excludes values.
    fn only_excludes(&self) -> bool {
        self.operators() == 1 && !self.not_equals.is_empty()
    }

    fn operators(&self) -> usize {
        let all = [
            &self.equals,
            &self.starts_with,
            &self.ends_with,
            &self.not_equals,
            &self.not_starts_with,
            &self.not_ends_with,
        ];
        all.into_iter().filter(|values| !values.is_empty()).count()
    }
}

#[cfg(test)]
mod tests;
