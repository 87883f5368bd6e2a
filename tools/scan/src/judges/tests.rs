#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;

use rectify_compliance::{Message, RuleEvent};
use serde_json::Value;

use super::*;

fn events(control: &Entry) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(control.meta.id);
    let files = std::fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path());
    let events = files.filter(|path| path.is_file()).map(|path| {
        let name = format!("{}/{}", control.meta.id, path.file_name().unwrap().to_string_lossy());
        (name, serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    });
    events.collect()
}

/// The outcome by the two steps of a rule's function.
fn by_rule(control: &Entry, item: &ConfigurationItem, text: &str, at: Timestamp) -> Outcome {
    let evaluated = control
        .change
        .unwrap()
        .subject(item, Value::Null)
        .and_then(|state| control.evaluate(&state, text, at).map(|verdict| (state, verdict)));
    match evaluated {
        Err(error) => Outcome::Unreadable { reason: error.to_string() },
        Ok((state, verdict)) => {
            let plan = control.remediation.filter(|_| verdict.is_non_compliant());
            let home = item.region.default_home_region();
            let region = if item.region.as_str() == GLOBAL { &home } else { &item.region };
            let plan = plan.map(|it| {
                let plan = it.plan(&state, text, at).unwrap();
                PlanView::of_finding(control, &state, &plan).in_region(region.as_str())
            });
            Outcome::of(&verdict, plan)
        }
    }
}

#[test]
fn every_sample_event_gets_the_verdict_and_the_plan_of_its_rule() {
    let mut compared = 0;
    let item_only = |control: &&'static Entry| control.change.is_some_and(|change| change.needs_item_only());
    for control in rectify_catalogue::controls().filter(item_only) {
        for (name, event) in events(control) {
            let Ok(event) = RuleEvent::parse(&event) else { continue };
            let Message::Change { item, .. } = &event.message else { continue };
            let text = event.parameters.as_deref().unwrap_or("{}");
            let parameters = [(control.meta.id.to_owned(), text.to_owned())].into();
            let at = event.message.time();
            let Ok(judges) = Judges::new(&[control], &parameters, Some(at)) else {
                assert!(name.contains("/error"), "{name}");
                continue;
            };
            let rows = judges.rows(item);
            let excluded = matches!(&rows[..], [Row { outcome: Outcome::NotApplicable { reason }, .. }]
                if reason == "excluded by parameter");
            if !item.configuration.is_object() || excluded {
                continue;
            }
            let outcomes: Vec<Outcome> = rows.into_iter().map(|row| row.outcome).collect();
            assert_eq!(outcomes, [by_rule(control, item, text, at)], "{name}");
            if text == "{}" {
                // Not empty, so parsed, with the same meaning.
                assert_eq!(outcomes, [by_rule(control, item, "{\"homeRegion\": null}", at)], "{name}");
            }
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared} events");
}

#[test]
fn a_control_that_needs_more_says_what() {
    let controls = ["restricted-ssh", "root-account-mfa-enabled", "efs-encrypted-check"];
    let controls: Vec<&Entry> = controls.iter().map(|id| rectify_catalogue::find(id).unwrap()).collect();
    let judges = Judges::new(&controls, &ControlParameters::new(), None).unwrap();
    let place = Place { account: "111122223333".to_owned(), region: "eu-west-1".to_owned() };
    let rows = judges.not_scanned(&place);
    let texts: Vec<String> =
        rows.iter().map(|row| format!("{} {} {:?}", row.control, row.resource_id, row.outcome)).collect();
    assert_eq!(
        texts,
        [
            "restricted-ssh * NotScanned { reason: \"evaluates recorded items together with live reads: \
             ec2:DescribeNetworkInterfaces, ec2:GetManagedPrefixListEntries; scan the live account for it\" }",
            "root-account-mfa-enabled * NotScanned { reason: \"evaluates live reads only: iam:GetAccountSummary; \
             scan the live account for it\" }",
        ]
    );
    assert!(judges.has_type("AWS::EFS::FileSystem") && !judges.has_type("AWS::EC2::SecurityGroup"));
}

#[test]
fn unusable_parameters_are_named_with_their_control() {
    let control = rectify_catalogue::find("efs-encrypted-check").unwrap();
    let refused = |id: &str, text: &str| {
        let parameters = [(id.to_owned(), text.to_owned())].into();
        Judges::new(&[control], &parameters, None).map(drop).unwrap_err().to_string()
    };
    assert!(refused("efs-encrypted-check", "{\"nope\": 1}").starts_with("parameters of `efs-encrypted-check`: "));
    assert_eq!(
        refused("restricted-ssh", "{}"),
        "parameters: expected the id of a selected control: received `restricted-ssh`"
    );
}
