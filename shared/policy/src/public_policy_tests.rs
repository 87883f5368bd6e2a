//! What the controls share, over a resource with either way to change its policy.

use proptest::prelude::*;
use rectify_compliance::{
    ConfigurationItem, Operation, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags,
};
use rectify_testing::{Cases, Laws, policies};

use super::*;

const ARN: &str = "arn:aws:test:eu-west-1:111122223333:mail";

/// A mailbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Mailbox {
    arn: String,
    policy: Option<Document>,
    locked: bool,
    tags: Tags,
}

impl ResourceState for Mailbox {
    fn identity(&self) -> ResourceIdentity<'_> {
        let key = ResourceKey::new("Test::Mailbox", "mail");
        ResourceIdentity { key, arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

impl Resource for Mailbox {
    const TYPES: &'static [&'static str] = &["Test::Mailbox"];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Self::deserialize(&item.configuration).map_err(|error| ShapeError::new("configuration", "a mailbox", error))
    }
}

impl View for Mailbox {
    type Resource = Self;
    type Facts = ();
    const FACTS: &'static [Permission] = &[];
    const READ: &'static [Permission] = &[];
    const LIST: &'static [Permission] = &[];

    fn of(mailbox: Self, (): ()) -> Self {
        mailbox
    }

    fn call_id(&self) -> &'static str {
        "mail"
    }

    fn blocked(&self) -> Option<String> {
        self.locked.then(|| "mail is locked".to_owned())
    }
}

const fn operation(name: &'static str) -> Operation {
    Operation { name, resource: "Mailbox", permissions: &[] }
}

const fn control(edit: Edit<Mailbox>) -> PublicPolicy<Mailbox> {
    PublicPolicy {
        kind: ResourceKind::PLAIN,
        arn: |it| &it.arn,
        get: |it| it.policy.as_ref(),
        set: |it, policy| it.policy = policy,
        not_judged: |it| it.tags.contains_key("spare").then(|| Verdict::not_applicable("spare")),
        edit,
        blocked: |it, kept| (it.tags.contains_key("keep") && kept.policy().0.is_empty()).then(|| "no owner".to_owned()),
    }
}

const REPLACED: PublicPolicy<Mailbox> =
    control(Edit::Replace { put: operation("PutPolicy").member("Policy"), empty: |_| String::new() });

const BY_STATEMENT: PublicPolicy<Mailbox> = control(Edit::ByStatement {
    remove: operation("RemovePermission").member("StatementId"),
    add: |_, statement| {
        let is_simple = statement.get("NotAction").is_none();
        is_simple.then(|| operation("AddPermission").member("Statement").of("mail", statement))
    },
    add_permissions: &[],
});

fn mailbox(policy: Option<&str>) -> Mailbox {
    let policy = policy.map(|it| Document::parse("p", it).unwrap());
    Mailbox { arn: ARN.to_owned(), policy, locked: false, tags: Tags::new() }
}

fn of(statements: &Value) -> Mailbox {
    mailbox(Some(&json!({"Statement": statements}).to_string()))
}

fn allow(sid: &str, more: &Value) -> Value {
    let mut statement =
        json!({"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": "test:Read", "Resource": "*"});
    statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    statement
}

#[test]
fn verdicts() {
    let behind_account = json!({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}}});
    let own = json!({"Principal": {"AWS": "111122223333"}});
    let two = json!([allow("B", &json!({})), allow("Own", &own), allow("A", &json!({"Action": ["test:Write"]}))]);
    let case = |subject: Mailbox| Cases::of(&REPLACED, subject);
    case(mailbox(None)).case("no policy", |_| ()).compliant();
    case(of(&json!([allow("Own", &own)]))).case("own account", |_| ()).compliant();
    case(of(&two)).case("two", |_| ()).non_compliant("Statements A, B let everyone call test:Read, test:Write");
    case(of(&two)).case("spare", |it| drop(it.tags.insert("spare".into(), String::new()))).not_applicable("spare");
    let wildcard = case(of(&allow("A", &behind_account)));
    wildcard.case("a wildcard behind an account", |_| ()).compliant();
    let strict = wildcard.case("read as by AWS", |_| ()).with(r#"{"wildcardValues": "strict"}"#);
    strict.non_compliant("Statement A lets everyone call test:Read");
    let mut all_but = allow("", &json!({"NotAction": ["test:Read", "test:List"]}));
    all_but.as_object_mut().unwrap().remove("Action");
    let found = "Statement 0 lets everyone call all but test:Read, test:List";
    case(of(&all_but)).case("NotAction", |_| ()).non_compliant(found);
}

#[test]
fn plans() {
    let open = json!([allow("A", &json!({})), allow("Own", &json!({"Principal": {"AWS": "111122223333"}}))]);
    let tls = allow("Tls", &json!({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}));
    let all_but = json!({"Sid": "N", "Effect": "Allow", "Principal": "*", "NotAction": "a:*", "Resource": "*"});
    let deleted = json!([open[0], allow("Old", &json!({"Principal": {"AWS": "AIDAEXAMPLE"}}))]);
    let unnamed = json!([allow("", &json!({}))]);
    let put = |statements: &Value| {
        let text = json!({"Statement": statements}).to_string();
        format!("L2 PutPolicy {}", json!({"Mailbox": "mail", "Policy": text}))
    };
    let remove = |sid: &str| format!(r#"L2 RemovePermission {{"Mailbox":"mail","StatementId":"{sid}"}}"#);
    let empty = r#"L2 PutPolicy {"Mailbox":"mail","Policy":""}"#.to_owned();
    let conditional = "blocked: policy: statement Tls has a condition that does not restrict it: add one, such as aws:SourceAccount=111122223333, or set removeConditional";
    let names_deleted = "blocked: policy: statement Old names AIDAEXAMPLE, a deleted principal, and no service accepts a policy with one: remove it";
    let by_hand = "L2 manual: remove statement 0, which RemovePermission cannot name";
    let cannot_add = "blocked: policy: statement N could not be restored by an undo";
    for (control, statements, parameters, expected) in [
        (&REPLACED, &open, "{}", vec![put(&json!([open[1]]))]),
        (&REPLACED, &tls, "{}", vec![conditional.into(), empty.clone()]),
        (&REPLACED, &tls, r#"{"removeConditional": "true"}"#, vec![empty.clone()]),
        (&REPLACED, &deleted, "{}", vec![names_deleted.into(), put(&json!([deleted[1]]))]),
        (&REPLACED, &unnamed, "{}", vec![empty.clone()]),
        (&BY_STATEMENT, &open, "{}", vec![remove("A")]),
        (&BY_STATEMENT, &json!([tls, open[0]]), "{}", vec![conditional.into(), remove("Tls"), remove("A")]),
        (&BY_STATEMENT, &deleted, "{}", vec![remove("A")]),
        (&BY_STATEMENT, &unnamed, "{}", vec![by_hand.into()]),
        (&BY_STATEMENT, &json!([open[0], open[0]]), "{}", vec![by_hand.into(), by_hand.replace('0', "1")]),
        (&BY_STATEMENT, &all_but, "{}", vec![cannot_add.into(), remove("N")]),
    ] {
        let params = serde_json::from_str(parameters).unwrap();
        let plan = control.plan(&of(statements), &params, rectify_testing::NOW);
        assert_eq!(rectify_testing::cases::lines(&plan), expected, "{statements}");
    }
    let plan = |it: &Mailbox| REPLACED.plan(it, &PolicyParameters::default(), rectify_testing::NOW).blocker(true);
    assert_eq!(plan(&Mailbox { locked: true, ..of(&open) }).unwrap(), "mail is locked");
    let tags = Tags::from([("keep".to_owned(), String::new())]);
    assert_eq!(plan(&Mailbox { tags, ..of(&unnamed) }).unwrap(), "no owner");
    let escaped = mailbox(Some(&format!(r#"{{"Statemen\u0074": {}}}"#, open[0])));
    assert!(plan(&escaped).unwrap().contains("without changing the rest of the text"));
}

#[test]
fn a_change_of_another_statement_prevents_an_undo_only_where_it_would_be_overwritten() {
    let (a, b) = (allow("A", &json!({})), allow("B", &json!({"Principal": {"AWS": "111122223333"}})));
    let (before, after, changed) = (of(&json!([a, b])), of(&json!([b])), mailbox(None));
    for (control, is_kept) in [(&REPLACED, false), (&BY_STATEMENT, true)] {
        let plan = control.plan(&before, &PolicyParameters::default(), rectify_testing::NOW);
        let done: Vec<SetCall> = plan.calls().into_iter().cloned().collect();
        let touched = |it: &Mailbox| control.touched_fields(it, &done);
        assert_eq!(touched(&changed) == touched(&after), is_kept);
        assert_ne!(touched(&before), touched(&after));
    }
    let [undo] = <[SetCall; 1]>::try_from(BY_STATEMENT.undo(&before, &[removal("A")]).unwrap()).unwrap();
    assert_eq!(undo.input["Statement"], a);
    assert!(BY_STATEMENT.undo(&before, &[removal("C")]).is_err());
}

fn removal(sid: &str) -> SetCall {
    operation("RemovePermission").member("StatementId").of("mail", &sid)
}

fn subjects() -> impl Strategy<Value = (Mailbox, PolicyParameters)> {
    (policies("test:Read", ARN), any::<bool>(), prop::bool::weighted(0.1)).prop_map(|(policy, on, locked)| {
        let params = PolicyParameters { remove_conditional: Flag(on), ..PolicyParameters::default() };
        (Mailbox { locked, ..mailbox(policy.as_deref()) }, params)
    })
}

#[test]
fn laws() {
    Laws::of(&REPLACED, &["/policy"], Remediation::predict).restores_full_state().hold(subjects());
    let added = |_: &PublicPolicy<Mailbox>, live: Mailbox, call: &SetCall| {
        let statement = call.input["Statement"].to_string();
        let empty = || Document::parse("p", r#"{"Version":"2012-10-17","Id":"Statement","Statement":[]}"#).unwrap();
        Mailbox { policy: live.policy.clone().unwrap_or_else(empty).with(&statement), ..live }
    };
    Laws::of(&BY_STATEMENT, &["/policy"], added).restores_full_state().hold(subjects());
}
