//! The ids by which a long round retires are those of the resources that its pages hand out.

use futures_util::TryStreamExt;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Inventory, ResourceKey};
use rectify_ec2::{RestrictedCommonPorts, SecurityGroupDrift, VpcSgOpenOnlyToAuthorizedPorts};
use rectify_iam::access_keys_rotated::AccessKeysRotated;
use rectify_iam::iam_user_mfa_enabled::IamUserMfaEnabled;
use rectify_iam::mfa_enabled_for_iam_console_access::MfaEnabledForIamConsoleAccess;
use rectify_kms::cmk_backing_key_rotation_enabled::CmkBackingKeyRotationEnabled;
use rectify_runtime::edge::{List, Place};

use super::*;

/// A region of these tests alone.
const ALONE: &str = "ap-northeast-2";

/// Lists ids, then pages, then ids again: others may make resources meanwhile.
async fn ids_are_those_of_the_pages<K, C>(region: &str)
where
    K: Inventory + List<C>,
    C: Connect,
{
    let services = Services::default();
    let clients = C::connect(&services.sdk(region));
    let place = Place { account: AccountId::new(ACCOUNT), region: Region::new(region) };
    let params = RuleParameters::<K::Params>::parse(None).unwrap().control;
    let ids = async || -> BTreeSet<ResourceKey> {
        let pages: Vec<Vec<ResourceKey>> = K::keys(&clients, &place, &params).try_collect().await.unwrap();
        pages.into_iter().flatten().collect()
    };
    let before = ids().await;
    allowed(&entry::<K>().rule_permissions(), &services.calls());
    let pages: Vec<_> = K::pages(&clients, &place, &params, None).try_collect().await.unwrap();
    let read: BTreeSet<ResourceKey> =
        pages.iter().flat_map(|page| &page.resources).map(rectify_runtime::edge::Listed::key).collect();
    let after = ids().await;
    let id = K::META.id;
    assert!(!before.is_empty(), "{id}");
    assert!(before.is_subset(&read), "{id}: {:?} is in no page", before.difference(&read));
    assert!(read.is_subset(&after), "{id}: {:?} would be retired", read.difference(&after));
}

#[tokio::test]
async fn ids_of_security_groups() {
    use rectify_ec2_lambda::Clients;
    ids_are_those_of_the_pages::<RestrictedSsh, Clients>(ALONE).await;
    ids_are_those_of_the_pages::<RestrictedCommonPorts, Clients>(ALONE).await;
    ids_are_those_of_the_pages::<VpcSgOpenOnlyToAuthorizedPorts, Clients>(ALONE).await;
    ids_are_those_of_the_pages::<SecurityGroupDrift, Clients>(ALONE).await;
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
    ids_are_those_of_the_pages::<AccessKeysRotated, Clients>(REGION).await;
    ids_are_those_of_the_pages::<IamUserMfaEnabled, Clients>(REGION).await;
    ids_are_those_of_the_pages::<MfaEnabledForIamConsoleAccess, Clients>(REGION).await;
}

#[tokio::test]
async fn ids_of_keys() {
    let kms = aws_sdk_kms::Client::new(&Services::default().sdk(ALONE));
    kms.create_key().send().await.unwrap();
    ids_are_those_of_the_pages::<CmkBackingKeyRotationEnabled, rectify_kms_lambda::Clients>(ALONE).await;
}

#[tokio::test]
async fn ids_of_buckets() {
    buckets().await;
    ids_are_those_of_the_pages::<S3BucketPublicReadProhibited, rectify_s3_lambda::Clients>(REGION).await;
    ids_are_those_of_the_pages::<S3BucketPublicWriteProhibited, rectify_s3_lambda::Clients>(REGION).await;
}
