//! A resource policy: its statements, and which of them are public.

use rectify_compliance::{AccountId, ShapeError, document, policy};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Access;
use super::actions::Actions;
use super::statement::{Effect, Statement};

/// The statements of a policy, in the order S3 returned them. A bucket without a policy has none. Two are equal when they say
/// the same.
#[derive(Debug, Clone, Default, Eq, Serialize, Deserialize)]
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

impl PartialEq for Policy {
    /// S3 promises no order, neither of statements nor of what they list.
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Policy {
    fn canonical(&self) -> Value {
        let statements: Vec<Value> = self.0.iter().enumerate().map(|(index, it)| it.json(index)).collect();
        policy::canonical(&serde_json::json!({ "Statement": statements }))
    }

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
    fn a_policy_that_comes_back_in_another_order_is_the_same() {
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
        assert_ne!(policy(&one), policy(&json!([one[0], one[1], one[1]])), "a statement that is there twice");
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
