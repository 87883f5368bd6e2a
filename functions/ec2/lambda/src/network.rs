//! The network facts of security groups: prefix lists and network interfaces.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_ec2::types::NetworkInterface;
use ipnet::IpNet;
use rectify_compliance::ShapeError;
use rectify_runtime::AwsError;

use super::{Clients, filter};
use rectify_ec2::resources::rule::Peer;
use rectify_ec2::resources::security_group::{PrefixList, Usage};

/// Interfaces per page, the API's maximum.
const INTERFACES_PER_PAGE: i32 = 1000;

/// The error codes of a prefix list that is gone or not shared; EC2 uses both spellings.
const NO_PREFIX_LIST: [&str; 2] = ["InvalidPrefixListID.NotFound", "InvalidPrefixListId.NotFound"];

/// The prefix lists of one run, each read once; failed reads are cached, too.
#[derive(Debug, Default)]
pub(super) struct PrefixLists(HashMap<String, Result<PrefixList, AwsError>>);

impl PrefixLists {
    /// The lists with these ids, from the cache or from EC2.
    pub(super) async fn read(
        &mut self,
        clients: &Clients,
        ids: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, PrefixList>, AwsError> {
        let mut lists = BTreeMap::new();
        for id in ids {
            let list = match self.0.get(id) {
                Some(known) => known.clone(),
                None => clients.prefix_list(id).await,
            };
            self.0.insert(id.clone(), list.clone());
            lists.insert(id.clone(), list?);
        }
        Ok(lists)
    }
}

impl Clients {
    async fn prefix_list(&self, id: &str) -> Result<PrefixList, AwsError> {
        let mut pages = self.ec2.get_managed_prefix_list_entries().prefix_list_id(id).into_paginator().send();
        let mut entries = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let error = AwsError::call("ec2:GetManagedPrefixListEntries", &error);
                    let is_gone = NO_PREFIX_LIST.iter().any(|code| error.is(code));
                    return if is_gone { Ok(PrefixList::Unreadable) } else { Err(error) };
                }
            };
            for entry in page.entries() {
                let cidr = entry.cidr().ok_or_else(|| ShapeError::missing(format!("{id}.Entries.Cidr"), "a CIDR"))?;
                entries.insert(net(cidr).map_err(|error| error.within(id))?);
            }
        }
        Ok(PrefixList::Entries(entries))
    }

    /// The usage of one group.
    pub(super) async fn usage(&self, group_id: &str) -> Result<Usage, AwsError> {
        Ok(self.usages([group_id]).await?.remove(group_id).unwrap_or_default())
    }

    /// The usage of each of these groups, at most 200; unused groups are left out. Interfaces of managed resources
    /// count, too.
    pub(super) async fn usages<'a>(
        &self,
        group_ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<HashMap<String, Usage>, AwsError> {
        let group_ids: Vec<&str> = group_ids.into_iter().collect();
        let mut usages: HashMap<String, Usage> = HashMap::new();
        if group_ids.is_empty() {
            return Ok(usages);
        }
        let request = self
            .ec2
            .describe_network_interfaces()
            .include_managed_resources(true)
            .filters(filter("group-id", group_ids.iter().copied()));
        let mut pages = request.into_paginator().page_size(INTERFACES_PER_PAGE).send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("ec2:DescribeNetworkInterfaces", &error))?;
            for interface in page.network_interfaces() {
                for id in interface.groups().iter().filter_map(|group| group.group_id()) {
                    if group_ids.contains(&id) {
                        let usage = usages.entry(id.to_owned()).or_default();
                        usage.in_use = true;
                        usage.name(interface.network_interface_id());
                        usage.operators.extend(operator(interface));
                    }
                }
            }
        }
        Ok(usages)
    }
}

/// The service that manages an interface, if any.
fn operator(interface: &NetworkInterface) -> Option<String> {
    let operator = interface.operator()?;
    (operator.managed() == Some(true)).then(|| operator.principal().unwrap_or("a service").to_owned())
}

fn net(cidr: &str) -> Result<IpNet, ShapeError> {
    let peer = if cidr.contains(':') { Peer::cidr_v6(cidr)? } else { Peer::cidr_v4(cidr)? };
    match peer {
        Peer::CidrIpv4(net) => Ok(IpNet::V4(net)),
        Peer::CidrIpv6(net) => Ok(IpNet::V6(net)),
        Peer::PrefixList(_) | Peer::Group { .. } | Peer::Unstated => {
            Err(ShapeError::new("Entries.Cidr", "a CIDR", cidr))
        }
    }
}
