//! The catalogue as a table.

use rectify_compliance::{Entry, Trigger};
use serde_json::{Value, json};

use crate::report::{Report, columns};
use crate::style::Style;

/// All controls with severity, level and finding, within `width` columns if it is known; the JSON has triggers, types and
/// parameters too.
pub(crate) fn table(style: Style, width: Option<u16>) -> Report {
    let controls: Vec<&Entry> = rectify_catalogue::controls().collect();
    let header = ["CONTROL", "SEVERITY", "LEVEL", "FINDS"].map(str::to_owned).to_vec();
    let rows: Vec<_> = controls.iter().map(|control| row(control)).collect();
    let whole = columns(header, rows.clone());
    let text = match width {
        Some(width) if longest(&whole) > usize::from(width) => rows.iter().map(|row| stacked(row, width)).collect(),
        _ => whole,
    };
    let note =
        "LEVEL: L0 manual, L1 no effect on availability, L2 opt-in,\n       L3 never automatic; - no remediation\n";
    Report::fine(
        text + &style.muted(note),
        json!({ "controls": controls.iter().map(|it| as_json(it)).collect::<Vec<_>>() }),
    )
}

/// The length of the longest line, characters.
fn longest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or_default()
}

/// A row for a narrow terminal: the id, and the rest below it, wrapped at words.
fn stacked(row: &[String], width: u16) -> String {
    let [id, rest @ ..] = row else { return String::new() };
    let mut lines = vec![id.clone(), " ".to_owned()];
    for word in rest.join(" ").split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= usize::from(width) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("  {word}")),
        }
    }
    lines.join("\n") + "\n"
}

fn row(control: &Entry) -> Vec<String> {
    let meta = control.meta;
    vec![
        meta.id.to_owned(),
        format!("{:?}", meta.severity).to_lowercase(),
        control.remediation.map_or_else(|| "-".to_owned(), |_| meta.level.to_string()),
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
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::style::PLAIN;

    #[test]
    fn every_control_is_listed_once_in_text_and_json() {
        let report = table(PLAIN, None);
        for control in rectify_catalogue::controls() {
            let lines = report.text.lines().filter(|line| line.split_whitespace().next() == Some(control.meta.id));
            assert_eq!(lines.count(), 1, "{}", control.meta.id);
            let listed = report.json["controls"].as_array().into_iter().flatten();
            assert_eq!(listed.filter(|it| it["id"] == control.meta.id).count(), 1, "{}", control.meta.id);
        }
    }
    #[test]
    fn the_table_fits_a_terminal_and_keeps_ids_and_titles_whole() {
        let whole = table(PLAIN, None).text;
        let exact = u16::try_from(longest(&whole)).unwrap();
        assert_eq!(table(PLAIN, Some(exact)).text, whole);
        for width in [60, 80, 120] {
            let text = table(PLAIN, Some(width)).text;
            assert!(longest(&text) <= usize::from(width), "{width}: {text}");
            for control in rectify_catalogue::controls() {
                assert!(text.lines().any(|line| line == control.meta.id), "{width}: {}", control.meta.id);
            }
        }
    }
}
