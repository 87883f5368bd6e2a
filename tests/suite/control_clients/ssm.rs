//! Systems Manager documents, and the setting that allows public ones.

use aws_sdk_ssm::types::{DocumentPermissionType, DocumentType};
use rectify_compliance::{NoParameters, Remediation, ResourceKey, Target, Timestamp};
use rectify_runtime::CallErrorKind;
use rectify_ssm::{SSM_AUTOMATION_BLOCK_PUBLIC_SHARING, SSM_DOCUMENT_NOT_PUBLIC};
use rectify_ssm_lambda::Clients;
use rectify_tests::replay::{Answer, Replay};

use super::*;

/// Creates documents of these names, the last of which is public.
async fn documents(region: &str, names: impl IntoIterator<Item = String>) {
    let ssm = aws_sdk_ssm::Client::new(&Services::default().sdk(region));
    let content = r#"{"schemaVersion": "2.2", "description": "patches", "mainSteps": []}"#;
    let mut last = String::new();
    for name in names {
        let create = ssm.create_document().name(&name).content(content).document_type(DocumentType::Command);
        create.send().await.unwrap();
        last = name;
    }
    let share = ssm.modify_document_permission().name(last).permission_type(DocumentPermissionType::Share);
    share.account_ids_to_add("all").send().await.unwrap();
}

/// `ssm-document-not-public/3`, `ssm-document-not-public/4`
#[tokio::test]
async fn document_on_the_second_page_is_found_and_an_account_without_one_has_no_result() {
    let rule = on_schedule::<_, Clients>(&SSM_DOCUMENT_NOT_PUBLIC);
    documents("eu-north-1", (0..51).map(|number| format!("document-{number:02}"))).await;
    let services = Services::default();
    run_scheduled(&rule, &services, "eu-north-1").await.unwrap();
    assert_eq!(services.calls().iter().filter(|call| *call == "ssm:ListDocuments").count(), 2);
    let bodies = services.evaluations();
    let all = bodies.iter().flat_map(|body| body["Evaluations"].as_array().unwrap());
    let found: Vec<&str> = all
        .filter(|it| it["ComplianceType"] == "NON_COMPLIANT")
        .map(|it| it["ComplianceResourceId"].as_str().unwrap())
        .collect();
    assert_eq!((found, evaluated(&services).len()), (vec!["document-50"], 51));

    let none = Services::default();
    run_scheduled(&rule, &none, "eu-south-1").await.unwrap();
    assert_eq!(none.evaluations()[0]["Evaluations"], json!([]));
}

/// `ssm-document-not-public/7`
#[tokio::test]
async fn denied_read_of_documents_is_reported() {
    documents("eu-west-3", ["patch-db", "patch-web"].map(str::to_owned)).await;
    let rule = on_schedule::<_, Clients>(&SSM_DOCUMENT_NOT_PUBLIC);
    each_denied_read_is_reported(&rule, "eu-west-3", "AccessDeniedException").await;
}

#[tokio::test]
async fn denied_removal_fails_terminally_and_a_deleted_document_ends_as_gone() {
    let (sandbox, control) = (Sandbox::create().await, &SSM_DOCUMENT_NOT_PUBLIC);
    documents(REGION, ["denied-removal".to_owned()]).await;
    let operation = Some("ssm:ModifyDocumentPermission");
    let services = Services::refusing([InjectedError { operation, number: 1, code: "AccessDeniedException" }]);
    let error = remediate::<_, Clients>(control, &services, &sandbox, "denied-removal").await.unwrap_err();
    assert!(matches!(&error, Error::ActionFailed { terminal: true, .. }), "{error:?}");

    let services = Services::default();
    let gone = remediate::<_, Clients>(control, &services, &sandbox, "no-such-document").await.unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), ["ssm:DescribeDocument"]);
}

/// `ssm-automation-block-public-sharing/4`, `ssm-automation-block-public-sharing/5`,
/// `ssm-automation-block-public-sharing/8`: a denied call is terminal; `remediation_gates` tests what follows.
#[tokio::test]
async fn setting_that_cannot_be_read_or_updated_is_an_error() {
    let control = &SSM_AUTOMATION_BLOCK_PUBLIC_SHARING.logic;
    let target = Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::account(&AccountId::new(ACCOUNT)),
        name: None,
        arn: None,
    };
    let value = |value: &str| Answer::ok(&json!({"ServiceSetting": {"SettingValue": value}}));
    let read = async |answer: Answer| {
        let replay = Replay::of([answer]);
        control.live(&Clients::connect(&replay.sdk(REGION)), &target, &NoParameters {}).await
    };
    for code in ["ServiceSettingNotFound", "AccessDeniedException"] {
        assert_eq!(read(Answer::refused(code)).await.unwrap_err().code(), Some(code));
    }
    assert_eq!(read(value("Default")).await.unwrap_err().name(), "UnexpectedShape");
    assert_eq!(read(Answer::ok(&json!({}))).await.unwrap_err().name(), "UnexpectedShape");

    let before = read(value("Enable")).await.unwrap().unwrap();
    let plan = control.plan(&before, &NoParameters {}, Timestamp::now());
    let denied = Replay::of([Answer::refused("AccessDeniedException")]);
    let clients = Clients::connect(&denied.sdk(REGION));
    let error = control.apply(&clients, &target, plan.calls()[0]).await.unwrap_err();
    assert_eq!(error.kind(), Some(CallErrorKind::AccessDenied), "{error}");
}
