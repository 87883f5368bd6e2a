//! The shared code of the controls for statements of customer managed policies; each adds the statements it refuses.
//!
//! A statement is evaluated by itself: a Deny elsewhere does not help, since a policy can be attached without it.

use rectify_compliance::values::Flag;
use rectify_compliance::{ByHand, Level, Permission, Verdict, offenders};
use rectify_policy::Statement;

use crate::resources::managed_policy::{GET_POLICY, GET_POLICY_VERSION, LIST_ENTITIES, LIST_POLICIES, ManagedPolicy};

const READ: &[Permission] = &[LIST_POLICIES, GET_POLICY, GET_POLICY_VERSION, LIST_ENTITIES];

/// A control for statements; its findings end by hand, since access is lost with every action that is still used.
pub(crate) const fn control<P: 'static>(judge: fn(&ManagedPolicy, &P) -> Verdict) -> ByHand<ManagedPolicy, P> {
    ByHand { judge, instructions, level: Level::L3, list: &[], read: READ, needs_name: false }
}

/// Evaluates a policy. `refused` returns what a statement allows and must not allow.
pub(crate) fn judge(
    policy: &ManagedPolicy,
    exclude_boundaries: Flag,
    refused: impl Fn(&Statement) -> Option<String>,
) -> Verdict {
    let name = &policy.name;
    if policy.is_managed_by_aws() {
        return Verdict::not_applicable(format!("{name} is managed by AWS"));
    }
    if exclude_boundaries.0 && policy.boundaries > 0 {
        return Verdict::not_applicable(format!("{name} is a permissions boundary"));
    }
    let found = policy.statements.0.iter().filter_map(|it| {
        let conditionally = if it.conditions.is_empty() { "" } else { "conditionally " };
        refused(it).map(|what| format!("Statement {} {conditionally}allows {what}", it.label))
    });
    match (offenders(found), policy.attachments) {
        (none, _) if none.is_empty() => Verdict::COMPLIANT,
        (found, None) => Verdict::non_compliant(found),
        (found, Some(count)) => Verdict::non_compliant(format!("{found} (attached to {count})")),
    }
}

fn instructions<P>(policy: &ManagedPolicy, _params: &P) -> Vec<String> {
    let ManagedPolicy { name, arn, used_by, .. } = policy;
    let users = match used_by {
        None => "its users, groups and roles".to_owned(),
        Some(none) if none.is_empty() => {
            return vec![format!("owner of policy {name}: delete it: no user, group or role uses it")];
        }
        Some(all) => all.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    };
    vec![
        format!(
            "owner of policy {name}: find the services and actions in use by {users} \
             (iam:GenerateServiceLastAccessedDetails for {arn})"
        ),
        format!(
            "owner of policy {name}: create a default version that allows these only, and keep the previous version until \
             everything works"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::managed_policy::tests::deploy;

    #[test]
    fn the_plan_names_the_users_of_the_policy_or_deletes_it() {
        let used_by = |names: &[&str]| {
            let names = Some(names.iter().map(|it| (*it).to_owned()).collect());
            instructions(&ManagedPolicy { used_by: names, ..deploy(&json!([])) }, &())
        };
        let find = "owner of policy deploy: find the services and actions in use by group admins, role ci \
                    (iam:GenerateServiceLastAccessedDetails for arn:aws:iam::111122223333:policy/team/deploy)";
        assert_eq!(used_by(&["role ci", "group admins"])[0], find);
        assert_eq!(used_by(&[]), ["owner of policy deploy: delete it: no user, group or role uses it"]);
    }

    #[test]
    fn policies_of_aws_and_optionally_boundaries_are_not_applicable() {
        let allowed = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let verdict = |change: fn(&mut ManagedPolicy), exclude| {
            let mut policy = deploy(&allowed);
            change(&mut policy);
            judge(&policy, Flag(exclude), |it| Some(it.actions.element("", "").1.join(" ")))
        };
        let found = Verdict::non_compliant("Statement 0 allows * (attached to 3)");
        assert_eq!(verdict(|it| it.boundaries = 1, true), Verdict::not_applicable("deploy is a permissions boundary"));
        assert_eq!((verdict(|it| it.boundaries = 1, false), verdict(|_| (), true)), (found.clone(), found));
        assert_eq!(verdict(|it| it.attachments = None, false), Verdict::non_compliant("Statement 0 allows *"));
        let of_aws = |it: &mut ManagedPolicy| it.arn = "arn:aws:iam::aws:policy/AdministratorAccess".to_owned();
        assert_eq!(verdict(of_aws, false), Verdict::not_applicable("deploy is managed by AWS"));
    }
}
