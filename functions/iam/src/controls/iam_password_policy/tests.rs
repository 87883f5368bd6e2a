//! Cases for the control, and tests of parsing the policy.

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::plan::call_text;
use rectify_testing::{Case, Cases};

use super::*;
use crate::resources::password_policy::Answer;

const NO_POLICY: &str = "Account has no custom password policy";

fn strong() -> PasswordPolicy {
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

fn case(name: &str, policy: impl Into<Option<PasswordPolicy>>) -> Case<'_, IamPasswordPolicy> {
    Cases::of(&IamPasswordPolicy, with(policy)).case(name, |_| ())
}

/// The one step of a plan.
fn set(level: Level, policy: PasswordPolicy) -> String {
    format!("{level} {}", call_text(&PasswordAction::UpdateAccountPasswordPolicy(policy)))
}

#[test]
fn each_setting_is_judged_and_the_fix_weakens_none() {
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
    let off = r#"{"RequireUppercaseCharacters":"false","RequireLowercaseCharacters":false,"RequireSymbols":"False",
        "RequireNumbers":"false","MinimumPasswordLength":"6","PasswordReusePrevention":"none","MaxPasswordAge":"none"}"#;
    let no_age = r#"{"MaxPasswordAge":"none"}"#;
    let remembers = |reuse| PasswordPolicy { password_reuse_prevention: reuse, ..strong() };
    let expires = |age| PasswordPolicy { max_password_age: age, ..strong() };
    let long = PasswordPolicy { minimum_password_length: 20, ..strong() };
    let short = PasswordPolicy { minimum_password_length: 8, ..strong() };
    let hard = PasswordPolicy { hard_expiry: true, ..strong() };

    case("iam-password-policy/1, nothing required", None).with(off).non_compliant(NO_POLICY);
    case("as required", strong()).compliant();
    case("everything", weak.clone())
        .non_compliant(
            "Password policy: length 8 (<14), no uppercase letter required, no lowercase letter required, no symbol \
             required, no digit required, reuse 0 (<24), no expiry (<=90 d)",
        )
        .planned(&[&set(Level::L2, strong())]);
    case("false and none require nothing", weak).with(off).compliant();
    case("and forbid nothing", strong()).with(off).compliant();
    case("iam-password-policy/2", PasswordPolicy { password_reuse_prevention: None, ..long.clone() })
        .non_compliant("Password policy: reuse 0 (<24)")
        .planned(&[&set(Level::L1, long)]);
    case("fewer remembered", remembers(Some(23)))
        .with(r#"{"PasswordReusePrevention": 24}"#)
        .non_compliant("Password policy: reuse 23 (<24)")
        .planned(&[&set(Level::L1, strong())]);
    case("iam-password-policy/4", expires(Some(60))).with(no_age).compliant();
    case("iam-password-policy/4, too short", PasswordPolicy { minimum_password_length: 8, ..expires(Some(60)) })
        .with(no_age)
        .non_compliant("Password policy: length 8 (<14)")
        .planned(&[&set(Level::L1, expires(Some(60)))]);
    case("iam-password-policy/5", expires(None))
        .with(r#"{"MaxPasswordAge":"90"}"#)
        .non_compliant("Password policy: no expiry (<=90 d)")
        .planned(&[&set(Level::L2, strong())]);
    case("a day too long", expires(Some(91)))
        .non_compliant("Password policy: expiry 91 d (>90 d)")
        .planned(&[&set(Level::L2, strong())]);
    case("iam-password-policy/6", PasswordPolicy { hard_expiry: true, ..short })
        .non_compliant("Password policy: length 8 (<14)")
        .planned(&[&set(Level::L1, hard.clone())]);
    case("iam-password-policy/6, shortened", PasswordPolicy { max_password_age: Some(200), ..hard.clone() })
        .non_compliant("Password policy: expiry 200 d (>90 d)")
        .planned(&[&set(Level::L2, hard)]);
}

#[test]
fn an_account_without_a_policy_gets_one_no_weaker_than_the_aws_default() {
    let lax = r#"{"MaxPasswordAge":"none","PasswordReusePrevention":"none","MinimumPasswordLength":6,"RequireSymbols":false}"#;
    let laxer = r#"{"MaxPasswordAge":"none","RequireNumbers":false,"RequireSymbols":false}"#;
    let eternal = PasswordPolicy { require_symbols: false, max_password_age: None, ..strong() };
    let first = PasswordPolicy { minimum_password_length: 8, password_reuse_prevention: None, ..eternal.clone() };
    case("iam-password-policy/1", None).non_compliant(NO_POLICY).planned(&[&set(Level::L2, strong())]);
    case("iam-password-policy/1, lax", None).with(lax).non_compliant(NO_POLICY).planned(&[&set(Level::L1, first)]);
    case("two character types", None).with(laxer).non_compliant(NO_POLICY).planned(&[
        "blocked: the parameters require fewer character types than the three of AWS's default policy",
        &set(Level::L1, PasswordPolicy { require_numbers: false, ..eternal }),
    ]);
}

#[test]
fn passwords_that_users_may_not_change_do_not_start_to_expire() {
    let fixed = PasswordPolicy { allow_users_to_change_password: false, ..strong() };
    case("no expiry", PasswordPolicy { max_password_age: None, ..fixed.clone() })
        .non_compliant("Password policy: no expiry (<=90 d)")
        .planned(&[
            "blocked: AllowUsersToChangePassword is false: users whose password expires could not set a new one",
            &set(Level::L2, fixed.clone()),
        ]);
    // They expire already: an earlier expiry locks out no additional users.
    case("an expiry", PasswordPolicy { max_password_age: Some(365), ..fixed.clone() })
        .non_compliant("Password policy: expiry 365 d (>90 d)")
        .planned(&[&set(Level::L2, fixed)]);
}

#[test]
fn valid_spellings_of_parameters_are_accepted_and_others_rejected() {
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
fn a_call_names_every_setting_that_is_on_in_the_spelling_of_the_api() {
    let call = PasswordAction::UpdateAccountPasswordPolicy(PasswordPolicy { max_password_age: None, ..strong() });
    let expected = json!({"UpdateAccountPasswordPolicy": {
        "MinimumPasswordLength": 14, "RequireSymbols": true, "RequireNumbers": true, "RequireUppercaseCharacters": true,
        "RequireLowercaseCharacters": true, "AllowUsersToChangePassword": true, "PasswordReusePrevention": 24,
        "HardExpiry": false
    }});
    assert_eq!(serde_json::to_value(&call).unwrap(), expected);
}

#[test]
fn undo_restores_the_previous_policy_or_deletes_the_new_one() {
    let before = PasswordPolicy { minimum_password_length: 8, ..strong() };
    let done = [PasswordAction::UpdateAccountPasswordPolicy(strong())];
    let restored = vec![PasswordUndo::UpdateAccountPasswordPolicy(before.clone())];
    assert_eq!(IamPasswordPolicy.undo(&with(before), &done), Ok(restored));
    assert_eq!(IamPasswordPolicy.undo(&with(None), &done), Ok(vec![PasswordUndo::DeleteAccountPasswordPolicy {}]));
    assert_eq!(IamPasswordPolicy.undo(&with(strong()), &[]), Ok(vec![]));
    assert_eq!(IamPasswordPolicy.touched_fields(&with(strong()), &[]), json!({}));
}

#[test]
fn limits_that_are_off_parse_as_none_and_a_missing_length_is_an_error() {
    let response = Answer {
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
    assert_eq!(response.read(), Ok(strong()));
    for (age, expires) in [(Some(0), true), (Some(90), false), (None, true), (None, false)] {
        let policy = Answer { max_password_age: age, expire_passwords: expires, ..response }.read().unwrap();
        assert_eq!(policy.max_password_age, None, "{age:?} {expires}");
    }
    let error = Answer { minimum_password_length: None, ..response }.read().unwrap_err();
    assert_eq!(error.path, "PasswordPolicy.MinimumPasswordLength");
    let error = Answer { password_reuse_prevention: Some(-1), ..response }.read().unwrap_err();
    assert_eq!(error.received, "-1");
}
