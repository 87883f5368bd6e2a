//! `mfa-enabled-for-iam-console-access`: a user signs in to the console without MFA.
//!
//! Knows a user with its console access, and no API. What it may attach stands in [`mfa_policy`](crate::mfa_policy).

use std::collections::BTreeSet;

use rectify_compliance::values::{Bounded, Flag};
use rectify_compliance::{
    Control, FromItem, Inventory, Irreversible, ManagedBy, Parameters, Permission, PhysicalId, Plan, Remediation,
    Timestamp, Verdict, control,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::age::Age;
use crate::mfa_policy::{self, AttachAction, Attachment, DetachAction, PolicyArn};
use crate::user::{RecordedUser, TYPE, USERS, User, image_of_user};

control! {
    /// ## What it checks
    /// That every IAM user with a console password has an MFA device: a virtual one, a hardware one, a security key or a passkey.
    /// A user without a console password is compliant and says so, whatever else it signs in with.
    /// Password and devices are read live, on a schedule and on each change of a user: AWS Config records neither, and the managed rule reads the credential report, which may be four hours old.
    /// The root user is no IAM user and is judged by `root-account-mfa-enabled`.
    /// IAM is global, so the control is evaluated in the home region only; elsewhere it answers NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// A password alone can be guessed, phished or found in a leak, and the console is open to everybody.
    ///
    /// ## Compliant example
    /// `ListMFADevices` of a user with a login profile answers `{"MFADevices": [{"SerialNumber": "arn:…:u2f/user/alice/key"}]}`, or `GetLoginProfile` answers `NoSuchEntity`.
    ///
    /// ## Non-compliant example
    /// `GetLoginProfile` answers a profile, and `ListMFADevices` answers `{"MFADevices": []}`.
    ///
    /// ## Parameters
    /// All concern the remediation only and are additions to the managed rule, which has no parameter.
    ///
    /// ## Remediation
    /// L0 by default: the user registers a device, and the plan says who; until a user is `graceHours` old, the plan is held.
    /// L2 with `mfaPolicyArn` and `mfaPolicyOptIn`: `iam:AttachUserPolicy` of that customer managed policy, which must deny everything but registering a device to whoever signed in without MFA.
    /// What changes: one policy more is attached to the user; the finding stands, and the attempt stays pending, until the user has registered a device.
    /// What may break: whatever the user does without MFA, its access keys included where the policy says `BoolIfExists`.
    /// Held back while the policy does not exist, belongs to another account, does not deny `iam:CreateAccessKey` without MFA, does not let the user register a device, or the user has as many policies as it may have.
    /// The remediation's role may attach the one policy that the stack's parameter `MfaPolicyArn` names, and none without it; both must name the same.
    /// Deleting the login profile would be L3 and is never done.
    /// How to undo: `iam:DetachUserPolicy`; the user is as free as before, and as unprotected.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/mfa-enabled-for-iam-console-access.html)
    /// * [A policy that lets users register a device and nothing else](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage.html)
    /// * [ListMFADevices](https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListMFADevices.html)
    pub MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS: MfaEnabledForIamConsoleAccess {
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

/// The parameters of [`MfaEnabledForIamConsoleAccess`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct MfaEnabledForIamConsoleAccessParameters {
    /// How old a user must be before anything is planned for it, hours, 0..=720; the verdict does not wait. Default 0.
    pub grace_hours: Bounded<0, 720>,
    /// The ARN of the customer managed policy the remediation attaches. Default: none.
    pub mfa_policy_arn: Option<PolicyArn>,
    /// Whether the remediation may attach it. Default false.
    pub mfa_policy_opt_in: Flag,
}

impl Default for MfaEnabledForIamConsoleAccessParameters {
    fn default() -> Self {
        Self { grace_hours: Bounded::of(0), mfa_policy_arn: None, mfa_policy_opt_in: Flag(false) }
    }
}

impl Parameters for MfaEnabledForIamConsoleAccessParameters {
    fn check(&self) -> Result<(), String> {
        mfa_policy::check(self.mfa_policy_arn.as_ref(), self.mfa_policy_opt_in.0)
    }
}

impl MfaEnabledForIamConsoleAccessParameters {
    /// The policy to attach, where a person opted in.
    pub fn policy(&self) -> Option<&PolicyArn> {
        mfa_policy::opted_in(self.mfa_policy_arn.as_ref(), self.mfa_policy_opt_in)
    }
}

/// Whether and how a user signs in to the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Console {
    /// It has no password, so it does not.
    NoPassword,
    /// By its password.
    Password {
        /// The serial numbers of its MFA devices, of every kind.
        mfa_devices: BTreeSet<String>,
    },
}

/// A user with its console access.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsoleUser {
    /// Who.
    pub user: User,
    /// How it signs in.
    pub console: Console,
    /// What attaching the policy depends on; read by a remediation with opt-in only.
    pub attachment: Option<Attachment>,
}

image_of_user!(ConsoleUser);

impl Control for MfaEnabledForIamConsoleAccess {
    type Params = MfaEnabledForIamConsoleAccessParameters;
    type Subject = ConsoleUser;

    fn evaluate(&self, subject: &ConsoleUser, _params: &Self::Params, now: Timestamp) -> Verdict {
        match &subject.console {
            Console::NoPassword => Verdict::Compliant(Some("no console password".into())),
            Console::Password { mfa_devices } if mfa_devices.is_empty() => {
                let User { name, created, .. } = &subject.user;
                let age = Age::of(*created, now);
                Verdict::non_compliant(format!("User {name} has a console password and no MFA device (user {age} old)"))
            }
            Console::Password { .. } => Verdict::COMPLIANT,
        }
    }
}

const READ: [Permission; 3] = [
    Permission::on("iam:GetUser", USERS),
    Permission::on("iam:GetLoginProfile", USERS),
    Permission::on("iam:ListMFADevices", USERS),
];

impl FromItem for MfaEnabledForIamConsoleAccess {
    type Resource = RecordedUser;
    type Facts = Console;
    fn fact_permissions(&self) -> &'static [Permission] {
        &READ
    }

    fn subject(&self, RecordedUser(user): RecordedUser, console: Console) -> ConsoleUser {
        ConsoleUser { user, console, attachment: None }
    }
}

impl Inventory for MfaEnabledForIamConsoleAccess {
    fn list_permissions(&self) -> &'static [Permission] {
        const { &[Permission::unscoped("iam:ListUsers"), READ[0], READ[1], READ[2]] }
    }
}

impl Remediation for MfaEnabledForIamConsoleAccess {
    type Action = AttachAction;
    type Undo = DetachAction;
    fn read_permissions(&self) -> &'static [Permission] {
        const {
            &[
                Permission::unscoped("iam:ListUsers"),
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

    fn stack_resources(&self, _live: &ConsoleUser, action: &AttachAction) -> Vec<PhysicalId> {
        let AttachAction::AttachUserPolicy { user_name, .. } = action;
        vec![PhysicalId::here(user_name)]
    }

    fn fix(&self, live: &ConsoleUser, params: &Self::Params, now: Timestamp) -> Plan<AttachAction> {
        let user = &live.user;
        let words = format!(
            "user {}, or who looks after it: register an MFA device under \"Security credentials\", or give up the console \
             password",
            user.name
        );
        let plan = mfa_policy::plan(user, live.attachment.as_ref(), params.policy(), words);
        let (age, grace) = (Age::of(user.created, now), params.grace_hours);
        match plan {
            Plan::Do { steps } if age.is_below_hours(grace.get()) => {
                Plan::hold(format!("grace period of {grace} h: user {} is {age} old", user.name), steps)
            }
            plan => plan,
        }
    }

    fn expect(&self, mut live: ConsoleUser, action: &AttachAction) -> ConsoleUser {
        mfa_policy::expect(&live.user, &mut live.attachment, action);
        live
    }

    /// The policy is attached; the device is the user's to register.
    fn is_settling(&self, after: &ConsoleUser, done: &[AttachAction]) -> bool {
        mfa_policy::is_in_place(after.attachment.as_ref(), done)
    }

    fn footprint(&self, subject: &ConsoleUser, done: &[AttachAction]) -> Value {
        mfa_policy::footprint(subject.attachment.as_ref(), done)
    }

    fn undo(&self, before: &ConsoleUser, done: &[AttachAction]) -> Result<Vec<DetachAction>, Irreversible> {
        mfa_policy::undo(before.attachment.as_ref(), done)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::parameters::RuleParameters;
    use rectify_compliance::{Level, StoredImage};
    use serde_json::json;

    use super::*;
    use crate::mfa_policy::tests::{attach, attachment, require_mfa};
    use crate::user::tests::alice;

    const OPTED_IN: &str = r#"{"mfaPolicyOptIn":"true",
        "mfaPolicyArn":"arn:aws:iam::111122223333:policy/security/require-mfa"}"#;

    /// A user made at 03:00 on this day.
    const NOW: &str = "2026-03-04T06:00:00.412Z";

    fn params(text: &str) -> MfaEnabledForIamConsoleAccessParameters {
        RuleParameters::parse(Some(text)).unwrap().control
    }

    fn password(devices: &[&str]) -> ConsoleUser {
        let mfa_devices = devices.iter().map(|it| (*it).to_owned()).collect();
        ConsoleUser { user: alice(), console: Console::Password { mfa_devices }, attachment: None }
    }

    fn judge(subject: &ConsoleUser) -> Verdict {
        MfaEnabledForIamConsoleAccess.evaluate(subject, &params("{}"), NOW.parse().unwrap())
    }

    fn plan(subject: &ConsoleUser, text: &str) -> Plan<AttachAction> {
        MfaEnabledForIamConsoleAccess.plan(subject, &params(text), NOW.parse().unwrap())
    }

    #[test]
    fn a_password_without_a_device_is_a_finding() {
        let keys_only = ConsoleUser { console: Console::NoPassword, ..password(&[]) };
        let no_password = Verdict::Compliant(Some("no console password".into()));
        let finding = "User alice has a console password and no MFA device (user 3 h old)";
        for (case, subject, expected) in [
            ("mfa-enabled-for-iam-console-access/1", password(&[]), Verdict::non_compliant(finding)),
            (
                "mfa-enabled-for-iam-console-access/2",
                password(&["arn:aws:iam::111122223333:u2f/user/alice/passkey-1"]),
                Verdict::COMPLIANT,
            ),
            ("mfa-enabled-for-iam-console-access/3", keys_only, no_password),
            ("a hardware token", password(&["GAHT12345678"]), Verdict::COMPLIANT),
        ] {
            assert_eq!(judge(&subject), expected, "{case}");
            let rebuilt = MfaEnabledForIamConsoleAccess.subject(RecordedUser(alice()), subject.console.clone());
            assert_eq!(rebuilt, subject, "{case}: item and facts make the same subject");
        }
    }

    #[test]
    fn facts_are_told_in_words() {
        assert_eq!(serde_json::to_value(Console::NoPassword).unwrap(), json!("noPassword"));
        assert_eq!(serde_json::to_value(password(&["m"]).console).unwrap(), json!({"password": {"mfaDevices": ["m"]}}));
    }

    #[test]
    fn a_person_is_told_unless_a_policy_was_opted_in_to() {
        let told = plan(&password(&[]), "{}");
        assert_eq!((told.level(), told.calls().len(), told.steps().len()), (Some(Level::L0), 0, 1));
        let arn_alone = r#"{"mfaPolicyArn":"arn:aws:iam::111122223333:policy/security/require-mfa"}"#;
        let ready = ConsoleUser { attachment: Some(attachment(&[])), ..password(&[]) };
        assert_eq!(plan(&ready, arn_alone), told);
        let planned = plan(&ready, OPTED_IN);
        assert_eq!((planned.level(), planned.calls()), (Some(Level::L2), vec![&attach()]));
        assert_eq!(params(OPTED_IN).policy(), Some(&require_mfa()));
        assert!(
            RuleParameters::<MfaEnabledForIamConsoleAccessParameters>::parse(Some(r#"{"mfaPolicyOptIn":true}"#))
                .is_err()
        );
    }

    #[test]
    fn the_grace_period_holds_the_plan_and_not_the_verdict() {
        assert!(judge(&password(&[])).is_non_compliant());
        for (hours, held) in [("3", false), ("4", true)] {
            let plan = plan(&password(&[]), &format!(r#"{{"graceHours":"{hours}"}}"#));
            assert_eq!(plan.obstacle(true).is_some_and(|it| it.starts_with("grace period of 4 h")), held, "{hours}");
            assert_eq!(plan.steps().len(), 1, "{hours}");
        }
    }

    proptest! {
        #[test]
        fn a_plan_touches_nothing_but_the_policy_and_undo_restores(
            devices in prop::collection::btree_set("[a-z]{4}", 0..=1), has_password in any::<bool>(),
            attached in prop::collection::btree_set("[a-z]{4}", 0..=11), opted_in in any::<bool>(),
        ) {
            let console = if has_password { Console::Password { mfa_devices: devices } } else { Console::NoPassword };
            let attached: Vec<&str> = attached.iter().map(String::as_str).collect();
            let subject = ConsoleUser { console, attachment: Some(attachment(&attached)), ..password(&[]) };
            let text = if opted_in { OPTED_IN } else { "{}" };
            let planned = plan(&subject, text);
            prop_assert_eq!(planned != Plan::Nothing, judge(&subject).is_non_compliant());
            let mut live = subject.clone();
            let mut done = Vec::new();
            for action in planned.calls() {
                live = MfaEnabledForIamConsoleAccess.expect(live, action);
                done.push(action.clone());
            }
            prop_assert_eq!((&live.user, &live.console), (&subject.user, &subject.console));
            let actions = done.clone();
            prop_assert_eq!(MfaEnabledForIamConsoleAccess.is_settling(&live, &actions), !actions.is_empty());
            prop_assert!(plan(&live, text).calls().is_empty());
            for DetachAction::DetachUserPolicy { policy_arn, .. } in MfaEnabledForIamConsoleAccess.undo(&subject, &done).unwrap() {
                live.attachment.as_mut().unwrap().attached.remove(policy_arn.as_str());
            }
            prop_assert_eq!(MfaEnabledForIamConsoleAccess.footprint(&live, &actions), MfaEnabledForIamConsoleAccess.footprint(&subject, &actions));
            prop_assert_eq!(StoredImage::of(&live).unwrap().read::<ConsoleUser>(), Ok(subject));
        }
    }
}
