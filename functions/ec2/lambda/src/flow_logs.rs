//! VPCs with their flow logs: listed page by page, and read individually; flow logs created and deleted.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{self, FlowLogsResourceType, LogDestinationType, TrafficType, UnsuccessfulItem};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use rectify_compliance::{AccountId, ResourceKey, ShapeError, Target};
use rectify_runtime::client::{AccountRegion, Fix, Found, List, Listed, Page};
use rectify_runtime::{AwsError, CallError};
use serde_json::{Value, json};

use super::{Clients, filter, tags};
use rectify_ec2::controls::vpc_flow_logs_enabled::{
    CreateCall, DeleteCall, VpcFlowLogsEnabled, VpcFlowLogsEnabledParameters,
};
use rectify_ec2::resources::flow_log::{FlowLog, LoggedVpc, TYPE, Traffic};

/// VPCs per page: the maximum number of values of a `DescribeFlowLogs` filter.
const VPCS_PER_PAGE: i32 = 200;
/// Flow logs per page, the API's maximum.
const LOGS_PER_PAGE: i32 = 1000;

/// The error code for a flow log with the same VPC, destination and settings as an existing one.
const EXISTS: &str = "FlowLogAlreadyExists";
/// The error code for deleting a flow log that is gone.
const NO_LOG: &str = "InvalidFlowLogId.NotFound";

impl List<Clients> for VpcFlowLogsEnabled {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a VpcFlowLogsEnabledParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<LoggedVpc>, AwsError>> + Send + 'a {
        let pages = clients.ec2.describe_vpcs().set_next_token(from).into_paginator().page_size(VPCS_PER_PAGE).send();
        try_unfold(pages, move |mut pages| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("ec2:DescribeVpcs", &error))?;
            let vpcs = page.vpcs().iter().map(|it| vpc(it, place)).collect::<Result<Vec<_>, _>>()?;
            let resources = clients.with_flow_logs(vpcs).await?;
            let next = page.next_token.filter(|it| !it.is_empty());
            Ok(Some((Page { resources, next }, pages)))
        })
    }
}

impl Fix<Clients> for VpcFlowLogsEnabled {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &VpcFlowLogsEnabledParameters,
    ) -> Result<Option<LoggedVpc>, AwsError> {
        let id = target.resource.id.as_str();
        let answer = match clients.ec2.describe_vpcs().vpc_ids(id).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = AwsError::call("ec2:DescribeVpcs", &error);
                return if error.is("InvalidVpcID.NotFound") { Ok(None) } else { Err(error) };
            }
        };
        let Some(found) = answer.vpcs().iter().find(|it| it.vpc_id() == Some(id)) else { return Ok(None) };
        let place = AccountRegion { account: target.account.clone(), region: target.region.clone() };
        match clients.with_flow_logs(vec![vpc(found, &place)?]).await?.pop() {
            Some(Listed::Read(vpc)) => Ok(Some(vpc)),
            Some(Listed::Unreadable(_, error)) => Err(error),
            None => Ok(None),
        }
    }

    async fn apply(&self, clients: &Clients, target: &Target, action: &CreateCall) -> Result<(), AwsError> {
        self.apply_with_response(clients, target, action).await.map(drop)
    }

    /// Returns the ids of the created flow logs. EC2 never creates the same one twice: after a lost answer, the id of
    /// the existing one is read.
    async fn apply_with_response(
        &self,
        clients: &Clients,
        target: &Target,
        action: &CreateCall,
    ) -> Result<Value, AwsError> {
        match clients.create(action).await {
            Ok(ids) => Ok(json!(ids)),
            Err(error) if error.is(EXISTS) => {
                let CreateCall::CreateFlowLogs { traffic_type, log_destination, .. } = action;
                let live = self.live(clients, target, &VpcFlowLogsEnabledParameters::default()).await?;
                let logs = live.map(|vpc| vpc.flow_logs).unwrap_or_default();
                let ids: Vec<String> = logs
                    .into_iter()
                    .filter(|log| log.traffic == *traffic_type && log.delivers_to(log_destination))
                    .filter_map(|log| log.id)
                    .collect();
                if ids.is_empty() { Err(error) } else { Ok(json!(ids)) }
            }
            Err(error) => Err(error),
        }
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &DeleteCall) -> Result<(), AwsError> {
        const OPERATION: &str = "ec2:DeleteFlowLogs";
        let DeleteCall::DeleteFlowLogs { flow_log_ids } = undo;
        let request = clients.ec2.delete_flow_logs().set_flow_log_ids(Some(flow_log_ids.clone()));
        let answer = request.send().await.map_err(|error| AwsError::call(OPERATION, &error));
        match answer.and_then(|answer| all_done(OPERATION, answer.unsuccessful())) {
            Err(error) if error.is(NO_LOG) => Ok(()),
            answer => answer,
        }
    }
}

impl Clients {
    /// Adds the flow logs of these VPCs. Without the list no VPC can be evaluated; a flow log that cannot be parsed
    /// affects its own VPC only.
    async fn with_flow_logs(&self, vpcs: Vec<LoggedVpc>) -> Result<Vec<Listed<LoggedVpc>>, AwsError> {
        if vpcs.is_empty() {
            return Ok(Vec::new());
        }
        let request = self.ec2.describe_flow_logs().filter(filter("resource-id", vpcs.iter().map(|vpc| &vpc.id)));
        let mut pages = request.into_paginator().page_size(LOGS_PER_PAGE).send();
        let mut logs: BTreeMap<String, Vec<types::FlowLog>> = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("ec2:DescribeFlowLogs", &error))?;
            for log in page.flow_logs.unwrap_or_default() {
                let vpc = log.resource_id().ok_or_else(|| ShapeError::missing("FlowLogs.ResourceId", "a VPC id"))?;
                logs.entry(vpc.to_owned()).or_default().push(log);
            }
        }
        let with_logs = |mut vpc: LoggedVpc| {
            let mut logs = logs.remove(&vpc.id).unwrap_or_default();
            logs.sort_by_key(|log| (log.creation_time().copied(), log.flow_log_id().map(str::to_owned)));
            match logs.iter().map(flow_log).collect::<Result<_, _>>() {
                Ok(flow_logs) => {
                    vpc.flow_logs = flow_logs;
                    Listed::Read(vpc)
                }
                Err(error) => {
                    let resource = ResourceKey::new(TYPE, &vpc.id);
                    Listed::Unreadable(Found { resource, name: None }, error.within(&vpc.id).into())
                }
            }
        };
        Ok(vpcs.into_iter().map(with_logs).collect())
    }

    async fn create(&self, action: &CreateCall) -> Result<Vec<String>, AwsError> {
        const OPERATION: &str = "ec2:CreateFlowLogs";
        let CreateCall::CreateFlowLogs {
            resource_type,
            resource_ids,
            traffic_type,
            log_destination_type,
            log_destination,
        } = action;
        let request = self
            .ec2
            .create_flow_logs()
            .resource_type(FlowLogsResourceType::from(resource_type.as_str()))
            .set_resource_ids(Some(resource_ids.clone()))
            .traffic_type(TrafficType::from(traffic_type.api_name()))
            .log_destination_type(LogDestinationType::from(log_destination_type.as_str()))
            .log_destination(log_destination.as_str());
        let answer = request.send().await.map_err(|error| AwsError::call(OPERATION, &error))?;
        all_done(OPERATION, answer.unsuccessful())?;
        let ids = answer.flow_log_ids.unwrap_or_default();
        if ids.is_empty() { Err(ShapeError::missing("FlowLogIds", "a flow log id").into()) } else { Ok(ids) }
    }
}

/// EC2 reports the failure of a single resource in a successful answer.
fn all_done(operation: &'static str, failed: &[UnsuccessfulItem]) -> Result<(), AwsError> {
    let Some(item) = failed.first() else { return Ok(()) };
    let error = item.error();
    let code = error.and_then(|it| it.code()).unwrap_or("Unknown");
    let message = error.and_then(|it| it.message()).unwrap_or("no message");
    Err(CallError::answered(operation, 400, code, message).into())
}

/// A VPC without its flow logs.
fn vpc(vpc: &types::Vpc, place: &AccountRegion) -> Result<LoggedVpc, ShapeError> {
    let id = vpc.vpc_id().ok_or_else(|| ShapeError::missing("Vpcs.VpcId", "a VPC id"))?;
    let owner = vpc.owner_id().ok_or_else(|| ShapeError::missing("Vpcs.OwnerId", "an account id"))?;
    Ok(LoggedVpc::new(&place.account, AccountId::new(owner), &place.region, id, tags(vpc.tags())))
}

fn flow_log(log: &types::FlowLog) -> Result<FlowLog, ShapeError> {
    let id = log.flow_log_id().ok_or_else(|| ShapeError::missing("FlowLogs.FlowLogId", "a flow log id"))?;
    let traffic = log.traffic_type().ok_or_else(|| ShapeError::missing("FlowLogs.TrafficType", "a type of traffic"))?;
    Ok(FlowLog {
        id: Some(id.to_owned()),
        traffic: Traffic::read(traffic.as_str())?,
        is_active: log.flow_log_status() == Some("ACTIVE"),
        delivery_failed: log.deliver_logs_status() == Some("FAILED"),
        destination: log.log_destination().map(str::to_owned),
    })
}
