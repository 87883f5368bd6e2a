//! `root-account-mfa-enabled`: the root user can sign in without MFA.
//!
//! Works on the numbers it needs of the account summary; makes no API calls.

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::Flag;
use rectify_compliance::{
    AccountId, ByHand, Partition, ResourceIdentity, ResourceState, ShapeError, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};

use crate::families::root::{self, act_centrally};

control! {
    /// ## What it checks
    /// That the root user of the account has an MFA device: `AccountMFAEnabled` of `iam:GetAccountSummary`, read live every hour.
    /// A root user without password, access keys and device cannot sign in: that is compliant, unless `acceptNoRootPassword` is false.
    /// This is the case in centrally managed member accounts.
    /// A signing certificate (`AccountSigningCertificatesPresent`) cannot be used to sign in, so the annotation names it, but it does not affect the verdict.
    /// A missing password or access key entry of the summary counts as present; a missing MFA entry fails the invocation.
    /// IAM is global, so the control is evaluated in the home region only; in other regions the verdict is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// No policy of the account limits the root user; in a member account only a service control policy can.
    /// A password alone can be guessed, phished or reset through the mailbox of the account, and then an attacker controls the whole account.
    ///
    /// ## Compliant example
    /// ```json
    /// {"SummaryMap": {"AccountMFAEnabled": 1, "AccountPasswordPresent": 1, "AccountAccessKeysPresent": 0}}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"SummaryMap": {"AccountMFAEnabled": 0, "AccountPasswordPresent": 1, "AccountAccessKeysPresent": 0}}
    /// ```
    ///
    /// ## Parameters
    /// `acceptNoRootPassword` is an addition to the managed rule, which has no parameters.
    ///
    /// ## Remediation
    /// L0: the plan has manual steps only, for an operator.
    /// What changes: the root user registers an MFA device, or, in a member account under central root access, its credentials are deleted.
    /// What may break: a device breaks nothing; deleting the credentials breaks everything that uses them.
    /// How to undo: the root user removes the device; deleted credentials can be recovered through "forgot password" only where central root access allows it.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/root-account-mfa-enabled.html)
    /// * [GetAccountSummary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html)
    /// * [MFA for the root user](https://docs.aws.amazon.com/IAM/latest/UserGuide/enable-mfa-for-root.html)
    /// * [Central root access for member accounts](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html)
    pub ROOT_ACCOUNT_MFA_ENABLED: RootAccountMfaEnabled = CONTROL {
        id: "root-account-mfa-enabled",
        title: "Root user can sign in without MFA",
        severity: Critical,
        triggers: [Periodic(OneHour)],
        scope: Global,
        resource_types: &[ACCOUNT_TYPE],
        level: L0,
        frameworks: {
            Cis30: ["1.5"],
            Cis50: ["1.4"],
            Fsbp: ["IAM.9"],
            Nist80053r5: ["AC-2(1)", "AC-3(15)", "IA-2(1)", "IA-2(2)", "IA-2(6)", "IA-2(8)"],
            Pci40: ["8.4.1", "8.4.2", "8.4.3"],
        },
    }
}

parameters! {
    /// The parameters of [`RootAccountMfaEnabled`].
    pub RootAccountMfaEnabledParameters {
        /// Whether a root user without password, access keys and device is compliant. Default true.
        accept_no_root_password: Flag = Flag(true),
    }
}

/// The credentials of the root user of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RootSignIn {
    /// The account of the root user.
    pub account: AccountId,
    /// The partition of the account, for ARNs in a plan.
    pub partition: Partition,
    /// `AccountMFAEnabled`: whether it has an MFA device.
    pub mfa: bool,
    /// `AccountPasswordPresent`; `None` where the summary lacks it, which counts as present.
    pub password: Option<bool>,
    /// `AccountAccessKeysPresent`; `None` as for the password.
    pub access_keys: Option<bool>,
    /// `AccountSigningCertificatesPresent`; `None` where the summary lacks it. A certificate is a credential, but
    /// cannot be used to sign in, so it does not affect the verdict.
    #[serde(default)]
    pub signing_certificates: Option<bool>,
}

impl RootSignIn {
    /// Takes the numbers from the API response.
    ///
    /// # Errors
    /// [`ShapeError`] when the MFA entry is missing, or a number is negative.
    pub fn from_summary(
        account: AccountId,
        partition: Partition,
        mfa: Option<i32>,
        password: Option<i32>,
        access_keys: Option<i32>,
        signing_certificates: Option<i32>,
    ) -> Result<Self, ShapeError> {
        let mfa = present("AccountMFAEnabled", mfa)?
            .ok_or_else(|| ShapeError::missing("SummaryMap.AccountMFAEnabled", "0 or 1"))?;
        let password = present("AccountPasswordPresent", password)?;
        let access_keys = present("AccountAccessKeysPresent", access_keys)?;
        let signing_certificates = present("AccountSigningCertificatesPresent", signing_certificates)?;
        Ok(Self { account, partition, mfa, password, access_keys, signing_certificates })
    }

    /// The annotation for a root user without password, access keys and device.
    fn no_sign_in_annotation(&self) -> &'static str {
        match self.signing_certificates {
            Some(false) => "Root user has no credentials",
            Some(true) => "Root user has no password and no access keys; it has a signing certificate",
            None => "Root user has no password and no access keys",
        }
    }
}

/// Whether a number of the summary is above zero.
fn present(entry: &str, number: Option<i32>) -> Result<Option<bool>, ShapeError> {
    match number {
        Some(number) if number < 0 => Err(ShapeError::new(format!("SummaryMap.{entry}"), "0 or more", number)),
        number => Ok(number.map(|it| it > 0)),
    }
}

impl ResourceState for RootSignIn {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity::account(&self.account)
    }
}

/// The control's logic.
pub type RootAccountMfaEnabled = ByHand<RootSignIn, RootAccountMfaEnabledParameters>;

const CONTROL: RootAccountMfaEnabled = root::control(judge, instructions);

fn judge(root: &RootSignIn, params: &RootAccountMfaEnabledParameters) -> Verdict {
    if root.mfa {
        return Verdict::COMPLIANT;
    }
    match (root.password, root.access_keys) {
        (Some(false), Some(false)) if params.accept_no_root_password.0 => {
            Verdict::Compliant(Some(root.no_sign_in_annotation().into()))
        }
        (Some(false), Some(false)) => Verdict::non_compliant("Root user has no MFA device"),
        (Some(true), _) => Verdict::non_compliant("Root user has a password and no MFA device"),
        (None, _) => Verdict::non_compliant("Root user may have a password and has no MFA device"),
        (Some(false), Some(true)) => Verdict::non_compliant("Root user has access keys and no MFA device"),
        (Some(false), None) => Verdict::non_compliant("Root user may have access keys and has no MFA device"),
    }
}

fn instructions(root: &RootSignIn, _params: &RootAccountMfaEnabledParameters) -> Vec<String> {
    let register = format!(
        "root user of account {}, unless the account is a member of an organization with central root access: sign in as \
         root and register an MFA device under \"My security credentials\", preferably two, ideally hardware security keys",
        root.account
    );
    // Without credentials there is nothing to delete centrally.
    let has_credentials = root.password != Some(false) || root.access_keys != Some(false);
    let calls = "iam:DeleteLoginProfile, and iam:DeleteAccessKey for each key of iam:ListAccessKeys";
    let delete = has_credentials.then(|| act_centrally(&root.account, &root.partition, calls));
    [register].into_iter().chain(delete).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::{Region, Remediation};
    use rectify_testing::{Case, Cases, Laws};
    use serde_json::json;

    use super::*;

    const STRICT: &str = r#"{"acceptNoRootPassword":"false"}"#;
    const REGISTER: &str = "L0 manual: root user of account 111122223333, unless the account is a member of an \
                            organization with central root access: sign in as root and register an MFA device under \
                            \"My security credentials\", preferably two, ideally hardware security keys";
    const DELETE: &str = "L0 manual: management account or delegated administrator for IAM, if account 111122223333 is \
                          a member of an organization with central root access: at a regional STS endpoint \
                          sts:AssumeRoot(TargetPrincipal=111122223333, \
                          TaskPolicyArn=arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials, \
                          DurationSeconds=900), then in that session iam:DeleteLoginProfile, and iam:DeleteAccessKey for \
                          each key of iam:ListAccessKeys";

    fn read(mfa: Option<i32>, password: Option<i32>, access_keys: Option<i32>) -> Result<RootSignIn, ShapeError> {
        with_certificates(mfa, password, access_keys, Some(0))
    }

    fn with_certificates(
        mfa: Option<i32>,
        password: Option<i32>,
        access_keys: Option<i32>,
        certificates: Option<i32>,
    ) -> Result<RootSignIn, ShapeError> {
        let partition = Region::new("us-east-1").partition();
        RootSignIn::from_summary(AccountId::new("111122223333"), partition, mfa, password, access_keys, certificates)
    }

    /// A case for a root user without MFA.
    fn case(name: &str, password: Option<i32>, access_keys: Option<i32>) -> Case<'_, RootAccountMfaEnabled> {
        Cases::of(&CONTROL, read(Some(0), password, access_keys).unwrap()).case(name, |_| ())
    }

    #[test]
    fn a_root_user_with_credentials_needs_mfa() {
        let with_mfa =
            |name, password| Cases::of(&CONTROL, read(Some(1), Some(password), Some(0)).unwrap()).case(name, |_| ());
        let password = "Root user has a password and no MFA device";
        let both = [REGISTER, DELETE];
        with_mfa("root-account-mfa-enabled/1", 1).compliant();
        with_mfa("root-account-mfa-enabled/1, strict", 0).with(STRICT).compliant();
        case("root-account-mfa-enabled/2", Some(1), Some(0)).non_compliant(password).planned(&both);
        case("root-account-mfa-enabled/2, keys too", Some(1), Some(1)).non_compliant(password).planned(&both);
        case("root-account-mfa-enabled/3", Some(0), Some(0)).compliant_with("Root user has no credentials");
        case("root-account-mfa-enabled/3, strict, and nothing to delete", Some(0), Some(0))
            .with(STRICT)
            .non_compliant("Root user has no MFA device")
            .planned(&[REGISTER]);
        case("root-account-mfa-enabled/4", Some(0), Some(1))
            .non_compliant("Root user has access keys and no MFA device")
            .planned(&both);
        case("root-account-mfa-enabled/5", None, Some(0))
            .non_compliant("Root user may have a password and has no MFA device")
            .planned(&both);
        case("keys not stated", Some(0), None)
            .non_compliant("Root user may have access keys and has no MFA device")
            .planned(&both);
    }

    #[test]
    fn a_signing_certificate_is_named_and_does_not_affect_the_verdict() {
        let certificate = "Root user has no password and no access keys; it has a signing certificate";
        for (name, certificates, expected) in [
            ("root-account-mfa-enabled/7", Some(1), certificate),
            ("two of them", Some(2), certificate),
            ("none", Some(0), "Root user has no credentials"),
            ("not stated", None, "Root user has no password and no access keys"),
        ] {
            let with = |password, certificates| {
                let root = with_certificates(Some(0), Some(password), Some(0), certificates).unwrap();
                Cases::of(&CONTROL, root).case(name, |_| ())
            };
            with(0, certificates).compliant_with(expected);
            with(0, certificates).with(STRICT).non_compliant("Root user has no MFA device");
            with(1, certificates).non_compliant("Root user has a password and no MFA device");
        }
        let stored = json!({"account": "111122223333", "partition": "aws", "mfa": false, "password": false, "accessKeys": false});
        let root: RootSignIn = serde_json::from_value(stored).unwrap();
        assert_eq!(root.signing_certificates, None, "older stored states stay readable");
    }

    #[test]
    fn a_summary_without_mfa_or_with_a_negative_count_is_rejected() {
        let error = read(None, Some(1), Some(0)).unwrap_err();
        assert_eq!(error.to_string(), "SummaryMap.AccountMFAEnabled: expected 0 or 1: received `nothing`");
        for (summary, path) in [
            (read(Some(-1), Some(1), Some(0)), "SummaryMap.AccountMFAEnabled"),
            (read(Some(0), Some(-1), Some(0)), "SummaryMap.AccountPasswordPresent"),
            (read(Some(0), Some(0), Some(-1)), "SummaryMap.AccountAccessKeysPresent"),
            (with_certificates(Some(0), Some(0), Some(0), Some(-1)), "SummaryMap.AccountSigningCertificatesPresent"),
        ] {
            assert_eq!(summary.unwrap_err().path, path);
        }
    }

    #[test]
    fn laws() {
        let roots = (0..=1, prop::option::of(0..=1), prop::option::of(0..=2))
            .prop_map(|(mfa, password, keys)| read(Some(mfa), password, keys).unwrap());
        let params = any::<bool>().prop_map(|it| RootAccountMfaEnabledParameters { accept_no_root_password: Flag(it) });
        Laws::of(&CONTROL, &[], |_, _, call| match *call {}).by_hand().hold((roots, params));
        let root = read(Some(0), Some(1), Some(1)).unwrap();
        assert_eq!(CONTROL.touched_fields(&root, &[]), json!({}));
        assert_eq!(CONTROL.undo(&root, &[]), Ok(vec![]));
    }
}
