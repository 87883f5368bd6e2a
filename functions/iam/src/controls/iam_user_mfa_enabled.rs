//! `iam-user-mfa-enabled`: an IAM user has no MFA device.
//!
//! Works on a user with its devices and credentials; makes no API calls. The policy to attach is in
//! [`mfa_policy`](crate::families::mfa_policy).

use std::collections::BTreeSet;

use rectify_compliance::values::Flag;
use rectify_compliance::{Timestamp, Verdict, control, parameters};
use serde::{Deserialize, Serialize};

use crate::families::mfa::{MfaControl, MfaUser};
use crate::families::mfa_policy::{self, PolicyArn, READ};
use crate::resources::user::{GET_LOGIN_PROFILE, GET_USER, LIST_ACCESS_KEYS, LIST_MFA_DEVICES, LIST_USERS, TYPE};

control! {
    /// ## What it checks
    /// That every IAM user has an MFA device, whatever its credentials.
    /// With `onlyWithCredentials` a user without a console password and without an active access key is NOT_APPLICABLE; an inactive key is not a credential.
    /// Devices and credentials are read live: the managed rule reads the credential report, which may be four hours old.
    /// The root user is not an IAM user; `root-account-mfa-enabled` evaluates it. `mfa-enabled-for-iam-console-access` covers console passwords only.
    /// IAM is global, so the control is evaluated in the home region only; in other regions the verdict is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// Policies can require MFA only from a user that has a device; without one, a password or a key alone grants all of the user's access.
    ///
    /// ## Compliant example
    /// `ListMFADevices` returns `{"MFADevices": [{"SerialNumber": "arn:…:mfa/alice"}]}`.
    ///
    /// ## Non-compliant example
    /// `ListMFADevices` returns `{"MFADevices": []}`.
    ///
    /// ## Parameters
    /// Additions to the managed rule, which has no parameters.
    ///
    /// ## Remediation
    /// L0 by default: the user registers a device or is replaced by a role, and the plan names the user.
    /// L2 with `mfaPolicyArn` and `mfaPolicyOptIn`, for users with a console password: `iam:AttachUserPolicy` of that customer managed policy, which must deny everything but registering a device to callers without MFA.
    /// What changes: one more policy is attached to the user; the finding stays open, and the attempt stays pending, until the user has registered a device.
    /// What may break: everything the user does without MFA, its access keys included where the policy uses `BoolIfExists`.
    /// Blocked while the policy does not exist, belongs to another account, does not deny `iam:CreateAccessKey` without MFA, does not let the user register a device, or the user has reached its policy quota.
    /// The remediation's role may attach only the policy in the stack's parameter `MfaPolicyArn`, and none without it; both parameters must name the same policy.
    /// How to undo: `iam:DetachUserPolicy`; the user has its previous access again, without MFA.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/iam-user-mfa-enabled.html)
    /// * [A policy that lets users register a device and nothing else](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html)
    /// * [ListMFADevices](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListMFADevices.html)
    pub IAM_USER_MFA_ENABLED: IamUserMfaEnabled = CONTROL {
        id: "iam-user-mfa-enabled",
        title: "IAM user has no MFA device",
        severity: Medium,
        triggers: [Periodic(TwentyFourHours)],
        scope: Global,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Fsbp: ["IAM.19"],
            Nist80053r5: ["AC-2(1)", "AC-3(15)", "IA-2(1)", "IA-2(2)"],
            Pci40: ["8.4.1", "8.4.2"],
        },
    }
}

parameters! {
    /// The parameters of [`IamUserMfaEnabled`].
    pub IamUserMfaEnabledParameters, check: check {
        /// Whether users without a console password and an active access key are excluded. Default false.
        only_with_credentials: Flag = Flag(false),
        /// The ARN of the customer managed policy the remediation attaches. Default: none.
        mfa_policy_arn: Option<PolicyArn> = None,
        /// Whether the remediation may attach it. Default false.
        mfa_policy_opt_in: Flag = Flag(false),
    }
}

fn check(params: &IamUserMfaEnabledParameters) -> Result<(), String> {
    mfa_policy::check(params.mfa_policy_arn.as_ref(), params.mfa_policy_opt_in.0)
}

impl IamUserMfaEnabledParameters {
    /// The policy to attach, where an operator opted in.
    pub fn policy(&self) -> Option<&PolicyArn> {
        mfa_policy::opted_in(self.mfa_policy_arn.as_ref(), self.mfa_policy_opt_in)
    }

    /// Whether the verdict or the annotation for a user with this many devices depends on its credentials.
    pub fn needs_credentials(&self, devices: usize) -> bool {
        self.only_with_credentials.0 || devices == 0
    }
}

/// The credentials of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// Whether it has a console password.
    pub password: bool,
    /// How many of its access keys are active.
    pub active_keys: usize,
}

/// The devices and credentials of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Devices {
    /// The serial numbers of its MFA devices, of every kind.
    pub mfa_devices: BTreeSet<String>,
    /// Its credentials; `None` where they do not matter and were not read.
    pub credentials: Option<Credentials>,
}

/// The control's logic.
pub type IamUserMfaEnabled = MfaControl<Devices, IamUserMfaEnabledParameters>;

const CONTROL: IamUserMfaEnabled = MfaControl {
    judge,
    // A user without console access cannot register a device there: the policy would lock it out permanently.
    policy: |user, params| params.policy().filter(|_| user.sign_in.credentials.is_some_and(|it| it.password)),
    alternative: "replace the user with a role",
    grace: |_, _, _| None,
    list: &[LIST_USERS, LIST_MFA_DEVICES, GET_LOGIN_PROFILE, LIST_ACCESS_KEYS],
    read: &[
        LIST_USERS,
        GET_USER,
        LIST_MFA_DEVICES,
        GET_LOGIN_PROFILE,
        LIST_ACCESS_KEYS,
        READ[0],
        READ[1],
        READ[2],
        READ[3],
    ],
};

fn judge(subject: &MfaUser<Devices>, params: &IamUserMfaEnabledParameters, _now: Timestamp) -> Verdict {
    let (name, Devices { mfa_devices, credentials }) = (&subject.user.name, &subject.sign_in);
    // Credentials that were not read may exist.
    if params.only_with_credentials.0 && credentials.is_some_and(Credentials::is_empty) {
        return Verdict::not_applicable(format!("User {name} has no console password and no active access key"));
    }
    if !mfa_devices.is_empty() {
        return Verdict::COMPLIANT;
    }
    let details = credentials.map_or_else(String::new, |it| format!(" ({})", it.describe()));
    Verdict::non_compliant(format!("User {name} has no MFA device{details}"))
}

impl Credentials {
    const fn is_empty(self) -> bool {
        !self.password && self.active_keys == 0
    }

    fn describe(self) -> String {
        let keys = match self.active_keys {
            0 => None,
            1 => Some("1 active key".to_owned()),
            more => Some(format!("{more} active keys")),
        };
        let present: Vec<String> =
            self.password.then(|| "console password".to_owned()).into_iter().chain(keys).collect();
        if present.is_empty() { "no credentials".to_owned() } else { present.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::parameters::RuleParameters;
    use rectify_testing::{Case, Cases, NOW};

    use super::*;
    use crate::families::mfa::tests::{ATTACH, OPTED_IN, hold};
    use crate::families::mfa_policy::tests::attachment;
    use crate::resources::user::tests::alice;

    const WITH_CREDENTIALS: &str = r#"{"onlyWithCredentials":"true"}"#;
    const REGISTER: &str = "L0 manual: user alice or its owner: register an MFA device under \"Security credentials\", or \
     replace the user with a role";

    fn params(text: &str) -> IamUserMfaEnabledParameters {
        RuleParameters::parse(Some(text)).unwrap().control
    }

    fn user(devices: &[&str], credentials: Option<(bool, usize)>) -> MfaUser<Devices> {
        let mfa_devices = devices.iter().map(|it| (*it).to_owned()).collect();
        let credentials = credentials.map(|(password, active_keys)| Credentials { password, active_keys });
        MfaUser { user: alice(), sign_in: Devices { mfa_devices, credentials }, attachment: None }
    }

    /// A case for a user without a device.
    fn case(name: &str, credentials: Option<(bool, usize)>) -> Case<'_, IamUserMfaEnabled> {
        Cases::of(&CONTROL, user(&[], credentials)).case(name, |_| ())
    }

    #[test]
    fn a_user_without_a_device_is_a_finding_that_names_its_credentials() {
        let with_device = |name, credentials| {
            let user = user(&["arn:aws:iam::111122223333:mfa/alice"], credentials);
            Cases::of(&CONTROL, user).case(name, |_| ())
        };
        let none = "User alice has no console password and no active access key";
        case("iam-user-mfa-enabled/1", Some((false, 2)))
            .non_compliant("User alice has no MFA device (2 active keys)")
            .planned(&[REGISTER]);
        with_device("iam-user-mfa-enabled/2", None).compliant();
        case("iam-user-mfa-enabled/3", Some((false, 0))).with(WITH_CREDENTIALS).not_applicable(none);
        with_device("iam-user-mfa-enabled/3, with a device", Some((false, 0)))
            .with(WITH_CREDENTIALS)
            .not_applicable(none);
        case("iam-user-mfa-enabled/4, inactive keys are not counted", Some((false, 0)))
            .with(WITH_CREDENTIALS)
            .not_applicable(none);
        case("without the flag", Some((false, 0))).non_compliant("User alice has no MFA device (no credentials)");
        case("a password", Some((true, 1)))
            .with(WITH_CREDENTIALS)
            .non_compliant("User alice has no MFA device (console password, 1 active key)");
        case("a key is a credential", Some((false, 1)))
            .with(WITH_CREDENTIALS)
            .non_compliant("User alice has no MFA device (1 active key)");
        case("not read, may exist", None).with(WITH_CREDENTIALS).non_compliant("User alice has no MFA device");
        let needs = |text: &str, devices| params(text).needs_credentials(devices);
        assert!(needs("{}", 0) && !needs("{}", 1) && needs(WITH_CREDENTIALS, 0) && needs(WITH_CREDENTIALS, 1));
    }

    #[test]
    fn the_policy_is_only_for_users_with_a_console_password() {
        let ready = |name, credentials| {
            let user = MfaUser { attachment: Some(attachment(&[])), ..user(&[], credentials) };
            Cases::of(&CONTROL, user).case(name, |_| ())
        };
        let password = "User alice has no MFA device (console password)";
        ready("opted in", Some((true, 0))).with(OPTED_IN).non_compliant(password).planned(&[ATTACH]);
        ready("not opted in", Some((true, 0))).non_compliant(password).planned(&[REGISTER]);
        ready("keys alone", Some((false, 2)))
            .with(OPTED_IN)
            .non_compliant("User alice has no MFA device (2 active keys)")
            .planned(&[REGISTER]);
        ready("not read", None).with(OPTED_IN).non_compliant("User alice has no MFA device").planned(&[REGISTER]);
        assert!(RuleParameters::<IamUserMfaEnabledParameters>::parse(Some(r#"{"mfaPolicyOptIn":true}"#)).is_err());
    }

    #[test]
    fn laws() {
        let devices = prop::collection::btree_set("[a-z]{4}", 0..=1);
        let credentials = prop::option::weighted(0.8, (any::<bool>(), 0_usize..=2));
        let users = (devices, credentials).prop_map(|(mfa_devices, credentials)| {
            let MfaUser { sign_in, .. } = user(&[], credentials);
            MfaUser { sign_in: Devices { mfa_devices, ..sign_in }, ..user(&[], None) }
        });
        let params = any::<bool>().prop_map(|opted_in| params(if opted_in { OPTED_IN } else { "{}" }));
        hold(&CONTROL, NOW, (users, params), |mut it| {
            it.sign_in.mfa_devices.insert("registered".to_owned());
            it
        });
    }
}
