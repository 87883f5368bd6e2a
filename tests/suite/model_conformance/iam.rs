//! The password policy of the account, access keys and attached policies.

use aws_types::SdkConfig;
use rectify_compliance::{Declared, ResourceKey, Target, Timestamp};
use rectify_iam::controls::access_keys_rotated::{ACCESS_KEYS_ROTATED, AccessKeysRotated};
use rectify_iam::controls::iam_password_policy::IAM_PASSWORD_POLICY;
use rectify_iam::controls::iam_user_mfa_enabled::IAM_USER_MFA_ENABLED;
use rectify_iam::controls::iam_user_unused_credentials_check::IAM_USER_UNUSED_CREDENTIALS_CHECK;
use rectify_iam::controls::mfa_enabled_for_iam_console_access::MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS;
use rectify_iam::families::mfa_policy::AttachAction;
use rectify_iam_lambda::Clients;
use rectify_runtime::client::Fix;
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::mfa_policy;
use rectify_tests::services::Services;
use serde_json::json;

use super::{apply_and_undo, assert_model_conforms, target};

/// One test for both: an account has one password policy.
#[tokio::test]
async fn password_policy_conforms_and_is_restored_or_deleted() {
    let sdk = Services::default().sdk(REGION);
    let target = target(&IAM_PASSWORD_POLICY, REGION, ACCOUNT);
    let params = Default::default();
    let calls = assert_model_conforms::<_, Clients>(&IAM_PASSWORD_POLICY, &sdk, &target, &params).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    for setting in ["\"MinimumPasswordLength\":14", "\"MaxPasswordAge\":90", "\"AllowUsersToChangePassword\":true"] {
        assert!(calls[0].starts_with("UpdateAccountPasswordPolicy {") && calls[0].contains(setting), "{calls:?}");
    }

    let iam = aws_sdk_iam::Client::new(&sdk);
    iam.get_account_password_policy().send().await.expect_err("the policy is deleted again");
    let weak = iam.update_account_password_policy().minimum_password_length(20).require_symbols(true).hard_expiry(true);
    weak.allow_users_to_change_password(true).max_password_age(60).send().await.unwrap();
    let calls = assert_model_conforms::<_, Clients>(&IAM_PASSWORD_POLICY, &sdk, &target, &params).await;
    for setting in ["\"MinimumPasswordLength\":20", "\"MaxPasswordAge\":60", "\"HardExpiry\":true"] {
        assert!(calls[0].contains(setting), "{setting}: {calls:?}");
    }
    let restored = iam.get_account_password_policy().send().await.unwrap().password_policy.unwrap();
    assert_eq!((restored.minimum_password_length, restored.require_numbers), (Some(20), false));
}

/// A user of this name, with the id and the name that AWS Config records.
async fn user(sdk: &SdkConfig, name: &str) -> Target {
    let iam = aws_sdk_iam::Client::new(sdk);
    let user = iam.create_user().user_name(name).send().await.unwrap().user.unwrap();
    Target {
        resource: ResourceKey::new("AWS::IAM::User", user.user_id),
        name: Some(name.to_owned()),
        arn: None,
        ..target(&ACCESS_KEYS_ROTATED, REGION, name)
    }
}

/// moto dates a key by its own clock, so the plan is made two hundred days later.
#[tokio::test]
async fn deactivation_of_keys_conforms() {
    let sdk = Services::default().sdk(REGION);
    let target = user(&sdk, "model-keys").await;
    let iam = aws_sdk_iam::Client::new(&sdk);
    for _two in 0..2 {
        iam.create_access_key().user_name("model-keys").send().await.unwrap();
    }
    let params = serde_json::from_value(json!({"deactivateUnusedDays": "180"})).unwrap();
    let later = Timestamp::from_second(Timestamp::now().as_second() + 200 * 24 * 60 * 60).unwrap();
    let (actions, after) = apply_and_undo::<_, Clients>(&ACCESS_KEYS_ROTATED, &sdk, &target, &params, later).await;
    assert_eq!(actions.len(), 2, "{actions:?}");
    assert!(after.keys.values().all(|key| !key.is_active()), "{after:#?}");

    // The name now belongs to another user: the user of the finding is gone.
    let gone = Target { resource: ResourceKey::new("AWS::IAM::User", "AIDAEXAMPLEGONE000001"), ..target };
    let read = AccessKeysRotated.live(&connected(&sdk), &gone, &params).await;
    assert_eq!(read, Ok(None));
}

/// The same for keys that were never used; the user has no password, whose step would be manual.
#[tokio::test]
async fn deactivation_of_unused_keys_conforms() {
    let sdk = Services::default().sdk(REGION);
    let target = user(&sdk, "model-unused").await;
    let key = aws_sdk_iam::Client::new(&sdk).create_access_key().user_name("model-unused").send().await.unwrap();
    let id = key.access_key.unwrap().access_key_id;
    let later = Timestamp::from_second(Timestamp::now().as_second() + 200 * 24 * 60 * 60).unwrap();
    let control = &IAM_USER_UNUSED_CREDENTIALS_CHECK;
    let (actions, after) = apply_and_undo::<_, Clients>(control, &sdk, &target, &Default::default(), later).await;
    assert_eq!(actions.len(), 1, "{actions:?}");
    let off: Vec<_> = after.keys.iter().map(|(id, key)| (id.expose().to_owned(), key.is_active())).collect();
    assert_eq!((off, after.password), (vec![(id, false)], None));
}

fn connected(sdk: &SdkConfig) -> Clients {
    <Clients as rectify_runtime::client::Connect>::connect(sdk)
}

/// Attaches the MFA policy to a user with a console password and without a device, and detaches it.
async fn attach_and_detach<K>(control: &'static Declared<K>, sdk: &SdkConfig, name: &str, params: &K::Params)
where
    K: Fix<Clients, Action = AttachAction>,
{
    let target = user(sdk, name).await;
    let iam = aws_sdk_iam::Client::new(sdk);
    iam.create_login_profile().user_name(name).password("Not-A-Secret-1").send().await.unwrap();
    let (actions, after) = apply_and_undo::<_, Clients>(control, sdk, &target, params, Timestamp::now()).await;
    assert_eq!(actions.len(), 1, "{actions:?}");
    assert!(control.logic.evaluate(&after, params, Timestamp::now()).is_non_compliant(), "the user has no device yet");
    assert!(control.logic.is_in_progress(&after, &actions), "{after:#?}");

    mfa_policy::register_device(&iam, name).await;
    let live = control.logic.live(&connected(sdk), &target, params).await.unwrap().unwrap();
    assert!(
        control.logic.evaluate(&live, params, Timestamp::now()).is_compliant(),
        "a device registered just now is seen: {live:#?}"
    );
}

/// `mfa-enabled-for-iam-console-access/4`: a device registered just now is seen.
#[tokio::test]
async fn attachment_of_the_mfa_policy_conforms() {
    let sdk = Services::default().sdk(REGION);
    let arn = mfa_policy::create(&aws_sdk_iam::Client::new(&sdk), "model-require-mfa").await;
    let text = json!({"mfaPolicyArn": arn, "mfaPolicyOptIn": "true"});
    let params = serde_json::from_value(text.clone()).unwrap();
    attach_and_detach(&MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS, &sdk, "model-console", &params).await;
    let params = serde_json::from_value(text).unwrap();
    attach_and_detach(&IAM_USER_MFA_ENABLED, &sdk, "model-mfa", &params).await;
}
