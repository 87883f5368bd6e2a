//! A KMS key with its policy, from a configuration item or from the API, and the call that puts the policy.
//!
//! Knows no control and no SDK.

use rectify_compliance::{
    AccountId, Arn, ConfigurationItem, ManagedBy, Operation, Permission, PhysicalId, Resource, ResourceIdentity,
    ResourceState, ShapeError, View,
};
use rectify_policy::{Document, Effect, Identity, IdentityKind, Principal, Statement, pattern};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::key::{KEYS, Key, KeyState, Manager, RecordedKey, TYPE};

/// The action that an administrator of a key policy needs, in lower case.
const PUT_ACTION: &str = "kms:putkeypolicy";

/// A key and its policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyWithPolicy {
    /// The key, without its rotation status.
    pub key: Key,
    /// `GetKeyPolicy`; every key has one. `None` where it was not read, as for [exempt](exemption) keys.
    pub policy: Option<Document>,
}

/// Why the policy of this key is not evaluated, if so.
pub fn exemption(key: &Key) -> Option<String> {
    let Key { id, state, .. } = key;
    match (key.manager, state) {
        (Manager::Aws, _) => Some(format!("Key {id} is managed by AWS")),
        (_, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion) => {
            Some(format!("Key {id} is in state {state:?}"))
        }
        (Manager::Customer, _) => None,
    }
}

impl KeyWithPolicy {
    fn account(&self) -> Option<AccountId> {
        self.key.arn.parse().ok().and_then(|it: Arn| it.account())
    }

    /// The policy that KMS gives a new key: the account's IAM policies decide.
    pub fn default_policy(&self) -> String {
        let root = self.key.arn.parse().ok().map(|it: Arn| {
            let account = it.account().map_or_else(String::new, |it| it.to_string());
            format!("arn:{}:iam::{account}:root", it.partition())
        });
        json!({
            "Version": "2012-10-17",
            "Statement": [{"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": root},
                           "Action": "kms:*", "Resource": "*"}]
        })
        .to_string()
    }

    /// Whether some statement of this policy lets the account's root user, or a user or role of the account, put
    /// another one. Without one, no one but AWS Support can change the policy.
    pub fn has_administrator(&self, policy: &Document) -> bool {
        let Some(account) = self.account() else { return false };
        let is_own = |it: &Identity| it.kind == IdentityKind::Aws && it.is_internal(&account);
        let administers = |it: &Statement| {
            it.effect == Effect::Allow
                && it.conditions.is_empty()
                && it.actions.any(|action| pattern::covers(&action.to_lowercase(), PUT_ACTION))
                && matches!(&it.principal, Some(Principal::Of(all)) if all.iter().any(is_own))
        };
        policy.policy().0.iter().any(administers)
    }
}

impl ResourceState for KeyWithPolicy {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.key.identity()
    }
}

/// A key as AWS Config recorded it, with its policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedPolicy {
    /// The key.
    pub key: Key,
    /// `supplementaryConfiguration.Policy`; `None` where the item has none.
    pub policy: Option<Document>,
}

impl Resource for RecordedPolicy {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let policy = match item.supplement("Policy") {
            None => None,
            // The text of a JSON document is decoded with the item, another text is not.
            Some(Value::String(text)) => Some(text.clone()),
            Some(document) => Some(document.to_string()),
        };
        let policy = policy.map(|it| Document::parse("supplementaryConfiguration.Policy", &it)).transpose()?;
        Ok(Self { key: RecordedKey::from_item(item)?.key().clone(), policy })
    }
}

impl RecordedPolicy {
    /// Whether the item is enough for a verdict.
    pub fn is_sufficient(&self) -> bool {
        self.policy.is_some() || exemption(&self.key).is_some()
    }
}

/// `PutKeyPolicy`, without `BypassPolicyLockoutSafetyCheck`.
pub const PUT: Operation =
    Operation { name: "PutKeyPolicy", resource: "KeyId", permissions: &[Permission::on("kms:PutKeyPolicy", KEYS)] };

impl View for KeyWithPolicy {
    type Resource = RecordedPolicy;
    /// `GetKeyPolicy`, if the item is not enough for a verdict.
    type Facts = Option<Document>;
    const FACTS: &'static [Permission] = &[Permission::on("kms:GetKeyPolicy", KEYS)];
    const READ: &'static [Permission] = &[
        Permission::on("kms:DescribeKey", KEYS),
        Permission::on("kms:GetKeyPolicy", KEYS),
        Permission::on("kms:ListResourceTags", KEYS),
    ];
    const LIST: &'static [Permission] = &[
        Permission::unscoped("kms:ListKeys"),
        Permission::on("kms:DescribeKey", KEYS),
        Permission::on("kms:GetKeyPolicy", KEYS),
    ];
    const MANAGED_BY: ManagedBy = ManagedBy::Lookup("the id of the key");

    fn of(recorded: RecordedPolicy, live: Option<Document>) -> Self {
        Self { key: Key { rotation: None, ..recorded.key }, policy: recorded.policy.or(live) }
    }

    fn call_id(&self) -> &str {
        &self.key.id
    }

    fn stack_resources(&self) -> Vec<PhysicalId> {
        vec![PhysicalId::here(&self.key.id)]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::resources::key::tests::{item, key};

    /// The key of [`key`] with this policy.
    pub(crate) fn key_with_policy(policy: Option<&str>) -> KeyWithPolicy {
        let policy = policy.map(|it| Document::parse("p", it).unwrap());
        KeyWithPolicy { key: Key { rotation: None, ..key() }, policy }
    }

    #[test]
    fn policy_of_an_item_is_text_and_read_live_where_it_is_missing() {
        let text = key_with_policy(None).default_policy();
        let recorded = RecordedPolicy::from_item(&item(&json!({}), &json!({"Policy": text}))).unwrap();
        assert!(recorded.is_sufficient());
        assert_eq!(KeyWithPolicy::of(recorded, None), key_with_policy(Some(&text)));
        let none = RecordedPolicy::from_item(&item(&json!({}), &json!({}))).unwrap();
        assert!(!none.is_sufficient());
        let live = Document::parse("p", &text).unwrap();
        assert_eq!(KeyWithPolicy::of(none, Some(live)), key_with_policy(Some(&text)));
        let managed = RecordedPolicy::from_item(&item(&json!({"keyManager": "AWS"}), &json!({}))).unwrap();
        assert!(managed.is_sufficient());
        for malformed in ["{}", "nope"] {
            assert!(RecordedPolicy::from_item(&item(&json!({}), &json!({"Policy": malformed}))).is_err());
        }
    }

    #[test]
    fn administrator_is_an_unconditional_allow_for_the_account() {
        let key = key_with_policy(None);
        let with = |change: Value| {
            let mut statement = json!({"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:Put*",
                                       "Resource": "*"});
            statement.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            Document::parse("p", &json!({"Statement": statement}).to_string()).unwrap()
        };
        assert!(key.has_administrator(&Document::parse("p", &key.default_policy()).unwrap()));
        for (change, expected) in [
            (json!({}), true),
            (json!({"Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"}}), true),
            (json!({"Action": ["kms:Encrypt", "KMS:*"]}), true),
            (json!({"Principal": {"AWS": "444455556666"}}), false),
            (json!({"Principal": "*"}), false),
            (json!({"Principal": {"Service": "s3.amazonaws.com"}}), false),
            (json!({"Action": "kms:Encrypt"}), false),
            (json!({"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}), false),
            (json!({"Effect": "Deny"}), false),
        ] {
            assert_eq!(key.has_administrator(&with(change.clone())), expected, "{change}");
        }
    }
}
