//! A managed policy as the MFA controls evaluate it: the actions it allows a user, and those it denies without MFA.
//!
//! Depends on no control and no SDK. Unknown elements are ignored; a document with a statement that lacks its effect,
//! actions or resources is rejected.

use rectify_compliance::ShapeError;
use rectify_policy::{Effect, Selection, canonical, decode, pattern};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A policy document. Two documents are equal when they have the same canonical form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Document(Vec<Statement>);

/// One statement with the elements that the controls read, in the form of stored states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Statement {
    effect: Effect,
    #[serde(with = "StoredSelection")]
    actions: Selection,
    #[serde(with = "StoredSelection")]
    resources: Selection,
    conditions: Map<String, Value>,
}

/// The names of the two forms of an element in stored states.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Selection")]
enum StoredSelection {
    #[serde(rename = "these")]
    Of(Vec<String>),
    #[serde(rename = "allBut")]
    AllBut(Vec<String>),
}

/// The condition key for callers that signed in with MFA; compared case-insensitively.
const WITH_MFA: &str = "aws:MultiFactorAuthPresent";

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        let canonical =
            |it: &Self| canonical(&json!({ "Statement": it.0.iter().map(Statement::json).collect::<Vec<_>>() }));
        canonical(self) == canonical(other)
    }
}

impl Document {
    /// Parses a document as IAM returns it: percent-encoded, or already decoded.
    ///
    /// # Errors
    /// [`ShapeError`] when the text is not a policy document.
    pub fn read(path: &str, text: &str) -> Result<Self, ShapeError> {
        let value = decode(path, text)?;
        let statements = match value.get("Statement") {
            Some(Value::Array(statements)) => statements.as_slice(),
            Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
            _ => return Err(ShapeError::missing(format!("{path}.Statement"), "a statement or a list of them")),
        };
        let read = |statement| Statement::read(statement).map_err(|error| error.within(&format!("{path}.Statement")));
        statements.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The document with the name of this user in place of `${aws:username}`.
    #[must_use]
    pub fn applied_to(&self, user_name: &str) -> Self {
        let resolved = |pattern: &str| pattern.replace("${aws:username}", user_name);
        let statement = |it: &Statement| Statement { resources: it.resources.map(resolved), ..it.clone() };
        Self(self.0.iter().map(statement).collect())
    }

    /// Whether a statement allows the action unconditionally.
    pub fn allows(&self, action: &str, resource: &str) -> bool {
        self.covering(Effect::Allow, action, resource).any(|it| it.conditions.is_empty())
    }

    /// Whether a statement denies the action, with or without a condition.
    pub fn may_deny(&self, action: &str, resource: &str) -> bool {
        self.covering(Effect::Deny, action, resource).next().is_some()
    }

    /// Whether a statement denies the action to callers without MFA, on no other condition.
    pub fn denies_without_mfa(&self, action: &str, resource: &str) -> bool {
        self.covering(Effect::Deny, action, resource).any(Statement::is_conditioned_on_missing_mfa)
    }

    fn covering(&self, effect: Effect, action: &str, resource: &str) -> impl Iterator<Item = &Statement> {
        self.0.iter().filter(move |it| {
            it.effect == effect
                && it.actions.has_action(action)
                && it.resources.selects(|pattern| pattern::matches(pattern, resource))
        })
    }
}

impl Statement {
    fn read(statement: &Value) -> Result<Self, ShapeError> {
        let effect = Effect::parse("Effect", statement.get("Effect"))?;
        let conditions = match statement.get("Condition") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(conditions)) => conditions.clone(),
            Some(_) => return Err(ShapeError::new("Condition", "an object", "another type")),
        };
        let selection = |is, is_not| {
            let missing = |_| ShapeError::missing(is, format!("strings in `{is}` or `{is_not}`"));
            Selection::parse("", statement, is, is_not).map_err(missing)
        };
        let actions = selection("Action", "NotAction")?.map(str::to_lowercase);
        Ok(Self { effect, actions, resources: selection("Resource", "NotResource")?, conditions })
    }

    /// The parsed elements in the spelling of a policy document.
    fn json(&self) -> Value {
        let (action, actions) = self.actions.element("Action", "NotAction");
        let (resource, resources) = self.resources.element("Resource", "NotResource");
        json!({ "Effect": self.effect, action: actions, resource: resources, "Condition": self.conditions })
    }

    /// Whether `aws:MultiFactorAuthPresent` false is its only condition.
    fn is_conditioned_on_missing_mfa(&self) -> bool {
        let mut operators = self.conditions.iter();
        let (Some((operator, keys)), None) = (operators.next(), operators.next()) else { return false };
        if !["Bool", "BoolIfExists"].contains(&operator.as_str()) {
            return false;
        }
        let mut keys = keys.as_object().into_iter().flatten();
        let (Some((key, value)), None) = (keys.next(), keys.next()) else { return false };
        let value = match value {
            Value::Array(values) if values.len() == 1 => values.first().unwrap_or(value),
            one => one,
        };
        let is_false =
            value == &Value::Bool(false) || value.as_str().is_some_and(|it| it.eq_ignore_ascii_case("false"));
        key.eq_ignore_ascii_case(WITH_MFA) && is_false
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(statement: &Value) -> Document {
        Document::read("p", &json!({"Version": "2012-10-17", "Statement": statement}).to_string()).unwrap()
    }

    #[test]
    fn actions_match_case_insensitively_and_resources_case_sensitively() {
        let document = read(&json!([
            {"Effect": "Allow", "Action": ["iam:enable*", "IAM:Get?ser"], "Resource": "arn:p:iam::1:user/${aws:username}"},
            {"Effect": "Allow", "NotAction": "s3:*", "NotResource": ["arn:p:kms:*"]}
        ]))
        .applied_to("a,b");
        for (action, resource, allowed) in [
            ("iam:EnableMFADevice", "arn:p:iam::1:user/a,b", true),
            ("iam:GetUser", "arn:p:iam::1:user/a,b", true),
            ("s3:GetObject", "arn:p:iam::1:user/a,b", false),
            ("S3:GetObject", "arn:p:sns:1", false),
            ("sns:Publish", "arn:p:sns:1", true),
            ("sns:Publish", "arn:p:kms:1", false),
            ("sns:Publish", "ARN:p:kms:1", true),
        ] {
            assert_eq!(document.allows(action, resource), allowed, "{action} on {resource}");
        }
    }

    #[test]
    fn equivalent_documents_are_equal() {
        let statement = json!({"Effect": "Deny", "NotAction": ["iam:GetUser", "iam:ListMFADevices"], "Resource": ["*"],
                               "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}});
        let same = json!([{"Effect": "Deny", "NotAction": ["iam:listMFADevices", "iam:GetUser"], "Resource": "*",
                           "Condition": {"BoolIfExists": {"aws:multifactorauthpresent": false}}}]);
        assert_eq!(read(&statement), read(&same));
        for (key, value) in [
            ("Effect", json!("Allow")),
            ("NotAction", json!("iam:GetUser")),
            ("Resource", json!("a")),
            ("Condition", json!({})),
        ] {
            let mut other = statement.clone();
            other.as_object_mut().unwrap().insert(key.to_owned(), value);
            assert_ne!(read(&statement), read(&other), "{key}");
        }
    }

    #[test]
    fn a_condition_weakens_an_allow_and_not_a_deny() {
        let conditional = |effect: &str| {
            let condition = json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
            read(&json!({"Effect": effect, "Action": "*", "Resource": "*", "Condition": condition}))
        };
        assert!(!conditional("Allow").allows("iam:GetUser", "r"));
        assert!(
            conditional("Deny").may_deny("iam:GetUser", "r") && !conditional("Deny").denies_without_mfa("a:B", "r")
        );
    }

    #[test]
    fn a_deny_without_mfa_has_exactly_one_condition() {
        for (condition, expected) in [
            (json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}), true),
            (json!({"Bool": {"aws:multifactorauthpresent": ["False"]}}), true),
            (json!({"Bool": {"aws:MultiFactorAuthPresent": false}}), true),
            (json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}), false),
            (json!({"Bool": {"aws:MultiFactorAuthPresent": ["false", "true"]}}), false),
            (json!({"Bool": {"aws:MultiFactorAuthPresent": "false", "aws:SecureTransport": "false"}}), false),
            (json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}, "Null": {"aws:x": "true"}}), false),
            (json!({"Null": {"aws:MultiFactorAuthPresent": "false"}}), false),
            (json!({}), false),
        ] {
            let document = read(&json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}));
            assert_eq!(document.denies_without_mfa("s3:GetObject", "r"), expected, "{condition}");
        }
    }

    #[test]
    fn malformed_statements_are_rejected_and_unknown_elements_are_ignored() {
        let whole = json!({"Sid": "x", "Effect": "Allow", "Action": "*", "Resource": "*", "Unknown": 1});
        assert!(read(&whole).allows("a:B", "r"));
        for (key, value) in [
            ("Effect", json!("allow")),
            ("Effect", json!(null)),
            ("Action", json!(1)),
            ("Action", json!([1])),
            ("Resource", json!({})),
            ("NotResource", json!("*")),
            ("Condition", json!("x")),
        ] {
            let mut statement = whole.clone();
            statement.as_object_mut().unwrap().insert(key.to_owned(), value.clone());
            let text = json!({"Statement": [statement]}).to_string();
            let error = Document::read("p", &text).unwrap_err();
            assert!(error.path.starts_with("p.Statement."), "{key} {value}: {error}");
        }
        assert_eq!(Document::read("p", "{}").unwrap_err().path, "p.Statement");
        assert!(Document::read("p", "%7Bnope").is_err());
    }

    #[test]
    fn the_stored_form_is_stable() {
        let statement = json!({"Sid": "x", "Effect": "Deny", "NotAction": "IAM:GetUser", "Resource": ["a", "B"],
                               "Condition": {"Bool": {"aws:x": false}}});
        let stored = json!([{"effect": "Deny", "actions": {"allBut": ["iam:getuser"]}, "resources": {"these": ["a", "B"]},
                             "conditions": {"Bool": {"aws:x": false}}}]);
        assert_eq!(serde_json::to_value(read(&statement)).unwrap(), stored);
        assert_eq!(serde_json::from_value::<Document>(stored).unwrap(), read(&statement));
    }
}
