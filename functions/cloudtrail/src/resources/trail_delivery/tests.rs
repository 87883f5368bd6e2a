use serde_json::json;

use super::*;
use crate::resources::trail::tests::trail;

pub(crate) const GROUP: &str = "arn:aws:logs:eu-west-1:111122223333:log-group:trails/main:*";
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/trails";

pub(crate) fn group() -> LogGroupArn {
    LogGroupArn::try_from(GROUP.to_owned()).unwrap()
}

pub(crate) fn role() -> RoleArn {
    RoleArn::try_from(ROLE.to_owned()).unwrap()
}

fn trust(condition: &Value) -> Value {
    json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "sts:AssumeRole", "Condition": condition}]})
}

/// An existing log group, and a role that may write to it.
pub(crate) fn destination() -> Destination {
    let rights = RoleRights::new(&trust(&json!({})), &WRITES.map(str::to_owned));
    let role_rights = Some(rights);
    Destination { log_group: group(), log_group_exists: true, role: role(), role_rights, role_is_denied: false }
}

#[test]
fn a_log_group_arn_is_accepted_with_or_without_its_suffix() {
    assert_eq!(LogGroupArn::try_from(format!(" {} ", GROUP.trim_end_matches(":*"))), Ok(group()));
    assert_eq!((group().as_str(), group().name()), (GROUP, "trails/main"));
    assert!(group().is(GROUP) && group().is(GROUP.trim_end_matches(":*")) && !group().is("x"));
    let stream =
        "arn:aws:logs:eu-west-1:111122223333:log-group:trails/main:log-stream:111122223333_CloudTrail_eu-west-1";
    assert_eq!(group().stream_of(&trail()), stream);
    for text in [
        "",
        "trails",
        "arn:aws:logs:eu-west-1:111122223333:log-group:",
        "arn:aws:logs::111122223333:log-group:trails",
        "arn:aws:logs:eu-west-1:111122223333:log-group:trails:log-stream:x",
        "arn:aws:logs:eu-west-1:111122223333:destination:x",
    ] {
        let error = LogGroupArn::try_from(text.to_owned()).unwrap_err();
        assert_eq!(error, format!("expected the ARN of a log group: received `{text}`"));
    }
}

#[test]
fn a_role_is_identified_by_its_arn_and_its_name_excludes_the_path() {
    assert_eq!((role().as_str(), role().name()), (ROLE, "trails"));
    for text in ["", "trails", "arn:aws:iam::111122223333:role/", "arn:aws:iam::111122223333:user/x"] {
        let error = RoleArn::try_from(text.to_owned()).unwrap_err();
        assert_eq!(error, format!("expected the ARN of a role: received `{text}`"));
    }
}

#[test]
fn an_unusable_destination_gives_its_blockers() {
    assert_eq!(destination().blockers(&trail()), [""; 0]);
    let all = WRITES.map(str::to_owned);
    let of_source = json!({"StringEquals": {"aws:SourceArn": trail().arn}});
    let with = |rights| Destination { role_rights: Some(rights), ..destination() };
    for (case, destination, expected) in [
        (
            "no group",
            Destination { log_group_exists: false, ..destination() },
            format!("account 111122223333 has no log group {GROUP} in eu-west-1"),
        ),
        (
            "no role",
            Destination { role_rights: None, ..destination() },
            format!("account 111122223333 has no role {ROLE}"),
        ),
        (
            "a role that is not CloudTrailLogsRoleArn",
            Destination { role_rights: None, role_is_denied: true, ..destination() },
            format!("the remediation may not read or pass role {ROLE}: set the stack's CloudTrailLogsRoleArn to it"),
        ),
        (
            "a role of another service",
            with(RoleRights::new(&json!({"Statement": []}), &all)),
            format!("the trust policy of role {ROLE} does not plainly let cloudtrail.amazonaws.com assume it"),
        ),
        (
            "a role with a condition",
            with(RoleRights::new(&trust(&of_source), &all)),
            format!("the trust policy of role {ROLE} does not plainly let cloudtrail.amazonaws.com assume it"),
        ),
        (
            "a role without PutLogEvents",
            with(RoleRights::new(&trust(&json!({})), &all[..1])),
            format!("role {ROLE} is not allowed logs:PutLogEvents in log group {GROUP}"),
        ),
        (
            "a role without permissions",
            with(RoleRights::new(&trust(&json!({})), &[])),
            format!("role {ROLE} is not allowed logs:CreateLogStream, logs:PutLogEvents in log group {GROUP}"),
        ),
    ] {
        assert_eq!(destination.blockers(&trail()), [expected], "{case}");
    }
}
