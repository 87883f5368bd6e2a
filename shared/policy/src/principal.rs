//! The principals of a statement.

use std::collections::BTreeMap;

use rectify_compliance::{AccountId, Arn, ShapeError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::statement::strings;

/// `Principal` or `NotPrincipal` of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Principal {
    /// `Principal`: these.
    Of(Vec<Identity>),
    /// `NotPrincipal`: everyone except some.
    AllButSome,
}

/// One principal, with its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The key it is listed under.
    pub kind: IdentityKind,
    /// An ARN, an account id, a service name, `*` and so on.
    pub value: String,
}

/// The types of principals in a resource policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityKind {
    /// An account, user, role or session.
    #[serde(rename = "AWS")]
    Aws,
    /// An AWS service.
    Service,
    /// An identity provider: an ARN for a provider in an account, a name for a public one, with which anyone can sign
    /// in.
    Federated,
    /// An account by its canonical user id.
    CanonicalUser,
}

impl IdentityKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Service => "Service",
            Self::Federated => "Federated",
            Self::CanonicalUser => "CanonicalUser",
        }
    }

    fn parse(path: &str, key: &str) -> Result<Self, ShapeError> {
        match key {
            "AWS" => Ok(Self::Aws),
            "Service" => Ok(Self::Service),
            "Federated" => Ok(Self::Federated),
            "CanonicalUser" => Ok(Self::CanonicalUser),
            other => Err(ShapeError::new(path, "a known type of principal", other)),
        }
    }
}

impl Identity {
    /// Whether anyone can be this principal: a wildcard, an empty value, or a public identity provider.
    pub fn is_public(&self) -> bool {
        self.value.is_empty()
            || self.value.contains(['*', '?'])
            || (self.kind == IdentityKind::Federated && !self.value.starts_with("arn:"))
    }

    /// Whether it is everyone: `*`.
    pub fn is_everyone(&self) -> bool {
        self.kind == IdentityKind::Aws && self.value == "*"
    }

    /// Whether it is an AWS service or an identity of `account`. An id that does not show its account (a canonical user
    /// id, the id of a deleted role) counts as external.
    pub fn is_internal(&self, account: &AccountId) -> bool {
        let arn = || self.value.parse::<Arn>().ok();
        let in_account =
            || self.value == account.as_str() || arn().and_then(|it| it.account()).as_ref() == Some(account);
        match self.kind {
            IdentityKind::Service => true,
            IdentityKind::Aws | IdentityKind::Federated => in_account(),
            IdentityKind::CanonicalUser => false,
        }
    }
}

impl Principal {
    /// Reads `Principal` or `NotPrincipal`; a resource policy must have exactly one of them.
    ///
    /// # Errors
    /// [`ShapeError`] if neither or both are present, or one is malformed.
    pub fn parse(path: &str, principal: Option<&Value>, not_principal: Option<&Value>) -> Result<Self, ShapeError> {
        match (principal, not_principal) {
            (Some(value), None) => identities(&format!("{path}.Principal"), value).map(Self::Of),
            (None, Some(value)) => identities(&format!("{path}.NotPrincipal"), value).map(|_| Self::AllButSome),
            (None, None) => Err(ShapeError::missing(format!("{path}.Principal"), "a principal")),
            (Some(_), Some(_)) => Err(ShapeError::new(path, "one of Principal and NotPrincipal", "both")),
        }
    }

    /// The element in the form of a policy document, as far as it was read.
    pub(crate) fn json(&self) -> (&'static str, Value) {
        let Self::Of(identities) = self else { return ("NotPrincipal", Value::Null) };
        let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for Identity { kind, value } in identities {
            kinds.entry(kind.name()).or_default().push(value);
        }
        ("Principal", serde_json::json!(kinds))
    }

    /// Whether the public is among them. An empty list counts as the public.
    pub fn is_public(&self) -> bool {
        match self {
            Self::Of(identities) => identities.is_empty() || identities.iter().any(Identity::is_public),
            Self::AllButSome => true,
        }
    }

    /// Whether they include everyone without exception.
    pub fn is_everyone(&self) -> bool {
        match self {
            Self::Of(identities) => identities.iter().any(Identity::is_everyone),
            Self::AllButSome => false,
        }
    }

    /// Whether this service is among them by name.
    pub fn has_service(&self, name: &str) -> bool {
        let named = |it: &Identity| it.kind == IdentityKind::Service && it.value == name;
        match self {
            Self::Of(identities) => identities.iter().any(named),
            Self::AllButSome => false,
        }
    }

    /// Whether all of them are AWS services or identities of `account`.
    pub fn is_internal(&self, account: &AccountId) -> bool {
        match self {
            Self::Of(identities) => identities.iter().all(|identity| identity.is_internal(account)),
            Self::AllButSome => false,
        }
    }
}

fn identities(path: &str, value: &Value) -> Result<Vec<Identity>, ShapeError> {
    match value {
        Value::String(text) if text == "*" => Ok(vec![Identity { kind: IdentityKind::Aws, value: text.clone() }]),
        Value::Object(kinds) if !kinds.is_empty() => {
            let mut identities = Vec::new();
            for (key, values) in kinds {
                let kind = IdentityKind::parse(path, key)?;
                let values = strings(&format!("{path}.{key}"), values)?;
                identities.extend(values.into_iter().map(|value| Identity { kind, value }));
            }
            Ok(identities)
        }
        other => Err(ShapeError::new(path, "`*` or an object of principals", other)),
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value)]
mod tests {
    use super::*;
    use serde_json::json;

    fn principal(value: Value) -> Principal {
        Principal::parse("p", Some(&value), None).unwrap()
    }

    #[test]
    fn wildcards_and_public_identity_providers_are_public() {
        for (value, public, everyone) in [
            (json!("*"), true, true),
            (json!({"AWS": "*"}), true, true),
            (json!({"AWS": ["*", "arn:aws:iam::111122223333:root"]}), true, true),
            (json!({"CanonicalUser": "*"}), true, false),
            (json!({"AWS": "arn:aws:iam::*:root"}), true, false),
            (json!({"Federated": "graph.facebook.com"}), true, false),
            (json!({"Federated": ["cognito-identity.amazonaws.com"]}), true, false),
            (json!({"Federated": "arn:aws:iam::111122223333:saml-provider/corp"}), false, false),
            (json!({"AWS": "111122223333"}), false, false),
            (json!({"AWS": ["arn:aws:iam::444455556666:role/reader"]}), false, false),
            (json!({"Service": "cloudtrail.amazonaws.com"}), false, false),
            (json!({"CanonicalUser": "79a5"}), false, false),
            (json!({"AWS": ["arn:aws:iam::111122223333:role/x", "*"]}), true, true),
            (json!({"AWS": ""}), true, false),
            (json!({"AWS": []}), true, false),
            (json!({"Service": "*"}), true, false),
        ] {
            let principal = principal(value.clone());
            assert_eq!((principal.is_public(), principal.is_everyone()), (public, everyone), "{value}");
        }
        let all_but = Principal::parse("p", None, Some(&json!({"AWS": "111122223333"}))).unwrap();
        assert!(all_but.is_public() && !all_but.is_everyone());
    }

    #[test]
    fn only_services_and_identities_of_the_account_are_internal() {
        let account = AccountId::new("111122223333");
        for (value, expected) in [
            (json!({"AWS": "111122223333"}), true),
            (json!({"AWS": "arn:aws:iam::111122223333:role/reader"}), true),
            (json!({"AWS": ["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"]}), false),
            (json!({"AWS": "AROAEXAMPLEID"}), false),
            (json!({"CanonicalUser": "79a5"}), false),
            (json!({"Service": "logging.s3.amazonaws.com"}), true),
            (json!({"Federated": "arn:aws:iam::111122223333:saml-provider/corp"}), true),
        ] {
            assert_eq!(principal(value.clone()).is_internal(&account), expected, "{value}");
        }
    }

    #[test]
    fn other_forms_are_rejected() {
        for (principal, not_principal, expected) in [
            (None, None, "p.Principal: expected a principal: received `nothing`"),
            (Some(json!("*")), Some(json!("*")), "p: expected one of Principal and NotPrincipal: received `both`"),
            (Some(json!("root")), None, "p.Principal: expected `*` or an object of principals: received `\"root\"`"),
            (Some(json!({})), None, "p.Principal: expected `*` or an object of principals: received `{}`"),
            (Some(json!({"Aws": "*"})), None, "p.Principal: expected a known type of principal: received `Aws`"),
            (
                Some(json!({"AWS": [1]})),
                None,
                "p.Principal.AWS: expected a string or a list of strings: received `[1]`",
            ),
        ] {
            let error = Principal::parse("p", principal.as_ref(), not_principal.as_ref()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
