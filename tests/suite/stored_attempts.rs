//! Attempts as earlier versions stored them: every stored attempt can be undone forever.
//!
//! `attempt.v<version>.json` in the folder of a control is the attempt of a journey, as stored in the ledger, with the
//! calls that undid it. A journey writes the file of its control if it does not exist and `RECTIFY_KEEP_ATTEMPTS` is set;
//! an existing file is never overwritten. A new version of the state gets a new file beside the old one. A control
//! without a journey (see `journeys::SKIPPED`) has a file in the same form, written from its model.

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::{Entry, ManagedBy, Tags};
use rectify_runtime::ledger::Attempt;
use rectify_tests::binaries;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An attempt and the calls that undid it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    attempt: Attempt,
    undo: Vec<Value>,
}

/// Writes the attempt to its file, if `RECTIFY_KEEP_ATTEMPTS` is set and there is no file yet.
pub(crate) fn keep(attempt: &Attempt) {
    let version = attempt.before.as_ref().unwrap().version;
    let control = rectify_catalogue::find(&attempt.control).unwrap();
    let file = binaries::root().join(name(control, version));
    if std::env::var_os("RECTIFY_KEEP_ATTEMPTS").is_none() || file.exists() {
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
fn every_stored_state_still_violates_and_is_undone_by_the_same_calls() {
    let mut expected = BTreeSet::new();
    for control in rectify_catalogue::controls().filter(|control| control.has_calls()) {
        for version in 1..=control.state_version() {
            let name = name(control, version);
            let Kept { attempt, undo: kept } = kept(&name);
            let (before, after) = (attempt.before.as_ref().unwrap(), attempt.after.as_ref().unwrap());
            assert_eq!((attempt.control.as_str(), before.version), (control.meta.id, version), "{name}");
            let evaluate = |state| control.evaluate(state, &attempt.parameters, attempt.started_at);
            assert!(evaluate(before).unwrap().is_non_compliant(), "{name}: {:?}", evaluate(before));
            assert!(evaluate(after).is_ok(), "{name}: {:?}", evaluate(after));
            assert!(!kept.is_empty(), "{name}: it changed something");
            assert_eq!(undo(control, &attempt), kept, "{name}");
            expected.insert(name);
        }
    }
    assert_eq!(files(), expected, "every file belongs to a control and a version");
}

/// Resources that CloudFormation does not tag are looked up by the resources the calls change, not by those they
/// create.
#[test]
fn untagged_resources_are_looked_up_by_the_resources_the_calls_change() {
    let trail = "main in us-east-1";
    let topic = "arn:aws:sns:us-east-1:111122223333:alarms in us-east-1";
    let alarms = rectify_catalogue::controls().map(|it| it.meta.id).filter(|id| id.starts_with("cloudwatch-alarm-"));
    let mut expected: BTreeMap<&str, Vec<&str>> = alarms.map(|id| (id, vec![topic])).collect();
    expected.extend([
        ("access-keys-rotated", vec!["AKIAEXAMPLEEXAMPABCD", "alice"]),
        ("cloud-trail-cloud-watch-logs-enabled", vec![trail]),
        ("cloud-trail-encryption-enabled", vec![trail]),
        ("cloud-trail-log-file-validation-enabled", vec![trail]),
        ("cloudwatch-alarm-console-login-without-mfa", vec!["watch"]),
        ("cloudwatch-alarm-unauthorized-api-calls", vec![]),
        ("cmk-backing-key-rotation-enabled", vec!["4645eeef-802e-4076-9722-ed248518a388"]),
        ("config-recorder-healthy", vec!["default"]),
        ("ebs-snapshot-block-public-access", vec!["111122223333"]),
        ("iam-user-mfa-enabled", vec!["alice"]),
        ("iam-user-unused-credentials-check", vec!["AKIAEXAMPLEEXAMPABCD", "alice"]),
        ("kms-key-policy-no-public-access", vec!["7c9e6679-7425-40de-944b-e07fc1f90ae7"]),
        ("lambda-function-public-access-prohibited", vec!["Anyone"]),
        ("mfa-enabled-for-iam-console-access", vec!["alice"]),
        ("multi-region-cloudtrail-enabled", vec![trail]),
        ("s3-bucket-ssl-requests-only", vec!["plain"]),
    ]);
    for name in files() {
        let Kept { attempt, .. } = kept(&name);
        let remediation = rectify_catalogue::find(&attempt.control).unwrap().remediation.unwrap();
        let before = attempt.before.as_ref().unwrap();
        let ids = attempt.done().flat_map(|(action, _)| remediation.stack_resources(before, action).unwrap());
        let ids: BTreeSet<String> = ids
            .map(|it| it.region.map_or_else(|| it.id.clone(), |region| format!("{} in {}", it.id, region.as_str())))
            .collect();
        let expected = expected.get(attempt.control.as_str());
        let looks_up = matches!(remediation.managed_by(), ManagedBy::Lookup(_));
        assert_eq!(
            (looks_up, ids),
            (expected.is_some(), expected.into_iter().flatten().map(|it| (*it).to_owned()).collect()),
            "{name}"
        );
    }
}

/// Tags identify the stack that manages a resource, and ARNs the resources that are exempt.
#[test]
fn every_stored_state_has_resource_arn_and_tags() {
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
        let state = control.image(subject).unwrap();
        assert_eq!((state.resource, state.arn), (attempt.target.resource, arn), "{name}");
        assert_eq!(state.tags, Tags::from([tag.clone()]), "{name}");
        tagged += 1;
    }
    assert!(tagged > 15, "{tagged}");
}

/// The object nearest to the root that has a key `tags`.
fn owner_of_tags(subject: &mut Value) -> Option<&mut Map<String, Value>> {
    let object = subject.as_object_mut()?;
    if object.contains_key("tags") {
        return Some(object);
    }
    object.values_mut().find_map(owner_of_tags)
}

fn kept(name: &str) -> Kept {
    let text = std::fs::read_to_string(binaries::root().join(name)).unwrap_or_else(|error| {
        panic!("{name}: {error}: `make attempts` writes the attempt that the control's journey stores")
    });
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
