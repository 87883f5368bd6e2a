//! `kms-key-policy-no-public-access`: everyone may use a key.

use rectify_compliance::{Verdict, control};
use rectify_policy::condition::is_fixed;
use rectify_policy::{Document, Edit, Key, Principal, PublicPolicy, ResourceKind};

use crate::resources::key::TYPE;
use crate::resources::key_policy::{KeyWithPolicy, PUT, exemption};

control! {
    /// ## What it checks
    /// That no statement of the policy of a customer managed key allows an action to everyone.
    /// A statement is public if its principal is `*`, empty, a pattern or `NotPrincipal`, and no condition restricts it to accounts, organizations, networks or sources with a fixed owner.
    /// `kms:CallerAccount` restricts; `kms:ViaService`, `kms:EncryptionContext:…` and `aws:CalledVia` do not: another account meets them with its own identity.
    /// Keys that AWS manages and keys that wait for their deletion are NOT_APPLICABLE.
    /// Grants are not evaluated; each replica of a multi-Region key has a policy of its own.
    /// If the item has no policy, it is read; a policy that cannot be read or decoded fails the invocation.
    /// Security Hub reports KMS.5 as failed where AWS Config could not record the policy.
    ///
    /// ## Why it matters
    /// Anyone with an AWS account can then decrypt what the key protects, as far as they get hold of it, or delete the key.
    ///
    /// ## Compliant example
    /// ```json
    /// {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*",
    ///  "Condition": {"StringEquals": {"kms:CallerAccount": "111122223333"}}}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*",
    ///  "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}}
    /// ```
    /// Annotation: `Statement 0 lets everyone call kms:Decrypt`.
    ///
    /// ## Parameters
    /// `wildcardValues` decides which condition values are fixed; AWS's managed rule reads them as `strict`.
    /// `removeConditional` changes no verdict.
    ///
    /// ## Remediation
    /// L2: one `kms:PutKeyPolicy` puts the policy without the public statements; the text of all other statements stays.
    /// The lockout check of KMS is never bypassed.
    /// What may break: everything that uses the key through a removed statement, and so cannot decrypt its data any more.
    /// It is planned and never applied if a public statement has a condition, unless `removeConditional` is set, if a statement has `NotPrincipal`, if the policy names a deleted principal, and if no statement is left that lets the account's root user, or a user or role of the account, change the policy.
    /// KMS has no conditional write, so a change in the milliseconds between the last live read and the call is overwritten.
    /// Undo puts the previous policy back, and so opens the key again.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/kms-key-policy-no-public-access.html)
    /// - [Security Hub KMS.5](https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html#kms-5)
    /// - [Key policies](https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html)
    /// - [PutKeyPolicy](https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html)
    pub KMS_KEY_POLICY_NO_PUBLIC_ACCESS: PublicPolicy<KeyWithPolicy> = PUBLIC_POLICY {
        id: "kms-key-policy-no-public-access",
        title: "Key policy lets everyone use the key",
        severity: Critical,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Fsbp: ["KMS.5"],
        },
    }
}

const PUBLIC_POLICY: PublicPolicy<KeyWithPolicy> = PublicPolicy {
    kind: ResourceKind { keys: &[Key { name: "kms:calleraccount", is_fixed }], ..ResourceKind::PLAIN },
    arn: |it| &it.key.arn,
    get: |it| it.policy.as_ref(),
    set: |it, policy| it.policy = policy,
    not_judged: |it| {
        let unread = || Verdict::non_compliant(format!("Key {}: policy not read", it.key.id));
        exemption(&it.key).map(Verdict::not_applicable).or_else(|| it.policy.is_none().then(unread))
    },
    edit: Edit::Replace { put: PUT.member("Policy"), empty: KeyWithPolicy::default_policy },
    blocked,
};

fn blocked(key: &KeyWithPolicy, kept: &Document) -> Option<String> {
    let statements = key.policy.iter().flat_map(|it| &it.policy().0);
    let all_but = statements.into_iter().find(|it| it.principal == Some(Principal::AllButSome));
    match all_but {
        Some(it) => Some(format!("policy: statement {} has NotPrincipal: name its principals", it.label)),
        None if !key.has_administrator(kept) => {
            Some("policy: no statement is left that lets this account change the policy: add one".to_owned())
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::{Plan, Remediation, SetCall};
    use rectify_policy::PolicyParameters;
    use rectify_testing::{Cases, Laws, policies};
    use serde_json::{Value, json};

    use super::*;
    use crate::resources::key::tests::ID;
    use crate::resources::key::{KeyState, Manager};
    use crate::resources::key_policy::tests::key_with_policy;

    fn of(statements: &Value) -> KeyWithPolicy {
        key_with_policy(Some(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()))
    }

    fn root() -> Value {
        json!({"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
               "Action": "kms:*", "Resource": "*"})
    }

    fn open(condition: &Value) -> Value {
        json!({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*",
               "Condition": condition})
    }

    #[test]
    fn cases() {
        let found = "Statement 1 lets everyone call kms:Decrypt";
        let equals = |key: &str, value: &str| json!({"StringEquals": {key: value}});
        let mut both = equals("kms:CallerAccount", "111122223333");
        both["StringEquals"]["kms:ViaService"] = "s3.eu-west-1.amazonaws.com".into();
        let mut trail = equals("kms:CallerAccount", "111122223333");
        trail["StringLike"] = json!({"kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*:*:trail/*"});
        for (case, condition, is_public) in [
            ("kms-key-policy-no-public-access/1", equals("kms:CallerAccount", "111122223333"), false),
            ("kms-key-policy-no-public-access/2", equals("kms:callerAccount", "111122223333"), false),
            ("kms-key-policy-no-public-access/3", both, false),
            ("kms-key-policy-no-public-access/3, alone", equals("kms:ViaService", "s3.eu-west-1.amazonaws.com"), true),
            ("kms-key-policy-no-public-access/4", trail, false),
            ("kms-key-policy-no-public-access/5", equals("kms:CallerAccount", "*"), true),
        ] {
            let cases = Cases::of(&PUBLIC_POLICY, of(&json!([root(), open(&condition)])));
            let case = cases.case(case, |_| ());
            if is_public { drop(case.non_compliant(found)) } else { case.compliant() }
        }
        let cases = Cases::of(&PUBLIC_POLICY, of(&json!([root()])));
        cases.case("kms-key-policy-no-public-access/6", |_| ()).compliant();
        let cases = Cases::of(&PUBLIC_POLICY, of(&json!([root(), open(&json!({}))])));
        cases
            .case("kms-key-policy-no-public-access/8", |it| it.key.manager = Manager::Aws)
            .not_applicable(&format!("Key {ID} is managed by AWS"));
        cases
            .case("pending deletion", |it| it.key.state = KeyState::PendingDeletion)
            .not_applicable(&format!("Key {ID} is in state PendingDeletion"));
        cases
            .case("not read", |it| it.policy = None)
            .non_compliant(&format!("Key {ID}: policy not read"))
            .planned(&["blocked: policy: not read"]);
    }

    #[test]
    fn an_administrator_of_this_account_must_be_left() {
        let put = |text: &str| format!("L2 PutKeyPolicy {}", json!({"KeyId": ID, "Policy": text}));
        let kept = put(&json!({"Version": "2012-10-17", "Statement": [root()]}).to_string());
        let public = open(&json!({}));
        let found = "Statement 0 lets everyone call kms:Decrypt";
        let case = |statements: &Value| Cases::of(&PUBLIC_POLICY, of(statements));
        case(&json!([public, root()])).case("kept", |_| ()).non_compliant(found).planned(&[&kept]);
        case(&json!([public])).case("kms-key-policy-no-public-access/7", |_| ()).non_compliant(found).planned(&[
            "blocked: policy: no statement is left that lets this account change the policy: add one",
            &put(&key_with_policy(None).default_policy()),
        ]);
        let mut all_but = public.clone();
        all_but.as_object_mut().unwrap().remove("Principal");
        all_but["NotPrincipal"] = json!({"AWS": "444455556666"});
        case(&json!([all_but, root()]))
            .case("NotPrincipal", |_| ())
            .non_compliant(found)
            .planned(&["blocked: policy: statement 0 has NotPrincipal: name its principals", &kept]);
    }

    #[test]
    fn undo_puts_the_policy_back() {
        let before = of(&json!([root(), open(&json!({}))]));
        let plan = PUBLIC_POLICY.plan(&before, &PolicyParameters::default(), rectify_testing::NOW);
        assert!(matches!(plan, Plan::Apply { .. }), "{plan:?}");
        let done: Vec<SetCall> = plan.calls().into_iter().cloned().collect();
        let after = PUBLIC_POLICY.predict(before.clone(), &done[0]);
        let undo = PUBLIC_POLICY.undo(&before, &done).unwrap();
        assert_eq!(PUBLIC_POLICY.predict(after, &undo[0]), before);
    }

    #[test]
    fn laws() {
        let policy = (policies("kms:Decrypt", "*"), any::<bool>()).prop_map(|(policy, has_root)| {
            let key = key_with_policy(policy.as_deref());
            let with_root = |it: Document| if has_root { it.with(&root().to_string()) } else { Some(it) };
            KeyWithPolicy { policy: key.policy.and_then(with_root).or(of(&json!([root()])).policy), ..key }
        });
        let subjects = policy.prop_map(|key| (key, PolicyParameters::default()));
        Laws::of(&PUBLIC_POLICY, &["/policy"], Remediation::predict).restores_full_state().hold(subjects);
    }
}
