//! `ec2-imdsv2-check`: no instance answers metadata requests without a session token.
//!
//! Pure: the instance, its metadata options and the CloudWatch counts are passed in as one [`InstanceMetadata`].

use rectify_compliance::values::Bounded;
use rectify_compliance::{
    Control, FromItem, Irreversible, Level, Permission, Plan, Remediation, RemediationPermissions, Step, Timestamp,
    Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::permissions::DESCRIBE_INSTANCES;
use crate::resources::instance::TYPE;
use crate::resources::instance_metadata::{
    HttpEndpoint, HttpTokens, InstanceMetadata, MetadataOptions, RecordedMetadata, TokenlessCalls,
};

control! {
    /// ## What it checks
    /// `metadataOptions.httpTokens` of an instance: `optional` is a finding, `required` is not.
    /// With `maxHopLimit`, a higher `httpPutResponseHopLimit` is a finding too, because a response that may travel further can reach a container or a proxy it was not meant for.
    /// An instance whose metadata endpoint is disabled is COMPLIANT, with an annotation; according to its documentation, the managed rule evaluates only the tokens.
    /// Settings count whether they are applied yet or still pending; a stopped instance is evaluated, one that is shutting down or terminated is NOT_APPLICABLE.
    /// Each option of the item counts separately; if the stated options are not enough for a verdict, `ec2:DescribeInstances` is called, and if it does not state the tokens of an enabled endpoint either, the invocation fails.
    ///
    /// ## Why it matters
    /// Without a token, a single GET is enough, and an attacker can often trick a web application or a proxy into sending it.
    /// The response contains the credentials of the instance's role.
    /// A token must be fetched with a PUT and sent back in a header, which such an application rarely does.
    ///
    /// ## Compliant example
    /// ```json
    /// {"metadataOptions": {"httpTokens": "required", "httpEndpoint": "enabled", "httpPutResponseHopLimit": 1}}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"metadataOptions": {"httpTokens": "optional", "httpEndpoint": "enabled", "httpPutResponseHopLimit": 1}}
    /// ```
    ///
    /// ## Parameters
    /// `maxHopLimit` adds the hop limit to the check; `observationDays` is how long CloudWatch must have counted no call without a token before the remediation acts.
    ///
    /// ## Remediation
    /// L2: `ec2:ModifyInstanceMetadataOptions` with `HttpTokens` `required` and nothing else; omitted options, such as the hop limit, keep their values.
    /// What may break: software on the instance that still calls without a token loses its credentials at once.
    /// Blocked unless the instance is running or stopped, no service manages it, and the CloudWatch metric `MetadataNoToken` (AWS/EC2) reaches back `observationDays` with a sum of 0; without datapoints the usage is unknown and nothing is done.
    /// A hop limit that is too high becomes a manual step: containers may need it.
    /// Replacement instances get the settings of their launch template, so the finding names the Auto Scaling group or the launch template.
    /// The call has no revision check, so another change can fall into the milliseconds between the last read and the write; the call names only one option, so a change to any other option is kept.
    /// How to undo: the same call with `optional`, which allows calls without a token again; the role of the remediation cannot make it, because IAM distinguishes the two by `ec2:Attribute/HttpTokens`.
    ///
    /// ## References
    /// - [ec2-imdsv2-check](https://docs.aws.amazon.com/config/latest/developerguide/ec2-imdsv2-check.html)
    /// - [Security Hub EC2.8](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-8)
    /// - [ModifyInstanceMetadataOptions](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html)
    /// - [Transition to using Instance Metadata Service Version 2](https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-transition-to-version-2.html)
    pub EC2_IMDSV2_CHECK: Ec2Imdsv2Check {
        id: "ec2-imdsv2-check",
        title: "Instance accepts metadata requests without a session token",
        severity: High,
        triggers: [Change],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Cis30: ["5.6"],
            Cis50: ["5.7"],
            Fsbp: ["EC2.8"],
            Nist80053r5: ["AC-3", "AC-3(7)", "AC-3(15)", "AC-6"],
            Pci40: ["8.2.8"],
        },
    }
}

parameters! {
    /// The parameters of [`Ec2Imdsv2Check`]; the managed rule has none.
    pub Ec2Imdsv2CheckParameters {
        /// The maximum response hop limit, hops, 1..=64. Default: any.
        max_hop_limit: Option<Bounded<1, 64>> = None,
        /// How long CloudWatch must have counted no call without a token before the remediation acts, days, 1..=15. Default 14.
        observation_days: Bounded<1, 15> = Bounded::of(14),
    }
}

const INSTANCES: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*";
const MODIFY: Permission = Permission::on("ec2:ModifyInstanceMetadataOptions", INSTANCES);
/// The condition key compares the new value, not the current one.
const TOKENS: &str = "ec2:Attribute/HttpTokens";

impl FromItem for Ec2Imdsv2Check {
    type Resource = RecordedMetadata;
    /// The current options, if those of the item are not enough.
    type Facts = Option<MetadataOptions>;
    fn fact_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE_INSTANCES]
    }

    fn subject(&self, recorded: RecordedMetadata, live: Option<MetadataOptions>) -> InstanceMetadata {
        recorded.or_live(live)
    }
}

impl Control for Ec2Imdsv2Check {
    type Params = Ec2Imdsv2CheckParameters;
    type Subject = InstanceMetadata;

    fn evaluate(&self, subject: &InstanceMetadata, params: &Ec2Imdsv2CheckParameters, _now: Timestamp) -> Verdict {
        let instance = &subject.instance;
        if let Some(state) = instance.state.as_ref().filter(|_| instance.is_gone()) {
            return Verdict::not_applicable(format!("instance is {state}"));
        }
        let Some(options) = &subject.options else {
            return Verdict::non_compliant(format!("{} reports no metadata options", instance.id));
        };
        if options.http_endpoint == Some(HttpEndpoint::Disabled) {
            return Verdict::Compliant(Some("metadata endpoint disabled".into()));
        }
        match (options.http_tokens, params.hop_limit_violation(options)) {
            (None, _) => Verdict::non_compliant(format!("{} does not state whether tokens are required", instance.id)),
            (Some(HttpTokens::Optional), _) => {
                let launched = instance.launched_by().map_or_else(String::new, |it| format!("; launched by {it}"));
                Verdict::non_compliant(format!("{} allows IMDSv1 (httpTokens=optional){launched}", instance.id))
            }
            (Some(HttpTokens::Required), Some(violation)) => {
                Verdict::non_compliant(format!("{} {violation}", instance.id))
            }
            (Some(HttpTokens::Required), None) => Verdict::COMPLIANT,
        }
    }
}

/// One call to EC2. The fix and its undo are the same call with the other value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Ec2Imdsv2CheckAction {
    /// `ModifyInstanceMetadataOptions`; omitted options keep their values.
    ModifyInstanceMetadataOptions {
        /// The instance.
        instance_id: String,
        /// `HttpTokens`.
        http_tokens: HttpTokens,
    },
}

impl Remediation for Ec2Imdsv2Check {
    type Action = Ec2Imdsv2CheckAction;
    type Undo = Ec2Imdsv2CheckAction;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[DESCRIBE_INSTANCES, Permission::unscoped("cloudwatch:GetMetricData")],
                fix: &[MODIFY.when(TOKENS, "required")],
                undo: &[MODIFY.when(TOKENS, "optional")],
            }
        }
    }

    fn fix(&self, live: &InstanceMetadata, params: &Self::Params, _now: Timestamp) -> Plan<Ec2Imdsv2CheckAction> {
        let mut steps = Vec::new();
        let mut reasons = Vec::new();
        if live.options.is_none_or(|options| options.http_tokens != Some(HttpTokens::Required)) {
            let instance_id = live.instance.id.clone();
            let http_tokens = HttpTokens::Required;
            reasons = params.blockers(live);
            steps.push(Step::call(
                Level::L2,
                Ec2Imdsv2CheckAction::ModifyInstanceMetadataOptions { instance_id, http_tokens },
            ));
        }
        if let Some(violation) = live.options.as_ref().and_then(|options| params.hop_limit_violation(options)) {
            let text = format!("lower the response hop limit of {}, which {violation}", live.instance.id);
            steps.push(Step::manual(Level::L2, text));
        }
        Plan::unless(reasons, steps)
    }

    fn predict(&self, mut live: InstanceMetadata, action: &Ec2Imdsv2CheckAction) -> InstanceMetadata {
        let Ec2Imdsv2CheckAction::ModifyInstanceMetadataOptions { instance_id, http_tokens } = action;
        if *instance_id == live.instance.id {
            live.options = live.options.map(|options| MetadataOptions { http_tokens: Some(*http_tokens), ..options });
        }
        live
    }

    /// Only this option, so that a later change to another one does not block an undo.
    fn touched_fields(&self, subject: &InstanceMetadata, done: &[Ec2Imdsv2CheckAction]) -> Value {
        if done.is_empty() {
            json!({})
        } else {
            json!({ "httpTokens": subject.options.and_then(|options| options.http_tokens) })
        }
    }

    fn undo(
        &self,
        before: &InstanceMetadata,
        done: &[Ec2Imdsv2CheckAction],
    ) -> Result<Vec<Ec2Imdsv2CheckAction>, Irreversible> {
        let restore = |action: &Ec2Imdsv2CheckAction| {
            let Ec2Imdsv2CheckAction::ModifyInstanceMetadataOptions { instance_id, .. } = action;
            let http_tokens = before.options.and_then(|options| options.http_tokens);
            let http_tokens = http_tokens.ok_or_else(|| Irreversible {
                action: "ModifyInstanceMetadataOptions".to_owned(),
                reason: "the prior state does not contain the options".to_owned(),
            })?;
            let instance_id = instance_id.clone();
            Ok(Ec2Imdsv2CheckAction::ModifyInstanceMetadataOptions { instance_id, http_tokens })
        };
        done.iter().rev().map(restore).collect()
    }
}

impl Ec2Imdsv2CheckParameters {
    /// The violation of the hop limit, worded to follow the instance id; a missing hop limit counts as too high.
    fn hop_limit_violation(&self, options: &MetadataOptions) -> Option<String> {
        let max = self.max_hop_limit?.get();
        match options.http_put_response_hop_limit {
            Some(limit) if limit <= max => None,
            Some(limit) => Some(format!("lets metadata travel {limit} hops; expected at most {max}")),
            None => Some(format!("reports no hop limit; expected at most {max}")),
        }
    }

    /// The unmet preconditions.
    fn blockers(&self, live: &InstanceMetadata) -> Vec<String> {
        let mut reasons = Vec::new();
        match live.instance.state.as_deref() {
            Some("running" | "stopped") => {}
            other => reasons.push(format!(
                "the instance is in state `{}`; expected running or stopped",
                other.unwrap_or("unknown")
            )),
        }
        if let Some(operator) = &live.instance.operator {
            reasons.push(format!("the instance is managed by `{operator}`"));
        }
        if live.options.is_none_or(|options| options.http_tokens.is_none()) {
            reasons.push("the metadata options were not read".to_owned());
        }
        reasons.extend(self.usage_blocker(live.tokenless_calls));
        reasons
    }

    /// Why calls without a token cannot be ruled out.
    fn usage_blocker(&self, calls: Option<TokenlessCalls>) -> Option<String> {
        let days = self.observation_days.get();
        match calls {
            None => Some("the calls without a token were not read".to_owned()),
            Some(TokenlessCalls { observed_days: 0, .. }) => {
                Some(format!("MetadataNoToken has no datapoints in {days} days"))
            }
            Some(TokenlessCalls { calls, .. }) if calls > 0 => {
                Some(format!("MetadataNoToken counts {calls} calls without a token in {days} days"))
            }
            Some(TokenlessCalls { observed_days, .. }) if observed_days < days => {
                Some(format!("MetadataNoToken reaches back {observed_days} of {days} days"))
            }
            Some(TokenlessCalls { .. }) => None,
        }
    }
}

#[cfg(test)]
mod tests;
