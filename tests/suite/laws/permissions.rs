//! Declared permissions against the calls in the clients, and roles against undo.

use std::collections::{BTreeMap, BTreeSet};

use rectify_catalogue::{controls, service};
use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::permission::Condition;
use rectify_compliance::{Entry, Permission};
use rectify_tests::operations;

use super::tree::{self, shipped};

/// Actions that both a fix and its undo need, because IAM has only one for both directions: the remediation's role then
/// holds what undo calls, and what keeps it from undoing is that no code path of it does.
const BOTH_WAYS: &[(&str, &str)] = &[
    ("s3:PutAccountPublicAccessBlock", "setting and removing the block are one action"),
    ("s3:PutEncryptionConfiguration", "setting and removing default encryption are one action"),
    ("s3:PutLifecycleConfiguration", "setting and removing a lifecycle configuration are one action"),
    ("s3:PutBucketPolicy", "a policy with a statement and one without are put by one action"),
    ("s3:PutBucketPublicAccessBlock", "setting and removing the block are one action"),
    ("cloudtrail:UpdateTrail", "every setting of a trail is changed by one action, in both directions"),
    ("iam:UpdateAccountPasswordPolicy", "a policy is made stricter and set back by one action"),
    ("iam:UpdateAccessKey", "a key is turned off and on by one action"),
    ("cloudtrail:PutEventSelectors", "the previous selectors are written back by the action that replaced them"),
    ("logs:PutRetentionPolicy", "a longer and a shorter retention are set by one action"),
    (
        "ec2:ModifyNetworkInterfaceAttribute",
        "the groups of an interface are one set, replaced whole in both directions",
    ),
    ("ec2:ModifyEbsDefaultKmsKeyId", "the previous key is restored by the action that replaced it"),
    ("kms:EnableKeyRotation", "a rotation period is set by the action that turns rotation on, be it shorter or longer"),
    ("rds:ModifyDBInstance", "every setting of an instance is changed by one action, in both directions"),
    ("sns:SetTopicAttributes", "a topic's policy with a statement and one without are set by one action"),
    ("rds:ModifyDBCluster", "every setting of a cluster is changed by one action, in both directions"),
];

/// Asked for where a role is given to a service: an action, but no operation.
const PASS_ROLE: &str = "iam:PassRole";

/// What a client of one crate may use of another's, and the file that makes its calls.
const BORROWED: [(&str, &str); 1] =
    [("rectify_cloudtrail_lambda::TrailReader", "functions/cloudtrail/lambda/src/reader.rs")];
/// The same of one control alone: what is said here excuses no other.
const BOTH_WAYS_OF: [(&str, &str, &str); 4] = [
    (
        "security-group-drift",
        "ec2:AuthorizeSecurityGroupIngress",
        "a missing rule is made, a revoked one is made again",
    ),
    ("security-group-drift", "ec2:AuthorizeSecurityGroupEgress", "a missing rule is made, a revoked one is made again"),
    ("security-group-drift", "ec2:RevokeSecurityGroupIngress", "an extra rule is revoked, and so is one that was made"),
    ("security-group-drift", "ec2:RevokeSecurityGroupEgress", "an extra rule is revoked, and so is one that was made"),
];

#[test]
fn a_fixers_role_cannot_do_what_undo_does() {
    let mut used = BTreeSet::new();
    for control in controls() {
        let Some(half) = control.remediation else { continue };
        let role: BTreeSet<&str> = control.remediation_permissions().iter().map(|it| it.action).collect();
        let granted = control.remediation_permissions();
        for undo in half.undo_permissions().iter().filter(|it| role.contains(it.action)) {
            if granted.iter().filter(|it| it.action == undo.action).all(|it| told_apart(it, undo)) {
                continue; // One action, but IAM grants it for one value only.
            }
            if half.read_permissions().iter().any(|it| it.action == undo.action) {
                continue; // Reading before it is undone.
            }
            if BOTH_WAYS_OF.iter().any(|(id, action, _)| (*id, *action) == (control.meta.id, undo.action)) {
                continue;
            }
            let reasoned = BOTH_WAYS.iter().any(|(action, _)| *action == undo.action);
            assert!(reasoned, "{}: the remediation's role holds {} of undo", control.meta.id, undo.action);
            used.insert(undo.action);
        }
    }
    let idle = |(action, _): &&(&str, &str)| !used.contains(action);
    let idle: Vec<&str> = BOTH_WAYS.iter().filter(idle).map(|(action, _)| *action).collect();
    assert_eq!(idle, [""; 0], "exceptions that nothing needs");
}

/// Whether a condition keeps what `granted` allows from being what `other` allows.
fn told_apart(granted: &Permission, other: &Permission) -> bool {
    match (granted.condition, other.condition) {
        (Some(Condition::Equals(key, value)), Some(Condition::Equals(other_key, other_value))) => {
            key == other_key && value != other_value
        }
        _ => false,
    }
}

#[test]
fn reading_reads() {
    for control in controls() {
        let live = control.remediation.map_or(&[][..], |half| half.read_permissions());
        for permission in control.rule_permissions().iter().chain(live) {
            assert!(permission.reads(), "{}: {} is no read", control.meta.id, permission.action);
        }
    }
}

#[test]
fn permissions_are_spelt_as_iam_spells_them() {
    for (control, permission) in controls().flat_map(|control| all(control).into_iter().map(move |it| (control, it))) {
        let (id, Permission { action, resource, .. }) = (control.meta.id, permission);
        assert_eq!(operations::named_in(&format!("\"{action}\"")).len(), 1, "{id}: {action}: one action, no wildcard");
        let derived =
            resource == "*" || resource.starts_with("arn:${AWS::Partition}:") || permission.parameter().is_some();
        assert!(derived, "{id}: {action}: `{resource}` does not derive its partition");
    }
}

#[test]
fn every_call_is_permitted_and_every_permission_is_used() {
    for (service, controls) in by_service() {
        let declared: BTreeSet<&str> = controls.iter().flat_map(|it| all(it)).map(|it| it.action).collect();
        let called = called_by(service);
        assert!(!called.is_empty(), "functions/{service}: no client names an operation");
        let needed: BTreeSet<&str> = called.iter().flat_map(|it| operations::actions(it)).collect();
        let missing: Vec<_> = needed.difference(&declared).collect();
        assert!(missing.is_empty(), "functions/{service}: called but not declared: {missing:?}");
        let unused: Vec<_> = declared.difference(&needed).collect();
        assert!(unused.is_empty(), "functions/{service}: declared but never called: {unused:?}");
    }
}

#[test]
fn a_role_is_passed_by_a_fix_alone_and_to_one_service_alone() {
    for control in controls() {
        let half = control.remediation;
        let fixes = half.map_or(&[][..], |half| half.fix_permissions());
        for permission in all(control).into_iter().filter(|it| it.action == PASS_ROLE) {
            let id = control.meta.id;
            assert!(fixes.contains(&permission), "{id}: only a fix passes roles");
            let Some(Condition::Equals(key, service)) = permission.condition else { panic!("{id}: to any service") };
            assert!(key == "iam:PassedToService" && service.ends_with(".amazonaws.com"), "{id}: {key} {service}");
            // The one role that whoever deploys it names, and none unless it is named.
            assert!(permission.parameter().is_some(), "{id}: {}", permission.resource);
        }
    }
}

fn by_service() -> BTreeMap<&'static str, Vec<&'static Entry>> {
    let mut services = BTreeMap::<_, Vec<_>>::new();
    for control in controls() {
        services.entry(service(control)).or_default().push(control);
    }
    services
}

fn called_by(service: &str) -> BTreeSet<String> {
    shipped(&[&format!("functions/{service}/lambda/src")])
        .iter()
        .flat_map(|file| {
            let borrowed = BORROWED.iter().filter(|(name, _)| file.text.contains(name));
            let calls: String = borrowed.map(|(_, path)| tree::read(path)).collect();
            let mut needed = operations::named_in(&(file.text.clone() + &calls));
            needed.extend(operations::passes_a_role(&file.text).then(|| PASS_ROLE.to_owned()));
            needed
        })
        .collect()
}

fn all(control: &Entry) -> Vec<Permission> {
    let mut all = control.rule_permissions();
    all.extend(control.remediation_permissions());
    all.extend(control.remediation.into_iter().flat_map(ErasedRemediation::undo_permissions));
    // The lookup of stacks is the shell's call.
    let shells = control.remediation.map_or(&[][..], |half| half.managed_by().permissions());
    all.retain(|it| !shells.contains(it));
    all
}
