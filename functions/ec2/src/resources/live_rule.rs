//! A rule as `DescribeSecurityGroupRules` returns it: the only form with ids and tags.

use rectify_compliance::{ShapeError, Tags};

use crate::resources::rule::{Direction, Peer, Rule, described, protocol};

/// A `SecurityGroupRule` without SDK types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveRule {
    /// `SecurityGroupRuleId`.
    pub id: Option<String>,
    /// `IsEgress`.
    pub is_egress: Option<bool>,
    /// `IpProtocol`.
    pub protocol: Option<String>,
    /// `FromPort`.
    pub from_port: Option<i32>,
    /// `ToPort`.
    pub to_port: Option<i32>,
    /// `CidrIpv4`.
    pub cidr_ipv4: Option<String>,
    /// `CidrIpv6`.
    pub cidr_ipv6: Option<String>,
    /// `PrefixListId`.
    pub prefix_list_id: Option<String>,
    /// `ReferencedGroupInfo`: group id and account.
    pub group: Option<(Option<String>, Option<String>)>,
    /// `Description`.
    pub description: Option<String>,
    /// `Tags`.
    pub tags: Tags,
}

impl TryFrom<LiveRule> for Rule {
    type Error = ShapeError;

    /// Fails if the id, direction or protocol is missing, or if the peer is unreadable or stated more than once: an
    /// unreadable rule could be the open one.
    fn try_from(raw: LiveRule) -> Result<Self, ShapeError> {
        let id = raw.id.ok_or_else(|| ShapeError::missing("SecurityGroupRuleId", "a rule id"))?;
        let is_egress = raw.is_egress.ok_or_else(|| ShapeError::missing("IsEgress", "a boolean").within(&id))?;
        let protocol = protocol(raw.protocol).map_err(|error| error.within(&id))?;
        let peer = match (raw.cidr_ipv4, raw.cidr_ipv6, raw.prefix_list_id, raw.group) {
            (Some(cidr), None, None, None) => Peer::cidr_v4(&cidr).map_err(|error| error.within(&id))?,
            (None, Some(cidr), None, None) => Peer::cidr_v6(&cidr).map_err(|error| error.within(&id))?,
            (None, None, Some(list), None) => Peer::PrefixList(list),
            (None, None, None, Some((group_id, user_id))) => Peer::Group { group_id, user_id },
            (None, None, None, None) => Peer::Unstated,
            _ => {
                return Err(ShapeError::new(
                    id,
                    "one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupInfo",
                    "several",
                ));
            }
        };
        Ok(Self {
            direction: if is_egress { Direction::Egress } else { Direction::Ingress },
            protocol,
            from_port: raw.from_port,
            to_port: raw.to_port,
            peer,
            description: described(raw.description),
            tags: raw.tags,
            id: Some(id),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_rule_needs_id_direction_protocol_and_at_most_one_peer() {
        let whole = LiveRule {
            id: Some("sgr-1".to_owned()),
            is_egress: Some(false),
            protocol: Some("tcp".to_owned()),
            cidr_ipv6: Some("::/0".to_owned()),
            ..LiveRule::default()
        };
        assert!(Rule::try_from(whole.clone()).is_ok());
        let peerless = Rule::try_from(LiveRule { cidr_ipv6: None, ..whole.clone() }).unwrap();
        assert_eq!((peerless.id.as_deref(), peerless.peer), (Some("sgr-1"), Peer::Unstated));
        for (broken, expected) in [
            (LiveRule { id: None, ..whole.clone() }, "SecurityGroupRuleId"),
            (LiveRule { is_egress: None, ..whole.clone() }, "sgr-1.IsEgress"),
            (LiveRule { protocol: Some(" ".to_owned()), ..whole.clone() }, "sgr-1.ipProtocol"),
            (LiveRule { cidr_ipv4: Some("10.0.0.0/8".to_owned()), ..whole.clone() }, "sgr-1: expected one of"),
            (LiveRule { cidr_ipv6: Some("::".to_owned()), ..whole }, "sgr-1.cidrIpv6"),
        ] {
            let error = Rule::try_from(broken).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
