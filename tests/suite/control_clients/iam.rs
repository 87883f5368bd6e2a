//! The controls of IAM: denied reads, pages, and users that are deleted while they are read.

mod policies;

use std::sync::{Arc, Mutex};

use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use rectify_iam::controls::access_keys_rotated::{ACCESS_KEYS_ROTATED, AccessKeysRotated};
use rectify_iam::controls::iam_password_policy::IAM_PASSWORD_POLICY;
use rectify_iam::controls::iam_user_mfa_enabled::IAM_USER_MFA_ENABLED;
use rectify_iam::controls::iam_user_unused_credentials_check::IAM_USER_UNUSED_CREDENTIALS_CHECK;
use rectify_iam::controls::mfa_enabled_for_iam_console_access::MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS;
use rectify_iam::controls::root_account_mfa_enabled::ROOT_ACCOUNT_MFA_ENABLED;
use rectify_iam_lambda::Clients;
use rectify_tests::emulator::sdk_over;
use rectify_tests::mfa_policy;

use super::*;

/// `mfa-enabled-for-iam-console-access/7`: the devices are one of the reads.
#[tokio::test]
async fn denied_read_of_a_user_or_of_the_account_is_an_error() {
    let iam = aws_sdk_iam::Client::new(&sdk_at(endpoint()));
    for name in ["denied-password", "denied-device", "denied-keys"] {
        iam.create_user().user_name(name).send().await.unwrap();
    }
    for name in ["denied-password", "denied-device"] {
        iam.create_login_profile().user_name(name).password("Not-A-Secret-1").send().await.unwrap();
    }
    mfa_policy::register_device(&iam, "denied-device").await;
    iam.create_access_key().user_name("denied-keys").send().await.unwrap();
    each_denied_read_is_reported(
        &on_change_and_schedule::<_, Clients>(&MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS),
        REGION,
        "AccessDenied",
    )
    .await;
    each_denied_read_is_reported(&on_schedule::<_, Clients>(&IAM_USER_MFA_ENABLED), REGION, "AccessDenied").await;
    each_denied_read_is_reported(&on_schedule::<_, Clients>(&ACCESS_KEYS_ROTATED), REGION, "AccessDenied").await;
    each_denied_read_is_reported(
        &on_schedule::<_, Clients>(&IAM_USER_UNUSED_CREDENTIALS_CHECK),
        REGION,
        "AccessDenied",
    )
    .await;
    each_denied_read_is_reported(&on_schedule::<_, Clients>(&IAM_PASSWORD_POLICY), REGION, "AccessDenied").await;
    each_denied_read_is_reported(&on_schedule::<_, Clients>(&ROOT_ACCOUNT_MFA_ENABLED), REGION, "AccessDenied").await;
}

/// `root-account-mfa-enabled/6`
#[tokio::test]
async fn throttled_read_of_the_account_summary_is_an_error() {
    let services = Services::refusing([InjectedError { operation: None, number: 1, code: "Throttling" }]);
    let error =
        run_scheduled(&on_schedule::<_, Clients>(&ROOT_ACCOUNT_MFA_ENABLED), &services, REGION).await.unwrap_err();
    assert_eq!((error.kind(), services.evaluations()), ("Throttled", vec![]), "{error}");
}

/// IAM and AWS Config as a function from a call and its body to an answer, with a record of the calls.
#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Vec<(String, String)>>>);

impl Scripted {
    /// An SDK over these answers; `None` is `NoSuchEntity`. AWS Config accepts every evaluation and has these earlier
    /// results.
    fn sdk(&self, results: Value, answer: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static) -> SdkConfig {
        let calls = Arc::clone(&self.0);
        let http = infallible_client_fn(move |request: http::Request<SdkBody>| {
            let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
            let operation = match request.headers().get("x-amz-target") {
                Some(target) => target.to_str().unwrap().rsplit('.').next().unwrap().to_owned(),
                None => body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap().to_owned(),
            };
            calls.lock().unwrap().push((operation.clone(), body.clone()));
            let (status, text) = match operation.as_str() {
                "PutEvaluations" => (200, json!({"FailedEvaluations": []}).to_string()),
                "GetComplianceDetailsByConfigRule" => (200, json!({"EvaluationResults": results}).to_string()),
                _ => match answer(&operation, &body) {
                    Some(result) => (
                        200,
                        format!(
                            "<{operation}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
                         <{operation}Result>{result}</{operation}Result></{operation}Response>"
                        ),
                    ),
                    None => (
                        404,
                        "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code>\
                                   <Message>gone</Message></Error></ErrorResponse>"
                            .to_owned(),
                    ),
                },
            };
            http::Response::builder().status(status).body(SdkBody::from(text)).unwrap()
        });
        sdk_over("https://localhost", http)
    }

    fn count(&self, operation: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|(name, _)| name == operation).count()
    }

    /// Type, id and verdict of every evaluation sent, one list per call.
    fn reported(&self) -> Vec<Vec<(String, String, String)>> {
        let calls = self.0.lock().unwrap();
        let bodies = calls.iter().filter(|(name, _)| name == "PutEvaluations").map(|(_, body)| body);
        let text = |evaluation: &Value, key: &str| evaluation[key].as_str().unwrap().to_owned();
        bodies
            .map(|body| {
                let body: Value = serde_json::from_str(body).unwrap();
                let all = body["Evaluations"].as_array().unwrap().iter();
                all.map(|it| {
                    (text(it, "ComplianceResourceType"), text(it, "ComplianceResourceId"), text(it, "ComplianceType"))
                })
                .collect()
            })
            .collect()
    }
}

fn user(number: usize) -> String {
    format!(
        "<Path>/</Path><UserName>user-{number}</UserName><UserId>AIDA{number:016}</UserId>\
         <Arn>arn:aws:iam::{ACCOUNT}:user/user-{number}</Arn><CreateDate>2026-01-02T03:04:05Z</CreateDate>"
    )
}

/// A page of users, and the marker of the next one.
fn users(numbers: std::ops::Range<usize>, next: Option<&str>) -> String {
    let members: String = numbers.map(|number| format!("<member>{}</member>", user(number))).collect();
    let marker = next.map_or_else(String::new, |marker| format!("<Marker>{marker}</Marker>"));
    format!("<Users>{members}</Users><IsTruncated>{}</IsTruncated>{marker}", next.is_some())
}

const NO_DEVICE: &str = "<MFADevices/><IsTruncated>false</IsTruncated>";
const PROFILE: &str =
    "<LoginProfile><UserName>user-0</UserName><CreateDate>2026-01-02T03:04:05Z</CreateDate></LoginProfile>";

async fn run_rule(rule: &Rule, sdk: &SdkConfig, invoking: &Value, parameters: &Value) -> Result<(), Error> {
    let settings = FunctionSettings { region: Region::new(REGION), home_region: None };
    let context = RuleContext::over(rule.clone(), sdk, settings);
    let event = rule_event(invoking, parameters, "token");
    let mut line = Invocation::start(rule.meta.id, "request");
    handle(&context, &event, &invocation(), &mut line).await
}

/// `mfa-enabled-for-iam-console-access/6`: each page is reported before the next one is requested.
#[tokio::test]
async fn users_are_listed_in_pages_and_reported_a_hundred_at_a_time() {
    let scripted = Scripted::default();
    let sdk = scripted.sdk(json!([]), |operation, body| match operation {
        "ListUsers" if body.contains("Marker=more") => Some(users(100..150, None)),
        "ListUsers" => Some(users(0..100, Some("more"))),
        "GetLoginProfile" => Some(PROFILE.to_owned()),
        "ListMFADevices" => Some(NO_DEVICE.to_owned()),
        _ => None,
    });
    run_rule(
        &on_change_and_schedule::<_, Clients>(&MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS),
        &sdk,
        &scheduled(),
        &json!({}),
    )
    .await
    .unwrap();
    let sizes: Vec<usize> = scripted.reported().iter().map(Vec::len).collect();
    assert_eq!(sizes, [100, 50]);
    let listed: Vec<String> = scripted.reported().concat().into_iter().map(|(_, id, _)| id).collect();
    let expected: Vec<String> = (0..150).map(|number| format!("AIDA{number:016}")).collect();
    assert_eq!(listed, expected, "in the order of the list");
    assert_eq!((scripted.count("ListUsers"), scripted.count("ListMFADevices")), (2, 150));
    let calls = scripted.0.lock().unwrap();
    let first =
        |matches: &dyn Fn(&str, &str) -> bool| calls.iter().position(|(name, body)| matches(name, body)).unwrap();
    assert!(first(&|name, _| name == "PutEvaluations") < first(&|_, body| body.contains("Marker=more")));
}

/// `mfa-enabled-for-iam-console-access/5`, `iam-user-mfa-enabled/5`: a user deleted between the list and its reads is
/// left out, and a change of a deleted user, or of one whose name now belongs to another user, is not applicable.
#[tokio::test]
async fn deleted_user_is_not_evaluated() {
    let one = |operation: &str, _: &str| (operation == "ListUsers").then(|| users(0..1, None));
    let nothing = vec![vec![]];
    let scripted = Scripted::default();
    run_rule(
        &on_change_and_schedule::<_, Clients>(&MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS),
        &scripted.sdk(json!([]), one),
        &scheduled(),
        &json!({}),
    )
    .await
    .unwrap();
    assert_eq!((scripted.reported(), scripted.count("GetUser")), (nothing.clone(), 1));
    let scripted = Scripted::default();
    let sdk = scripted.sdk(json!([]), one);
    run_rule(&on_schedule::<_, Clients>(&IAM_USER_MFA_ENABLED), &sdk, &scheduled(), &json!({})).await.unwrap();
    assert_eq!(scripted.reported(), nothing);
    let scripted = Scripted::default();
    let sdk = scripted.sdk(json!([]), one);
    run_rule(&on_schedule::<_, Clients>(&ACCESS_KEYS_ROTATED), &sdk, &scheduled(), &json!({})).await.unwrap();
    assert_eq!(scripted.reported(), nothing);

    let id = format!("AIDA{:016}", 0);
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/user-0");
    let change = rectify_tests::events::change(&json!({
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": "2026-03-04T05:06:07.512Z",
        "configurationItemStatus": "OK", "configurationStateId": 1, "awsAccountId": ACCOUNT, "awsRegion": "global",
        "resourceType": "AWS::IAM::User", "resourceId": id, "resourceName": "user-0", "ARN": arn,
        "configuration": {"userName": "user-0", "userId": id, "arn": arn, "createDate": "2026-01-02T03:04:05.000Z"},
        "supplementaryConfiguration": {}, "tags": {}, "relationships": []
    }));
    for (case, found, verdict) in [
        ("deleted", None, "NOT_APPLICABLE"),
        ("another user of this name", Some(1), "NOT_APPLICABLE"),
        ("the same user", Some(0), "NON_COMPLIANT"),
    ] {
        let scripted = Scripted::default();
        let sdk = scripted.sdk(json!([]), move |operation, _| match operation {
            "GetUser" => found.map(|number| format!("<User>{}</User>", user(number))),
            "GetLoginProfile" => Some(PROFILE.to_owned()),
            "ListMFADevices" => Some(NO_DEVICE.to_owned()),
            _ => None,
        });
        run_rule(&on_change_and_schedule::<_, Clients>(&MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS), &sdk, &change, &json!({}))
            .await
            .unwrap();
        let expected = vec![vec![("AWS::IAM::User".to_owned(), id.clone(), verdict.to_owned())]];
        assert_eq!(scripted.reported(), expected, "{case}");
    }
}

/// `iam-user-mfa-enabled/6`: old results are retired by type and id.
#[tokio::test]
async fn old_result_with_the_same_id_and_another_type_is_left_alone() {
    let result = |kind: &str, id: &str| {
        json!({"EvaluationResultIdentifier": {"EvaluationResultQualifier": {
            "ConfigRuleName": "rectify-widget-disabled", "ResourceType": kind, "ResourceId": id}}})
    };
    let results = json!([result("AWS::IAM::Role", "AIDAGONE"), result("AWS::IAM::User", "AIDAGONE")]);
    let scripted = Scripted::default();
    let sdk = scripted.sdk(results, |operation, _| match operation {
        "ListUsers" => Some(users(0..1, None)),
        "ListMFADevices" => Some(NO_DEVICE.to_owned()),
        "ListAccessKeys" => Some("<AccessKeyMetadata/><IsTruncated>false</IsTruncated>".to_owned()),
        _ => None,
    });
    run_rule(&on_schedule::<_, Clients>(&IAM_USER_MFA_ENABLED), &sdk, &scheduled(), &json!({})).await.unwrap();
    let row = |id: &str, verdict: &str| vec![("AWS::IAM::User".to_owned(), id.to_owned(), verdict.to_owned())];
    assert_eq!(scripted.reported(), [row("AIDA0000000000000000", "NON_COMPLIANT"), row("AIDAGONE", "NOT_APPLICABLE")]);
}

/// A user whose item has no name, or an old one, is found by its id; a user that is not listed is gone.
#[tokio::test]
async fn user_without_a_recorded_name_is_found_by_its_id() {
    let target = |name: Option<&str>, number: usize| rectify_compliance::Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: rectify_compliance::ResourceKey::new("AWS::IAM::User", format!("AIDA{number:016}")),
        name: name.map(str::to_owned),
        arn: None,
    };
    for (name, number, found, lists) in [
        (Some("user-1"), 1, true, 0),
        (None, 1, true, 1),
        (Some("old-name"), 1, true, 1),
        (Some("user-2"), 1, true, 1),
        (None, 7, false, 1),
    ] {
        let scripted = Scripted::default();
        let sdk = scripted.sdk(json!([]), |operation, body| match operation {
            "ListUsers" => Some(users(0..3, None)),
            "GetUser" => {
                let number = (0..3).find(|number| body.ends_with(&format!("UserName=user-{number}")));
                number.map(|number| format!("<User>{}</User>", user(number)))
            }
            "ListAccessKeys" => Some("<AccessKeyMetadata/><IsTruncated>false</IsTruncated>".to_owned()),
            _ => None,
        });
        let clients = Clients::connect(&sdk);
        let live = AccessKeysRotated.live(&clients, &target(name, number), &Default::default()).await.unwrap();
        let name_found = live.map(|it| it.user.name);
        assert_eq!(name_found, found.then(|| "user-1".to_owned()), "{name:?} {number}");
        assert_eq!(scripted.count("ListUsers"), lists, "{name:?} {number}");
    }
}

/// `iam-user-unused-credentials-check/2`, `iam-user-unused-credentials-check/6`: IAM leaves out the date of a key that
/// was never used, and returns the last use of a former password.
#[tokio::test]
async fn last_use_of_passwords_and_keys_is_read() {
    const KEY: &str = "<AccessKeyMetadata><member><UserName>user-0</UserName><Status>Active</Status>\
         <AccessKeyId>AKIAEXAMPLEEXAMPABCD</AccessKeyId><CreateDate>2025-06-01T00:00:00Z</CreateDate></member>\
         </AccessKeyMetadata><IsTruncated>false</IsTruncated>";
    const RECENT: &str = "<LastUsedDate>2026-03-01T00:00:00Z</LastUsedDate>";
    for (case, key_used, described, verdict) in [
        ("a former password", RECENT, 0, Some("COMPLIANT")),
        ("a key that was never used", "", 0, Some("NON_COMPLIANT")),
        ("the name of another user", RECENT, 1, None),
    ] {
        let scripted = Scripted::default();
        let sdk = scripted.sdk(json!([]), move |operation, _| match operation {
            "ListUsers" => Some(users(0..1, None)),
            "GetUser" => {
                let user = user(described);
                Some(format!("<User>{user}<PasswordLastUsed>2024-01-02T03:04:05Z</PasswordLastUsed></User>"))
            }
            "GetLoginProfile" => Some(PROFILE.to_owned()),
            "ListAccessKeys" => Some(KEY.to_owned()),
            "GetAccessKeyLastUsed" => Some(format!(
                "<AccessKeyLastUsed>{key_used}<ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>"
            )),
            _ => None,
        });
        let rule = on_schedule::<_, Clients>(&IAM_USER_UNUSED_CREDENTIALS_CHECK);
        run_rule(&rule, &sdk, &scheduled(), &json!({})).await.unwrap();
        let reported = scripted.reported().concat();
        let sent: Vec<_> = reported.iter().map(|(_, id, verdict)| (id.as_str(), verdict.as_str())).collect();
        assert_eq!(sent, verdict.map(|it| ("AIDA0000000000000000", it)).into_iter().collect::<Vec<_>>(), "{case}");
    }
}
