//! A resource policy: its statements, and which of them are public.

use rectify_compliance::{AccountId, ShapeError, document};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Access;
use super::actions::Actions;
use super::statement::{Effect, Statement};

/// The statements of a policy, in order. A bucket without a policy has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Policy(pub Vec<Statement>);

/// What a policy is attached to: it decides which conditions mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// A bucket.
    Bucket,
    /// An access point.
    AccessPoint,
}

/// A statement that lets the public in, with what it lets it do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening<'a> {
    /// The statement.
    pub statement: &'a Statement,
    actions: Actions,
}

/// What the Allows for everyone permit, whatever narrows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer(Vec<Actions>);

impl Offer {
    /// Whether they permit something of this class. Where they permit nothing of either class, what a policy is public for
    /// is unclear, and that counts as both.
    pub fn allows(&self, access: Access) -> bool {
        let permit = |access| self.0.iter().any(|actions| actions.contain(access));
        permit(access) || !(permit(Access::Read) || permit(Access::Write))
    }
}

impl Opening<'_> {
    /// Whether the public can do something of this class through it.
    pub fn allows(&self, access: Access) -> bool {
        self.actions.contain(access)
    }
}

impl Policy {
    /// Reads a policy document, plain or percent-encoded; `Statement` is an object or a list of them.
    ///
    /// # Errors
    /// [`ShapeError`] when the document or one of its statements cannot be read whole.
    pub fn parse(path: &str, text: &str) -> Result<Self, ShapeError> {
        let document = document::decode(path, text)?;
        let statements = match document.get("Statement") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            Some(other) => return Err(ShapeError::new(format!("{path}.Statement"), "statements", other)),
            None => return Err(ShapeError::missing(format!("{path}.Statement"), "statements")),
        };
        statements
            .iter()
            .enumerate()
            .map(|(index, it)| Statement::parse(path, index, it))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The statements that let the public at the resource `arn` or below it: public Allows that no unconditional Deny for
    /// everybody cancels. A Deny with a condition, or for some actions or resources only, cancels nothing here.
    pub fn openings(&self, arn: &str, site: Site) -> Vec<Opening<'_>> {
        self.0
            .iter()
            .filter(|it| it.effect == Effect::Allow && is_public(it, site) && it.concerns(arn))
            .map(|statement| Opening { statement, actions: Actions::of(&statement.actions) })
            .filter(|opening| !opening.actions.is_empty() && !self.cancels(opening, arn))
            .collect()
    }

    /// What the Allows for everyone permit at the resource `arn` or below it, whatever conditions and Denies narrow them:
    /// what a policy can be public for that S3 calls public while it has no [openings](Self::openings).
    pub fn offer(&self, arn: &str) -> Offer {
        let for_everyone = |it: &&Statement| it.effect == Effect::Allow && it.principal.is_public() && it.concerns(arn);
        Offer(self.0.iter().filter(for_everyone).map(|it| Actions::of(&it.actions)).collect())
    }

    /// Labels of the statements that let others in by name, or under a restricting condition. S3 shuts them out too as
    /// soon as RestrictPublicBuckets meets a public policy; services and identities of `account` itself stay.
    pub fn named_strangers(&self, arn: &str, account: &AccountId) -> Vec<&str> {
        self.0
            .iter()
            .filter(|it| it.effect == Effect::Allow && it.concerns(arn) && !is_public(it, Site::Bucket))
            .filter(|it| !it.principal.is_at_home(account))
            .filter(|it| !it.conditions.iter().any(|condition| condition.keeps_to(account, Site::Bucket)))
            .map(|it| it.label.as_str())
            .collect()
    }

    fn cancels(&self, opening: &Opening<'_>, arn: &str) -> bool {
        self.0.iter().any(|deny| {
            deny.effect == Effect::Deny
                && deny.principal.is_everyone()
                && deny.conditions.is_empty()
                && deny.covers_resources_of(opening.statement, arn)
                && Actions::of(&deny.actions).cover(&opening.actions)
        })
    }
}

fn is_public(statement: &Statement, site: Site) -> bool {
    statement.principal.is_public() && !statement.conditions.iter().any(|condition| condition.restricts(site))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use serde_json::json;

    const BUCKET: &str = "arn:aws:s3:::pics";

    fn policy(statements: &Value) -> Policy {
        Policy::parse("p", &json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
    }

    fn openings(statements: &Value) -> Vec<String> {
        policy(statements).openings(BUCKET, Site::Bucket).iter().map(|it| it.statement.label.clone()).collect()
    }

    fn allow(sid: &str, action: &str) -> Value {
        json!({"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": action, "Resource": "arn:aws:s3:::pics/*"})
    }

    fn deny(action: &str, resource: &Value) -> Value {
        json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource})
    }

    #[test]
    fn a_single_statement_need_not_be_a_list() {
        assert_eq!(openings(&allow("A", "s3:GetObject")), ["A"]);
    }

    #[test]
    fn only_an_unconditional_deny_for_everybody_that_covers_all_of_it_cancels() {
        let both = json!(["arn:aws:s3:::pics", "arn:aws:s3:::pics/*"]);
        let mut conditional = deny("s3:*", &both);
        conditional["Condition"] = json!({"Bool": {"aws:SecureTransport": "false"}});
        let mut named = deny("s3:*", &both);
        named["Principal"] = json!({"AWS": "arn:aws:iam::111122223333:root"});
        for (deny, open) in [
            (deny("s3:*", &both), false),
            (deny("s3:Get*", &both), false),
            (deny("*", &json!("*")), false),
            (deny("s3:GetObject", &json!("arn:aws:s3:::pics/private/*")), true),
            (deny("s3:Put*", &both), true),
            (conditional, true),
            (named, true),
        ] {
            let expected: &[&str] = if open { &["A"] } else { &[] };
            assert_eq!(openings(&json!([allow("A", "s3:GetObject"), deny])), expected, "{deny}");
        }
    }

    #[test]
    fn actions_no_bucket_can_grant_open_nothing() {
        assert!(openings(&json!([allow("A", "s3:ListAllMyBuckets"), allow("B", "sqs:*")])).is_empty());
    }

    #[test]
    fn strangers_are_others_let_in_by_name_or_under_a_condition() {
        let with = |sid: &str, principal: Value, condition: Value| {
            json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
                   "Resource": "arn:aws:s3:::pics/*", "Condition": condition})
        };
        let none = json!({});
        let policy = policy(&json!([
            with("Public", json!("*"), none.clone()),
            with("Partner", json!({"AWS": "arn:aws:iam::444455556666:root"}), none.clone()),
            with("Own", json!({"AWS": "arn:aws:iam::111122223333:role/app"}), none.clone()),
            with("Service", json!({"Service": "logging.s3.amazonaws.com"}), none),
            with("Vpce", json!("*"), json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}})),
            with("OwnByKey", json!("*"), json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}})),
        ]));
        assert_eq!(policy.named_strangers(BUCKET, &AccountId::new("111122223333")), ["Partner", "Vpce"]);
    }

    #[test]
    fn a_document_without_readable_statements_is_refused() {
        for text in ["", "nope", "{}", r#"{"Statement": "x"}"#, r#"{"Statement": [{}]}"#] {
            assert!(Policy::parse("p", text).is_err(), "{text}");
        }
        assert_eq!(Policy::parse("p", r#"{"Statement": []}"#), Ok(Policy::default()));
    }
}
