//! `mfa-enabled-for-iam-console-access`: a user signs in to the console without MFA.
//!
//! Works on a user with its console access; makes no API calls. The policy to attach is in
//! [`mfa_policy`](crate::families::mfa_policy).

use std::collections::BTreeSet;

use rectify_compliance::values::{Bounded, Flag};
use rectify_compliance::{FromItem, Permission, Timestamp, Verdict, control, parameters};
use serde::{Deserialize, Serialize};

use crate::families::mfa::{MfaControl, MfaUser};
use crate::families::mfa_policy::{self, PolicyArn, READ};
use crate::resources::age::Age;
use crate::resources::user::{GET_LOGIN_PROFILE, GET_USER, LIST_MFA_DEVICES, LIST_USERS, RecordedUser, TYPE, User};

control! {
    /// ## What it checks
    /// That every IAM user with a console password has an MFA device: a virtual one, a hardware one, a security key or a passkey.
    /// A user without a console password is compliant, whatever its other credentials, and the annotation says so.
    /// Password and devices are read live, on a schedule and on each change of a user: AWS Config records neither, and the managed rule reads the credential report, which may be four hours old.
    /// The root user is not an IAM user; `root-account-mfa-enabled` evaluates it.
    /// IAM is global, so the control is evaluated in the home region only; in other regions the verdict is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// A password alone can be guessed, phished or found in a leak, and the console is reachable from the internet.
    ///
    /// ## Compliant example
    /// `ListMFADevices` for a user with a login profile returns `{"MFADevices": [{"SerialNumber": "arn:…:u2f/user/alice/key"}]}`, or `GetLoginProfile` returns `NoSuchEntity`.
    ///
    /// ## Non-compliant example
    /// `GetLoginProfile` returns a profile, and `ListMFADevices` returns `{"MFADevices": []}`.
    ///
    /// ## Parameters
    /// All affect only the remediation and are additions to the managed rule, which has no parameters.
    ///
    /// ## Remediation
    /// L0 by default: the user registers a device, and the plan names the user; until a user is `graceHours` old, the plan is blocked.
    /// L2 with `mfaPolicyArn` and `mfaPolicyOptIn`: `iam:AttachUserPolicy` of that customer managed policy, which must deny everything but registering a device to callers without MFA.
    /// What changes: one more policy is attached to the user; the finding stays open, and the attempt stays pending, until the user has registered a device.
    /// What may break: everything the user does without MFA, its access keys included where the policy uses `BoolIfExists`.
    /// Blocked while the policy does not exist, belongs to another account, does not deny `iam:CreateAccessKey` without MFA, does not let the user register a device, or the user has reached its policy quota.
    /// The remediation's role may attach only the policy in the stack's parameter `MfaPolicyArn`, and none without it; both parameters must name the same policy.
    /// Deleting the login profile would be L3 and is never done.
    /// How to undo: `iam:DetachUserPolicy`; the user has its previous access again, without MFA.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/mfa-enabled-for-iam-console-access.html)
    /// * [A policy that lets users register a device and nothing else](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html)
    /// * [ListMFADevices](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListMFADevices.html)
    pub MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS: MfaEnabledForIamConsoleAccess = CONTROL {
        id: "mfa-enabled-for-iam-console-access",
        title: "Console user signs in without MFA",
        severity: Medium,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Global,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Cis30: ["1.10"],
            Cis50: ["1.9"],
            Fsbp: ["IAM.5"],
            Nist80053r5: ["AC-2(1)", "AC-3(15)", "IA-2(1)", "IA-2(2)", "IA-2(8)"],
            Pci40: ["8.4.1", "8.4.2", "8.4.3"],
        },
    }
}

parameters! {
    /// The parameters of [`MfaEnabledForIamConsoleAccess`].
    pub MfaEnabledForIamConsoleAccessParameters, check: check {
        /// The age of a user below which its plan is blocked, hours, 0..=720; the verdict does not depend on it.
        /// Default 0.
        grace_hours: Bounded<0, 720> = Bounded::of(0),
        /// The ARN of the customer managed policy the remediation attaches. Default: none.
        mfa_policy_arn: Option<PolicyArn> = None,
        /// Whether the remediation may attach it. Default false.
        mfa_policy_opt_in: Flag = Flag(false),
    }
}

fn check(params: &MfaEnabledForIamConsoleAccessParameters) -> Result<(), String> {
    mfa_policy::check(params.mfa_policy_arn.as_ref(), params.mfa_policy_opt_in.0)
}

impl MfaEnabledForIamConsoleAccessParameters {
    /// The policy to attach, where an operator opted in.
    pub fn policy(&self) -> Option<&PolicyArn> {
        mfa_policy::opted_in(self.mfa_policy_arn.as_ref(), self.mfa_policy_opt_in)
    }
}

/// The console access of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Console {
    /// No console password, so no console access.
    NoPassword,
    /// A console password.
    Password {
        /// The serial numbers of its MFA devices, of every kind.
        mfa_devices: BTreeSet<String>,
    },
}

/// The console access of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleAccess {
    /// The access.
    pub console: Console,
}

/// The control's logic.
pub type MfaEnabledForIamConsoleAccess = MfaControl<ConsoleAccess, MfaEnabledForIamConsoleAccessParameters>;

const CONTROL: MfaEnabledForIamConsoleAccess = MfaControl {
    judge,
    policy: |_, params| params.policy(),
    alternative: "delete the console password",
    grace: |user, params, now| {
        let (age, grace) = (Age::of(user.created, now), params.grace_hours);
        let is_young = age.is_below_hours(grace.get());
        is_young.then(|| format!("grace period of {grace} h: user {} is {age} old", user.name))
    },
    list: &[LIST_USERS, GET_USER, GET_LOGIN_PROFILE, LIST_MFA_DEVICES],
    read: &[LIST_USERS, GET_USER, GET_LOGIN_PROFILE, LIST_MFA_DEVICES, READ[0], READ[1], READ[2], READ[3]],
};

fn judge(
    subject: &MfaUser<ConsoleAccess>,
    _params: &MfaEnabledForIamConsoleAccessParameters,
    now: Timestamp,
) -> Verdict {
    match &subject.sign_in.console {
        Console::NoPassword => Verdict::Compliant(Some("no console password".into())),
        Console::Password { mfa_devices } if mfa_devices.is_empty() => {
            let User { name, created, .. } = &subject.user;
            let age = Age::of(*created, now);
            Verdict::non_compliant(format!("User {name} has a console password and no MFA device (user {age} old)"))
        }
        Console::Password { .. } => Verdict::COMPLIANT,
    }
}

impl FromItem for MfaEnabledForIamConsoleAccess {
    type Resource = RecordedUser;
    type Facts = Console;

    fn fact_permissions(&self) -> &'static [Permission] {
        &[GET_USER, GET_LOGIN_PROFILE, LIST_MFA_DEVICES]
    }

    fn subject(&self, RecordedUser(user): RecordedUser, console: Console) -> MfaUser<ConsoleAccess> {
        MfaUser { user, sign_in: ConsoleAccess { console }, attachment: None }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::parameters::RuleParameters;
    use rectify_testing::{Case, Cases};
    use serde_json::json;

    use super::*;
    use crate::families::mfa::tests::{ATTACH, OPTED_IN, hold};
    use crate::families::mfa_policy::tests::{attachment, require_mfa};
    use crate::resources::user::tests::alice;

    const FINDING: &str = "User alice has a console password and no MFA device (user 3 h old)";
    const REGISTER: &str = "L0 manual: user alice or its owner: register an MFA device under \"Security credentials\", or \
     delete the console password";

    /// Three hours after the user was created.
    fn now() -> Timestamp {
        "2026-03-04T06:00:00.412Z".parse().unwrap()
    }

    fn params(text: &str) -> MfaEnabledForIamConsoleAccessParameters {
        RuleParameters::parse(Some(text)).unwrap().control
    }

    fn password(devices: &[&str]) -> Console {
        Console::Password { mfa_devices: devices.iter().map(|it| (*it).to_owned()).collect() }
    }

    /// A case for a user with a password, without a device, with policies read; after `change`.
    fn case(name: &str, change: impl FnOnce(&mut Console)) -> Case<'_, MfaEnabledForIamConsoleAccess> {
        let sign_in = ConsoleAccess { console: password(&[]) };
        let user = MfaUser { user: alice(), sign_in, attachment: Some(attachment(&[])) };
        Cases::of(&CONTROL, user).case(name, |it| change(&mut it.sign_in.console)).at(now())
    }

    #[test]
    fn a_password_without_a_device_is_a_finding() {
        let devices = |name, device: &str| case(name, |it| *it = password(&[device]));
        case("mfa-enabled-for-iam-console-access/1", |_| ()).non_compliant(FINDING).planned(&[REGISTER]);
        devices("mfa-enabled-for-iam-console-access/2", "arn:aws:iam::111122223333:u2f/user/alice/passkey-1")
            .compliant();
        case("mfa-enabled-for-iam-console-access/3", |it| *it = Console::NoPassword)
            .compliant_with("no console password");
        devices("a hardware token", "GAHT12345678").compliant();
        let subject = CONTROL.subject(RecordedUser(alice()), Console::NoPassword);
        let sign_in = ConsoleAccess { console: Console::NoPassword };
        assert_eq!(
            subject,
            MfaUser { user: alice(), sign_in, attachment: None },
            "the subject combines item and facts"
        );
    }

    #[test]
    fn the_stored_form_of_facts_is_stable() {
        assert_eq!(serde_json::to_value(Console::NoPassword).unwrap(), json!("noPassword"));
        assert_eq!(serde_json::to_value(password(&["m"])).unwrap(), json!({"password": {"mfaDevices": ["m"]}}));
    }

    #[test]
    fn the_plan_is_manual_without_an_opt_in() {
        let arn_alone = r#"{"mfaPolicyArn":"arn:aws:iam::111122223333:policy/security/require-mfa"}"#;
        case("a policy and no opt-in", |_| ()).with(arn_alone).non_compliant(FINDING).planned(&[REGISTER]);
        case("opted in", |_| ()).with(OPTED_IN).non_compliant(FINDING).planned(&[ATTACH]);
        assert_eq!(params(OPTED_IN).policy(), Some(&require_mfa()));
        let refused =
            RuleParameters::<MfaEnabledForIamConsoleAccessParameters>::parse(Some(r#"{"mfaPolicyOptIn":true}"#));
        assert!(refused.is_err());
    }

    #[test]
    fn the_grace_period_blocks_the_plan_and_not_the_verdict() {
        case("exactly as old", |_| ()).with(r#"{"graceHours":"3"}"#).non_compliant(FINDING).planned(&[REGISTER]);
        case("younger", |_| ())
            .with(r#"{"graceHours":"4"}"#)
            .non_compliant(FINDING)
            .planned(&["blocked: grace period of 4 h: user alice is 3 h old", REGISTER]);
    }

    #[test]
    fn laws() {
        let devices = prop::collection::btree_set("[a-z]{4}", 0..=1);
        let console = prop_oneof![
            1 => Just(Console::NoPassword),
            3 => devices.prop_map(|mfa_devices| Console::Password { mfa_devices }),
        ];
        let users = console.prop_map(|it| CONTROL.subject(RecordedUser(alice()), it));
        let params = any::<bool>().prop_map(|opted_in| params(if opted_in { OPTED_IN } else { "{}" }));
        hold(&CONTROL, now(), (users, params), |mut it| {
            it.sign_in.console = password(&["registered"]);
            it
        });
    }
}
