//! `elb-deletion-protection-enabled`: a single call can delete a load balancer.

use rectify_compliance::{Level, NoParameters, Setting, Verdict, control};

use crate::resources::load_balancer::{Attribute, DELETION_PROTECTION, LoadBalancer, MODIFY_ATTRIBUTES, TYPE, is_on};

/// The prefixes of the tags of a controller that deletes its load balancers itself: AWS Load Balancer Controller,
/// the controllers in Kubernetes, EKS Auto Mode and Elastic Beanstalk.
const OWNERS: [&str; 6] =
    ["elbv2.k8s.aws/", "ingress.k8s.aws/", "service.k8s.aws/", "kubernetes.io/cluster/", "eks:", "elasticbeanstalk:"];

control! {
    /// ## What it checks
    /// That the attribute `deletion_protection.enabled` of every Application, Network and Gateway Load Balancer is `true`.
    /// A load balancer that is being provisioned, or whose provisioning failed, is NOT_APPLICABLE.
    /// If the item does not state the attribute, `elasticloadbalancing:DescribeLoadBalancerAttributes` is called.
    ///
    /// ## Why it matters
    /// One call, by mistake or with stolen credentials, deletes a load balancer.
    /// Its DNS name does not come back: every client and every DNS record that has the name needs a change.
    ///
    /// ## Compliant example
    /// ```json
    /// {"LoadBalancerAttributes": [{"key": "deletion_protection.enabled", "value": "true"}]}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"LoadBalancerAttributes": [{"key": "deletion_protection.enabled", "value": "false"}]}
    /// ```
    ///
    /// ## Parameters
    /// No parameters of its own.
    ///
    /// ## Remediation
    /// L1: `elasticloadbalancing:ModifyLoadBalancerAttributes` with this one attribute; all others stay.
    /// What changes: Elastic Load Balancing refuses to delete the load balancer.
    /// What may break: a pipeline that deletes the load balancer, or a stack that replaces it.
    /// Nothing is changed where a tag names a controller that deletes the load balancer itself: Kubernetes, EKS or Elastic Beanstalk.
    /// Its deletion would hang; the controller has to set the attribute.
    /// The service has no revision check, so another change can fall into the milliseconds between the last read and the write.
    /// Undo sets the attribute back to `false`, and is refused where it was changed meanwhile.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/elb-deletion-protection-enabled.html)
    /// - [Security Hub ELB.6](https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-6)
    /// - [Deletion protection](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#deletion-protection)
    /// - [ModifyLoadBalancerAttributes](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyLoadBalancerAttributes.html)
    pub ELB_DELETION_PROTECTION_ENABLED: Setting<LoadBalancer, Vec<Attribute>, NoParameters> = SETTING {
        id: "elb-deletion-protection-enabled",
        title: "Load balancer can be deleted by one call",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: &[TYPE],
        level: L1,
        frameworks: {
            Fsbp: ["ELB.6"],
            Nist80053r5: ["CA-9(1)", "CM-2", "CM-2(2)", "CM-3", "SC-5(2)"],
        },
    }
}

const SETTING: Setting<LoadBalancer, Vec<Attribute>, NoParameters> = Setting {
    field: "deletionProtection",
    get: |balancer| vec![Attribute::flag(DELETION_PROTECTION, balancer.deletion_protection)],
    set: |balancer, attributes| {
        let mut protection = attributes.iter().filter(|it| it.key == DELETION_PROTECTION);
        if let Some(Ok(on)) = protection.next().map(|it| is_on(&it.key, &it.value)) {
            balancer.deletion_protection = on;
        }
    },
    not_judged: |LoadBalancer { name, state, .. }, _| match state.as_str() {
        "provisioning" | "failed" => Some(Verdict::not_applicable(format!("{name} is in state {state}"))),
        _ => None,
    },
    violation: |balancer, _| {
        let finding = || format!("{} has no deletion protection", balancer.name);
        (!balancer.deletion_protection).then(|| (finding(), vec![Attribute::flag(DELETION_PROTECTION, true)]))
    },
    call: MODIFY_ATTRIBUTES.member("Attributes"),
    level: Level::L1,
    blocked: |LoadBalancer { name, tags, .. }| {
        let owner = tags.keys().find(|key| OWNERS.iter().any(|prefix| key.starts_with(prefix)))?;
        Some(format!("{name} is tagged `{owner}`: the controller that deletes it has to set the attribute"))
    },
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::{FromItem, Plan, Remediation, SetCall, Tags};
    use rectify_testing::{Cases, Laws};
    use serde_json::json;

    use super::*;
    use crate::resources::load_balancer::tests::{ARN, balancer, recorded};

    const OFF: &str = "shop has no deletion protection";

    fn fix(arn: &str) -> String {
        let attributes = r#"[{"Key":"deletion_protection.enabled","Value":"true"}]"#;
        format!(r#"L1 ModifyLoadBalancerAttributes {{"Attributes":{attributes},"LoadBalancerArn":"{arn}"}}"#)
    }

    #[test]
    fn cases() {
        let cases = Cases::of(&SETTING, balancer());
        let case = |name, change: fn(&mut LoadBalancer)| cases.case(name, change);
        case("elb-deletion-protection-enabled/1", |_| ()).non_compliant(OFF).planned(&[&fix(ARN)]);
        for kind in ["net", "gwy"] {
            let arn = ARN.replace("/app/", &format!("/{kind}/"));
            let case = cases.case("elb-deletion-protection-enabled/2", |it| it.arn.clone_from(&arn));
            case.non_compliant(OFF).planned(&[&fix(&arn)]);
        }
        case("elb-deletion-protection-enabled/3", |it| it.deletion_protection = true).compliant();
        for state in ["provisioning", "failed"] {
            let case = cases.case("not in use", |it| it.state = state.into());
            case.not_applicable(&format!("shop is in state {state}"));
        }
        case("impaired", |it| it.state = "active_impaired".into()).non_compliant(OFF).planned(&[&fix(ARN)]);
        let absent = "elb-deletion-protection-enabled/5";
        let of_item = |live| {
            let item = recorded(&json!([]), &json!({"code": "active"})).unwrap();
            cases.case(absent, |it| *it = SETTING.subject(item, live))
        };
        of_item(Some(true)).compliant();
        of_item(Some(false)).non_compliant(OFF);
    }

    #[test]
    fn a_load_balancer_of_a_controller_is_not_changed() {
        for tag in [
            "elbv2.k8s.aws/cluster",
            "ingress.k8s.aws/stack",
            "service.k8s.aws/stack",
            "kubernetes.io/cluster/shop",
            "eks:eks-cluster-name",
            "elasticbeanstalk:environment-name",
        ] {
            let name = "elb-deletion-protection-enabled/4";
            let blocked =
                format!("blocked: shop is tagged `{tag}`: the controller that deletes it has to set the attribute");
            Cases::of(&SETTING, balancer())
                .case(name, |it| drop(it.tags.insert(tag.into(), "shop".into())))
                .non_compliant(OFF)
                .planned(&[&blocked, &fix(ARN)]);
        }
    }

    #[test]
    fn undo_restores_the_old_value_and_is_refused_where_it_was_changed_meanwhile() {
        let set = |on| MODIFY_ATTRIBUTES.member("Attributes").of(ARN, &[Attribute::flag(DELETION_PROTECTION, on)]);
        let done: [SetCall; 1] = [set(true)];
        assert_eq!(SETTING.undo(&balancer(), &done), Ok(vec![set(false)]));
        let after = SETTING.predict(balancer(), &set(true));
        let meanwhile = SETTING.predict(after.clone(), &set(false));
        let fields = |it| SETTING.touched_fields(it, &done);
        assert_ne!(fields(&meanwhile), fields(&after), "elb-deletion-protection-enabled/8");
    }

    fn balancers() -> impl Strategy<Value = LoadBalancer> {
        let state = prop_oneof![6 => Just("active"), 1 => Just("provisioning"), 1 => Just("active_impaired")];
        let key = prop_oneof![4 => "[a-z]{1,4}", 1 => Just("elbv2.k8s.aws/cluster".to_owned())];
        let tags = prop::collection::btree_map(key, "[a-z]{0,4}", 0..3);
        (state, any::<bool>(), tags).prop_map(|(state, deletion_protection, tags): (_, _, Tags)| LoadBalancer {
            state: state.into(),
            deletion_protection,
            tags,
            ..balancer()
        })
    }

    #[test]
    fn laws() {
        Laws::of(&SETTING, &["/deletionProtection"], Remediation::predict)
            .never(|before, after| before.deletion_protection && !after.deletion_protection)
            .restores_full_state()
            .meeting(&[("blocked", |plan| matches!(plan, Plan::Blocked { .. }))])
            .hold((balancers(), Just(NoParameters {})));
    }
}
