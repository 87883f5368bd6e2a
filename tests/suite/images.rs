//! Attempts as earlier versions stored them: what was stored once can be undone for ever.
//!
//! `attempt.v<version>.json` in the folder of a control is the attempt of a journey, as it lay in the ledger, with the calls that took it
//! back then. A journey writes the file of its control where there is none and `RECTIFY_KEEP_IMAGES` is set; one that is there
//! is never written again. A new version of an image gets a file of its own, beside the old one. What cannot run_lifecycle here (see
//! `journeys`) has a file in the same form, written from its model.

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::{Entry, ManagedBy, Tags};
use rectify_runtime::ledger::Attempt;
use rectify_tests::binaries;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An attempt, and what took it back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    attempt: Attempt,
    undo: Vec<Value>,
}

/// Keeps what was stored, if that is asked for and it is the first of its kind.
pub(crate) fn keep(attempt: &Attempt) {
    let version = attempt.before.as_ref().unwrap().version;
    let control = rectify_catalogue::find(&attempt.control).unwrap();
    let file = binaries::root().join(name(control, version));
    if std::env::var_os("RECTIFY_KEEP_IMAGES").is_none() || file.exists() {
        return;
    }
    let undo = undo(control, attempt);
    let text = serde_json::to_string_pretty(&Kept { attempt: attempt.clone(), undo }).unwrap();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text + "\n").unwrap();
}

fn undo(control: &Entry, attempt: &Attempt) -> Vec<Value> {
    let (done, answers): (Vec<Value>, Vec<Value>) =
        attempt.done().map(|(call, answer)| (call.clone(), answer.clone())).unzip();
    assert_eq!(done.len(), attempt.actions.len(), "{}: every call was answered", attempt.control);
    control.remediation.unwrap().undo(attempt.before.as_ref().unwrap(), &done, &answers).unwrap().unwrap()
}

#[test]
fn every_version_of_every_image_is_still_a_finding_and_undone_by_the_same_calls() {
    let mut expected = BTreeSet::new();
    for control in rectify_catalogue::controls().filter(|control| control.has_calls()) {
        for version in 1..=control.state_version() {
            let name = name(control, version);
            let Kept { attempt, undo: kept } = kept(&name);
            let (before, after) = (attempt.before.as_ref().unwrap(), attempt.after.as_ref().unwrap());
            assert_eq!((attempt.control.as_str(), before.version), (control.meta.id, version), "{name}");
            let judge = |image| control.evaluate(image, &attempt.parameters, attempt.started_at);
            assert!(judge(before).unwrap().is_non_compliant(), "{name}: {:?}", judge(before));
            assert!(judge(after).is_ok(), "{name}: {:?}", judge(after));
            assert!(!kept.is_empty(), "{name}: it changed something");
            assert_eq!(undo(control, &attempt), kept, "{name}");
            expected.insert(name);
        }
    }
    assert_eq!(files(), expected, "no file without its control and version");
}

/// What CloudFormation does not tag is looked up by what the calls change, and never by what they newly make.
#[test]
fn what_the_calls_change_is_looked_up_where_tags_do_not_tell_whose_it_is() {
    let trail = "main in us-east-1";
    let expected: BTreeMap<&str, Vec<&str>> = BTreeMap::from([
        ("access-keys-rotated", vec!["AKIAEXAMPLEEXAMPABCD", "alice"]),
        ("cloud-trail-cloud-watch-logs-enabled", vec![trail]),
        ("cloud-trail-encryption-enabled", vec![trail]),
        ("cloud-trail-log-file-validation-enabled", vec![trail]),
        ("cloudwatch-alarm-console-login-without-mfa", vec!["watch"]),
        ("cloudwatch-alarm-root-usage", vec!["arn:aws:sns:us-east-1:111122223333:alarms in us-east-1"]),
        ("cloudwatch-alarm-unauthorized-api-calls", vec![]),
        ("cmk-backing-key-rotation-enabled", vec!["4645eeef-802e-4076-9722-ed248518a388"]),
        ("config-recorder-healthy", vec!["default"]),
        ("iam-user-mfa-enabled", vec!["alice"]),
        ("mfa-enabled-for-iam-console-access", vec!["alice"]),
        ("multi-region-cloudtrail-enabled", vec![trail]),
        ("s3-bucket-ssl-requests-only", vec!["plain"]),
    ]);
    for name in files() {
        let Kept { attempt, .. } = kept(&name);
        let half = rectify_catalogue::find(&attempt.control).unwrap().remediation.unwrap();
        let before = attempt.before.as_ref().unwrap();
        let ids = attempt.done().flat_map(|(action, _)| half.stack_resources(before, action).unwrap());
        let ids: BTreeSet<String> = ids
            .map(|it| it.region.map_or_else(|| it.id.clone(), |region| format!("{} in {}", it.id, region.as_str())))
            .collect();
        let expected = expected.get(attempt.control.as_str());
        let looks_up = matches!(half.managed_by(), ManagedBy::Lookup(_));
        assert_eq!(
            (looks_up, ids),
            (expected.is_some(), expected.into_iter().flatten().map(|it| (*it).to_owned()).collect()),
            "{name}"
        );
    }
}

/// By its tags it is told what CloudFormation manages, by its ARN what is exempt.
#[test]
fn every_image_knows_the_resource_its_arn_and_its_tags() {
    let tag = ("aws:cloudformation:stack-name".to_owned(), "shop".to_owned());
    let mut tagged = 0;
    for name in files() {
        let Kept { attempt, .. } = kept(&name);
        let control = rectify_catalogue::find(&attempt.control).unwrap();
        let before = attempt.before.unwrap();
        if before.version != control.state_version() {
            continue;
        }
        let mut subject = before.subject;
        let Some(owner) = owner_of_tags(&mut subject) else {
            assert_eq!(control.image(subject).unwrap().resource, attempt.target.resource, "{name}");
            continue;
        };
        owner.insert("tags".to_owned(), json!({ tag.0.as_str(): tag.1 }));
        let arn = owner.get("arn").and_then(Value::as_str).map(str::to_owned);
        let known = control.image(subject).unwrap();
        assert_eq!((known.resource, known.arn), (attempt.target.resource, arn), "{name}");
        assert_eq!(known.tags, Tags::from([tag.clone()]), "{name}");
        tagged += 1;
    }
    assert!(tagged > 15, "{tagged}");
}

/// The object that `tags` is a key of, nearest to the root.
fn owner_of_tags(subject: &mut Value) -> Option<&mut Map<String, Value>> {
    let object = subject.as_object_mut()?;
    if object.contains_key("tags") {
        return Some(object);
    }
    object.values_mut().find_map(owner_of_tags)
}

fn kept(name: &str) -> Kept {
    let text = std::fs::read_to_string(binaries::root().join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}: `make images` keeps what the control's journey stored"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn files() -> BTreeSet<String> {
    let files = rectify_catalogue::controls().map(rectify_catalogue::folder).flat_map(|folder| {
        let files = std::fs::read_dir(binaries::root().join(folder)).into_iter().flatten();
        files.map(move |file| format!("{folder}/{}", file.unwrap().file_name().into_string().unwrap()))
    });
    files.filter(|file| file.ends_with(".json")).collect()
}

fn name(control: &Entry, version: u16) -> String {
    format!("{}/attempt.v{version}.json", rectify_catalogue::folder(control))
}
