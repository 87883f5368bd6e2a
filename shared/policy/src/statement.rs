//! One statement of a policy, parsed. Parsing rejects unreadable elements, so that the analysis never has to guess.

use rectify_compliance::ShapeError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::condition::Condition;
use crate::pattern;
use crate::policy::PolicyType;
use crate::principal::Principal;

/// A statement. Elements that the analysis does not use are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// `Sid` or, without one, the position among the statements, counted from 0.
    pub label: String,
    /// `Effect`.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`; `None` in an identity policy, which applies to the identity it is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// `Action` or `NotAction`.
    pub actions: Selection,
    /// `Resource` or `NotResource`; `None` in a trust policy, which applies to the role it is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Selection>,
    /// `Condition`: all of these must hold.
    pub conditions: Vec<Condition>,
}

/// `Effect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Grants permissions.
    Allow,
    /// Denies permissions and overrides every Allow.
    Deny,
}

/// An element with a positive and a negative form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Selection {
    /// Names that match one of these patterns.
    Of(Vec<String>),
    /// Names that match none of these patterns.
    AllBut(Vec<String>),
}

impl Statement {
    /// Parses the statement at position `index` of a policy of this type.
    ///
    /// # Errors
    /// [`ShapeError`] if an element that affects permissions is missing, present in both forms or malformed.
    pub fn parse(path: &str, index: usize, value: &Value, kind: PolicyType) -> Result<Self, ShapeError> {
        let path = format!("{path}.Statement[{index}]");
        let fields = value.as_object().ok_or_else(|| ShapeError::new(&*path, "a statement", value))?;
        let effect = Effect::parse(&format!("{path}.Effect"), fields.get("Effect"))?;
        let sid = fields.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty());
        let principal = || Principal::parse(&path, fields.get("Principal"), fields.get("NotPrincipal"));
        let selection = |is, is_not| Selection::parse(&path, value, is, is_not);
        Ok(Self {
            label: sid.map_or_else(|| index.to_string(), str::to_owned),
            effect,
            principal: kind.has_principals().then(principal).transpose()?,
            actions: selection("Action", "NotAction")?,
            resources: kind.has_resources().then(|| selection("Resource", "NotResource")).transpose()?,
            conditions: Condition::list(&path, fields.get("Condition"))?,
        })
    }

    /// The statement at position `index` in the form of a policy document, as far as it was read.
    pub(crate) fn json(&self, index: usize) -> Value {
        let mut fields = Map::new();
        if self.label != index.to_string() {
            fields.insert("Sid".to_owned(), self.label.as_str().into());
        }
        fields.insert("Effect".to_owned(), format!("{:?}", self.effect).into());
        if let Some((key, principals)) = self.principal.as_ref().map(Principal::json) {
            fields.insert(key.to_owned(), principals);
        }
        let (key, actions) = self.actions.element("Action", "NotAction");
        fields.insert(key.to_owned(), actions.into());
        if let Some((key, resources)) = self.resources.as_ref().map(|it| it.element("Resource", "NotResource")) {
            fields.insert(key.to_owned(), resources.into());
        }
        fields.insert("Condition".to_owned(), Condition::json(&self.conditions));
        Value::Object(fields)
    }

    /// Whether its `Principal` is everyone without exception. Only then does a Deny apply to the whole public.
    pub fn is_for_everyone(&self) -> bool {
        self.principal.as_ref().is_some_and(Principal::is_everyone)
    }

    /// Whether a pattern of its `Resource` covers `resource`, an ARN or a pattern. Always false for `NotResource`.
    pub fn covers_resource(&self, resource: &str) -> bool {
        self.resources.as_ref().is_none_or(|it| it.any(|pattern| pattern::covers(pattern, resource)))
    }

    /// Whether it applies to the resource `arn` or to something below it (`arn/…`, e.g. objects).
    pub fn concerns(&self, arn: &str) -> bool {
        match &self.resources {
            None => true,
            Some(Selection::Of(patterns)) => patterns.iter().any(|it| pattern::reaches(it, arn)),
            Some(Selection::AllBut(patterns)) => {
                let is_excluded = |resource: &str| patterns.iter().any(|it| pattern::covers(it, resource));
                !(is_excluded(arn) && is_excluded(&format!("{arn}/*")))
            }
        }
    }

    /// Whether it covers every resource at or below `arn` that `other` names.
    pub fn covers_resources_of(&self, other: &Self, arn: &str) -> bool {
        if matches!(self.resources, Some(Selection::AllBut(_))) {
            return false;
        }
        let whole = || self.covers_resource(arn) && self.covers_resource(&format!("{arn}/*"));
        match &other.resources {
            Some(Selection::Of(patterns)) => {
                patterns.iter().filter(|it| pattern::reaches(it, arn)).all(|it| self.covers_resource(it)) || whole()
            }
            Some(Selection::AllBut(_)) | None => whole(),
        }
    }
}

impl Effect {
    /// Reads the element.
    ///
    /// # Errors
    /// [`ShapeError`] for any other value; IAM accepts no other spelling.
    pub fn parse(path: &str, value: Option<&Value>) -> Result<Self, ShapeError> {
        match value.and_then(Value::as_str) {
            Some("Allow") => Ok(Self::Allow),
            Some("Deny") => Ok(Self::Deny),
            other => Err(ShapeError::new(path, "Allow or Deny", other.unwrap_or("nothing"))),
        }
    }
}

impl Selection {
    /// Reads the element of `statement` with one of these names.
    ///
    /// # Errors
    /// [`ShapeError`] if neither or both are present, or the value is not a string or a list of strings.
    pub fn parse(path: &str, statement: &Value, is: &str, is_not: &str) -> Result<Self, ShapeError> {
        match (statement.get(is), statement.get(is_not)) {
            (Some(value), None) => strings(&format!("{path}.{is}"), value).map(Self::Of),
            (None, Some(value)) => strings(&format!("{path}.{is_not}"), value).map(Self::AllBut),
            (None, None) => Err(ShapeError::missing(format!("{path}.{is}"), format!("{is} or {is_not}"))),
            (Some(_), Some(_)) => Err(ShapeError::new(path, format!("one of {is} and {is_not}"), "both")),
        }
    }

    /// The name and the value of the element in a policy document, given the names of its two forms.
    pub fn element<'a>(&'a self, is: &'a str, is_not: &'a str) -> (&'a str, &'a [String]) {
        match self {
            Self::Of(patterns) => (is, patterns),
            Self::AllBut(patterns) => (is_not, patterns),
        }
    }

    /// The same with every pattern changed.
    #[must_use]
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Of(patterns) => Self::Of(patterns.iter().map(|it| change(it)).collect()),
            Self::AllBut(patterns) => Self::AllBut(patterns.iter().map(|it| change(it)).collect()),
        }
    }

    /// Whether `predicate` holds for a pattern of the positive form. False for the negative form.
    pub fn any(&self, predicate: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Of(patterns) => patterns.iter().any(|it| predicate(it)),
            Self::AllBut(_) => false,
        }
    }

    /// Whether it selects a name, where `matches` is whether a pattern matches that name.
    pub fn selects(&self, matches: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Of(patterns) => patterns.iter().any(|it| matches(it)),
            Self::AllBut(patterns) => !patterns.iter().any(|it| matches(it)),
        }
    }

    /// Whether it selects this action. Action names are case-insensitive.
    pub fn has_action(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.selects(|it| pattern::may_match(&it.to_lowercase(), &name))
    }

    /// Whether, by their patterns alone, it certainly selects every action that `other` selects.
    pub fn covers_actions_of(&self, other: &Self) -> bool {
        let covered = |action: &str| self.any(|it| pattern::covers(&it.to_lowercase(), &action.to_lowercase()));
        match other {
            Self::Of(patterns) => patterns.iter().all(|it| covered(it)),
            Self::AllBut(_) => covered("*"),
        }
    }
}

/// The members of a list, or the single value that a list of one may be written as.
pub(crate) fn members(value: &Value) -> &[Value] {
    match value {
        Value::Array(members) => members,
        one => std::slice::from_ref(one),
    }
}

/// A string or a list of strings.
pub(crate) fn strings(path: &str, value: &Value) -> Result<Vec<String>, ShapeError> {
    let wrong = || ShapeError::new(path, "a string or a list of strings", value);
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect(),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value)]
mod tests {
    use super::*;
    use serde_json::json;

    const BUCKET: &str = "arn:aws:s3:::pics";

    fn with(resource: Value) -> Statement {
        let mut value = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*"});
        value.as_object_mut().unwrap().append(resource.clone().as_object_mut().unwrap());
        Statement::parse("p", 0, &value, PolicyType::Resource).unwrap()
    }

    #[test]
    fn a_statement_concerns_a_bucket_if_it_reaches_it_or_its_objects() {
        for (resource, expected) in [
            (json!({"Resource": "*"}), true),
            (json!({"Resource": ["arn:aws:s3:::other", "arn:aws:s3:::pics/a/*"]}), true),
            (json!({"Resource": "arn:aws:s3:::other/*"}), false),
            (json!({"Resource": "arn:aws-cn:s3:::pics/*"}), false),
            (json!({"NotResource": "arn:aws:s3:::other/*"}), true),
            (json!({"NotResource": ["arn:aws:s3:::pics", "arn:aws:s3:::pics/*"]}), false),
            (json!({"NotResource": "arn:aws:s3:::pics/*"}), true),
            (json!({"NotResource": "*"}), false),
        ] {
            assert_eq!(with(resource.clone()).concerns(BUCKET), expected, "{resource}");
        }
    }

    #[test]
    fn only_resources_at_or_below_the_bucket_need_covering() {
        for (wide, narrow, expected) in [
            (json!({"Resource": "*"}), json!({"Resource": "arn:aws:s3:::pics/*"}), true),
            (json!({"Resource": "arn:aws:s3:::pics/*"}), json!({"Resource": "arn:aws:s3:::pics"}), false),
            (
                json!({"Resource": "arn:aws:s3:::pics/*"}),
                json!({"Resource": ["arn:aws:s3:::pics", "arn:aws:s3:::pics/*"]}),
                false,
            ),
            (
                json!({"Resource": "arn:aws:s3:::pics/*"}),
                json!({"Resource": ["arn:aws:s3:::pics/*", "arn:aws:s3:::other"]}),
                true,
            ),
            (json!({"Resource": ["arn:aws:s3:::pics", "arn:aws:s3:::pics/*"]}), json!({"Resource": "*"}), true),
            (json!({"Resource": "arn:aws:s3:::pics*"}), json!({"NotResource": "arn:aws:s3:::other"}), true),
            (json!({"NotResource": "arn:aws:s3:::other"}), json!({"Resource": "arn:aws:s3:::pics"}), false),
        ] {
            assert_eq!(
                with(wide.clone()).covers_resources_of(&with(narrow.clone()), BUCKET),
                expected,
                "{wide} covers {narrow}"
            );
        }
    }

    #[test]
    fn a_missing_duplicate_or_malformed_element_is_rejected() {
        let parse = |value: Value| Statement::parse("p", 3, &value, PolicyType::Resource).unwrap_err().to_string();
        for (value, expected) in [
            (json!("Allow"), "p.Statement[3]: expected a statement: received `\"Allow\"`"),
            (json!({"Principal": "*"}), "p.Statement[3].Effect: expected Allow or Deny: received `nothing`"),
            (json!({"Effect": "allow"}), "p.Statement[3].Effect: expected Allow or Deny: received `allow`"),
            (
                json!({"Effect": "Allow", "Principal": "*", "Resource": "*"}),
                "p.Statement[3].Action: expected Action or NotAction: received `nothing`",
            ),
            (
                json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "NotAction": "s3:Get*", "Resource": "*"}),
                "p.Statement[3]: expected one of Action and NotAction: received `both`",
            ),
            (
                json!({"Effect": "Allow", "Principal": "*", "Action": {"x": 1}, "Resource": "*"}),
                "p.Statement[3].Action: expected a string or a list of strings: received `{\"x\":1}`",
            ),
        ] {
            assert_eq!(parse(value), expected);
        }
    }

    #[test]
    fn the_label_is_the_sid_or_the_position() {
        assert_eq!(with(json!({"Resource": "*", "Sid": "AllowAll"})).label, "AllowAll");
        assert_eq!(with(json!({"Resource": "*", "Sid": ""})).label, "0");
    }
}
