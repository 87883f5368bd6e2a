//! `vpc-flow-logs-enabled`: a flow log records the traffic of the whole VPC.
//!
//! Pure: a VPC and its flow logs are passed in as one [`LoggedVpc`].

use std::collections::BTreeSet;

use rectify_compliance::values::Flag;
use rectify_compliance::{
    Control, Irreversible, Level, Periodic, Permission, Plan, Remediation, RemediationPermissions, Step, Timestamp,
    Verdict, control, offenders, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::permissions::in_region;
use crate::resources::flow_log::{BucketArn, FlowLog, LoggedVpc, TYPE, Traffic};

control! {
    /// ## What it checks
    /// That a VPC has an active flow log of its own whose delivery does not fail; flow logs of a subnet or of a network interface do not count.
    /// `trafficType` requires a flow log for that traffic or for `ALL`; a log for `ACCEPT` and one for `REJECT` together count as `ALL`.
    /// A shared VPC is evaluated in the account that owns it.
    ///
    /// ## Why it matters
    /// Without flow logs, an investigation cannot show which addresses an instance exchanged traffic with.
    ///
    /// ## Compliant example
    /// ```json
    /// {"FlowLogId": "fl-0a1b2c3d4e5f60718", "ResourceId": "vpc-0f1e2d3c4b5a69788", "FlowLogStatus": "ACTIVE", "TrafficType": "ALL"}
    /// ```
    ///
    /// ## Non-compliant example
    /// The VPC has no flow log, or only one with `"DeliverLogsStatus": "FAILED"`.
    ///
    /// ## Parameters
    /// Security Hub requires `REJECT` for EC2.6.
    /// AWS's rule compares `trafficType` with the type of the flow log; here a flow log for `ALL` covers every type.
    /// The remediation delivers to S3 only, because delivery to CloudWatch Logs needs a role that the deployment would have to pass.
    ///
    /// ## Remediation
    /// `CreateFlowLogs` creates one flow log for the VPC that delivers to `destinationArn` (L2: delivery and storage cost money); it records `trafficType`, or `ALL`.
    /// Without `destinationArn` an operator chooses a destination.
    /// If a flow log of the VPC delivers to that bucket and prefix already, an operator fixes or replaces it: a second one would fail in the same way, or store traffic twice.
    /// The policy of the bucket must allow `delivery.logs.amazonaws.com` to write to it, otherwise EC2 rejects the call.
    /// Existing flow logs stay as they are.
    /// AWS requires `logs:DeleteLogDelivery` of a role that creates flow logs for S3, so the remediation's role has it although no fix deletes a delivery.
    /// Undo deletes the created flow log and no other; delivered records stay in the bucket.
    ///
    /// ## References
    /// - [vpc-flow-logs-enabled](https://docs.aws.amazon.com/config/latest/developerguide/vpc-flow-logs-enabled.html)
    /// - [Security Hub EC2.6](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-6)
    /// - [Flow logs that deliver to S3](https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3.html)
    pub VPC_FLOW_LOGS_ENABLED: VpcFlowLogsEnabled {
        id: "vpc-flow-logs-enabled",
        title: "VPC traffic is not recorded",
        severity: Medium,
        triggers: [Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Cis30: ["3.7"],
            Cis50: ["3.7"],
            Fsbp: ["EC2.6"],
            Nist80053r5: ["AC-4(26)", "AU-2", "AU-3", "AU-6(3)", "AU-12", "CA-7", "SI-7(8)"],
            Pci40: ["10.2.1", "10.2.2", "10.3.1", "10.6.3"],
        },
    }
}

const VPCS: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpc/*";
const FLOW_LOGS: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:vpc-flow-log/*";
const READ: &[Permission] = &[in_region("ec2:DescribeVpcs"), in_region("ec2:DescribeFlowLogs")];
const DELETE_DELIVERY: Permission = Permission::unscoped("logs:DeleteLogDelivery");

parameters! {
    /// The required flow log, and the destination of a new one.
    pub VpcFlowLogsEnabledParameters {
        /// The traffic that must be recorded: `ACCEPT`, `REJECT` or `ALL`. Default: any of them.
        traffic_type: Option<Traffic> = None,
        /// Whether a flow log whose delivery fails does not count. Default true.
        require_delivery: Flag = Flag(true),
        /// The bucket, optionally with a prefix, for flow logs that the remediation creates, by ARN. Default: none.
        #[schemars(with = "Option<String>")]
        destination_arn: Option<BucketArn> = None,
    }
}

impl VpcFlowLogsEnabledParameters {
    /// Why a flow log does not count, if it does not.
    fn defect(&self, log: &FlowLog) -> Option<&'static str> {
        match log {
            FlowLog { is_active: false, .. } => Some("not active"),
            FlowLog { delivery_failed: true, .. } if self.require_delivery.0 => Some("delivery FAILED"),
            _ => None,
        }
    }

    fn accept(&self, logs: &[FlowLog]) -> bool {
        let recorded: BTreeSet<Traffic> =
            logs.iter().filter(|log| self.defect(log).is_none()).map(|log| log.traffic).collect();
        let all = recorded.contains(&Traffic::All)
            || (recorded.contains(&Traffic::Accept) && recorded.contains(&Traffic::Reject));
        match self.traffic_type {
            None => !recorded.is_empty(),
            Some(required) => all || recorded.contains(&required),
        }
    }
}

impl Control for VpcFlowLogsEnabled {
    type Params = VpcFlowLogsEnabledParameters;
    type Subject = LoggedVpc;

    fn evaluate(&self, subject: &LoggedVpc, params: &Self::Params, _now: Timestamp) -> Verdict {
        let LoggedVpc { id, owner, account, flow_logs, .. } = subject;
        if owner != account {
            return Verdict::not_applicable(format!("{id} belongs to account {owner}, which evaluates it"));
        }
        if params.accept(flow_logs) {
            return Verdict::COMPLIANT;
        }
        let mut finding = format!("{id} has no active flow log");
        if let Some(traffic) = params.traffic_type {
            finding.push_str(&format!(" for {traffic} traffic"));
        }
        let shown = |log: &FlowLog| match params.defect(log) {
            Some(defect) => format!("{} {defect}", log.shown_id()),
            None => format!("{} {}", log.shown_id(), log.traffic),
        };
        if !flow_logs.is_empty() {
            finding.push_str(&format!("; {}", offenders(flow_logs.iter().map(shown))));
        }
        Verdict::non_compliant(finding)
    }
}

impl Periodic for VpcFlowLogsEnabled {
    fn list_permissions(&self) -> &'static [Permission] {
        READ
    }
}

/// The call that creates a flow log for a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum CreateCall {
    /// Returns the id of the flow log, which undo needs.
    CreateFlowLogs {
        /// `VPC`.
        resource_type: String,
        /// The VPC.
        resource_ids: Vec<String>,
        /// The traffic to record.
        traffic_type: Traffic,
        /// `s3`.
        log_destination_type: String,
        /// The bucket, with or without a prefix.
        log_destination: BucketArn,
    },
}

/// The call that deletes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum DeleteCall {
    /// Delivered records stay.
    DeleteFlowLogs {
        /// The created flow logs.
        flow_log_ids: Vec<String>,
    },
}

impl Remediation for VpcFlowLogsEnabled {
    type Action = CreateCall;
    type Undo = DeleteCall;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: READ,
                fix: &[
                    Permission::on("ec2:CreateFlowLogs", VPCS),
                    Permission::on("ec2:CreateFlowLogs", FLOW_LOGS),
                    Permission::unscoped("logs:CreateLogDelivery"),
                    DELETE_DELIVERY,
                ],
                undo: &[Permission::on("ec2:DeleteFlowLogs", FLOW_LOGS), DELETE_DELIVERY],
            }
        }
    }

    fn fix(&self, live: &LoggedVpc, params: &Self::Params, _now: Timestamp) -> Plan<CreateCall> {
        let id = &live.id;
        let Some(bucket) = &params.destination_arn else {
            let task = format!(
                "choose a destination for the flow log of {id} and create it, or name a bucket in destinationArn"
            );
            return Plan::steps_in_order(vec![Step::manual(Level::L2, task)]);
        };
        if let Some(log) = live.flow_logs.iter().find(|log| log.delivers_to(bucket)) {
            let task = format!("fix or replace {} of {id}, which delivers to {}", log.shown_id(), bucket.as_str());
            return Plan::steps_in_order(vec![Step::manual(Level::L2, task)]);
        }
        let create = CreateCall::CreateFlowLogs {
            resource_type: "VPC".to_owned(),
            resource_ids: vec![id.clone()],
            traffic_type: params.traffic_type.unwrap_or(Traffic::All),
            log_destination_type: "s3".to_owned(),
            log_destination: bucket.clone(),
        };
        Plan::steps_in_order(vec![Step::call(Level::L2, create)])
    }

    /// A flow log that exists already is not created again.
    fn predict(&self, mut live: LoggedVpc, action: &CreateCall) -> LoggedVpc {
        let CreateCall::CreateFlowLogs { traffic_type, log_destination, .. } = action;
        let created = FlowLog::delivering(*traffic_type, log_destination);
        if !live.flow_logs.contains(&created) {
            live.flow_logs.push(created);
        }
        live
    }

    /// Whether the flow logs exist, without their ids and the status of their delivery.
    fn touched_fields(&self, subject: &LoggedVpc, done: &[CreateCall]) -> Value {
        let exists = |CreateCall::CreateFlowLogs { traffic_type, log_destination, .. }: &CreateCall| {
            let is_it = |log: &FlowLog| log.traffic == *traffic_type && log.delivers_to(log_destination);
            let name = format!("{traffic_type} to {}", log_destination.as_str());
            (name, Value::Bool(subject.flow_logs.iter().any(is_it)))
        };
        Value::Object(done.iter().map(exists).collect::<Map<_, _>>())
    }

    fn needs_responses(&self) -> bool {
        true
    }

    fn undo(&self, before: &LoggedVpc, done: &[CreateCall]) -> Result<Vec<DeleteCall>, Irreversible> {
        self.undo_with_responses(before, done, &[])
    }

    /// `CreateFlowLogs` returns the ids of the flow logs that it created; undo deletes these and no others.
    fn undo_with_responses(
        &self,
        _before: &LoggedVpc,
        done: &[CreateCall],
        answers: &[Value],
    ) -> Result<Vec<DeleteCall>, Irreversible> {
        let delete = |index: usize| {
            let created = Vec::<String>::deserialize(answers.get(index).unwrap_or(&Value::Null));
            let flow_log_ids = created.map_err(|error| Irreversible {
                action: "CreateFlowLogs".to_owned(),
                reason: format!("its response was not recorded as a list of flow log ids: {error}"),
            })?;
            Ok(DeleteCall::DeleteFlowLogs { flow_log_ids })
        };
        (0..done.len()).rev().map(delete).collect()
    }
}

#[cfg(test)]
mod tests;
