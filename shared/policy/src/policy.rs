//! A policy document, parsed: its statements.

use rectify_compliance::ShapeError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::canonical::canonical;
use crate::decode;
use crate::statement::Statement;

/// The statements of a policy, in the order of the service's response; empty for a resource without a policy. Policies
/// with the same canonical form are equal.
#[derive(Debug, Clone, Default, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Policy(pub Vec<Statement>);

/// The type of a policy, which determines the required elements of its statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyType {
    /// Attached to a user, group or role: statements have no principal.
    Identity,
    /// Attached to a resource: statements name principals and resources.
    Resource,
    /// A role's trust policy, or an ECR repository policy: statements have no resource.
    Trust,
}

impl PolicyType {
    /// Whether a statement must have `Principal` or `NotPrincipal`.
    pub(crate) const fn has_principals(self) -> bool {
        match self {
            Self::Resource | Self::Trust => true,
            Self::Identity => false,
        }
    }

    /// Whether a statement must have `Resource` or `NotResource`.
    pub(crate) const fn has_resources(self) -> bool {
        match self {
            Self::Identity | Self::Resource => true,
            Self::Trust => false,
        }
    }
}

impl PartialEq for Policy {
    /// Services guarantee no order of statements or of the lists in them.
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Policy {
    fn canonical(&self) -> Value {
        let statements: Vec<Value> = self.0.iter().enumerate().map(|(index, it)| it.json(index)).collect();
        canonical(&json!({ "Statement": statements }))
    }

    /// Parses a resource policy, plain or percent-encoded; `Statement` is an object or a list of objects.
    ///
    /// # Errors
    /// [`ShapeError`] if the document or any of its statements cannot be read in full.
    pub fn parse(path: &str, text: &str) -> Result<Self, ShapeError> {
        Self::of(path, &decode(path, text)?, PolicyType::Resource)
    }

    /// Parses a decoded policy of this type.
    ///
    /// # Errors
    /// [`ShapeError`] if any of its statements cannot be read in full.
    pub fn of(path: &str, document: &Value, kind: PolicyType) -> Result<Self, ShapeError> {
        let statements = match document.get("Statement") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            Some(other) => return Err(ShapeError::new(format!("{path}.Statement"), "statements", other)),
            None => return Err(ShapeError::missing(format!("{path}.Statement"), "statements")),
        };
        let statements = statements.iter().enumerate();
        statements.map(|(index, it)| Statement::parse(path, index, it, kind)).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(statements: &Value) -> Policy {
        Policy::parse("p", &json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
    }

    fn allow(sid: &str, action: &str) -> Value {
        json!({"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": action, "Resource": "arn:aws:s3:::pics/*"})
    }

    #[test]
    fn the_order_of_lists_does_not_matter() {
        let account = |it: &str| format!("arn:aws:iam::{it}:root");
        let one = json!([
            {"Effect": "Allow", "Principal": {"AWS": ["111122223333", "444455556666"]}, "Action": ["s3:Get*", "s3:Put*"],
             "Resource": ["arn:aws:s3:::pics", "arn:aws:s3:::pics/*"],
             "Condition": {"StringLike": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}}},
            allow("A", "s3:GetObject")
        ]);
        let mut other = json!([one[1], one[0]]);
        other[1]["Principal"] = json!({"AWS": [account("444455556666"), account("111122223333")]});
        other[1]["Action"] = json!(["s3:PUT*", "s3:get*"]);
        other[1]["Resource"] = json!(["arn:aws:s3:::pics/*", "arn:aws:s3:::pics"]);
        other[1]["Condition"] = json!({"stringlike": {"AWS:SourceVpc": ["vpc-2", "vpc-1"]}});
        assert_eq!(policy(&one), policy(&other));
        for (key, value) in [
            ("Effect", json!("Deny")),
            ("Principal", json!({"AWS": "444455556666"})),
            ("Principal", json!({"CanonicalUser": ["111122223333", "444455556666"]})),
            ("Action", json!("s3:Get*")),
            ("Resource", json!("arn:aws:s3:::pics")),
            ("Condition", json!({"StringLike": {"aws:SourceVpc": "vpc-1"}})),
            ("Condition", json!({"StringEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}})),
            ("Sid", json!("B")),
        ] {
            let mut changed = one.clone();
            changed[0][key] = value;
            assert_ne!(policy(&one), policy(&changed), "{key}");
        }
        assert_ne!(policy(&one), policy(&json!([one[0], one[1], one[1]])), "a duplicate statement");
    }

    #[test]
    fn a_document_without_readable_statements_is_rejected() {
        for text in ["", "nope", "{}", r#"{"Statement": "x"}"#, r#"{"Statement": [{}]}"#] {
            assert!(Policy::parse("p", text).is_err(), "{text}");
        }
        assert_eq!(Policy::parse("p", r#"{"Statement": []}"#), Ok(Policy::default()));
    }

    #[test]
    fn the_stored_form_is_stable() {
        let read = policy(&json!([
            {"Sid": "A", "Effect": "Allow", "Principal": {"AWS": "*", "Service": ["x"]}, "NotAction": "s3:Get*", "Resource": "*",
             "Condition": {"Bool": {"aws:SecureTransport": true}}},
            {"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "Action": ["s3:*"], "NotResource": "a"},
        ]));
        let stored = json!([
            {"label": "A", "effect": "Allow", "actions": {"allBut": ["s3:Get*"]}, "resources": {"of": ["*"]},
             "principal": {"of": [{"kind": "AWS", "value": "*"}, {"kind": "Service", "value": "x"}]},
             "conditions": [{"operator": "Bool", "key": "aws:SecureTransport", "values": ["true"]}]},
            {"label": "1", "effect": "Deny", "principal": "allButSome", "actions": {"of": ["s3:*"]},
             "resources": {"allBut": ["a"]}, "conditions": []},
        ]);
        assert_eq!(serde_json::to_value(&read).unwrap(), stored);
        assert_eq!(serde_json::from_value::<Policy>(stored).unwrap(), read);
    }

    #[test]
    fn a_statement_has_the_elements_of_its_policy_type() {
        let statement = |keys: &[&str]| {
            let all = json!({"Effect": "Allow", "Action": "a:B", "Principal": "*", "Resource": "*"});
            let fields = all.as_object().unwrap().iter().filter(|(key, _)| keys.contains(&key.as_str()));
            json!({"Statement": Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect())})
        };
        let identity = statement(&["Effect", "Action", "Resource"]);
        let trust = statement(&["Effect", "Action", "Principal"]);
        let resource = statement(&["Effect", "Action", "Principal", "Resource"]);
        for (kind, document, expected) in [
            (PolicyType::Identity, &identity, (false, true)),
            (PolicyType::Identity, &resource, (false, true)),
            (PolicyType::Trust, &trust, (true, false)),
            (PolicyType::Resource, &resource, (true, true)),
        ] {
            let read = Policy::of("p", document, kind).unwrap();
            let has = read.0.first().map(|it| (it.principal.is_some(), it.resources.is_some()));
            assert_eq!(has, Some(expected), "{kind:?} {document}");
            assert_eq!(serde_json::from_value::<Policy>(serde_json::to_value(&read).unwrap()).unwrap(), read);
        }
        for (kind, document) in [
            (PolicyType::Identity, &trust),
            (PolicyType::Trust, &identity),
            (PolicyType::Resource, &identity),
            (PolicyType::Resource, &trust),
        ] {
            assert!(Policy::of("p", document, kind).is_err(), "{kind:?} {document}");
        }
    }
}
