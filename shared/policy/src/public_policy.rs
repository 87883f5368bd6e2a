//! The controls that remove public statements from the policy of a resource. A control is a value of [`PublicPolicy`],
//! which says only what is specific to the resource type; its resource is a [`View`].

use std::collections::BTreeSet;

use rectify_compliance::setting::Member;
use rectify_compliance::values::Flag;
use rectify_compliance::{
    Arn, Control, FromItem, Irreversible, Level, ManagedBy, Periodic, Permission, PhysicalId, Plan, Remediation,
    RemediationPermissions, SetCall, Step, Timestamp, Verdict, View, offenders, parameters,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Document, ResourceKind, Selection, Statement, Wildcards};

/// `wildcardValues`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WildcardValues {
    /// A wildcard may follow a fixed account, organization or bucket.
    Account,
    /// A value with a wildcard does not restrict, as in AWS managed rules.
    Strict,
}

parameters! {
    /// Which statements are public, and which of them the remediation removes.
    pub PolicyParameters {
        /// Whether a condition value restricts if a wildcard follows a fixed owner, such as the account of an ARN
        /// (`account`), or only without a wildcard, as in AWS managed rules (`strict`). Default `account`.
        wildcard_values: WildcardValues = WildcardValues::Account,
        /// Whether public statements with a condition are removed too. Default `false`: the remediation only plans.
        remove_conditional: Flag = Flag(false),
    }
}

/// How a service changes a policy.
#[derive(Debug)]
pub enum Edit<V: View> {
    /// One call replaces the document.
    Replace {
        /// The call.
        put: Member,
        /// The text that replaces a document without statements.
        empty: fn(&V) -> String,
    },
    /// One call removes a statement by its `Sid`, another one adds it again.
    ByStatement {
        /// The call that removes it.
        remove: Member,
        /// The call that adds this statement; `None` if the API cannot express it.
        add: fn(&V, &Value) -> Option<SetCall>,
        /// The permission of that call.
        add_permissions: &'static [Permission],
    },
}

/// A control over the public statements of a resource's policy.
#[derive(Debug)]
pub struct PublicPolicy<V: View> {
    /// How statements of such a policy are read.
    pub kind: ResourceKind,
    /// The ARN of the resource.
    pub arn: fn(&V) -> &str,
    /// Its policy; `None` where it has none.
    pub get: fn(&V) -> Option<&Document>,
    /// Sets it in the model.
    pub set: fn(&mut V, Option<Document>),
    /// The verdict for resources that the control does not evaluate; `None` for the others.
    pub not_judged: fn(&V) -> Option<Verdict>,
    /// How the service changes it.
    pub edit: Edit<V>,
    /// Why an operator must make the calls that leave this document, beyond the reasons that all policies share.
    pub blocked: fn(&V, &Document) -> Option<String>,
}

impl<V: View> PublicPolicy<V> {
    /// The positions of the public statements.
    fn public(&self, subject: &V, params: &PolicyParameters) -> BTreeSet<usize> {
        let wildcards = match params.wildcard_values {
            WildcardValues::Account => Wildcards::BehindOwner,
            WildcardValues::Strict => Wildcards::Refused,
        };
        let kind = ResourceKind { wildcards, ..self.kind };
        (self.get)(subject).map_or_else(BTreeSet::new, |it| it.policy().public_positions((self.arn)(subject), &kind))
    }

    /// The steps that remove the statements at these positions and leave the document `kept`.
    fn steps(&self, live: &V, public: &BTreeSet<usize>, document: &Document, kept: &Document) -> Vec<Step<SetCall>> {
        let id = live.call_id();
        match &self.edit {
            Edit::Replace { put, empty } => {
                let text = if kept.policy().0.is_empty() { empty(live) } else { kept.text().to_owned() };
                vec![Step::call(Level::L2, put.of(id, &text))]
            }
            Edit::ByStatement { remove, .. } => {
                let step = |position: &usize| match sid_at(document, *position) {
                    Some(sid) => Step::call(Level::L2, remove.of(id, &sid)),
                    None => Step::manual(
                        Level::L2,
                        format!("remove statement {position}, which {} cannot name", remove.operation.name),
                    ),
                };
                public.iter().map(step).collect()
            }
        }
    }

    /// Why the statements at these positions are not removed automatically.
    fn blocker(
        &self,
        live: &V,
        params: &PolicyParameters,
        public: &BTreeSet<usize>,
        document: &Document,
    ) -> Option<String> {
        let conditional = |it: &&Statement| !it.conditions.is_empty();
        if let Some(statement) = statements(document, public).find(conditional).filter(|_| !params.remove_conditional.0)
        {
            let account = (self.arn)(live).parse().ok().and_then(|it: Arn| it.account());
            let account = account.map_or_else(|| "<account>".to_owned(), |it| it.to_string());
            return Some(format!(
                "policy: statement {} has a condition that does not restrict it: add one, such as aws:SourceAccount={account}, or set removeConditional",
                statement.label
            ));
        }
        match &self.edit {
            Edit::Replace { .. } => document.deleted_principals().first().map(|it| {
                format!(
                    "policy: statement {} names {}, a deleted principal, and no service accepts a policy with one: remove it",
                    it.statement, it.id
                )
            }),
            Edit::ByStatement { add, .. } => {
                let cannot_add = |it: &&usize| document.statement(**it).and_then(|it| add(live, &it)).is_none();
                public.iter().filter(|it| sid_at(document, **it).is_some()).find(cannot_add).map(|it| {
                    format!("policy: statement {} could not be restored by an undo", label(document, *it))
                })
            }
        }
    }
}

impl<V: View> Control for PublicPolicy<V> {
    type Params = PolicyParameters;
    type Subject = V;

    fn evaluate(&self, subject: &V, params: &PolicyParameters, _now: Timestamp) -> Verdict {
        if let Some(verdict) = (self.not_judged)(subject) {
            return verdict;
        }
        let public = self.public(subject, params);
        let Some(document) = (self.get)(subject).filter(|_| !public.is_empty()) else { return Verdict::COMPLIANT };
        let labels = offenders(public.iter().map(|it| label(document, *it)));
        let actions = offenders(statements(document, &public).flat_map(|it| match &it.actions {
            Selection::Of(actions) => actions.clone(),
            Selection::AllBut(actions) => vec![format!("all but {}", actions.join(", "))],
        }));
        let subject = if public.len() == 1 { "Statement" } else { "Statements" };
        let verb = if public.len() == 1 { "lets" } else { "let" };
        Verdict::non_compliant(format!("{subject} {labels} {verb} everyone call {actions}"))
    }
}

impl<V: View> FromItem for PublicPolicy<V> {
    type Resource = V::Resource;
    type Facts = V::Facts;

    fn fact_permissions(&self) -> &'static [Permission] {
        V::FACTS
    }

    fn subject(&self, resource: V::Resource, facts: V::Facts) -> V {
        V::of(resource, facts)
    }
}

impl<V: View> Periodic for PublicPolicy<V> {
    fn list_permissions(&self) -> &'static [Permission] {
        V::LIST
    }
}

impl<V: View> Remediation for PublicPolicy<V> {
    type Action = SetCall;
    type Undo = SetCall;

    fn permissions(&self) -> RemediationPermissions {
        let (fix, undo) = match &self.edit {
            Edit::Replace { put, .. } => (put.operation.permissions, put.operation.permissions),
            Edit::ByStatement { remove, add_permissions, .. } => (remove.operation.permissions, *add_permissions),
        };
        RemediationPermissions { read: V::READ, fix, undo }
    }

    fn needs_name(&self) -> bool {
        V::NEEDS_NAME
    }

    fn managed_by(&self) -> ManagedBy {
        V::MANAGED_BY
    }

    /// A statement that a template declares as a resource of its own has its `Sid` as physical id.
    fn stack_resources(&self, live: &V, action: &SetCall) -> Vec<PhysicalId> {
        match &self.edit {
            Edit::Replace { .. } => live.stack_resources(),
            Edit::ByStatement { remove, .. } => {
                removed(*remove, live, action).map(PhysicalId::here).into_iter().collect()
            }
        }
    }

    fn fix(&self, live: &V, params: &PolicyParameters, _now: Timestamp) -> Plan<SetCall> {
        let public = self.public(live, params);
        let Some(document) = (self.get)(live) else { return Plan::blocked("policy: not read", Vec::new()) };
        let Some(kept) = document.without(&public) else {
            let labels = offenders(public.iter().map(|it| label(document, *it)));
            return Plan::blocked(
                "policy: a statement cannot be removed without changing the rest of the text",
                vec![Step::manual(Level::L2, format!("remove from the statements of the policy: {labels}"))],
            );
        };
        let blockers = [live.blocked(), self.blocker(live, params, &public, document), (self.blocked)(live, &kept)];
        Plan::unless(blockers.into_iter().flatten(), self.steps(live, &public, document, &kept))
    }

    fn predict(&self, mut live: V, action: &SetCall) -> V {
        let policy = match &self.edit {
            Edit::Replace { put, .. } => match action.value::<String>(*put, live.call_id()) {
                Ok(Some(text)) => Document::parse("Policy", &text).ok(),
                Ok(None) | Err(_) => return live,
            },
            Edit::ByStatement { remove, .. } => {
                let without = |document: &Document| {
                    let position = document.position_of(&removed(*remove, &live, action)?)?;
                    document.without(&BTreeSet::from([position]))
                };
                match (self.get)(&live).and_then(without) {
                    Some(policy) => Some(policy).filter(|it| !it.policy().0.is_empty()),
                    None => return live,
                }
            }
        };
        (self.set)(&mut live, policy);
        live
    }

    fn is_in_progress(&self, after: &V, done: &[SetCall]) -> bool {
        !done.is_empty() && after.is_in_progress()
    }

    /// The policy in canonical form, since services return it in another form than it was put. If statements are removed
    /// one by one, only these: other statements may change meanwhile.
    fn touched_fields(&self, subject: &V, done: &[SetCall]) -> Value {
        if done.is_empty() {
            return json!({});
        }
        let document = (self.get)(subject).map(Document::canonical);
        match &self.edit {
            Edit::Replace { .. } => json!({ "Policy": document }),
            Edit::ByStatement { remove, .. } => {
                let sids = done.iter().filter_map(|it| removed(*remove, subject, it));
                let at = |sid: &String| document.as_ref()?.get("Statement")?.get(sid).cloned();
                sids.map(|sid| (sid.clone(), at(&sid).unwrap_or_default())).collect()
            }
        }
    }

    fn undo(&self, before: &V, done: &[SetCall]) -> Result<Vec<SetCall>, Irreversible> {
        let document = (self.get)(before);
        let restore = |action: &SetCall| match &self.edit {
            Edit::Replace { put, .. } => {
                Ok(put.of(before.call_id(), &document.map(Document::text).unwrap_or_default()))
            }
            Edit::ByStatement { remove, add, .. } => {
                let statement = || {
                    let document = document?;
                    document.statement(document.position_of(&removed(*remove, before, action)?)?)
                };
                statement().and_then(|it| add(before, &it)).ok_or_else(|| Irreversible {
                    action: action.operation.clone(),
                    reason: "no call adds the removed statement".to_owned(),
                })
            }
        };
        done.iter().rev().map(restore).collect()
    }
}

/// The `Sid` that a call removes from the policy of `live`.
fn removed<V: View>(remove: Member, live: &V, action: &SetCall) -> Option<String> {
    action.value(remove, live.call_id()).ok().flatten()
}

/// The statements at these positions.
fn statements<'a>(document: &'a Document, positions: &BTreeSet<usize>) -> impl Iterator<Item = &'a Statement> {
    positions.iter().filter_map(|it| document.policy().0.get(*it))
}

fn label(document: &Document, position: usize) -> String {
    document.policy().0.get(position).map_or_else(|| position.to_string(), |it| it.label.clone())
}

/// The `Sid` of the statement at this position, if no other statement has it.
fn sid_at(document: &Document, position: usize) -> Option<String> {
    let sid = document.statement(position)?.get("Sid")?.as_str()?.to_owned();
    (document.position_of(&sid) == Some(position)).then_some(sid)
}

#[cfg(test)]
#[path = "public_policy_tests.rs"]
mod tests;
