//! The scan as tests for a CI system: a suite per control, a test per resource.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::finding::{docs, fixes, meta, plan, reason, severity_name};
use super::safe::visible;
use super::summary::Counts;
use crate::result::severity;
use crate::{Outcome, Row, Scan};

type Xml = Writer<Vec<u8>>;

/// The scan as JUnit XML: a finding is a failure, what could not be read an error, the rest without a verdict is skipped.
///
/// # Errors
/// If the writer refuses an element.
pub fn junit(scan: &Scan) -> io::Result<String> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let seconds = scan.finished.duration_since(scan.started).as_secs().to_string();
    xml.create_element("testsuites")
        .with_attributes(totals("Rectify", Counts::of(&scan.rows)).iter().map(pair))
        .with_attribute(("time", seconds.as_str()))
        .write_inner_content(|xml| scan.controls.iter().try_for_each(|control| suite(xml, scan, control)))?;
    let mut text = String::from_utf8_lossy(&xml.into_inner()).into_owned();
    text.push('\n');
    Ok(text)
}

fn suite(xml: &mut Xml, scan: &Scan, control: &str) -> io::Result<()> {
    let rows: Vec<&Row> = scan.rows.iter().filter(|row| row.control == control).collect();
    let started = scan.started.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let name = visible(control);
    let title = meta(control).map_or(name.as_str(), |meta| meta.title);
    xml.create_element("testsuite")
        .with_attributes(totals(&name, Counts::of(rows.iter().copied())).iter().map(pair))
        .with_attribute(("timestamp", started.as_str()))
        .write_inner_content(|xml| {
            xml.create_element("properties").write_inner_content(|xml| {
                xml.create_element("property").with_attributes([("name", "title"), ("value", title)]).write_empty()?;
                Ok(())
            })?;
            rows.iter().try_for_each(|row| case(xml, row))
        })?;
    Ok(())
}

fn case(xml: &mut Xml, row: &Row) -> io::Result<()> {
    let name = match &row.name {
        Some(name) => format!("{} ({name})", row.resource_id),
        None => row.resource_id.clone(),
    };
    let name = visible(&format!("{name} {} {}", row.place.account, row.place.region));
    let class = visible(&format!("{}.{}", row.control, row.resource_type.replace("::", ".")));
    let mut attributes = vec![("classname", class), ("name", name)];
    // As pytest writes them: CI systems show the file, and the line where they know it.
    if let Some(source) = &row.source {
        attributes.push(("file", visible(&source.file)));
        attributes.extend(source.line.map(|line| ("line", line.to_string())));
    }
    let element = xml.create_element("testcase").with_attributes(attributes.iter().map(pair));
    let message = visible(reason(&row.outcome));
    match &row.outcome {
        Outcome::Passed { .. } => element.write_empty()?,
        Outcome::NotApplicable { .. } | Outcome::NotScanned { .. } => element.write_inner_content(|xml| {
            xml.create_element("skipped").with_attribute(("message", message.as_str())).write_empty()?;
            Ok(())
        })?,
        Outcome::Unreadable { .. } => element.write_inner_content(|xml| {
            let attributes = [("message", message.as_str()), ("type", "unreadable")];
            xml.create_element("error").with_attributes(attributes).write_empty()?;
            Ok(())
        })?,
        Outcome::Failed { .. } => element.write_inner_content(|xml| {
            let attributes = [("message", message.as_str()), ("type", severity_name(severity(row)))];
            let details = details(row);
            let failure = xml.create_element("failure").with_attributes(attributes);
            failure.write_text_content(BytesText::new(&details))?;
            Ok(())
        })?,
    };
    Ok(())
}

/// What changes and how to fix it, a line each, and the page.
fn details(row: &Row) -> String {
    let mut lines = Vec::new();
    if let Some(plan) = plan(&row.outcome) {
        lines.extend(plan.changes.iter().map(|line| visible(line)));
        lines.extend(fixes(plan).into_iter().map(visible));
        lines.extend(plan.blocker.iter().map(|blocker| format!("not automatic: {}", visible(blocker))));
    }
    lines.push(visible(&docs(&row.control)));
    lines.join("\n")
}

fn totals(name: &str, counts: Counts) -> [(&'static str, String); 5] {
    let skipped = counts.not_applicable + counts.not_scanned;
    let tests = counts.passed + counts.failed + counts.unreadable + skipped;
    [
        ("name", name.to_owned()),
        ("tests", tests.to_string()),
        ("failures", counts.failed.to_string()),
        ("errors", counts.unreadable.to_string()),
        ("skipped", skipped.to_string()),
    ]
}

fn pair<'a>((key, value): &'a (&'static str, String)) -> (&'a str, &'a str) {
    (key, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{HOSTILE, declared, example, forged, hostile};
    use quick_xml::Reader;
    use std::collections::BTreeMap;

    /// The elements of the document: name and attributes, unescaped.
    fn elements(text: &str) -> Vec<(String, BTreeMap<String, String>)> {
        let mut reader = Reader::from_str(text);
        let mut found = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) | Event::Empty(tag) => {
                    let name = tag.name().as_ref().to_owned();
                    let attribute = |it: quick_xml::events::attributes::Attribute<'_>| {
                        let key = it.key.as_ref().to_owned();
                        (key, it.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned())
                    };
                    found.push((name, tag.attributes().map(|it| attribute(it.unwrap())).collect()));
                }
                Event::Eof => return found,
                _ => {}
            }
        }
    }

    #[test]
    fn each_outcome_has_its_element() {
        let text = junit(&example()).unwrap();
        let count = |name: &str| elements(&text).iter().filter(|(element, _)| element == name).count();
        assert_eq!(["testsuite", "testcase", "failure", "error", "skipped"].map(count), [7, 10, 5, 1, 2]);
        let suites = elements(&text)[0].1.clone();
        assert_eq!(["tests", "failures", "errors", "skipped"].map(|it| suites[it].as_str()), ["10", "5", "1", "2"]);
    }

    #[test]
    fn a_failure_says_how_to_fix_it() {
        let text = junit(&example()).unwrap();
        let failure = "<testcase classname=\"rds-instance-deletion-protection-enabled.AWS.RDS.DBInstance\" \
                       name=\"db-EXAMPLE1 111122223333 eu-west-1\">\n      <failure message=\"example-database: deletion \
                       protection is off\" type=\"low\">- deletion protection: off\n+ deletion protection: on\naws rds \
                       modify-db-instance --db-instance-identifier example-database --deletion-protection\n\
                       docs/controls/rds-instance-deletion-protection-enabled.md</failure>";
        assert!(text.contains(failure), "{text}");
    }

    #[test]
    fn a_declared_resource_has_its_file_and_line() {
        let elements = elements(&junit(&declared()).unwrap());
        let cases = elements.iter().filter(|(name, _)| name == "testcase").take(3);
        let places: Vec<_> =
            cases.map(|(_, it)| ["file", "line"].map(|name| it.get(name).map(String::as_str))).collect();
        assert_eq!(places, [[Some("./stacks/my network.yaml"), Some("12")], [Some("plan.json"), None], [None, None]]);
    }

    #[test]
    fn forged_names_are_text() {
        let elements = elements(&junit(&forged()).unwrap());
        let suites: Vec<&String> = elements
            .iter()
            .filter(|(name, _)| name == "testsuite")
            .map(|(_, attributes)| &attributes["name"])
            .collect();
        assert_eq!(suites, HOSTILE.map(visible).iter().collect::<Vec<_>>());
    }

    #[test]
    fn hostile_names_are_text() {
        let elements = elements(&junit(&hostile()).unwrap());
        let messages: Vec<&String> = elements.iter().filter_map(|(_, attributes)| attributes.get("message")).collect();
        assert_eq!(messages.len(), HOSTILE.len() * 4);
        for (message, name) in messages.into_iter().zip(HOSTILE.iter().flat_map(|name| [name; 4])) {
            assert_eq!(*message, visible(name));
        }
        let files: Vec<&String> = elements.iter().filter_map(|(_, attributes)| attributes.get("file")).collect();
        let expected: Vec<String> = HOSTILE.iter().flat_map(|name| std::iter::repeat_n(visible(name), 5)).collect();
        assert_eq!(files, expected.iter().collect::<Vec<_>>());
    }
}
