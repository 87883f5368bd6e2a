//! `IpPermission`: many peers with the same protocol and ports, as in configuration items and `DescribeSecurityGroups`.
//!
//! Only this module flattens it into [`Rule`]s, so an item and a live read of the same group get the same verdict.

use rectify_compliance::{ShapeError, Tags};
use serde::Deserialize;

use crate::resources::rule::{Direction, Peer, Rule, described, protocol};

/// One element of `ipPermissions` or `ipPermissionsEgress`; `DescribeSecurityGroups` returns the same in `PascalCase`.
///
/// A missing list counts as empty: items omit `ipv6Ranges` if there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IpPermission {
    /// `ipProtocol`, never absent.
    pub ip_protocol: Option<String>,
    /// `fromPort`, absent or null if the protocol is `-1`.
    pub from_port: Option<i32>,
    /// `toPort`, likewise.
    pub to_port: Option<i32>,
    /// `ipRanges`: the IPv4 CIDRs as bare strings, the same as in `ipv4Ranges`.
    pub ip_ranges: Option<Vec<Listed>>,
    /// `ipv4Ranges`: the IPv4 CIDRs with their descriptions; absent in older items.
    pub ipv4_ranges: Option<Vec<Listed>>,
    /// `ipv6Ranges`.
    pub ipv6_ranges: Option<Vec<Listed>>,
    /// `prefixListIds`.
    pub prefix_list_ids: Option<Vec<Listed>>,
    /// `userIdGroupPairs`.
    pub user_id_group_pairs: Option<Vec<GroupPair>>,
}

/// A CIDR or prefix list, bare or with its description.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Listed {
    /// `"10.0.0.0/8"`.
    Bare(String),
    /// `{"cidrIp": "10.0.0.0/8", "description": "office"}`.
    Described {
        /// `cidrIp`, `cidrIpv6` or `prefixListId`.
        #[serde(rename = "cidrIp", alias = "cidrIpv6", alias = "prefixListId")]
        value: String,
        /// `description`.
        #[serde(default)]
        description: Option<String>,
    },
}

/// An element of `userIdGroupPairs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupPair {
    /// `groupId`.
    pub group_id: Option<String>,
    /// `userId`.
    pub user_id: Option<String>,
    /// `description`.
    pub description: Option<String>,
}

impl IpPermission {
    /// One rule per peer. A permission without a peer becomes a rule too.
    ///
    /// # Errors
    /// [`ShapeError`] if the protocol is missing or a CIDR is unreadable.
    pub fn flatten(self, direction: Direction) -> Result<Vec<Rule>, ShapeError> {
        let protocol = protocol(self.ip_protocol)?;
        let mut peers: Vec<(Peer, Option<String>)> = Vec::new();
        for range in self.ipv4_ranges.into_iter().flatten() {
            let (cidr, description) = range.split();
            peers.push((Peer::cidr_v4(&cidr)?, description));
        }
        for range in self.ip_ranges.into_iter().flatten() {
            let (cidr, description) = range.split();
            let peer = Peer::cidr_v4(&cidr)?;
            if peers.iter().all(|(known, _)| *known != peer) {
                peers.push((peer, description));
            }
        }
        for range in self.ipv6_ranges.into_iter().flatten() {
            let (cidr, description) = range.split();
            peers.push((Peer::cidr_v6(&cidr)?, description));
        }
        for list in self.prefix_list_ids.into_iter().flatten() {
            let (id, description) = list.split();
            peers.push((Peer::PrefixList(id), description));
        }
        for pair in self.user_id_group_pairs.into_iter().flatten() {
            peers.push((Peer::Group { group_id: pair.group_id, user_id: pair.user_id }, described(pair.description)));
        }
        if peers.is_empty() {
            peers.push((Peer::Unstated, None));
        }
        Ok(peers
            .into_iter()
            .map(|(peer, description)| Rule {
                direction,
                protocol: protocol.clone(),
                from_port: self.from_port,
                to_port: self.to_port,
                peer,
                description,
                tags: Tags::new(),
                id: None,
            })
            .collect())
    }
}

impl Listed {
    fn split(self) -> (String, Option<String>) {
        match self {
            Self::Bare(value) => (value, None),
            Self::Described { value, description } => (value, described(description)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn peers(permission: Value) -> Result<Vec<String>, String> {
        let permission: IpPermission = serde_json::from_value(permission).map_err(|error| error.to_string())?;
        let rules = permission.flatten(Direction::Ingress).map_err(|error| error.to_string())?;
        Ok(rules.iter().map(|rule| format!("{rule} {}", rule.description.as_deref().unwrap_or("-"))).collect())
    }

    #[test]
    fn bare_and_described_ranges_merge_and_every_peer_becomes_a_rule() {
        let rules = peers(json!({
            "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
            "ipRanges": ["10.0.0.0/8", "0.0.0.0/00"], "ipv4Ranges": [{"cidrIp": "0.0.0.0/0", "description": "d"}],
            "ipv6Ranges": [{"cidrIpv6": "::/0"}], "prefixListIds": [{"prefixListId": "pl-1", "description": ""}],
            "userIdGroupPairs": [{"userId": "111122223333", "groupId": "sg-2"}]
        }));
        let expected = ["0.0.0.0/0 d", "10.0.0.0/8 -", "::/0 -", "pl-1 -", "sg-2 -"];
        assert_eq!(rules.unwrap(), expected.map(|it| format!("tcp 22 from {it}")));
    }

    #[test]
    fn missing_and_null_lists_are_empty() {
        let rules = peers(json!({"ipProtocol": "-1", "fromPort": null, "ipRanges": ["0.0.0.0/0"], "ipv6Ranges": null}));
        assert_eq!(rules.unwrap(), ["all traffic from 0.0.0.0/0 -"]);
    }

    #[test]
    fn permission_without_a_peer_is_a_rule() {
        for permission in [json!({"ipProtocol": "-1"}), json!({"ipProtocol": "-1", "ipRanges": [], "ipv6Ranges": null})]
        {
            assert_eq!(peers(permission).unwrap(), ["all traffic from an unstated peer -"]);
        }
    }

    #[test]
    fn permission_that_could_hide_an_open_rule_is_an_error() {
        for (permission, expected) in [
            (json!({"ipRanges": ["0.0.0.0/0"]}), "ipProtocol: expected a protocol: received `nothing`"),
            (
                json!({"ipProtocol": "tcp", "ipRanges": ["anywhere"]}),
                "cidrIp: expected an IPv4 CIDR: received `anywhere`",
            ),
            (json!({"ipProtocol": "tcp", "ipv6Ranges": [{"cidr": "::/0"}]}), "data did not match any variant"),
            (json!({"ipProtocol": "tcp", "fromPort": "22"}), "invalid type: string \"22\", expected i32"),
        ] {
            let error = peers(permission).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
