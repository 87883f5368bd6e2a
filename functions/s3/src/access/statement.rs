//! One statement of a resource policy, parsed: what cannot be read is refused here, so that judging never has to guess.

use rectify_compliance::ShapeError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::condition::Condition;
use super::pattern;
use super::principal::Principal;

/// A statement. Elements this analysis has no use for are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// `Sid`, or the position among the statements, counted from 0, where there is none.
    pub label: String,
    /// `Effect`.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`.
    pub principal: Principal,
    /// `Action` or `NotAction`.
    pub actions: Selection,
    /// `Resource` or `NotResource`.
    pub resources: Selection,
    /// `Condition`: all of these must hold.
    pub conditions: Vec<Condition>,
}

/// `Effect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Takes back, whatever else grants.
    Deny,
}

/// An element that comes in a positive and a negative form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Selection {
    /// What one of these patterns matches.
    Of(Vec<String>),
    /// What none of these patterns matches.
    AllBut(Vec<String>),
}

impl Statement {
    /// Reads the statement at position `index`.
    ///
    /// # Errors
    /// [`ShapeError`] when an element that decides who may do what is missing, doubled or of another form.
    pub fn parse(path: &str, index: usize, value: &Value) -> Result<Self, ShapeError> {
        let path = format!("{path}.Statement[{index}]");
        let fields = value.as_object().ok_or_else(|| ShapeError::new(&*path, "a statement", value))?;
        let effect = match fields.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            other => {
                return Err(ShapeError::new(format!("{path}.Effect"), "Allow or Deny", other.unwrap_or("nothing")));
            }
        };
        let sid = fields.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty());
        Ok(Self {
            label: sid.map_or_else(|| index.to_string(), str::to_owned),
            effect,
            principal: Principal::parse(&path, fields.get("Principal"), fields.get("NotPrincipal"))?,
            actions: Selection::parse(&path, fields, "Action", "NotAction")?,
            resources: Selection::parse(&path, fields, "Resource", "NotResource")?,
            conditions: Condition::list(&path, fields.get("Condition"))?,
        })
    }

    /// The statement at position `index` in the spelling of a policy document, as far as it was read.
    pub(super) fn json(&self, index: usize) -> Value {
        let mut fields = Map::new();
        if self.label != index.to_string() {
            fields.insert("Sid".to_owned(), self.label.as_str().into());
        }
        fields.insert("Effect".to_owned(), format!("{:?}", self.effect).into());
        let (key, principals) = self.principal.json();
        fields.insert(key.to_owned(), principals);
        for (selection, is, is_not) in
            [(&self.actions, "Action", "NotAction"), (&self.resources, "Resource", "NotResource")]
        {
            let (key, patterns) = match selection {
                Selection::Of(patterns) => (is, patterns),
                Selection::AllBut(patterns) => (is_not, patterns),
            };
            fields.insert(key.to_owned(), patterns.as_slice().into());
        }
        fields.insert("Condition".to_owned(), Condition::json(&self.conditions));
        Value::Object(fields)
    }

    /// Whether it speaks of the resource `arn` or of something below it (`arn/…`: objects).
    pub fn concerns(&self, arn: &str) -> bool {
        match &self.resources {
            Selection::Of(patterns) => patterns.iter().any(|it| pattern::reaches(it, arn)),
            Selection::AllBut(patterns) => {
                let spared = |what: &str| patterns.iter().any(|it| pattern::covers(it, what));
                !(spared(arn) && spared(&format!("{arn}/*")))
            }
        }
    }

    /// Whether it speaks of every resource that `other` names at or below `arn`.
    pub fn covers_resources_of(&self, other: &Self, arn: &str) -> bool {
        let Selection::Of(mine) = &self.resources else { return false };
        let covered = |what: &str| mine.iter().any(|it| pattern::covers(it, what));
        let whole = || covered(arn) && covered(&format!("{arn}/*"));
        match &other.resources {
            Selection::Of(theirs) => {
                theirs.iter().filter(|it| pattern::reaches(it, arn)).all(|it| covered(it)) || whole()
            }
            Selection::AllBut(_) => whole(),
        }
    }
}

impl Selection {
    fn parse(path: &str, fields: &Map<String, Value>, is: &str, is_not: &str) -> Result<Self, ShapeError> {
        match (fields.get(is), fields.get(is_not)) {
            (Some(value), None) => texts(&format!("{path}.{is}"), value).map(Self::Of),
            (None, Some(value)) => texts(&format!("{path}.{is_not}"), value).map(Self::AllBut),
            (None, None) => Err(ShapeError::missing(format!("{path}.{is}"), format!("{is} or {is_not}"))),
            (Some(_), Some(_)) => Err(ShapeError::new(path, format!("one of {is} and {is_not}"), "both")),
        }
    }
}

/// A string or a list of strings.
pub(super) fn texts(path: &str, value: &Value) -> Result<Vec<String>, ShapeError> {
    let wrong = || ShapeError::new(path, "a string or a list of strings", value);
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect(),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use super::*;
    use serde_json::json;

    const BUCKET: &str = "arn:aws:s3:::pics";

    fn with(resource: Value) -> Statement {
        let mut value = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*"});
        value.as_object_mut().unwrap().append(resource.clone().as_object_mut().unwrap());
        Statement::parse("p", 0, &value).unwrap()
    }

    #[test]
    fn a_statement_concerns_the_bucket_its_objects_or_neither() {
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
    fn only_resources_below_the_bucket_need_covering() {
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
    fn what_decides_must_be_there_once_and_be_readable() {
        let parse = |value: Value| Statement::parse("p", 3, &value).unwrap_err().to_string();
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
    fn the_label_is_the_sid_or_else_the_position() {
        assert_eq!(with(json!({"Resource": "*", "Sid": "AllowAll"})).label, "AllowAll");
        assert_eq!(with(json!({"Resource": "*", "Sid": ""})).label, "0");
    }
}
