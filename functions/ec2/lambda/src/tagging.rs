//! Tags of resources of any type: EC2 resources by id, others by ARN.

use aws_sdk_ec2::types;
use aws_sdk_resourcegroupstagging::types::ResourceTagMapping;
use rectify_compliance::{ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{Fix, ReadFacts};

use super::{Clients, filter, tags};
use rectify_ec2::controls::required_tags::{
    RequiredTags, RequiredTagsAction, RequiredTagsParameters, RequiredTagsUndo,
};
use rectify_ec2::families::authorization::Tag;
use rectify_ec2::resources::instance;
use rectify_ec2::resources::ownership::Ownership;
use rectify_ec2::resources::tagged_resource::{
    StoredTags, TagFacts, TaggedResource, TaggingSupport, arn_of, is_ec2_type,
};

/// Tags per page, the API's maximum.
const TAGS_PER_PAGE: i32 = 1000;

/// EC2's answer about an existing resource.
type Found = (TaggingSupport, Tags);

impl ReadFacts<Clients> for RequiredTags {
    async fn facts(
        &self,
        clients: &Clients,
        target: &Target,
        resource: &TaggedResource,
        params: &RequiredTagsParameters,
    ) -> Result<Option<Option<TagFacts>>, AwsError> {
        let stored = clients.stored_tags(params).await?;
        let live_tags = if params.is_item_sufficient(resource, &stored) {
            None
        } else {
            Some(clients.tags_by_id(&target.resource.id).await?)
        };
        Ok(Some(Some(TagFacts { live_tags, stored })))
    }
}

impl Fix<Clients> for RequiredTags {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &RequiredTagsParameters,
    ) -> Result<Option<TaggedResource>, AwsError> {
        let kind = target.resource.kind.as_str();
        let stored = clients.stored_tags(params).await?;
        let (arn, found) = if is_ec2_type(kind) {
            (target.arn.clone(), clients.found_in_ec2(kind, &target.resource.id).await?)
        } else {
            let arn =
                arn_of(target).ok_or_else(|| ShapeError::missing(format!("{}.ARN", target.resource), "an ARN"))?;
            let tags = clients.tags_by_arn(&arn).await?;
            (Some(arn), Some((TaggingSupport::Ordinary, tags)))
        };
        Ok(found.map(|(standing, tags)| TaggedResource {
            key: target.resource.clone(),
            account: target.account.clone(),
            region: target.region.clone(),
            arn,
            standing,
            tags,
            live_tags: None,
            stored,
        }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &RequiredTagsAction) -> Result<(), AwsError> {
        let RequiredTagsAction::CreateTags { resources, tags } = action;
        let request = clients.ec2.create_tags().set_resources(Some(resources.clone())).set_tags(Some(new_tags(tags)));
        request.send().await.map(drop).map_err(|error| AwsError::call("ec2:CreateTags", &error))
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &RequiredTagsUndo) -> Result<(), AwsError> {
        let RequiredTagsUndo::DeleteTags { resources, tags } = undo;
        let request = clients.ec2.delete_tags().set_resources(Some(resources.clone())).set_tags(Some(new_tags(tags)));
        request.send().await.map(drop).map_err(|error| AwsError::call("ec2:DeleteTags", &error))
    }
}

/// The answer about one id; `None` if EC2 does not know it.
macro_rules! describe {
    ($request:expr, $operation:literal, $list:ident) => {
        match $request.send().await {
            Ok(answer) => answer.$list.unwrap_or_default().into_iter().next(),
            Err(error) => {
                let error = AwsError::call($operation, &error);
                let is_unknown = |code: &str| code.starts_with("Invalid") && code.ends_with(".NotFound");
                if error.code().is_some_and(is_unknown) {
                    None
                } else {
                    return Err(error);
                }
            }
        }
    };
}

impl Clients {
    /// The values that the parameters refer to, refused if they contradict the parameters.
    async fn stored_tags(&self, params: &RequiredTagsParameters) -> Result<StoredTags, AwsError> {
        let stored = StoredTags {
            required: self.stored(params.required.as_ref()).await?,
            defaults: self.stored(params.defaults.as_ref()).await?,
        };
        params
            .check_stored(&stored)
            .map_err(|reason| ShapeError::new("ruleParameters", "parameters that agree with each other", reason))?;
        Ok(stored)
    }

    /// `DescribeTags` of one id, all pages.
    async fn tags_by_id(&self, id: &str) -> Result<Tags, AwsError> {
        let request = self.ec2.describe_tags().filters(filter("resource-id", [id]));
        let mut pages = request.into_paginator().page_size(TAGS_PER_PAGE).send();
        let mut tags = Tags::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("ec2:DescribeTags", &error))?;
            let pair =
                |tag: &types::TagDescription| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
            tags.extend(page.tags().iter().filter_map(pair));
        }
        Ok(tags)
    }

    /// `GetResources` of one ARN, all pages; a resource that never had tags is not listed.
    async fn tags_by_arn(&self, arn: &str) -> Result<Tags, AwsError> {
        let mut pages = self.tagging.get_resources().resource_arn_list(arn).into_paginator().send();
        let mut tags = Tags::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("tag:GetResources", &error))?;
            let matching = page.resource_tag_mapping_list().iter().filter(|it| it.resource_arn() == Some(arn));
            tags.extend(
                matching.flat_map(ResourceTagMapping::tags).map(|tag| (tag.key().to_owned(), tag.value().to_owned())),
            );
        }
        Ok(tags)
    }

    /// An EC2 resource's tagging support and tags; `None` if it does not exist.
    async fn found_in_ec2(&self, kind: &str, id: &str) -> Result<Option<Found>, AwsError> {
        let ec2 = &self.ec2;
        let existing = |list: Option<Vec<types::Tag>>| (TaggingSupport::Ordinary, tags(&list.unwrap_or_default()));
        Ok(match kind {
            instance::TYPE => self.describe_instance(id).await?.map(|it| {
                let state = it.state().and_then(|state| state.name()).map(|name| name.as_str().to_owned());
                let support = || operated(it.operator());
                let gone = state.filter(|state| instance::is_gone(state)).map_or_else(support, TaggingSupport::Gone);
                (gone, tags(it.tags()))
            }),
            "AWS::EC2::CustomerGateway" => {
                let request = ec2.describe_customer_gateways().customer_gateway_ids(id);
                let found = describe!(request, "ec2:DescribeCustomerGateways", customer_gateways);
                found.filter(|it| it.state() != Some("deleted")).map(|it| existing(it.tags))
            }
            "AWS::EC2::InternetGateway" => {
                let request = ec2.describe_internet_gateways().internet_gateway_ids(id);
                describe!(request, "ec2:DescribeInternetGateways", internet_gateways).map(|it| existing(it.tags))
            }
            "AWS::EC2::NetworkAcl" => {
                let request = ec2.describe_network_acls().network_acl_ids(id);
                describe!(request, "ec2:DescribeNetworkAcls", network_acls).map(|it| existing(it.tags))
            }
            "AWS::EC2::NetworkInterface" => {
                let request =
                    ec2.describe_network_interfaces().include_managed_resources(true).network_interface_ids(id);
                describe!(request, "ec2:DescribeNetworkInterfaces", network_interfaces).map(|it| {
                    let ownership = Ownership {
                        requester_managed: it.requester_managed(),
                        interface_type: it.interface_type().map(types::NetworkInterfaceType::as_str),
                        operator_managed: it.operator().and_then(types::OperatorResponse::managed),
                    };
                    (TaggingSupport::under(ownership), tags(it.tag_set()))
                })
            }
            "AWS::EC2::RouteTable" => {
                let request = ec2.describe_route_tables().route_table_ids(id);
                describe!(request, "ec2:DescribeRouteTables", route_tables).map(|it| existing(it.tags))
            }
            "AWS::EC2::SecurityGroup" => {
                let request = ec2.describe_security_groups().group_ids(id);
                describe!(request, "ec2:DescribeSecurityGroups", security_groups).map(|it| existing(it.tags))
            }
            "AWS::EC2::Subnet" => {
                let request = ec2.describe_subnets().subnet_ids(id);
                describe!(request, "ec2:DescribeSubnets", subnets).map(|it| existing(it.tags))
            }
            "AWS::EC2::VPC" => {
                let request = ec2.describe_vpcs().vpc_ids(id);
                describe!(request, "ec2:DescribeVpcs", vpcs).map(|it| existing(it.tags))
            }
            "AWS::EC2::VPNConnection" => {
                let request = ec2.describe_vpn_connections().vpn_connection_ids(id);
                let found = describe!(request, "ec2:DescribeVpnConnections", vpn_connections);
                found.filter(|it| it.state() != Some(&types::VpnState::Deleted)).map(|it| existing(it.tags))
            }
            "AWS::EC2::VPNGateway" => {
                let request = ec2.describe_vpn_gateways().vpn_gateway_ids(id);
                let found = describe!(request, "ec2:DescribeVpnGateways", vpn_gateways);
                found.filter(|it| it.state() != Some(&types::VpnState::Deleted)).map(|it| existing(it.tags))
            }
            "AWS::EC2::Volume" => {
                let request = ec2.describe_volumes().include_managed_resources(true).volume_ids(id);
                let found = describe!(request, "ec2:DescribeVolumes", volumes);
                found.map(|it| (operated(it.operator()), tags(it.tags())))
            }
            other => return Err(ShapeError::new("resourceType", "a type of this control", other).into()),
        })
    }
}

/// The tagging support of a resource whose description contains only its operator.
fn operated(operator: Option<&types::OperatorResponse>) -> TaggingSupport {
    let operator_managed = operator.and_then(types::OperatorResponse::managed);
    TaggingSupport::under(Ownership { operator_managed, ..Ownership::default() })
}

fn new_tags(tags: &[Tag]) -> Vec<types::Tag> {
    tags.iter().map(|tag| types::Tag::builder().key(&tag.key).value(&tag.value).build()).collect()
}
