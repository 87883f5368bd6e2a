//! The cases of the control, and what the policy is read from.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::parameters::RuleParameters;

use super::*;
use crate::password_policy::Answer;

pub(super) fn params(text: &str) -> IamPasswordPolicyParameters {
    RuleParameters::parse(Some(text)).unwrap().control
}

pub(super) fn strong() -> PasswordPolicy {
    PasswordPolicy {
        minimum_password_length: 14,
        require_symbols: true,
        require_numbers: true,
        require_uppercase_characters: true,
        require_lowercase_characters: true,
        allow_users_to_change_password: true,
        max_password_age: Some(90),
        password_reuse_prevention: Some(24),
        hard_expiry: false,
    }
}

pub(super) fn with(policy: impl Into<Option<PasswordPolicy>>) -> Passwords {
    Passwords { account: AccountId::new("111122223333"), policy: policy.into() }
}

fn judge(subject: &Passwords, text: &str) -> Verdict {
    IamPasswordPolicy.evaluate(subject, &params(text), Timestamp::UNIX_EPOCH)
}

fn plan(subject: &Passwords, text: &str) -> Plan<PasswordAction> {
    IamPasswordPolicy.plan(subject, &params(text), Timestamp::UNIX_EPOCH)
}

fn set(level: Level, policy: PasswordPolicy) -> Plan<PasswordAction> {
    Plan::Do { steps: vec![Step::call(level, PasswordAction::UpdateAccountPasswordPolicy(policy))] }
}

#[test]
fn a_policy_is_judged_setting_by_setting() {
    let weak = PasswordPolicy {
        minimum_password_length: 8,
        require_symbols: false,
        require_numbers: false,
        require_uppercase_characters: false,
        require_lowercase_characters: false,
        max_password_age: None,
        password_reuse_prevention: None,
        ..strong()
    };
    let all = "Password policy: length 8 (<14), no uppercase letter required, no lowercase letter required, no symbol \
               required, no digit required, reuse 0 (<24), no expiry (<=90 d)";
    let off = r#"{"RequireUppercaseCharacters":"false","RequireLowercaseCharacters":false,"RequireSymbols":"False",
        "RequireNumbers":"false","MinimumPasswordLength":"6","PasswordReusePrevention":"none","MaxPasswordAge":"none"}"#;
    let finding = |text: &str| Verdict::non_compliant(text);
    for (case, policy, parameters, expected) in [
        ("iam-password-policy/1", None, "{}", finding("Account has no password policy of its own")),
        ("iam-password-policy/1, none required", None, off, finding("Account has no password policy of its own")),
        ("as required", Some(strong()), "{}", Verdict::COMPLIANT),
        ("everything", Some(weak.clone()), "{}", finding(all)),
        ("false and none ask for nothing", Some(weak), off, Verdict::COMPLIANT),
        ("and forbid nothing", Some(strong()), off, Verdict::COMPLIANT),
        (
            "iam-password-policy/2",
            Some(PasswordPolicy { minimum_password_length: 20, password_reuse_prevention: None, ..strong() }),
            "{}",
            finding("Password policy: reuse 0 (<24)"),
        ),
        (
            "fewer remembered",
            Some(PasswordPolicy { password_reuse_prevention: Some(23), ..strong() }),
            r#"{"PasswordReusePrevention": 24}"#,
            finding("Password policy: reuse 23 (<24)"),
        ),
        (
            "iam-password-policy/4",
            Some(PasswordPolicy { max_password_age: Some(60), ..strong() }),
            r#"{"MaxPasswordAge":"none"}"#,
            Verdict::COMPLIANT,
        ),
        (
            "iam-password-policy/5",
            Some(PasswordPolicy { max_password_age: None, ..strong() }),
            r#"{"MaxPasswordAge":"90"}"#,
            finding("Password policy: no expiry (<=90 d)"),
        ),
        (
            "a day too long",
            Some(PasswordPolicy { max_password_age: Some(91), ..strong() }),
            "{}",
            finding("Password policy: expiry 91 d (>90 d)"),
        ),
    ] {
        assert_eq!(judge(&with(policy), parameters), expected, "{case}");
    }
}

#[test]
fn parameters_are_read_as_they_are_meant_or_not_at_all() {
    let parse = |text: &str| RuleParameters::<IamPasswordPolicyParameters>::parse(Some(text)).map(|it| it.control);
    for text in [
        r#"{"RequireSymbols":"TRUE"}"#,
        r#"{"RequireSymbols":"","MaxPasswordAge":" ","PasswordReusePrevention":null}"#,
        r#"{"MaxPasswordAge":90,"PasswordReusePrevention":" 24 "}"#,
    ] {
        assert_eq!(parse(text), Ok(IamPasswordPolicyParameters::default()), "iam-password-policy/3: {text}");
    }
    let none = parse(r#"{"MaxPasswordAge":"none","PasswordReusePrevention":" none "}"#).unwrap();
    assert_eq!((none.max_password_age.get(), none.password_reuse_prevention.get()), (None, None));
    let written = serde_json::to_string(&none).unwrap();
    assert_eq!(parse(&written), Ok(none), "{written}");
    for (case, text, expected) in [
        ("iam-password-policy/3", r#"{"RequireSymbols":"yes"}"#, "expected true or false: received `yes`"),
        (
            "iam-password-policy/7",
            r#"{"MinimumPasswordLength":"14.0"}"#,
            "expected a whole number in 6..=128: received `14.0`",
        ),
        (
            "iam-password-policy/7, age",
            r#"{"MaxPasswordAge":"90.0"}"#,
            "expected a whole number in 1..=1095: received `90.0`, nor `none`",
        ),
        ("zero", r#"{"MaxPasswordAge":0}"#, "expected a whole number in 1..=1095: received `0`, nor `none`"),
        ("another word", r#"{"PasswordReusePrevention":"None"}"#, "received `None`, nor `none`"),
        ("another case", r#"{"requireSymbols":true}"#, "did you mean `RequireSymbols`"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{case}: {error}");
    }
}

#[test]
fn the_fix_is_one_call_with_all_settings_none_of_them_weaker() {
    let long = PasswordPolicy { minimum_password_length: 20, password_reuse_prevention: None, ..strong() };
    let remembered = PasswordPolicy { password_reuse_prevention: Some(24), ..long.clone() };
    let eternal = PasswordPolicy { max_password_age: None, ..strong() };
    let hard = PasswordPolicy { hard_expiry: true, minimum_password_length: 8, ..strong() };
    let sixty = PasswordPolicy { max_password_age: Some(60), minimum_password_length: 8, ..strong() };
    let hard_long = PasswordPolicy { max_password_age: Some(200), hard_expiry: true, ..strong() };
    for (case, before, parameters, expected) in [
        ("nothing to do", strong(), "{}", Plan::Nothing),
        ("iam-password-policy/2", long, "{}", set(Level::L1, remembered)),
        (
            "iam-password-policy/4",
            sixty.clone(),
            r#"{"MaxPasswordAge":"none"}"#,
            set(Level::L1, PasswordPolicy { minimum_password_length: 14, ..sixty }),
        ),
        ("iam-password-policy/5", eternal, "{}", set(Level::L2, strong())),
        ("iam-password-policy/6", hard, "{}", set(Level::L1, PasswordPolicy { hard_expiry: true, ..strong() })),
        (
            "iam-password-policy/6, shortened",
            hard_long,
            "{}",
            set(Level::L2, PasswordPolicy { hard_expiry: true, ..strong() }),
        ),
    ] {
        assert_eq!(plan(&with(before), parameters), expected, "{case}");
    }
}

#[test]
fn an_account_without_a_policy_gets_one_that_is_not_weaker_than_the_default_of_aws() {
    let case = "iam-password-policy/1";
    assert_eq!(plan(&with(None), "{}"), set(Level::L2, strong()), "{case}");
    let lax = r#"{"MaxPasswordAge":"none","PasswordReusePrevention":"none","MinimumPasswordLength":6,"RequireSymbols":false}"#;
    let expected = PasswordPolicy {
        minimum_password_length: 8,
        require_symbols: false,
        max_password_age: None,
        password_reuse_prevention: None,
        ..strong()
    };
    assert_eq!(plan(&with(None), lax), set(Level::L1, expected), "{case}, lax");
    let laxer = r#"{"MaxPasswordAge":"none","RequireNumbers":false,"RequireSymbols":false}"#;
    let Plan::Hold { reason, steps } = plan(&with(None), laxer) else { panic!("held") };
    assert!(reason.contains("fewer than three kinds of characters") && steps.len() == 1, "{reason}");
}

#[test]
fn passwords_that_users_may_not_change_are_not_made_to_expire() {
    let policy = PasswordPolicy { allow_users_to_change_password: false, max_password_age: None, ..strong() };
    let Plan::Hold { reason, steps } = plan(&with(policy.clone()), "{}") else { panic!("held") };
    assert!(reason.starts_with("AllowUsersToChangePassword is false"), "{reason}");
    assert_eq!(steps[0].level, Level::L2);
    // They expire already: making them expire sooner shuts nobody out who was not.
    let expiring = PasswordPolicy { max_password_age: Some(365), ..policy };
    let sooner = PasswordPolicy { max_password_age: Some(90), ..expiring.clone() };
    assert_eq!(plan(&with(expiring), "{}"), set(Level::L2, sooner));
}

#[test]
fn a_call_names_every_setting_that_is_on_as_the_api_spells_it() {
    let call = PasswordAction::UpdateAccountPasswordPolicy(PasswordPolicy { max_password_age: None, ..strong() });
    let expected = json!({"UpdateAccountPasswordPolicy": {
        "MinimumPasswordLength": 14, "RequireSymbols": true, "RequireNumbers": true, "RequireUppercaseCharacters": true,
        "RequireLowercaseCharacters": true, "AllowUsersToChangePassword": true, "PasswordReusePrevention": 24,
        "HardExpiry": false
    }});
    assert_eq!(serde_json::to_value(&call).unwrap(), expected);
    assert_eq!(serde_json::from_value::<PasswordAction>(expected).unwrap(), call);
}

#[test]
fn undo_sets_the_whole_previous_policy_or_none() {
    let before = PasswordPolicy { minimum_password_length: 8, ..strong() };
    let done = [PasswordAction::UpdateAccountPasswordPolicy(strong())];
    let restored = vec![PasswordUndo::UpdateAccountPasswordPolicy(before.clone())];
    assert_eq!(IamPasswordPolicy.undo(&with(before), &done), Ok(restored));
    assert_eq!(IamPasswordPolicy.undo(&with(None), &done), Ok(vec![PasswordUndo::DeleteAccountPasswordPolicy {}]));
    assert_eq!(IamPasswordPolicy.undo(&with(strong()), &[]), Ok(vec![]));
    assert_eq!(IamPasswordPolicy.footprint(&with(strong()), &[]), json!({}));
}

#[test]
fn an_answer_is_read_with_off_as_none_and_nothing_guessed() {
    let answer = Answer {
        minimum_password_length: Some(14),
        require_symbols: true,
        require_numbers: true,
        require_uppercase_characters: true,
        require_lowercase_characters: true,
        allow_users_to_change_password: true,
        expire_passwords: true,
        max_password_age: Some(90),
        password_reuse_prevention: Some(24),
        hard_expiry: None,
    };
    assert_eq!(answer.read(), Ok(strong()));
    for (age, expires) in [(Some(0), true), (Some(90), false), (None, true), (None, false)] {
        let policy = Answer { max_password_age: age, expire_passwords: expires, ..answer }.read().unwrap();
        assert_eq!(policy.max_password_age, None, "{age:?} {expires}");
    }
    let error = Answer { minimum_password_length: None, ..answer }.read().unwrap_err();
    assert_eq!(error.path, "PasswordPolicy.MinimumPasswordLength");
    let error = Answer { password_reuse_prevention: Some(-1), ..answer }.read().unwrap_err();
    assert_eq!(error.received, "-1");
}
