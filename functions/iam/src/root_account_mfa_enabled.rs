//! `root-account-mfa-enabled`: the root user can sign in without MFA.
//!
//! Knows the account summary as the three numbers it needs, not the API it came from. Has no call that fixes anything:
//! only the root user can register its own device.

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::values::Flag;
use rectify_compliance::{
    AccountId, Control, Image, Inventory, Irreversible, Level, ManagedBy, Never, Parameters, Partition, Permission,
    Plan, Remediation, ResourceKey, ShapeError, Step, Tags, Timestamp, Verdict, control,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::root::{ACCOUNT_SUMMARY, act_centrally};

control! {
    /// ## What it checks
    /// That the root user of the account has an MFA device: `AccountMFAEnabled` of `iam:GetAccountSummary`, read live every hour.
    /// A root user without password, access keys and device has nothing to sign in with: that is compliant, unless `acceptNoRootPassword` is false.
    /// Centrally managed member accounts are of this kind.
    /// Nobody signs in with a signing certificate, so one that is there (`AccountSigningCertificatesPresent`) is named and decides nothing.
    /// A summary that does not tell of a password or of access keys is taken to have them; one that does not tell of MFA fails the invocation.
    /// IAM is global, so the control is evaluated in the home region only; elsewhere it answers NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// No policy of the account limits the root user; in a member account only a service control policy can.
    /// A password alone can be guessed, phished or reset through the mailbox of the account, and then the whole account is somebody else's.
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
    /// `acceptNoRootPassword` is an addition to the managed rule, which has no parameter.
    ///
    /// ## Remediation
    /// L0: the plan is words, and a person carries them out.
    /// What changes: the root user registers an MFA device, or, in a member account under central root access, loses its credentials.
    /// What may break: nothing by a device; with the credentials goes every use of them.
    /// How to undo: the root user removes the device; deleted credentials come back by "forgot password" only where central root access allows it.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/root-account-mfa-enabled.html)
    /// * [GetAccountSummary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html)
    /// * [MFA for the root user](https://docs.aws.amazon.com/IAM/latest/UserGuide/enable-mfa-for-root.html)
    /// * [Central root access for member accounts](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html)
    pub ROOT_ACCOUNT_MFA_ENABLED: RootAccountMfaEnabled {
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

/// The parameters of [`RootAccountMfaEnabled`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct RootAccountMfaEnabledParameters {
    /// Whether a root user without password, access keys and device is compliant. Default true.
    pub accept_no_root_password: Flag,
}

impl Default for RootAccountMfaEnabledParameters {
    fn default() -> Self {
        Self { accept_no_root_password: Flag(true) }
    }
}

impl Parameters for RootAccountMfaEnabledParameters {}

/// What the root user of one account signs in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RootSignIn {
    /// Whose root user.
    pub account: AccountId,
    /// The partition of the account: ARNs that a person is told are made with it.
    pub partition: Partition,
    /// `AccountMFAEnabled`: whether it has a device.
    pub mfa: bool,
    /// `AccountPasswordPresent`; `None` where the API did not say, which counts as present.
    pub password: Option<bool>,
    /// `AccountAccessKeysPresent`; the same.
    pub access_keys: Option<bool>,
    /// `AccountSigningCertificatesPresent`; `None` where the API did not say. Nobody signs in with a certificate, so it
    /// decides nothing, but it is a credential.
    #[serde(default)]
    pub signing_certificates: Option<bool>,
}

impl RootSignIn {
    /// Takes the numbers as the API answered them.
    ///
    /// # Errors
    /// [`ShapeError`] when MFA is not told of, or a number is negative.
    pub fn summarised(
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
}

impl RootSignIn {
    /// What is true of a root user that has neither password nor access keys nor device.
    fn without_sign_in(&self) -> &'static str {
        match self.signing_certificates {
            Some(false) => "Root user has no credentials",
            Some(true) => "Root user has no password and no access keys; it has a signing certificate",
            None => "Root user has no password and no access keys",
        }
    }
}

/// Whether a number of the summary counts anything.
fn present(entry: &str, number: Option<i32>) -> Result<Option<bool>, ShapeError> {
    match number {
        Some(number) if number < 0 => Err(ShapeError::new(format!("SummaryMap.{entry}"), "0 or more", number)),
        number => Ok(number.map(|it| it > 0)),
    }
}

static NO_TAGS: Tags = Tags::new();

impl Image for RootSignIn {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::account(&self.account)
    }

    fn tags(&self) -> &Tags {
        &NO_TAGS
    }
}

impl Control for RootAccountMfaEnabled {
    type Params = RootAccountMfaEnabledParameters;
    type Subject = RootSignIn;

    fn evaluate(&self, root: &RootSignIn, params: &Self::Params, _now: Timestamp) -> Verdict {
        if root.mfa {
            return Verdict::COMPLIANT;
        }
        match (root.password, root.access_keys) {
            (Some(false), Some(false)) if params.accept_no_root_password.0 => {
                Verdict::Compliant(Some(root.without_sign_in().into()))
            }
            (Some(false), Some(false)) => Verdict::non_compliant("Root user has no MFA device"),
            (Some(true), _) => Verdict::non_compliant("Root user has a password and no MFA device"),
            (None, _) => Verdict::non_compliant("Root user may have a password and has no MFA device"),
            (Some(false), Some(true)) => Verdict::non_compliant("Root user has access keys and no MFA device"),
            (Some(false), None) => Verdict::non_compliant("Root user may have access keys and has no MFA device"),
        }
    }
}

impl Inventory for RootAccountMfaEnabled {
    fn list_permissions(&self) -> &'static [Permission] {
        ACCOUNT_SUMMARY
    }
}

impl Remediation for RootAccountMfaEnabled {
    type Action = Never;
    type Undo = Never;
    fn read_permissions(&self) -> &'static [Permission] {
        ACCOUNT_SUMMARY
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        &[]
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        &[]
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Nobody("only a person changes anything of the root user")
    }

    fn fix(&self, live: &RootSignIn, _params: &Self::Params, _now: Timestamp) -> Plan<Never> {
        let register = format!(
            "root user of account {}, unless the account is a member of an organization with central root access: sign \
             in as root and register an MFA device under \"My security credentials\", better two, best hardware keys",
            live.account
        );
        let mut steps = vec![Step::person(Level::L0, register)];
        // Where there is nothing to delete any more, this way leads nowhere.
        if live.password != Some(false) || live.access_keys != Some(false) {
            let calls = "iam:DeleteLoginProfile, and iam:DeleteAccessKey for each key of iam:ListAccessKeys";
            steps.push(Step::person(Level::L0, act_centrally(&live.account, &live.partition, calls)));
        }
        Plan::steps_in_order(steps)
    }

    fn expect(&self, _live: RootSignIn, action: &Never) -> RootSignIn {
        match *action {}
    }

    /// Empty: no action touches anything.
    fn footprint(&self, _subject: &RootSignIn, _done: &[Never]) -> Value {
        json!({})
    }

    /// Nothing was done by machine, so nothing is played back.
    fn undo(&self, _before: &RootSignIn, _done: &[Never]) -> Result<Vec<Never>, Irreversible> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::Region;
    use rectify_compliance::parameters::RuleParameters;

    use super::*;

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
        RootSignIn::summarised(AccountId::new("111122223333"), partition, mfa, password, access_keys, certificates)
    }

    fn judge(subject: &RootSignIn, text: &str) -> Verdict {
        let params = RuleParameters::parse(Some(text)).unwrap().control;
        RootAccountMfaEnabled.evaluate(subject, &params, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_root_user_with_anything_to_sign_in_with_needs_mfa() {
        let strict = r#"{"acceptNoRootPassword":"false"}"#;
        let finding = |text: &str| Verdict::non_compliant(text);
        let none = Verdict::Compliant(Some("Root user has no credentials".into()));
        let password = finding("Root user has a password and no MFA device");
        for (case, mfa, of_password, of_keys, parameters, expected) in [
            ("root-account-mfa-enabled/1", 1, Some(1), Some(0), "{}", Verdict::COMPLIANT),
            ("root-account-mfa-enabled/1, strict", 1, Some(0), Some(0), strict, Verdict::COMPLIANT),
            ("root-account-mfa-enabled/2", 0, Some(1), Some(0), "{}", password.clone()),
            ("root-account-mfa-enabled/2, keys too", 0, Some(1), Some(1), "{}", password),
            ("root-account-mfa-enabled/3", 0, Some(0), Some(0), "{}", none),
            ("root-account-mfa-enabled/3", 0, Some(0), Some(0), strict, finding("Root user has no MFA device")),
            (
                "root-account-mfa-enabled/4",
                0,
                Some(0),
                Some(1),
                "{}",
                finding("Root user has access keys and no MFA device"),
            ),
            (
                "root-account-mfa-enabled/5",
                0,
                None,
                Some(0),
                "{}",
                finding("Root user may have a password and has no MFA device"),
            ),
            (
                "keys not told of",
                0,
                Some(0),
                None,
                "{}",
                finding("Root user may have access keys and has no MFA device"),
            ),
        ] {
            assert_eq!(judge(&read(Some(mfa), of_password, of_keys).unwrap(), parameters), expected, "{case}");
        }
    }

    #[test]
    fn a_signing_certificate_is_named_and_decides_nothing() {
        let certificate = "Root user has no password and no access keys; it has a signing certificate";
        for (case, certificates, expected) in [
            ("root-account-mfa-enabled/7", Some(1), certificate),
            ("two of them", Some(2), certificate),
            ("none", Some(0), "Root user has no credentials"),
            ("not told of", None, "Root user has no password and no access keys"),
        ] {
            let root = with_certificates(Some(0), Some(0), Some(0), certificates).unwrap();
            assert_eq!(judge(&root, "{}"), Verdict::Compliant(Some(expected.into())), "{case}");
            let strict = judge(&root, r#"{"acceptNoRootPassword":"false"}"#);
            assert_eq!(strict, Verdict::non_compliant("Root user has no MFA device"), "{case}");
            let with_password = with_certificates(Some(0), Some(1), Some(0), certificates).unwrap();
            assert!(judge(&with_password, "{}").is_non_compliant(), "{case}");
        }
        let stored = json!({"account": "111122223333", "partition": "aws", "mfa": false, "password": false, "accessKeys": false});
        let root: RootSignIn = serde_json::from_value(stored).unwrap();
        assert_eq!(root.signing_certificates, None, "what was stored before stays readable");
    }

    #[test]
    fn a_summary_that_does_not_tell_of_mfa_or_counts_below_zero_is_refused() {
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
    fn the_plan_names_both_ways_and_only_those_that_lead_somewhere() {
        let plan = |subject: &RootSignIn, strict: bool| {
            let params = RootAccountMfaEnabledParameters { accept_no_root_password: Flag(!strict) };
            serde_json::to_string(&RootAccountMfaEnabled.plan(subject, &params, Timestamp::UNIX_EPOCH)).unwrap()
        };
        let both = plan(&read(Some(0), Some(1), Some(0)).unwrap(), false);
        for part in ["root user of account 111122223333", "sts:AssumeRoot(TargetPrincipal=111122223333", "DeleteLogin"]
        {
            assert!(both.contains(part), "`{part}` is not in `{both}`");
        }
        let strict = plan(&read(Some(0), Some(0), Some(0)).unwrap(), true);
        assert!(strict.contains("register an MFA device") && !strict.contains("AssumeRoot"), "{strict}");
    }

    proptest! {
        #[test]
        fn a_plan_is_words_for_a_finding_and_nothing_otherwise(
            mfa in 0..=1, password in prop::option::of(0..=1), keys in prop::option::of(0..=2), accept in any::<bool>(),
        ) {
            let subject = read(Some(mfa), password, keys).unwrap();
            let params = RootAccountMfaEnabledParameters { accept_no_root_password: Flag(accept) };
            let verdict = RootAccountMfaEnabled.evaluate(&subject, &params, Timestamp::UNIX_EPOCH);
            let plan = RootAccountMfaEnabled.plan(&subject, &params, Timestamp::UNIX_EPOCH);
            prop_assert_eq!(plan == Plan::Nothing, verdict.is_compliant());
            prop_assert!(plan.calls().is_empty() && plan.steps().iter().all(|step| step.level == Level::L0));
            prop_assert_eq!(RootAccountMfaEnabled.undo(&subject, &[]), Ok(Vec::new()));
            prop_assert_eq!(RootAccountMfaEnabled.footprint(&subject, &[]), json!({}));
            let stored = rectify_compliance::StoredImage::of(&subject).unwrap();
            prop_assert_eq!(stored.read::<RootSignIn>(), Ok(subject));
        }
    }
}
