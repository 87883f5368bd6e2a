//! The ids by which a long round retires are those of the resources that its pages hand out.

use futures_util::TryStreamExt;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Declared, Periodic, ResourceKey};
use rectify_ec2::{RESTRICTED_COMMON_PORTS, SECURITY_GROUP_DRIFT, VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS};
use rectify_iam::controls::access_keys_rotated::ACCESS_KEYS_ROTATED;
use rectify_iam::controls::iam_user_mfa_enabled::IAM_USER_MFA_ENABLED;
use rectify_iam::controls::mfa_enabled_for_iam_console_access::MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS;
use rectify_kms::controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED;
use rectify_runtime::client::{AccountRegion, List};

use super::*;

/// A region of these tests alone.
const SINGLETON: &str = "ap-northeast-2";

/// Lists ids, then pages, then ids again: others may make resources meanwhile.
async fn ids_are_those_of_the_pages<K, C>(control: &'static Declared<K>, region: &str)
where
    K: Periodic + List<C>,
    C: Connect,
{
    let services = Services::default();
    let clients = C::connect(&services.sdk(region));
    let place = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(region) };
    let params = RuleParameters::<K::Params>::parse(None).unwrap().control;
    let ids = async || -> BTreeSet<ResourceKey> {
        let pages: Vec<Vec<ResourceKey>> = control.logic.keys(&clients, &place, &params).try_collect().await.unwrap();
        pages.into_iter().flatten().collect()
    };
    let before = ids().await;
    allowed(&entry(&control.meta).rule_permissions(), &services.calls());
    let pages: Vec<_> = control.logic.pages(&clients, &place, &params, None).try_collect().await.unwrap();
    let read: BTreeSet<ResourceKey> =
        pages.iter().flat_map(|page| &page.resources).map(rectify_runtime::client::Listed::key).collect();
    let after = ids().await;
    let id = control.meta.id;
    assert!(!before.is_empty(), "{id}");
    assert!(before.is_subset(&read), "{id}: {:?} is in no page", before.difference(&read));
    assert!(read.is_subset(&after), "{id}: {:?} would be retired", read.difference(&after));
}

#[tokio::test]
async fn ids_of_security_groups() {
    use rectify_ec2_lambda::Clients;
    ids_are_those_of_the_pages::<_, Clients>(&RESTRICTED_SSH, SINGLETON).await;
    ids_are_those_of_the_pages::<_, Clients>(&RESTRICTED_COMMON_PORTS, SINGLETON).await;
    ids_are_those_of_the_pages::<_, Clients>(&VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS, SINGLETON).await;
    ids_are_those_of_the_pages::<_, Clients>(&SECURITY_GROUP_DRIFT, SINGLETON).await;
}

#[tokio::test]
async fn ids_of_users() {
    use rectify_iam_lambda::Clients;
    let iam = aws_sdk_iam::Client::new(&sdk_at(endpoint()));
    // One with a password and a key, one with nothing.
    for name in ["listed-whole", "listed-bare"] {
        iam.create_user().user_name(name).send().await.unwrap();
    }
    iam.create_login_profile().user_name("listed-whole").password("Not-A-Secret-1").send().await.unwrap();
    iam.create_access_key().user_name("listed-whole").send().await.unwrap();
    ids_are_those_of_the_pages::<_, Clients>(&ACCESS_KEYS_ROTATED, REGION).await;
    ids_are_those_of_the_pages::<_, Clients>(&IAM_USER_MFA_ENABLED, REGION).await;
    ids_are_those_of_the_pages::<_, Clients>(&MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS, REGION).await;
}

#[tokio::test]
async fn ids_of_keys() {
    let kms = aws_sdk_kms::Client::new(&Services::default().sdk(SINGLETON));
    kms.create_key().send().await.unwrap();
    ids_are_those_of_the_pages::<_, rectify_kms_lambda::Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, SINGLETON).await;
}

#[tokio::test]
async fn ids_of_buckets() {
    buckets().await;
    ids_are_those_of_the_pages::<_, rectify_s3_lambda::Clients>(&S3_BUCKET_PUBLIC_READ_PROHIBITED, REGION).await;
    ids_are_those_of_the_pages::<_, rectify_s3_lambda::Clients>(&S3_BUCKET_PUBLIC_WRITE_PROHIBITED, REGION).await;
}
