//! Systems Manager documents, and the setting that allows public ones. moto 5.2.5 lacks service settings, so the latter
//! runs against replayed answers of Systems Manager.

use aws_sdk_ssm::types::{DocumentPermissionType, DocumentType, Tag};
use rectify_compliance::NoParameters;
use rectify_runtime::client::Connect;
use rectify_ssm::{SSM_AUTOMATION_BLOCK_PUBLIC_SHARING, SSM_DOCUMENT_NOT_PUBLIC};
use rectify_ssm_lambda::Clients;
use rectify_tests::emulator::ACCOUNT;
use rectify_tests::replay::{Answer, Replay};
use rectify_tests::services::Services;
use serde_json::{Value, json};

use super::{SEPARATE, assert_model_conforms, live, target};

/// `ssm-document-not-public/6`, `ssm-document-not-public/8`: the sharing is read after each call.
#[tokio::test]
async fn sharing_of_a_document_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let ssm = aws_sdk_ssm::Client::new(&sdk);
    let content = r#"{"schemaVersion": "2.2", "description": "patches", "mainSteps": []}"#;
    let tag = Tag::builder().key("team").value("web").build().unwrap();
    let create = ssm.create_document().name("public").content(content).document_type(DocumentType::Command);
    create.tags(tag).send().await.unwrap();
    let share = ssm.modify_document_permission().name("public").permission_type(DocumentPermissionType::Share);
    share.account_ids_to_add("all").shared_document_version("$LATEST").send().await.unwrap();
    let target = target(&SSM_DOCUMENT_NOT_PUBLIC, SEPARATE, "public");
    let calls = assert_model_conforms::<_, Clients>(&SSM_DOCUMENT_NOT_PUBLIC, &sdk, &target, &NoParameters {}).await;
    let input = r#"{"AccountIdsToRemove":["all"],"Name":"public","PermissionType":"Share"}"#;
    assert_eq!(calls, [format!("ModifyDocumentPermission {input}")]);
    let read = live::<_, _>(&SSM_DOCUMENT_NOT_PUBLIC, &Clients::connect(&sdk), &target, &NoParameters {}).await;
    assert_eq!(read.tags.get("team").map(String::as_str), Some("web"));
    assert_eq!(read.shared_with.get("all"), Some(&Some("$LATEST".to_owned())));
}

#[tokio::test]
async fn block_of_public_sharing_conforms() {
    let id = "/ssm/documents/console/public-sharing-permission";
    let read = |value: &str| Answer::ok(&json!({"ServiceSetting": {"SettingId": id, "SettingValue": value}}));
    let updated = || Answer::ok(&json!({}));
    // Every call is made twice: a retry changes nothing.
    let answers =
        [read("Enable"), updated(), read("Disable"), updated(), read("Disable"), updated(), updated(), read("Enable")];
    let replay = Replay::of(answers);
    let control = &SSM_AUTOMATION_BLOCK_PUBLIC_SHARING;
    let target = target(control, SEPARATE, ACCOUNT);
    let calls = assert_model_conforms::<_, Clients>(control, &replay.sdk(SEPARATE), &target, &NoParameters {}).await;
    assert_eq!(calls, [format!(r#"UpdateServiceSetting {{"SettingId":"{id}","SettingValue":"Disable"}}"#)]);
    let updates: Vec<Value> = (replay.requests().into_iter())
        .filter_map(|(operation, body)| (operation == "UpdateServiceSetting").then_some(body))
        .collect();
    let set = |value: &str| json!({"SettingId": id, "SettingValue": value});
    assert_eq!(updates, [set("Disable"), set("Disable"), set("Enable"), set("Enable")]);
}
