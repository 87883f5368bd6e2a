//! Declared permissions against the calls of the clients, and the remediation's role against undo.

use std::collections::{BTreeMap, BTreeSet};

use rectify_catalogue::{controls, service};
use rectify_compliance::entry::ErasedRemediation;
use rectify_compliance::permission::Condition;
use rectify_compliance::{Entry, Permission};
use rectify_scan::permissions::{ALWAYS_ALLOWED, LISTINGS, OF_OPTIONS};
use rectify_tests::operations;

use super::tree::{self, shipped};

/// Actions that both a fix and its undo need, because IAM has one action for both directions. The remediation's role
/// then holds a permission of undo, although none of its code paths undoes.
const BOTH_WAYS: &[(&str, &str)] = &[
    ("s3:PutAccountPublicAccessBlock", "setting and removing the block are one action"),
    ("s3:PutEncryptionConfiguration", "setting and removing default encryption are one action"),
    ("s3:PutLifecycleConfiguration", "setting and removing a lifecycle configuration are one action"),
    ("s3:PutBucketLogging", "one action turns access logging on and off"),
    ("s3:PutBucketVersioning", "one action enables and suspends versioning"),
    ("s3:PutBucketPolicy", "one action puts a policy with and without the statement"),
    ("s3:PutBucketPublicAccessBlock", "setting and removing the block are one action"),
    ("cloudtrail:UpdateTrail", "one action changes every setting of a trail, in both directions"),
    ("iam:UpdateAccountPasswordPolicy", "one action makes the policy stricter and restores it"),
    ("iam:UpdateAccessKey", "one action deactivates and activates a key"),
    ("cloudtrail:PutEventSelectors", "one action replaces the selectors and restores them"),
    ("logs:PutRetentionPolicy", "one action sets longer and shorter retentions"),
    ("ec2:ModifyNetworkInterfaceAttribute", "one action replaces the groups of an interface in both directions"),
    ("ec2:ModifySubnetAttribute", "one action turns an attribute off and on"),
    ("ec2:ModifyEbsDefaultKmsKeyId", "one action replaces the key and restores it"),
    ("ec2:EnableSnapshotBlockPublicAccess", "one action blocks all sharing and, as before, only new sharing"),
    ("kms:PutKeyPolicy", "one action puts a policy with and without the statement"),
    ("kms:EnableKeyRotation", "one action enables rotation and sets shorter and longer periods"),
    ("rds:ModifyDBInstance", "one action changes every setting of an instance, in both directions"),
    ("sns:SetTopicAttributes", "one action sets a topic's policy with and without the statement"),
    ("sqs:SetQueueAttributes", "one action sets every attribute of a queue, in both directions"),
    ("dynamodb:UpdateContinuousBackups", "one action turns point-in-time recovery on and off"),
    (
        "elasticloadbalancing:ModifyLoadBalancerAttributes",
        "one action changes every attribute of a load balancer, in both directions",
    ),
    ("ssm:ModifyDocumentPermission", "one action removes accounts and adds them"),
    ("ssm:UpdateServiceSetting", "one action changes a setting in both directions"),
    ("rds:ModifyDBCluster", "one action changes every setting of a cluster, in both directions"),
    ("rds:ModifyDBSnapshotAttribute", "one action adds and removes the accounts that may restore a snapshot"),
    ("rds:ModifyDBClusterSnapshotAttribute", "one action adds and removes the accounts that may restore a snapshot"),
];

/// Required to pass a role to a service: an IAM action without an API operation.
const PASS_ROLE: &str = "iam:PassRole";

/// A client that other crates may use, and the file that makes its calls.
const BORROWED: [(&str, &str); 1] =
    [("rectify_cloudtrail_lambda::TrailReader", "functions/cloudtrail/lambda/src/reader.rs")];
/// As [`BOTH_WAYS`], for one control each.
const BOTH_WAYS_OF: [(&str, &str, &str); 6] = [
    (
        "vpc-flow-logs-enabled",
        "logs:DeleteLogDelivery",
        "AWS requires it to create and to delete a flow log for S3; only undo may delete one",
    ),
    (
        "ebs-snapshot-public-restorable-check",
        "ec2:ModifySnapshotAttribute",
        "by condition keys, which differ: the fix may only remove the group `all`, and undo only add it",
    ),
    (
        "security-group-drift",
        "ec2:AuthorizeSecurityGroupIngress",
        "a missing rule is authorized, and so is a revoked one",
    ),
    (
        "security-group-drift",
        "ec2:AuthorizeSecurityGroupEgress",
        "a missing rule is authorized, and so is a revoked one",
    ),
    ("security-group-drift", "ec2:RevokeSecurityGroupIngress", "an extra rule is revoked, and so is an added one"),
    ("security-group-drift", "ec2:RevokeSecurityGroupEgress", "an extra rule is revoked, and so is an added one"),
];

#[test]
fn roles_of_remediations_cannot_undo() {
    let mut used = BTreeSet::new();
    for control in controls() {
        let Some(remediation) = control.remediation else { continue };
        let role: BTreeSet<&str> = control.remediation_permissions().iter().map(|it| it.action).collect();
        let granted = control.remediation_permissions();
        for undo in remediation.undo_permissions().iter().filter(|it| role.contains(it.action)) {
            if granted.iter().filter(|it| it.action == undo.action).all(|it| differs_by_condition(it, undo)) {
                continue; // One action, but IAM grants it for one value only.
            }
            if remediation.read_permissions().iter().any(|it| it.action == undo.action) {
                continue; // Undo reads before it writes.
            }
            if BOTH_WAYS_OF.iter().any(|(id, action, _)| (*id, *action) == (control.meta.id, undo.action)) {
                continue;
            }
            let listed = BOTH_WAYS.iter().any(|(action, _)| *action == undo.action);
            assert!(listed, "{}: the remediation's role holds the undo permission {}", control.meta.id, undo.action);
            used.insert(undo.action);
        }
    }
    let unused = |(action, _): &&(&str, &str)| !used.contains(action);
    let unused: Vec<&str> = BOTH_WAYS.iter().filter(unused).map(|(action, _)| *action).collect();
    assert_eq!(unused, [""; 0], "unused exceptions");
}

/// Whether the conditions require different values of the same key, so that `granted` does not allow what `other`
/// allows.
fn differs_by_condition(granted: &Permission, other: &Permission) -> bool {
    match (granted.condition, other.condition) {
        (Some(Condition::Equals(key, value)), Some(Condition::Equals(other_key, other_value))) => {
            key == other_key && value != other_value
        }
        _ => false,
    }
}

#[test]
fn read_permissions_only_read() {
    for control in controls() {
        let live = control.remediation.map_or(&[][..], |remediation| remediation.read_permissions());
        for permission in control.rule_permissions().iter().chain(live) {
            assert!(permission.reads(), "{}: {} is not a read", control.meta.id, permission.action);
        }
    }
}

#[test]
fn permissions_are_spelled_as_in_iam() {
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
    let mut scan_only: Vec<&str> = LISTINGS.to_vec();
    for (service, controls) in by_service() {
        let declared: BTreeSet<&str> = controls.iter().flat_map(|it| all(it)).map(|it| it.action).collect();
        let called = called_by(service);
        // Rules that evaluate items alone declare no permission and have no client.
        assert!(!called.is_empty() || declared.is_empty(), "functions/{service}: no client names an operation");
        let needed: BTreeSet<&str> = called.iter().flat_map(|it| operations::actions(it)).collect();
        let missing: Vec<_> = needed.difference(&declared).filter(|it| !LISTINGS.contains(it)).collect();
        scan_only.retain(|it| declared.contains(it) || !needed.contains(it));
        assert!(missing.is_empty(), "functions/{service}: called but not declared: {missing:?}");
        let unused: Vec<_> = declared.difference(&needed).collect();
        assert!(unused.is_empty(), "functions/{service}: declared but never called: {unused:?}");
    }
    assert!(scan_only.is_empty(), "declared, or not called by any scan: {scan_only:?}");
}

#[test]
fn every_call_of_a_scan_is_in_its_policy_or_documented_with_its_option() {
    let called: BTreeSet<String> =
        shipped(&["tools/rectify/src/caller", "tools/rectify/src/scan", "shared/runtime/src/operations"])
            .iter()
            .flat_map(|file| operations::named_in(&file.text))
            .collect();
    let needed: BTreeSet<&str> = called.iter().flat_map(|it| operations::actions(it)).collect();
    let (policy, page) = (tree::read("docs/scan-policy.json"), tree::read("docs/scan.md"));
    for option in OF_OPTIONS.iter().chain([&ALWAYS_ALLOWED]) {
        assert!(needed.contains(option), "{option}: no call of a scan");
        assert!(page.contains(&format!("`{option}`")), "docs/scan.md lacks {option}");
    }
    let is_known =
        |it: &&&str| OF_OPTIONS.contains(it) || **it == ALWAYS_ALLOWED || policy.contains(&format!("\"{it}\""));
    let missing: Vec<_> = needed.iter().filter(|it| !is_known(it)).collect();
    assert!(missing.is_empty(), "docs/scan-policy.json lacks {missing:?}");
}

#[test]
fn roles_are_passed_only_by_a_fix_and_to_one_service() {
    for control in controls() {
        let remediation = control.remediation;
        let fixes = remediation.map_or(&[][..], |remediation| remediation.fix_permissions());
        for permission in all(control).into_iter().filter(|it| it.action == PASS_ROLE) {
            let id = control.meta.id;
            assert!(fixes.contains(&permission), "{id}: only a fix passes roles");
            let Some(Condition::Equals(key, service)) = permission.condition else { panic!("{id}: to any service") };
            assert!(key == "iam:PassedToService" && service.ends_with(".amazonaws.com"), "{id}: {key} {service}");
            // The role that the stack's parameter names, and no role if it is empty.
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
    // The runtime makes the lookup of stacks.
    let of_runtime = control.remediation.map_or(&[][..], |remediation| remediation.managed_by().permissions());
    all.retain(|it| !of_runtime.contains(it));
    all
}
