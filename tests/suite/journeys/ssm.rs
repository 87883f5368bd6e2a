//! Systems Manager documents.

use aws_sdk_ssm::types::{DocumentPermissionType, DocumentType};
use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

use super::run_lifecycle;

/// A public document.
async fn document(world: &World) -> ResourceKey {
    let ssm = &world.clients().ssm;
    let content = r#"{"schemaVersion": "2.2", "description": "patches", "mainSteps": []}"#;
    let create = ssm.create_document().name("patch-web").content(content).document_type(DocumentType::Command);
    create.send().await.unwrap();
    let share = ssm.modify_document_permission().name("patch-web").permission_type(DocumentPermissionType::Share);
    share.account_ids_to_add("all").send().await.unwrap();
    ResourceKey::new("AWS::SSM::Document", "patch-web")
}

#[tokio::test(flavor = "multi_thread")]
async fn public_sharing_of_a_document_is_removed_and_undone() {
    run_lifecycle("ssm-document-not-public", "{}", document).await;
}
