//! The controls that evaluate recorded items, with their parameters.
//!
//! Only controls whose subject is built from the item alone; the others are rows that say what they need.

use std::collections::{BTreeMap, HashMap};

use rectify_compliance::entry::{EntryError, ItemJudge};
use rectify_compliance::gate::{RuleScope, admit};
use rectify_compliance::parameters::CommonParameters;
use rectify_compliance::{ConfigurationItem, Entry, ParameterError, Timestamp};

use crate::{Outcome, Place, PlanView, Row};

/// AWS Config's region of resources that have none, such as IAM users.
const GLOBAL: &str = "global";

/// The id of a row about all resources of a control, and the place of one about several places.
pub(crate) const ALL: &str = "*";

/// The parameters of some controls: id to the text of `ruleParameters`. A control without an entry has its defaults.
pub type ControlParameters = BTreeMap<String, String>;

/// Parameters that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidParameters {
    /// The parameters of one control are invalid.
    #[error("parameters of `{control}`: {error}")]
    Control {
        /// Its id.
        control: &'static str,
        /// The parameter, the expected value and the received one.
        error: ParameterError,
    },
    /// Parameters of a control that is not selected.
    #[error("parameters: expected the id of a selected control: received `{0}`")]
    NotSelected(String),
}

/// The selected controls, ready to evaluate items.
pub struct Judges {
    controls: Vec<&'static Entry>,
    judges: Vec<Judge>,
    by_type: HashMap<&'static str, Vec<usize>>,
    at: Option<Timestamp>,
}

struct Judge {
    entry: &'static Entry,
    parameters: String,
    common: CommonParameters,
    evaluate: ItemJudge,
}

impl Judges {
    /// The judges of these controls. `at` is the time of the evaluation, for controls that compare ages; without it,
    /// each item is evaluated at its capture time.
    ///
    /// # Errors
    /// [`InvalidParameters`] that name the control.
    pub fn new(
        controls: &[&'static Entry],
        parameters: &ControlParameters,
        at: Option<Timestamp>,
    ) -> Result<Self, InvalidParameters> {
        if let Some(id) = parameters.keys().find(|id| !controls.iter().any(|control| control.meta.id == **id)) {
            return Err(InvalidParameters::NotSelected(id.clone()));
        }
        let mut judges = Vec::new();
        let mut by_type: HashMap<&'static str, Vec<usize>> = HashMap::new();
        for entry in controls.iter().copied() {
            let parameters = parameters.get(entry.meta.id).map_or("{}", String::as_str).to_owned();
            let invalid = |error| InvalidParameters::Control { control: entry.meta.id, error };
            entry.check_parameters(&parameters).map_err(invalid)?;
            let common = CommonParameters::parse(&parameters).map_err(invalid)?;
            let judge = entry.change.map(|change| change.item_judge(&parameters)).transpose().map_err(invalid)?;
            let Some(evaluate) = judge.flatten() else { continue };
            for kind in entry.meta.resource_types {
                by_type.entry(kind).or_default().push(judges.len());
            }
            judges.push(Judge { entry, parameters, common, evaluate });
        }
        Ok(Self { controls: controls.to_vec(), judges, by_type, at })
    }

    /// All selected controls, in their order.
    pub fn controls(&self) -> &[&'static Entry] {
        &self.controls
    }

    /// The controls that evaluate items, in their order.
    pub fn evaluated(&self) -> impl Iterator<Item = &'static Entry> {
        self.judges.iter().map(|judge| judge.entry)
    }

    /// Whether a control evaluates items of this type.
    pub fn has_type(&self, kind: &str) -> bool {
        self.by_type.contains_key(kind)
    }

    /// A row for each control of the item's type, in their order. Empty for a deleted or unrecorded resource.
    pub fn rows(&self, item: &ConfigurationItem) -> Vec<Row> {
        if !item.status.is_recorded() {
            return Vec::new();
        }
        let judges = self.by_type.get(item.resource.kind.as_str()).map_or(&[][..], Vec::as_slice);
        judges.iter().filter_map(|at| self.judges.get(*at)).map(|judge| self.row(judge, item)).collect()
    }

    fn row(&self, judge: &Judge, item: &ConfigurationItem) -> Row {
        let outcome = judge
            .outcome(item, self.at.unwrap_or(item.captured_at))
            .unwrap_or_else(|error| Outcome::Unreadable { reason: error.to_string() });
        row_of(judge.entry, item, outcome)
    }

    /// As [`rows`](Self::rows), and a row for each other control of the type, which says what that control needs.
    pub fn all_rows(&self, item: &ConfigurationItem) -> Vec<Row> {
        let mut rows = self.rows(item);
        if item.status.is_recorded() {
            let others = self.of_type(item).filter(|control| !self.is_evaluated(control));
            rows.extend(others.map(|control| row_of(control, item, Outcome::NotScanned { reason: needs(control) })));
        }
        rows
    }

    /// A row without a verdict for each selected control of the item's type. Empty for a deleted or unrecorded resource.
    pub fn unscanned(&self, item: &ConfigurationItem, reason: &str) -> Vec<Row> {
        if !item.status.is_recorded() {
            return Vec::new();
        }
        let row = |control| row_of(control, item, Outcome::NotScanned { reason: reason.to_owned() });
        self.of_type(item).map(row).collect()
    }

    fn of_type<'a>(&'a self, item: &'a ConfigurationItem) -> impl Iterator<Item = &'static Entry> + 'a {
        let kind = item.resource.kind.as_str();
        self.controls.iter().copied().filter(move |control| control.meta.resource_types.contains(&kind))
    }

    fn is_evaluated(&self, control: &Entry) -> bool {
        self.judges.iter().any(|judge| judge.entry.meta.id == control.meta.id)
    }

    /// A row for each selected control that cannot evaluate an item alone: it says what the control needs.
    pub fn not_scanned(&self, place: &Place) -> Vec<Row> {
        let others = self.controls.iter().filter(|control| !self.is_evaluated(control));
        others.map(|control| about_all(control, place, Outcome::NotScanned { reason: needs(control) })).collect()
    }
}

impl Judge {
    fn outcome(&self, item: &ConfigurationItem, at: Timestamp) -> Result<Outcome, EntryError> {
        let home = self.common.home_region.clone().unwrap_or_else(|| item.region.default_home_region());
        // A resource without a region is recorded for the region in which it is evaluated.
        let here = if item.region.as_str() == GLOBAL { &home } else { &item.region };
        let scope = RuleScope { meta: self.entry.meta, parameters: &self.common, here, home: &home };
        if let Some(verdict) = scope.out_of_scope(&item.resource, item.name.as_deref()) {
            return Ok(Outcome::of(&verdict, None));
        }
        let (verdict, finding) = (self.evaluate)(admit(item)?, at)?;
        let plan = match (self.entry.remediation, finding) {
            // A plan that cannot be made does not hide the finding.
            (Some(remediation), Some(state)) => remediation
                .plan(&state, &self.parameters, at)
                .ok()
                .map(|plan| PlanView::of_finding(self.entry, &state, &plan).in_region(here.as_str())),
            (Some(_) | None, _) => None,
        };
        Ok(Outcome::of(&verdict, plan))
    }
}

/// The account and region of an item.
pub(crate) fn place(item: &ConfigurationItem) -> Place {
    Place { account: item.account.as_str().to_owned(), region: item.region.as_str().to_owned() }
}

fn row_of(control: &Entry, item: &ConfigurationItem, outcome: Outcome) -> Row {
    Row {
        control: control.meta.id.to_owned(),
        place: place(item),
        resource_type: item.resource.kind.clone(),
        resource_id: item.resource.id.clone(),
        name: item.name.clone().filter(|name| *name != item.resource.id),
        arn: item.arn.clone(),
        source: None,
        outcome,
    }
}

/// A row about all resources of a control.
pub(crate) fn about_all(control: &Entry, place: &Place, outcome: Outcome) -> Row {
    Row {
        control: control.meta.id.to_owned(),
        place: place.clone(),
        resource_type: control.meta.resource_types.first().copied().unwrap_or(ALL).to_owned(),
        resource_id: ALL.to_owned(),
        name: None,
        arn: None,
        source: None,
        outcome,
    }
}

/// What a control needs beside the item.
fn needs(control: &Entry) -> String {
    let (what, permissions) = match control.change {
        Some(change) => ("evaluates recorded items together with live reads", change.fact_permissions()),
        None => ("evaluates live reads only", control.list_permissions().unwrap_or_default()),
    };
    let calls: Vec<&str> = permissions.iter().map(|it| it.action).collect();
    let calls = if calls.is_empty() { String::new() } else { format!(": {}", calls.join(", ")) };
    format!("{what}{calls}; scan the live account for it")
}

/// Whether a place has a region, unlike that of an IAM user.
pub(crate) fn has_region(place: &Place) -> bool {
    place.region != GLOBAL
}

#[cfg(test)]
mod tests;
