//! `ssm-document-not-public`: a document of the account is public.

use rectify_compliance::{
    Control, Irreversible, Level, ManagedBy, NoParameters, Periodic, Permission, Plan, Remediation,
    RemediationPermissions, Step, Timestamp, Verdict, control,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::document::{Document, TYPE, permissions};

control! {
    /// ## What it checks
    /// That no document of the account is shared with every account.
    /// AWS Config records no sharing, so the documents are listed daily.
    /// A document that is shared with single accounts is compliant; the annotation has their number.
    ///
    /// ## Why it matters
    /// A runbook names hosts, roles, buckets and procedures; if it is public, every AWS account can read and run it.
    ///
    /// ## Compliant example
    /// `DescribeDocumentPermission` returns `{"AccountIds": ["444455556666"]}`.
    ///
    /// ## Non-compliant example
    /// It returns `{"AccountIds": ["all"]}`, in any case.
    ///
    /// ## Parameters
    /// No parameters of its own.
    ///
    /// ## Remediation
    /// L2: `ssm:ModifyDocumentPermission` removes `all`; other accounts keep their access.
    /// What changes: other accounts can no longer read the document.
    /// What may break: automations of accounts that used the document because it was public; share it with these accounts first.
    /// Systems Manager has no revision check, so another change can fall into the milliseconds between the last read and the write.
    /// Undo adds `all` again with the version that was shared; Systems Manager refuses that while public sharing is blocked in the region.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/ssm-document-not-public.html)
    /// - [Security Hub SSM.4](https://docs.aws.amazon.com/securityhub/latest/userguide/ssm-controls.html#ssm-4)
    /// - [Sharing documents](https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html)
    /// - [ModifyDocumentPermission](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ModifyDocumentPermission.html)
    pub SSM_DOCUMENT_NOT_PUBLIC: SsmDocumentNotPublic {
        id: "ssm-document-not-public",
        title: "Systems Manager document is public",
        severity: Critical,
        triggers: [Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Fsbp: ["SSM.4"],
            Nist80053r5: [
                "AC-3", "AC-3(7)", "AC-4", "AC-4(21)", "AC-6", "AC-21", "SC-7", "SC-7(3)", "SC-7(4)", "SC-7(9)",
                "SC-7(11)", "SC-7(16)", "SC-7(20)", "SC-7(21)",
            ],
        },
    }
}

impl Control for SsmDocumentNotPublic {
    type Params = NoParameters;
    type Subject = Document;

    fn evaluate(&self, document: &Document, _params: &NoParameters, _now: Timestamp) -> Verdict {
        let public = document.public_ids().count();
        let shared = match document.shared_with.len().saturating_sub(public) {
            0 => None,
            1 => Some("shared with 1 account".to_owned()),
            more => Some(format!("shared with {more} accounts")),
        };
        let name = &document.name;
        match (public, shared) {
            (0, None) => Verdict::COMPLIANT,
            (0, Some(shared)) => Verdict::Compliant(Some(shared.into())),
            (_, None) => Verdict::non_compliant(format!("Document {name} is public")),
            (_, Some(shared)) => Verdict::non_compliant(format!("Document {name} is public; also {shared}")),
        }
    }
}

impl Periodic for SsmDocumentNotPublic {
    fn list_permissions(&self) -> &'static [Permission] {
        &[permissions::LIST, permissions::DESCRIBE_PERMISSION]
    }
}

/// `PermissionType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionType {
    /// The only one.
    Share,
}

/// The call of the remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// Removes one id.
    ModifyDocumentPermission {
        /// The document.
        name: String,
        /// `Share`.
        permission_type: PermissionType,
        /// The id that means every account.
        account_ids_to_remove: [String; 1],
    },
}

/// The call of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Undo {
    /// Adds it again.
    ModifyDocumentPermission {
        /// The document.
        name: String,
        /// `Share`.
        permission_type: PermissionType,
        /// The id that means every account.
        account_ids_to_add: [String; 1],
        /// The version that was shared, if the API stated it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        shared_document_version: Option<String>,
    },
}

impl Remediation for SsmDocumentNotPublic {
    type Action = Action;
    type Undo = Undo;

    fn permissions(&self) -> RemediationPermissions {
        const MODIFY: &[Permission] = &[permissions::MODIFY_PERMISSION];
        const READ: &[Permission] = &[permissions::DESCRIBE, permissions::DESCRIBE_PERMISSION];
        RemediationPermissions { read: READ, fix: MODIFY, undo: MODIFY }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Unmanaged("CloudFormation has no property for the sharing of a document")
    }

    fn fix(&self, live: &Document, _params: &NoParameters, _now: Timestamp) -> Plan<Action> {
        let remove = |id: &str| {
            let (name, account_ids_to_remove) = (live.name.clone(), [id.to_owned()]);
            let permission_type = PermissionType::Share;
            let call = Action::ModifyDocumentPermission { name, permission_type, account_ids_to_remove };
            Step::call(Level::L2, call)
        };
        Plan::steps_in_order(live.public_ids().map(remove).collect())
    }

    fn predict(&self, mut live: Document, action: &Action) -> Document {
        let Action::ModifyDocumentPermission { name, account_ids_to_remove: [id], .. } = action;
        if *name == live.name {
            live.shared_with.remove(id);
        }
        live
    }

    /// Sharing with single accounts is not touched: a change of it does not prevent an undo.
    fn touched_fields(&self, subject: &Document, done: &[Action]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "public": subject.public_ids().collect::<Vec<_>>() }) }
    }

    fn undo(&self, before: &Document, done: &[Action]) -> Result<Vec<Undo>, Irreversible> {
        let inverse = |action: &Action| {
            let Action::ModifyDocumentPermission { name, permission_type, account_ids_to_remove: [id] } = action;
            let version = before.shared_with.get(id).ok_or_else(|| Irreversible {
                action: "ModifyDocumentPermission".to_owned(),
                reason: format!("the prior state does not share the document with `{id}`"),
            })?;
            Ok(Undo::ModifyDocumentPermission {
                name: name.clone(),
                permission_type: *permission_type,
                account_ids_to_add: [id.clone()],
                shared_document_version: version.clone(),
            })
        };
        done.iter().rev().map(inverse).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use rectify_compliance::{AccountId, Region, Tags};
    use rectify_testing::{Case, Cases, Laws};

    use super::*;

    fn document() -> Document {
        let here = (AccountId::new("111122223333"), Region::new("eu-west-1"));
        Document::new("patch-web", &here.0, &here.1, Tags::new())
    }

    /// A document that is shared with these ids.
    fn shared(ids: &[&str]) -> Document {
        let shared_with = ids.iter().map(|id| ((*id).to_owned(), Some("$DEFAULT".to_owned()))).collect();
        Document { shared_with, ..document() }
    }

    fn case<'a>(name: &'a str, ids: &[&str]) -> Case<'a, SsmDocumentNotPublic> {
        Cases::of(&SsmDocumentNotPublic, shared(ids)).case(name, |_| ())
    }

    fn fix(id: &str) -> String {
        let call = format!(r#"{{"AccountIdsToRemove":["{id}"],"Name":"patch-web","PermissionType":"Share"}}"#);
        format!("L2 ModifyDocumentPermission {call}")
    }

    #[test]
    fn cases() {
        case("not shared", &[]).compliant();
        case("shared", &["444455556666"]).compliant_with("shared with 1 account");
        case("ssm-document-not-public/1", &["all"])
            .non_compliant("Document patch-web is public")
            .planned(&[&fix("all")]);
        case("ssm-document-not-public/2", &["all", "444455556666", "777788889999"])
            .non_compliant("Document patch-web is public; also shared with 2 accounts")
            .planned(&[&fix("all")]);
        // The setting of the region is no part of the subject.
        case("ssm-automation-block-public-sharing/3", &["all"]).non_compliant("Document patch-web is public");
        case("ssm-document-not-public/5", &["All"])
            .non_compliant("Document patch-web is public")
            .planned(&[&fix("All")]);
    }

    #[test]
    fn other_accounts_stay_and_undo_shares_the_same_version_again() {
        let mut before = shared(&["all", "444455556666"]);
        before.shared_with.insert("all".into(), Some("$LATEST".into()));
        let plan = SsmDocumentNotPublic.plan(&before, &NoParameters {}, Timestamp::UNIX_EPOCH);
        let [action] = plan.calls()[..] else { panic!("one call: {plan:?}") };
        let after = SsmDocumentNotPublic.predict(before.clone(), action);
        assert_eq!(after, shared(&["444455556666"]), "ssm-document-not-public/2, ssm-document-not-public/6");
        let undo = SsmDocumentNotPublic.undo(&before, std::slice::from_ref(action)).unwrap();
        let call = json!([{"ModifyDocumentPermission": {"Name": "patch-web", "PermissionType": "Share",
            "AccountIdsToAdd": ["all"], "SharedDocumentVersion": "$LATEST"}}]);
        assert_eq!(json!(undo), call, "ssm-document-not-public/6");
        assert!(SsmDocumentNotPublic.undo(&after, std::slice::from_ref(action)).is_err());
        let other = Document { name: "other".into(), ..before };
        assert_eq!(SsmDocumentNotPublic.predict(other.clone(), action), other);
    }

    fn documents() -> impl Strategy<Value = Document> {
        let id = prop_oneof![2 => Just("all".to_owned()), 1 => Just("All".to_owned()), 3 => "[0-9]{12}"];
        let version = prop::option::of(Just("$DEFAULT".to_owned()));
        let shared = prop::collection::btree_map(id, version, 0..4);
        shared.prop_map(|shared_with: BTreeMap<_, _>| Document { shared_with, ..document() })
    }

    fn reverted(_: &SsmDocumentNotPublic, mut document: Document, call: &Undo) -> Document {
        let Undo::ModifyDocumentPermission { account_ids_to_add: [id], shared_document_version: version, .. } = call;
        document.shared_with.insert(id.clone(), version.clone());
        document
    }

    #[test]
    fn laws() {
        Laws::of(&SsmDocumentNotPublic, &["/sharedWith"], reverted)
            .never(|before, after| after.shared_with.keys().any(|id| !before.shared_with.contains_key(id)))
            .restores_full_state()
            .hold((documents(), Just(NoParameters {})));
    }
}
