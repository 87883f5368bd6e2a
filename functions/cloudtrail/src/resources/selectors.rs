//! Event selectors: what of the management events a trail records.
//!
//! Knows no trail and no SDK. Selectors are kept whole, in the API's spelling, since they can only be written whole.

use std::collections::BTreeSet;

use rectify_compliance::canonical::unordered;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most selectors of the older kind a trail takes (`PutEventSelectors`, API reference, 2026-11).
const MOST_SELECTORS: usize = 5;

/// All selectors of a trail: CloudTrail has either kind, never both. Reads as the API writes it. Two are equal whatever the
/// order of what they list, which means nothing to CloudTrail.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
pub enum Selectors {
    /// The older kind.
    EventSelectors(Vec<EventSelector>),
    /// The newer kind.
    AdvancedEventSelectors(Vec<AdvancedEventSelector>),
}

/// `EventSelector`: management events by half, and data events of these resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct EventSelector {
    /// `ReadWriteType`; All where the API leaves it out.
    pub read_write_type: ReadWriteType,
    /// `IncludeManagementEvents`; true where the API leaves it out.
    pub include_management_events: bool,
    /// `DataResources`.
    pub data_resources: Vec<DataResource>,
    /// `ExcludeManagementEventSources`, e.g. `kms.amazonaws.com`.
    pub exclude_management_event_sources: Vec<String>,
}

/// `ReadWriteType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReadWriteType {
    /// Events that change nothing.
    ReadOnly,
    /// Events that change something.
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
    /// `Values`: ARNs and prefixes of them.
    pub values: Vec<String>,
}

/// `AdvancedEventSelector`: the events for which every field fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AdvancedEventSelector {
    /// `Name`, for people.
    pub name: Option<String>,
    /// `FieldSelectors`.
    pub field_selectors: Vec<FieldSelector>,
}

/// `AdvancedFieldSelector`: what one field of an event must be and must not be.
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

/// What of the management events is recorded, all selectors taken together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ManagementEvents {
    /// The sources left out of the read events; `None` when read events are not recorded.
    pub reads: Option<BTreeSet<String>>,
    /// The sources left out of the write events; `None` when write events are not recorded.
    pub writes: Option<BTreeSet<String>>,
    /// Fields that narrow a selector of management events so that it is not counted, e.g. `eventName`.
    pub narrowed_by: BTreeSet<String>,
}

impl PartialEq for Selectors {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Selectors {
    /// The selectors as JSON whose lists are in order: what undo compares.
    pub fn canonical(&self) -> Value {
        unordered(serde_json::to_value(self).unwrap_or_default())
    }

    /// Takes all selectors together. An event is recorded when any selector fits it (`PutEventSelectors`, API reference),
    /// so a source is left out of a half only where every selector of that half leaves it out.
    pub fn management_events(&self) -> ManagementEvents {
        let mut events = ManagementEvents::default();
        match self {
            Self::EventSelectors(all) => all.iter().for_each(|it| it.add_to(&mut events)),
            Self::AdvancedEventSelectors(all) => all.iter().for_each(|it| it.add_to(&mut events)),
        }
        events
    }

    /// The same selectors and one of all management events after them. None that is there is widened: its data events would
    /// be widened with it.
    ///
    /// # Errors
    /// Why not, in words: no place is left, or there is nothing to go back to.
    pub fn with_all_management_events(&self) -> Result<Self, &'static str> {
        match self {
            Self::EventSelectors(all) if all.is_empty() => Err("it has no event selectors that could be restored"),
            Self::EventSelectors(all) if all.len() >= MOST_SELECTORS => {
                Err("it has as many event selectors as CloudTrail takes")
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
    fn add(&mut self, half: ReadWriteType, excluded: &BTreeSet<String>) {
        let narrow = |side: &mut Option<BTreeSet<String>>| {
            *side = Some(side.take().map_or_else(|| excluded.clone(), |known| &known & excluded));
        };
        if half != ReadWriteType::WriteOnly {
            narrow(&mut self.reads);
        }
        if half != ReadWriteType::ReadOnly {
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
        let of_management = |it: &FieldSelector| it.field == "eventCategory" && it.only_equal() == Some("Management");
        if !self.field_selectors.iter().any(of_management) {
            return;
        }
        let mut half = ReadWriteType::All;
        let mut excluded = BTreeSet::new();
        for selector in self.field_selectors.iter().filter(|it| !of_management(it)) {
            match (selector.field.as_str(), selector.only_equal()) {
                ("readOnly", Some("true")) if half != ReadWriteType::WriteOnly => half = ReadWriteType::ReadOnly,
                ("readOnly", Some("false")) if half != ReadWriteType::ReadOnly => half = ReadWriteType::WriteOnly,
                ("eventSource", None) if selector.only_excludes() => {
                    excluded.extend(selector.not_equals.iter().cloned());
                }
                // Whatever else it is, it may leave events out.
                (field, _) => {
                    events.narrowed_by.insert(field.to_owned());
                    return;
                }
            }
        }
        events.add(half, &excluded);
    }
}

impl FieldSelector {
    /// The one value, where the selector requires nothing else of the field.
    fn only_equal(&self) -> Option<&str> {
        let [value] = self.equals.as_slice() else { return None };
        (self.operators() == 1).then_some(value)
    }

    /// Whether the selector does nothing but exclude values.
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
