//! The approved rules of a security group: the stored document, and its parser.
//!
//! Unknown is never safe, in both directions: rules read too widely would be authorized, rules read too narrowly would
//! be revoked. So anything that is not exactly understood is an error, and there is no verdict.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rectify_compliance::canonical::sorted;
use rectify_compliance::{ShapeError, Tags, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::resources::rule::{Direction, Peer, Protocol, Rule};

/// The approved rules of one group, and the time of approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Baseline {
    /// The rules with their descriptions; no two allow the same traffic.
    pub rules: Vec<Rule>,
    /// When the baseline was last changed, if its source states it.
    pub approved_at: Option<Timestamp>,
}

/// `{version: 1, groupId, rules, sha256}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    version: u32,
    group_id: String,
    rules: Vec<Approved>,
    sha256: String,
}

/// One approved rule.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Approved {
    dir: Direction,
    proto: String,
    #[serde(default)]
    from: Option<i32>,
    #[serde(default)]
    to: Option<i32>,
    peer: ApprovedPeer,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ApprovedPeer {
    kind: PeerKind,
    value: String,
    #[serde(default)]
    owner: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PeerKind {
    V4,
    V6,
    Pl,
    Sg,
}

impl Baseline {
    /// Parses the document of one group.
    ///
    /// # Errors
    /// [`ShapeError`] if it is not such a document, is for another version or group, does not match its digest, or contains
    /// a rule that is not exactly understood.
    pub fn parse(text: &str, group_id: &str, approved_at: Option<Timestamp>) -> Result<Self, ShapeError> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| ShapeError::new("baseline", "a JSON document", error))?;
        let document = Document::deserialize(&value)
            .map_err(|error| ShapeError::new("baseline", "an approved baseline", error))?;
        if document.version != 1 {
            return Err(ShapeError::new("baseline.version", "1", document.version));
        }
        if document.group_id != group_id {
            return Err(ShapeError::new("baseline.groupId", format!("`{group_id}`"), document.group_id));
        }
        let digest = digest(value);
        if !document.sha256.eq_ignore_ascii_case(&digest) {
            return Err(ShapeError::new("baseline.sha256", format!("`{digest}`"), document.sha256));
        }
        let rules: Vec<Rule> = document.rules.into_iter().map(Approved::read).collect::<Result<_, _>>()?;
        Self::of(rules, approved_at)
    }

    /// The baseline of these rules.
    ///
    /// # Errors
    /// [`ShapeError`] if two rules allow the same traffic, which EC2 does not accept.
    pub fn of(rules: Vec<Rule>, approved_at: Option<Timestamp>) -> Result<Self, ShapeError> {
        let mut seen = BTreeSet::new();
        for rule in &rules {
            if !seen.insert(rule.traffic()) {
                return Err(ShapeError::new("baseline.rules", "every rule once", rule));
            }
        }
        Ok(Self { rules, approved_at })
    }
}

/// SHA-256, in hexadecimal digits, of the document without `sha256`: sorted keys, no whitespace.
pub fn digest(mut document: Value) -> String {
    if let Value::Object(members) = &mut document {
        members.remove("sha256");
    }
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(sorted(document).to_string().as_bytes()) {
        // Writing to a string does not fail.
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

impl Approved {
    fn read(self) -> Result<Rule, ShapeError> {
        let protocol = Protocol::from(self.proto.clone());
        if self.proto.trim().is_empty() {
            return Err(ShapeError::new("baseline.rules.proto", "a protocol", self.proto));
        }
        check_ports(&protocol, self.from, self.to)?;
        if self.peer.owner.is_some() && self.peer.kind != PeerKind::Sg {
            return Err(ShapeError::new("baseline.rules.peer.owner", "a peer of kind sg", self.peer.value));
        }
        let peer = match self.peer.kind {
            PeerKind::V4 => Peer::cidr_v4(&self.peer.value).map_err(|error| error.within("baseline.rules.peer"))?,
            PeerKind::V6 => Peer::cidr_v6(&self.peer.value).map_err(|error| error.within("baseline.rules.peer"))?,
            PeerKind::Pl if self.peer.value.starts_with("pl-") => Peer::PrefixList(self.peer.value),
            PeerKind::Sg if self.peer.value.starts_with("sg-") => {
                Peer::Group { group_id: Some(self.peer.value), user_id: self.peer.owner }
            }
            PeerKind::Pl | PeerKind::Sg => {
                return Err(ShapeError::new("baseline.rules.peer.value", "the id of its kind", self.peer.value));
            }
        };
        Ok(Rule {
            direction: self.dir,
            protocol,
            from_port: self.from,
            to_port: self.to,
            peer,
            description: self.description.filter(|it| !it.is_empty()),
            tags: Tags::new(),
            id: None,
        })
    }
}

/// Both ports or neither must be stated: half a range would be read, and authorized, as every port.
fn check_ports(protocol: &Protocol, from: Option<i32>, to: Option<i32>) -> Result<(), ShapeError> {
    let stated = |port: Option<i32>| port.filter(|it| *it != -1);
    let is_valid = match (protocol, stated(from), stated(to)) {
        (Protocol::Tcp | Protocol::Udp, Some(from), Some(to)) => 0 <= from && from <= to && to <= 65535,
        (Protocol::Icmp | Protocol::Icmpv6, from, to) => {
            let byte = |it: Option<i32>| it.is_none_or(|it| (0..=255).contains(&it));
            byte(from) && byte(to)
        }
        (_, None, None) => true,
        _ => false,
    };
    if is_valid {
        return Ok(());
    }
    let received = format!("{protocol} {from:?} {to:?}");
    Err(ShapeError::new("baseline.rules", "ports, type and code as the protocol has them", received))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({"version": 1, "groupId": "sg-1", "rules": [
            {"dir": "ingress", "proto": "tcp", "from": 443, "to": 443, "peer": {"kind": "v4", "value": "10.1.2.3/8"}},
            {"dir": "egress", "proto": "-1", "peer": {"kind": "sg", "value": "sg-2", "owner": "444455556666"}, "description": "all"}
        ]})
    }

    fn signed(mut document: Value) -> String {
        document["sha256"] = json!(digest(document.clone()));
        document.to_string()
    }

    #[test]
    fn document_becomes_rules() {
        let rules = Baseline::parse(&signed(document()), "sg-1", None).unwrap().rules;
        let texts: Vec<String> = rules.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["tcp 443 from 10.0.0.0/8", "all traffic from sg-2"]);
        assert_eq!(rules[1].description.as_deref(), Some("all"));
    }

    #[test]
    fn digest_uses_sorted_keys_and_no_whitespace() {
        let text = r#"{"groupId":"sg-1","rules":[],"version":1}"#;
        let document = json!({"version": 1, "sha256": "x", "groupId": "sg-1", "rules": []});
        let expected: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest(document), expected);
    }

    /// `security-group-drift/6`
    #[test]
    fn document_that_is_not_exactly_understood_is_rejected() {
        let changed = |pointer: &str, value: Value| {
            let mut document = document();
            *document.pointer_mut(pointer).unwrap() = value;
            signed(document)
        };
        let mut twice = document();
        twice["rules"][1] = twice["rules"][0].clone();
        let mut forged: Value = serde_json::from_str(&signed(document())).unwrap();
        forged["rules"] = json!([]);
        for (text, expected) in [
            ("{".to_owned(), "baseline: expected a JSON document"),
            (document().to_string(), "baseline: expected an approved baseline: received `missing field `sha256`"),
            (forged.to_string(), "baseline.sha256: expected `"),
            (changed("/version", json!(2)), "baseline.version: expected 1: received `2`"),
            (changed("/groupId", json!("sg-9")), "baseline.groupId: expected `sg-1`: received `sg-9`"),
            (changed("/rules/0/to", json!(80)), "baseline.rules: expected ports"),
            (changed("/rules/0/to", json!(null)), "baseline.rules: expected ports"),
            (changed("/rules/0/from", json!(70000)), "baseline.rules: expected ports"),
            (changed("/rules/1/dir", json!("both")), "baseline: expected an approved baseline"),
            (changed("/rules/0/peer/value", json!("anywhere")), "baseline.rules.peer.cidrIp: expected an IPv4 CIDR"),
            (changed("/rules/1/peer/value", json!("pl-1")), "baseline.rules.peer.value: expected the id of its kind"),
            (signed(twice), "baseline.rules: expected every rule once"),
        ] {
            let error = Baseline::parse(&text, "sg-1", None).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
