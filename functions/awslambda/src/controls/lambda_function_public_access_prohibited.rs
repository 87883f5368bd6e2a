//! `lambda-function-public-access-prohibited`: everyone may invoke a function.

use rectify_compliance::control;
use rectify_policy::{Edit, PublicPolicy};

use crate::resources::function::{ADD, Function, KIND, REMOVE, TYPE};

control! {
    /// ## What it checks
    /// That no statement of the function's policy allows an action to everyone.
    /// A statement is public if its principal is `*`, empty, a pattern or `NotPrincipal`, and no condition restricts it to accounts, organizations, networks or sources with a fixed owner.
    /// The service S3 is public too unless the statement names an account: S3 invokes the function for any bucket, and a bucket's name can get another owner.
    /// `lambda:EventSourceToken` restricts; `lambda:FunctionUrlAuthType` does not, so a function URL with the type `NONE` or `AWS_IAM` for everyone is a finding.
    /// The policy is read with `lambda:GetPolicy`, since an item has none; a function without a policy is compliant.
    /// Policies of versions and aliases are not evaluated.
    /// A policy that cannot be read or decoded fails the invocation.
    ///
    /// ## Why it matters
    /// Anyone can then run the function, with its role's permissions and at its owner's cost.
    ///
    /// ## Compliant example
    /// ```json
    /// {"Sid": "Uploads", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction",
    ///  "Condition": {"StringEquals": {"AWS:SourceAccount": "111122223333"}}}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"Sid": "FunctionURLAllowPublicAccess", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl",
    ///  "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}}
    /// ```
    /// Annotation: `Statement FunctionURLAllowPublicAccess lets everyone call lambda:InvokeFunctionUrl`.
    ///
    /// ## Parameters
    /// `wildcardValues` decides which condition values are fixed; AWS's managed rule reads them as `strict`.
    /// `removeConditional` changes no verdict.
    ///
    /// ## Remediation
    /// L2: one `lambda:RemovePermission` for each public statement.
    /// The call names the revision of a policy in which the statement is still public, so that a change in between is not overwritten.
    /// What may break: callers that rely on a removed statement, such as a bucket or the users of a function URL.
    /// It is planned and never applied if a public statement has a condition, unless `removeConditional` is set, if it has no `Sid`, and if `lambda:AddPermission` could not restore it.
    /// Undo adds the removed statements again, and so opens the function again.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/lambda-function-public-access-prohibited.html)
    /// - [Security Hub Lambda.1](https://docs.aws.amazon.com/securityhub/latest/userguide/lambda-controls.html#lambda-1)
    /// - [Resource-based policies in Lambda](https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html)
    /// - [RemovePermission](https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html)
    pub LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED: PublicPolicy<Function> = PUBLIC_POLICY {
        id: "lambda-function-public-access-prohibited",
        title: "Function can be invoked by everyone",
        severity: Critical,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Fsbp: ["Lambda.1"],
            Nist80053r5: [
                "AC-3", "AC-3(7)", "AC-4", "AC-4(21)", "AC-6", "AC-21", "SC-7", "SC-7(3)", "SC-7(4)", "SC-7(9)",
                "SC-7(11)", "SC-7(16)", "SC-7(20)", "SC-7(21)",
            ],
            Pci40: ["7.2.1"],
        },
    }
}

const PUBLIC_POLICY: PublicPolicy<Function> = PublicPolicy {
    kind: KIND,
    arn: |function| &function.arn,
    get: |function| function.policy.as_ref(),
    set: |function, policy| function.policy = policy,
    not_judged: |_| None,
    edit: Edit::ByStatement {
        remove: REMOVE.member("StatementId"),
        add: Function::addition,
        add_permissions: ADD.permissions,
    },
    blocked: |_, _| None,
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::{PhysicalId, Remediation, SetCall};
    use rectify_policy::PolicyParameters;
    use rectify_testing::{Cases, Laws, policies};
    use serde_json::{Value, json};

    use super::*;
    use crate::resources::function::tests::{ARN, function};

    fn of(statements: &Value) -> Function {
        function(Some(&json!({"Version": "2012-10-17", "Id": "default", "Statement": statements}).to_string()))
    }

    fn allow(sid: &str, principal: &Value, condition: &Value) -> Value {
        json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction",
               "Resource": ARN, "Condition": condition})
    }

    fn remove(sid: &str) -> String {
        format!(r#"L2 RemovePermission {{"FunctionName":"resize","StatementId":"{sid}"}}"#)
    }

    #[test]
    fn cases() {
        let service = |name: &str| json!({"Service": format!("{name}.amazonaws.com")});
        let equals = |key: &str, value: &str| json!({"StringEquals": {key: value}});
        let bucket = json!({"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::mybucket"}});
        let mut owned = bucket.clone();
        owned["StringEquals"] = json!({"AWS:SourceAccount": "111122223333"});
        let (everyone, none) = (json!("*"), json!({}));
        for (case, principal, condition, is_public) in [
            ("lambda-function-public-access-prohibited/1", service("events"), none.clone(), false),
            ("lambda-function-public-access-prohibited/2", service("s3"), none.clone(), true),
            ("lambda-function-public-access-prohibited/2, bucket", service("s3"), bucket, true),
            ("lambda-function-public-access-prohibited/2, account", service("s3"), owned, false),
            ("lambda-function-public-access-prohibited/3", service("secretsmanager"), none.clone(), false),
            (
                "lambda-function-public-access-prohibited/4",
                everyone.clone(),
                equals("aws:PrincipalOrgID", "o-abc"),
                false,
            ),
            (
                "lambda-function-public-access-prohibited/5",
                everyone.clone(),
                equals("lambda:FunctionUrlAuthType", "NONE"),
                true,
            ),
            (
                "lambda-function-public-access-prohibited/5, AWS_IAM",
                everyone.clone(),
                equals("lambda:FunctionUrlAuthType", "AWS_IAM"),
                true,
            ),
            ("lambda-function-public-access-prohibited/6", everyone, equals("lambda:EventSourceToken", "amzn1"), false),
            ("an empty principal", json!({"AWS": ""}), none, true),
        ] {
            let cases = Cases::of(&PUBLIC_POLICY, of(&json!([allow("A", &principal, &condition)])));
            let case = cases.case(case, |_| ());
            match is_public {
                true => drop(case.non_compliant("Statement A lets everyone call lambda:InvokeFunction")),
                false => case.compliant(),
            }
        }
        // The policy of an alias is not part of the function's.
        let cases = Cases::of(&PUBLIC_POLICY, function(None));
        cases.case("lambda-function-public-access-prohibited/9", |_| ()).compliant();
    }

    #[test]
    fn each_public_statement_is_removed_and_no_other() {
        let organization = allow("Org", &json!("*"), &json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc"}}));
        let listed = allow("Listed", &json!({"AWS": ["*"]}), &json!({}));
        let found = "Statement Listed lets everyone call lambda:InvokeFunction";
        let cases = Cases::of(&PUBLIC_POLICY, of(&json!([organization, listed])));
        for case in ["lambda-function-public-access-prohibited/7", "lambda-function-public-access-prohibited/8"] {
            cases.case(case, |_| ()).non_compliant(found).planned(&[&remove("Listed")]);
        }
        let url = allow("Url", &json!("*"), &json!({"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}));
        let both = Cases::of(&PUBLIC_POLICY, of(&json!([url, listed])));
        both.case("a condition, removed by parameter", |_| ())
            .with(r#"{"removeConditional": "true"}"#)
            .non_compliant("Statements Listed, Url let everyone call lambda:InvokeFunction")
            .planned(&[&remove("Url"), &remove("Listed")]);
        let two = allow("Two", &json!({"AWS": ["*", "arn:aws:iam::111122223333:root"]}), &json!({}));
        Cases::of(&PUBLIC_POLICY, of(&json!([two])))
            .case("no call restores it", |_| ())
            .non_compliant("Statement Two lets everyone call lambda:InvokeFunction")
            .planned(&["blocked: policy: statement Two could not be restored by an undo", &remove("Two")]);
    }

    #[test]
    fn the_last_statement_leaves_no_policy_and_undo_adds_it_again() {
        let before = of(&json!([allow("A", &json!("*"), &json!({}))]));
        let plan = PUBLIC_POLICY.plan(&before, &PolicyParameters::default(), rectify_testing::NOW);
        let done: Vec<SetCall> = plan.calls().into_iter().cloned().collect();
        let after = PUBLIC_POLICY.predict(before.clone(), &done[0]);
        assert_eq!(after, function(None), "lambda-function-public-access-prohibited/11");
        assert_eq!(PUBLIC_POLICY.stack_resources(&before, &done[0]), [PhysicalId::here("A")]);
        let undo = PUBLIC_POLICY.undo(&before, &done).unwrap();
        assert_eq!(undo, [before.addition(&allow("A", &json!("*"), &json!({}))).unwrap()]);
        assert_eq!(added(&PUBLIC_POLICY, after, &undo[0]), before);
    }

    /// The function after an `AddPermission` of an action for everyone or the service S3.
    fn added(_: &PublicPolicy<Function>, live: Function, call: &SetCall) -> Function {
        let member = |name: &str| call.input.get(name).cloned();
        let mut statement = json!({"Sid": member("StatementId"), "Effect": "Allow", "Action": member("Action"),
                                   "Principal": member("Principal"), "Resource": live.arn});
        if let Some(account) = member("SourceAccount") {
            statement["Condition"]["StringEquals"]["aws:SourceAccount"] = account;
        }
        let policy = match &live.policy {
            Some(policy) => policy.with(&statement.to_string()),
            None => of(&json!([statement])).policy,
        };
        Function { policy, ..live }
    }

    #[test]
    fn laws() {
        let subjects = policies("lambda:InvokeFunction", ARN);
        let subjects = subjects.prop_map(|it| (function(it.as_deref()), PolicyParameters::default()));
        let cannot_be_added = |it: &Function| {
            let Some(policy) = &it.policy else { return false };
            (0..).map_while(|position| policy.statement(position)).any(|statement| it.addition(&statement).is_none())
        };
        Laws::of(&PUBLIC_POLICY, &["/policy"], added).irreversible(cannot_be_added).hold(subjects);
    }
}
