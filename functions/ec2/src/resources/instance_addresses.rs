//! The addresses at which an instance can be reached from outside of its VPC.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv6Addr;

use rectify_compliance::{ConfigurationItem, Resource, ResourceIdentity, ResourceState, ShapeError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::instance::{Instance, TYPE};

/// An instance with the public addresses of all its interfaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceAddresses {
    /// The instance.
    pub instance: Instance,
    /// Its addresses; none if it is gone.
    pub addresses: BTreeSet<Address>,
}

/// An address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// The address.
    pub ip: String,
    /// `NetworkInterfaceId`; absent if only the instance states the address.
    pub interface: Option<String>,
    /// Its kind.
    pub kind: AddressKind,
}

/// The kind of an address, which determines how it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AddressKind {
    /// Public IPv4, assigned by EC2 (`IpOwnerId` is `amazon` or not stated).
    Assigned,
    /// An Elastic IP: its owner is an account.
    Elastic,
    /// `CarrierIp`, in the network of a Wavelength Zone's carrier.
    Carrier,
    /// Global unicast IPv6.
    Ipv6,
}

/// An interface as AWS states it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatedInterface {
    /// `NetworkInterfaceId`.
    pub network_interface_id: Option<String>,
    /// `Association` of the primary private address.
    pub association: Option<StatedAssociation>,
    /// `PrivateIpAddresses`.
    pub private_ip_addresses: Option<Vec<StatedPrivateAddress>>,
    /// `Ipv6Addresses`.
    pub ipv6_addresses: Option<Vec<StatedIpv6>>,
}

/// A private address as AWS states it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct StatedPrivateAddress {
    /// `Association`.
    pub association: Option<StatedAssociation>,
}

/// The association of a private address with one outside, as AWS states it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatedAssociation {
    /// `PublicIp`.
    pub public_ip: Option<String>,
    /// `CarrierIp`.
    pub carrier_ip: Option<String>,
    /// `IpOwnerId`.
    pub ip_owner_id: Option<String>,
}

/// An IPv6 address: an object in the API; items of old versions have the text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum StatedIpv6 {
    /// The text.
    Text(String),
    /// The object.
    Object {
        /// `Ipv6Address`.
        #[serde(rename = "ipv6Address")]
        address: String,
    },
}

impl InstanceAddresses {
    /// The addresses of these interfaces, and the address that the instance states, if no interface has it.
    pub fn of(instance: Instance, public_ip: Option<&str>, interfaces: Vec<StatedInterface>) -> Self {
        let mut addresses: BTreeSet<Address> = interfaces.into_iter().flat_map(StatedInterface::addresses).collect();
        if let Some(ip) = public_ip.filter(|ip| !addresses.iter().any(|it| it.ip == *ip)) {
            addresses.insert(Address { ip: ip.to_owned(), interface: None, kind: AddressKind::Assigned });
        }
        Self { instance, addresses }
    }
}

impl StatedInterface {
    fn addresses(self) -> Vec<Address> {
        let Self { network_interface_id: interface, association, private_ip_addresses, ipv6_addresses } = self;
        let private = private_ip_addresses.into_iter().flatten().filter_map(|it| it.association);
        let mut addresses = Vec::new();
        let mut add = |ip: Option<String>, kind| {
            addresses.extend(ip.map(|ip| Address { ip, interface: interface.clone(), kind }));
        };
        for StatedAssociation { public_ip, carrier_ip, ip_owner_id } in association.into_iter().chain(private) {
            let is_account = |owner: &str| owner.bytes().all(|it| it.is_ascii_digit());
            let elastic = ip_owner_id.as_deref().is_some_and(is_account);
            add(public_ip, if elastic { AddressKind::Elastic } else { AddressKind::Assigned });
            add(carrier_ip, AddressKind::Carrier);
        }
        for StatedIpv6::Text(ip) | StatedIpv6::Object { address: ip } in ipv6_addresses.into_iter().flatten() {
            add(Some(ip).filter(|ip| is_global(ip)), AddressKind::Ipv6);
        }
        addresses
    }
}

/// Whether an IPv6 address is global unicast (2000::/3); an unreadable one counts as global.
fn is_global(ip: &str) -> bool {
    ip.parse::<Ipv6Addr>().map_or(true, |ip| ip.segments().first().is_some_and(|it| it & 0xe000 == 0x2000))
}

/// `203.0.113.7 on eni-1 (Elastic IP)`.
impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interface = self.interface.as_deref().map_or_else(String::new, |interface| format!(" on {interface}"));
        let kind = match self.kind {
            AddressKind::Assigned | AddressKind::Ipv6 => "",
            AddressKind::Elastic => " (Elastic IP)",
            AddressKind::Carrier => " (carrier IP)",
        };
        write!(out, "{}{interface}{kind}", self.ip)
    }
}

impl ResourceState for InstanceAddresses {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.instance.identity()
    }
}

impl Resource for InstanceAddresses {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let instance = Instance::of_item(item);
        if instance.is_gone() {
            return Ok(Self { instance, addresses: BTreeSet::new() });
        }
        let path = "configuration.networkInterfaces";
        let interfaces = item.configuration.get("networkInterfaces").filter(|it| !it.is_null());
        let interfaces = interfaces.ok_or_else(|| ShapeError::missing(path, "a list"))?;
        let interfaces = Vec::<StatedInterface>::deserialize(interfaces)
            .map_err(|error| ShapeError::new(path, "a list of interfaces", error))?;
        let public_ip = item.configuration.get("publicIpAddress").and_then(Value::as_str);
        Ok(Self::of(instance, public_ip.filter(|ip| !ip.is_empty()), interfaces))
    }
}
