//! The catalogue as a table.

use rectify_compliance::{Entry, Trigger};
use serde_json::{Value, json};

use crate::report::{Report, columns};
use crate::style::Style;

/// All controls with severity, level, triggers, types and finding.
pub(crate) fn table(style: Style) -> Report {
    let controls: Vec<&Entry> = rectify_catalogue::controls().collect();
    let header = ["CONTROL", "SEVERITY", "LEVEL", "TRIGGERS", "TYPES", "FINDS"].map(str::to_owned).to_vec();
    let rows = controls.iter().map(|control| row(control)).collect();
    let text = columns(header, rows);
    let note = "LEVEL: L0 manual, L1 no effect on availability, L2 opt-in, L3 never automatic; - no remediation\n";
    Report::fine(
        text + &style.muted(note),
        json!({ "controls": controls.iter().map(|it| as_json(it)).collect::<Vec<_>>() }),
    )
}

fn row(control: &Entry) -> Vec<String> {
    let meta = control.meta;
    vec![
        meta.id.to_owned(),
        format!("{:?}", meta.severity).to_lowercase(),
        control.remediation.map_or_else(|| "-".to_owned(), |_| meta.level.to_string()),
        meta.triggers.iter().map(|it| trigger(*it)).collect::<Vec<_>>().join(", "),
        meta.resource_types.join(", "),
        meta.title.to_owned(),
    ]
}

fn as_json(control: &Entry) -> Value {
    let meta = control.meta;
    json!({
        "id": meta.id,
        "title": meta.title,
        "severity": format!("{:?}", meta.severity).to_lowercase(),
        "resource_types": meta.resource_types,
        "triggers": meta.triggers.iter().map(|it| trigger(*it)).collect::<Vec<_>>(),
        "scope": format!("{:?}", meta.scope).to_lowercase(),
        "remediated": control.remediation.is_some(),
        "level": meta.level,
        "needs_opt_in": control.needs_opt_in(),
        "parameters": control.parameters(),
    })
}

fn trigger(trigger: Trigger) -> String {
    match trigger {
        Trigger::Change => "change".to_owned(),
        Trigger::Periodic(frequency) => frequency.api_name().to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::style::PLAIN;

    #[test]
    fn every_control_is_listed_once_in_text_and_json() {
        let report = table(PLAIN);
        for control in rectify_catalogue::controls() {
            let lines = report.text.lines().filter(|line| line.split_whitespace().next() == Some(control.meta.id));
            assert_eq!(lines.count(), 1, "{}", control.meta.id);
            let listed = report.json["controls"].as_array().into_iter().flatten();
            assert_eq!(listed.filter(|it| it["id"] == control.meta.id).count(), 1, "{}", control.meta.id);
        }
    }
}
