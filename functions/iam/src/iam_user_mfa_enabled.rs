//! `iam-user-mfa-enabled`: an IAM user has no MFA device.
//!
//! Knows a user with its devices and credentials, and no API. What it may attach stands in
//! [`mfa_policy`](crate::mfa_policy).

use std::collections::BTreeSet;

use rectify_compliance::values::Flag;
use rectify_compliance::{
    Control, Inventory, Irreversible, ManagedBy, Parameters, Permission, PhysicalId, Plan, Remediation, Timestamp,
    Verdict, control,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::mfa_policy::{self, AttachAction, Attachment, DetachAction, PolicyArn};
use crate::user::{TYPE, USERS, User, image_of_user};

control! {
    /// ## What it checks
    /// That every IAM user has an MFA device, whatever it signs in with.
    /// With `onlyWithCredentials` a user without console password and without active access key is NOT_APPLICABLE; an inactive key is no credential.
    /// Devices and credentials are read live: the managed rule reads the credential report, which may be four hours old.
    /// The root user is no IAM user and is judged by `root-account-mfa-enabled`; users of the console alone by `mfa-enabled-for-iam-console-access`.
    /// IAM is global, so the control is evaluated in the home region only; elsewhere it answers NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// Policies can ask for MFA only of a user that has a device; without one, a password or a key alone opens whatever they open.
    ///
    /// ## Compliant example
    /// `ListMFADevices` answers `{"MFADevices": [{"SerialNumber": "arn:…:mfa/alice"}]}`.
    ///
    /// ## Non-compliant example
    /// `ListMFADevices` answers `{"MFADevices": []}`.
    ///
    /// ## Parameters
    /// Additions to the managed rule, which has no parameter.
    ///
    /// ## Remediation
    /// L0 by default: the user registers a device or gives way to a role, and the plan says who.
    /// L2 with `mfaPolicyArn` and `mfaPolicyOptIn`, for users with a console password: `iam:AttachUserPolicy` of that customer managed policy, which must deny everything but registering a device to whoever signed in without MFA.
    /// What changes: one policy more is attached to the user; the finding stands, and the attempt stays pending, until the user has registered a device.
    /// What may break: whatever the user does without MFA, its access keys included where the policy says `BoolIfExists`.
    /// Held back while the policy does not exist, belongs to another account, does not deny `iam:CreateAccessKey` without MFA, does not let the user register a device, or the user has as many policies as it may have.
    /// The remediation's role may attach the one policy that the stack's parameter `MfaPolicyArn` names, and none without it; both must name the same.
    /// How to undo: `iam:DetachUserPolicy`; the user is as free as before, and as unprotected.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/iam-user-mfa-enabled.html)
    /// * [A policy that lets users register a device and nothing else](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html)
    /// * [ListMFADevices](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListMFADevices.html)
    pub IAM_USER_MFA_ENABLED: IamUserMfaEnabled {
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

/// The parameters of [`IamUserMfaEnabled`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct IamUserMfaEnabledParameters {
    /// Whether users without console password and active access key are left out. Default false.
    pub only_with_credentials: Flag,
    /// The ARN of the customer managed policy the remediation attaches. Default: none.
    pub mfa_policy_arn: Option<PolicyArn>,
    /// Whether the remediation may attach it. Default false.
    pub mfa_policy_opt_in: Flag,
}

impl Parameters for IamUserMfaEnabledParameters {
    fn check(&self) -> Result<(), String> {
        mfa_policy::check(self.mfa_policy_arn.as_ref(), self.mfa_policy_opt_in.0)
    }
}

impl IamUserMfaEnabledParameters {
    /// The policy to attach, where a person opted in.
    pub fn policy(&self) -> Option<&PolicyArn> {
        mfa_policy::opted_in(self.mfa_policy_arn.as_ref(), self.mfa_policy_opt_in)
    }

    /// Whether credentials decide about a user with this many devices, or are told of in its finding.
    pub fn needs_credentials(&self, devices: usize) -> bool {
        self.only_with_credentials.0 || devices == 0
    }
}

/// What a user signs in with, beside its devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// Whether it has a console password.
    pub password: bool,
    /// How many of its access keys are active.
    pub active_keys: usize,
}

/// A user with its devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MfaUser {
    /// Who.
    pub user: User,
    /// The serial numbers of its MFA devices, of every kind.
    pub mfa_devices: BTreeSet<String>,
    /// What it signs in with; `None` where that does not matter and was not read.
    pub credentials: Option<Credentials>,
    /// What attaching the policy depends on; read by a remediation with opt-in only.
    pub attachment: Option<Attachment>,
}

image_of_user!(MfaUser);

impl Control for IamUserMfaEnabled {
    type Params = IamUserMfaEnabledParameters;
    type Subject = MfaUser;

    fn evaluate(&self, subject: &MfaUser, params: &Self::Params, _now: Timestamp) -> Verdict {
        let name = &subject.user.name;
        // What was not read may be there.
        if params.only_with_credentials.0 && subject.credentials.is_some_and(Credentials::are_none) {
            return Verdict::not_applicable(format!("User {name} has no console password and no active access key"));
        }
        if !subject.mfa_devices.is_empty() {
            return Verdict::COMPLIANT;
        }
        let with = subject.credentials.map_or_else(String::new, |it| format!(" ({})", it.told()));
        Verdict::non_compliant(format!("User {name} has no MFA device{with}"))
    }
}

const READ: [Permission; 3] = [
    Permission::on("iam:ListMFADevices", USERS),
    Permission::on("iam:GetLoginProfile", USERS),
    Permission::on("iam:ListAccessKeys", USERS),
];

impl Inventory for IamUserMfaEnabled {
    fn list_permissions(&self) -> &'static [Permission] {
        const { &[Permission::unscoped("iam:ListUsers"), READ[0], READ[1], READ[2]] }
    }
}

impl Remediation for IamUserMfaEnabled {
    type Action = AttachAction;
    type Undo = DetachAction;
    fn read_permissions(&self) -> &'static [Permission] {
        const {
            &[
                Permission::unscoped("iam:ListUsers"),
                Permission::on("iam:GetUser", USERS),
                READ[0],
                READ[1],
                READ[2],
                mfa_policy::READ[0],
                mfa_policy::READ[1],
                mfa_policy::READ[2],
                mfa_policy::READ[3],
            ]
        }
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        mfa_policy::ATTACH
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        mfa_policy::DETACH
    }
    fn needs_name(&self) -> bool {
        true
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Lookup("the name of the user")
    }

    fn stack_resources(&self, _live: &MfaUser, action: &AttachAction) -> Vec<PhysicalId> {
        let AttachAction::AttachUserPolicy { user_name, .. } = action;
        vec![PhysicalId::here(user_name)]
    }

    fn fix(&self, live: &MfaUser, params: &Self::Params, _now: Timestamp) -> Plan<AttachAction> {
        let words = format!(
            "user {}, or who looks after it: register an MFA device under \"Security credentials\", or let a role take the \
             user's place",
            live.user.name
        );
        // Who cannot sign in to the console could not register a device there: the policy would shut it out for good.
        let has_password = live.credentials.is_some_and(|it| it.password);
        mfa_policy::plan(&live.user, live.attachment.as_ref(), params.policy().filter(|_| has_password), words)
    }

    fn expect(&self, mut live: MfaUser, action: &AttachAction) -> MfaUser {
        mfa_policy::expect(&live.user, &mut live.attachment, action);
        live
    }

    /// The policy is attached; the device is the user's to register.
    fn is_settling(&self, after: &MfaUser, done: &[AttachAction]) -> bool {
        mfa_policy::is_in_place(after.attachment.as_ref(), done)
    }

    fn footprint(&self, subject: &MfaUser, done: &[AttachAction]) -> Value {
        mfa_policy::footprint(subject.attachment.as_ref(), done)
    }

    fn undo(&self, before: &MfaUser, done: &[AttachAction]) -> Result<Vec<DetachAction>, Irreversible> {
        mfa_policy::undo(before.attachment.as_ref(), done)
    }
}

impl Credentials {
    const fn are_none(self) -> bool {
        !self.password && self.active_keys == 0
    }

    fn told(self) -> String {
        let keys = match self.active_keys {
            0 => None,
            1 => Some("1 active key".to_owned()),
            more => Some(format!("{more} active keys")),
        };
        let told: Vec<String> = self.password.then(|| "console password".to_owned()).into_iter().chain(keys).collect();
        if told.is_empty() { "no credentials".to_owned() } else { told.join(", ") }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::parameters::RuleParameters;
    use rectify_compliance::{Level, StoredImage};

    use super::*;
    use crate::mfa_policy::tests::{attach, attachment};
    use crate::user::tests::alice;

    const OPTED_IN: &str = r#"{"mfaPolicyOptIn":"true",
        "mfaPolicyArn":"arn:aws:iam::111122223333:policy/security/require-mfa"}"#;

    fn params(text: &str) -> IamUserMfaEnabledParameters {
        RuleParameters::parse(Some(text)).unwrap().control
    }

    fn user(devices: &[&str], credentials: Option<(bool, usize)>) -> MfaUser {
        MfaUser {
            user: alice(),
            mfa_devices: devices.iter().map(|it| (*it).to_owned()).collect(),
            credentials: credentials.map(|(password, active_keys)| Credentials { password, active_keys }),
            attachment: None,
        }
    }

    fn judge(subject: &MfaUser, text: &str) -> Verdict {
        IamUserMfaEnabled.evaluate(subject, &params(text), Timestamp::UNIX_EPOCH)
    }

    fn plan(subject: &MfaUser, text: &str) -> Plan<AttachAction> {
        IamUserMfaEnabled.plan(subject, &params(text), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_user_without_a_device_is_a_finding_that_says_what_it_signs_in_with() {
        let flag = r#"{"onlyWithCredentials":"true"}"#;
        let finding = |with: &str| Verdict::non_compliant(format!("User alice has no MFA device{with}"));
        let out = Verdict::not_applicable("User alice has no console password and no active access key");
        let device = ["arn:aws:iam::111122223333:mfa/alice"];
        for (case, subject, parameters, expected) in [
            ("iam-user-mfa-enabled/1", user(&[], Some((false, 2))), "{}", finding(" (2 active keys)")),
            ("iam-user-mfa-enabled/2", user(&device, None), "{}", Verdict::COMPLIANT),
            ("iam-user-mfa-enabled/3", user(&[], Some((false, 0))), flag, out.clone()),
            ("iam-user-mfa-enabled/3, with a device", user(&device, Some((false, 0))), flag, out.clone()),
            ("iam-user-mfa-enabled/4, inactive keys are not counted", user(&[], Some((false, 0))), flag, out),
            ("without the flag", user(&[], Some((false, 0))), "{}", finding(" (no credentials)")),
            ("a password", user(&[], Some((true, 1))), flag, finding(" (console password, 1 active key)")),
            ("a key is a credential", user(&[], Some((false, 1))), flag, finding(" (1 active key)")),
            ("not read, may be there", user(&[], None), flag, finding("")),
        ] {
            assert_eq!(judge(&subject, parameters), expected, "{case}");
        }
        let needs = |text: &str, devices| params(text).needs_credentials(devices);
        assert!(needs("{}", 0) && !needs("{}", 1) && needs(flag, 0) && needs(flag, 1));
    }

    #[test]
    fn the_policy_is_for_users_of_the_console_alone() {
        let ready = |credentials| MfaUser { attachment: Some(attachment(&[])), ..user(&[], credentials) };
        let planned = plan(&ready(Some((true, 0))), OPTED_IN);
        assert_eq!((planned.level(), planned.calls()), (Some(Level::L2), vec![&attach()]));
        for (subject, text) in
            [(ready(Some((false, 2))), OPTED_IN), (ready(None), OPTED_IN), (ready(Some((true, 0))), "{}")]
        {
            let told = plan(&subject, text);
            assert_eq!((told.level(), told.calls().len(), told.steps().len()), (Some(Level::L0), 0, 1), "{subject:?}");
        }
        assert!(RuleParameters::<IamUserMfaEnabledParameters>::parse(Some(r#"{"mfaPolicyOptIn":true}"#)).is_err());
    }

    proptest! {
        #[test]
        fn a_plan_touches_nothing_but_the_policy_and_undo_restores(
            devices in prop::collection::btree_set("[a-z]{4}", 0..=1),
            credentials in prop::option::of((any::<bool>(), 0_usize..=2)),
            attached in prop::collection::btree_set("[a-z]{4}", 0..=11), opted_in in any::<bool>(),
        ) {
            let attached: Vec<&str> = attached.iter().map(String::as_str).collect();
            let mut subject = user(&[], credentials);
            subject.mfa_devices = devices;
            subject.attachment = Some(attachment(&attached));
            let text = if opted_in { OPTED_IN } else { "{}" };
            let planned = plan(&subject, text);
            prop_assert_eq!(planned != Plan::Nothing, judge(&subject, text).is_non_compliant());
            let mut live = subject.clone();
            let mut done = Vec::new();
            for action in planned.calls() {
                live = IamUserMfaEnabled.expect(live, action);
                done.push(action.clone());
            }
            prop_assert_eq!((&live.user, &live.credentials), (&subject.user, &subject.credentials));
            let actions = done.clone();
            prop_assert_eq!(IamUserMfaEnabled.is_settling(&live, &actions), !actions.is_empty());
            prop_assert!(plan(&live, text).calls().is_empty());
            for DetachAction::DetachUserPolicy { policy_arn, .. } in IamUserMfaEnabled.undo(&subject, &done).unwrap() {
                live.attachment.as_mut().unwrap().attached.remove(policy_arn.as_str());
            }
            prop_assert_eq!(IamUserMfaEnabled.footprint(&live, &actions), IamUserMfaEnabled.footprint(&subject, &actions));
            prop_assert_eq!(StoredImage::of(&live).unwrap().read::<MfaUser>(), Ok(subject));
        }
    }
}
