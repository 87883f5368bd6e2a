//! A long round retires by a list of ids: it equals the ids of the resources in its pages.

use futures_util::TryStreamExt;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Declared, Periodic, ResourceKey};
use rectify_ec2::{RESTRICTED_COMMON_PORTS, SECURITY_GROUP_DRIFT, VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS};
use rectify_iam::controls::access_keys_rotated::ACCESS_KEYS_ROTATED;
use rectify_iam::controls::iam_user_mfa_enabled::IAM_USER_MFA_ENABLED;
use rectify_iam::controls::iam_user_unused_credentials_check::IAM_USER_UNUSED_CREDENTIALS_CHECK;
use rectify_iam::controls::mfa_enabled_for_iam_console_access::MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS;
use rectify_kms::controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED;
use rectify_kms::controls::kms_key_policy_no_public_access::KMS_KEY_POLICY_NO_PUBLIC_ACCESS;
use rectify_runtime::client::{AccountRegion, List};
use rectify_ssm::SSM_DOCUMENT_NOT_PUBLIC;

use super::*;

/// A region that only these tests use.
const SEPARATE: &str = "ap-northeast-2";

/// Lists ids, then pages, then ids again: other tests may create resources in the meantime.
async fn assert_ids_match_pages<K, C>(control: &'static Declared<K>, region: &str)
where
    K: Periodic + List<C>,
    C: Connect,
{
    let services = Services::default();
    let clients = C::connect(&services.sdk(region));
    let account_region = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(region) };
    let params = RuleParameters::<K::Params>::parse(None).unwrap().control;
    let ids = async || -> BTreeSet<ResourceKey> {
        let pages: Vec<Vec<ResourceKey>> =
            control.logic.keys(&clients, &account_region, &params).try_collect().await.unwrap();
        pages.into_iter().flatten().collect()
    };
    let before = ids().await;
    assert_permitted(&entry(&control.meta).rule_permissions(), &services.calls());
    let pages: Vec<_> = control.logic.pages(&clients, &account_region, &params, None).try_collect().await.unwrap();
    let read: BTreeSet<ResourceKey> =
        pages.iter().flat_map(|page| &page.resources).map(rectify_runtime::client::Listed::key).collect();
    let after = ids().await;
    let id = control.meta.id;
    assert!(!before.is_empty(), "{id}");
    assert!(before.is_subset(&read), "{id}: {:?} is in no page", before.difference(&read));
    assert!(read.is_subset(&after), "{id}: {:?} would be retired", read.difference(&after));
}

#[tokio::test]
async fn ids_of_security_groups_match_their_pages() {
    use rectify_ec2_lambda::Clients;
    assert_ids_match_pages::<_, Clients>(&RESTRICTED_SSH, SEPARATE).await;
    assert_ids_match_pages::<_, Clients>(&RESTRICTED_COMMON_PORTS, SEPARATE).await;
    assert_ids_match_pages::<_, Clients>(&VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS, SEPARATE).await;
    assert_ids_match_pages::<_, Clients>(&SECURITY_GROUP_DRIFT, SEPARATE).await;
}

#[tokio::test]
async fn ids_of_users_match_their_pages() {
    use rectify_iam_lambda::Clients;
    let iam = aws_sdk_iam::Client::new(&sdk_at(endpoint()));
    // One user with a password and a key, one with neither.
    for name in ["listed-whole", "listed-bare"] {
        iam.create_user().user_name(name).send().await.unwrap();
    }
    iam.create_login_profile().user_name("listed-whole").password("Not-A-Secret-1").send().await.unwrap();
    iam.create_access_key().user_name("listed-whole").send().await.unwrap();
    assert_ids_match_pages::<_, Clients>(&ACCESS_KEYS_ROTATED, REGION).await;
    assert_ids_match_pages::<_, Clients>(&IAM_USER_MFA_ENABLED, REGION).await;
    assert_ids_match_pages::<_, Clients>(&IAM_USER_UNUSED_CREDENTIALS_CHECK, REGION).await;
    assert_ids_match_pages::<_, Clients>(&MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS, REGION).await;
}

#[tokio::test]
async fn ids_of_keys_match_their_pages() {
    let kms = aws_sdk_kms::Client::new(&Services::default().sdk(SEPARATE));
    kms.create_key().send().await.unwrap();
    assert_ids_match_pages::<_, rectify_kms_lambda::Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, SEPARATE).await;
    assert_ids_match_pages::<_, rectify_kms_lambda::Clients>(&KMS_KEY_POLICY_NO_PUBLIC_ACCESS, SEPARATE).await;
}

#[tokio::test]
async fn ids_of_documents_match_their_pages() {
    let ssm = aws_sdk_ssm::Client::new(&Services::default().sdk(SEPARATE));
    let content = r#"{"schemaVersion": "2.2", "description": "listed", "mainSteps": []}"#;
    let create = ssm.create_document().name("listed").content(content);
    create.document_type(aws_sdk_ssm::types::DocumentType::Command).send().await.unwrap();
    assert_ids_match_pages::<_, rectify_ssm_lambda::Clients>(&SSM_DOCUMENT_NOT_PUBLIC, SEPARATE).await;
}

#[tokio::test]
async fn ids_of_buckets_match_their_pages() {
    buckets().await;
    assert_ids_match_pages::<_, rectify_s3_lambda::Clients>(&S3_BUCKET_PUBLIC_READ_PROHIBITED, REGION).await;
    assert_ids_match_pages::<_, rectify_s3_lambda::Clients>(&S3_BUCKET_PUBLIC_WRITE_PROHIBITED, REGION).await;
}
