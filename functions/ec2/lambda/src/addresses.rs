//! The addresses of an instance, read live: their rule evaluates the item alone.

use aws_sdk_ec2::types::{self, InstanceNetworkInterface, InstanceNetworkInterfaceAssociation};
use rectify_compliance::{ByHand, Never, Parameters, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;

use super::Clients;
use super::instances::instance;
use rectify_ec2::resources::instance_addresses::{
    InstanceAddresses, StatedAssociation, StatedInterface, StatedIpv6, StatedPrivateAddress,
};

impl<P: Parameters> Fix<Clients> for ByHand<InstanceAddresses, P> {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &P,
    ) -> Result<Option<InstanceAddresses>, AwsError> {
        let Some(found) = clients.describe_instance(&target.resource.id).await? else { return Ok(None) };
        let instance = instance(&found, &target.account, &target.region)?;
        let interfaces = found.network_interfaces().iter().map(stated).collect();
        let public_ip = found.public_ip_address().filter(|ip| !ip.is_empty());
        Ok(Some(InstanceAddresses::of(instance, public_ip, interfaces)))
    }

    async fn apply(&self, _clients: &Clients, _target: &Target, action: &Never) -> Result<(), AwsError> {
        match *action {}
    }
}

fn stated(interface: &InstanceNetworkInterface) -> StatedInterface {
    let private =
        |it: &types::InstancePrivateIpAddress| StatedPrivateAddress { association: it.association().map(association) };
    let ipv6 = interface.ipv6_addresses().iter().filter_map(|it| it.ipv6_address().map(str::to_owned));
    StatedInterface {
        network_interface_id: interface.network_interface_id().map(str::to_owned),
        association: interface.association().map(association),
        private_ip_addresses: Some(interface.private_ip_addresses().iter().map(private).collect()),
        ipv6_addresses: Some(ipv6.map(StatedIpv6::Text).collect()),
    }
}

fn association(association: &InstanceNetworkInterfaceAssociation) -> StatedAssociation {
    let text = |value: Option<&str>| value.filter(|it| !it.is_empty()).map(str::to_owned);
    StatedAssociation {
        public_ip: text(association.public_ip()),
        carrier_ip: text(association.carrier_ip()),
        ip_owner_id: text(association.ip_owner_id()),
    }
}
