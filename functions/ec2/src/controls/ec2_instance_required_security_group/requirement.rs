//! Which security groups are required, and which existing groups satisfy a requirement.
//!
//! Knows no instance and no SDK.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rectify_compliance::values::{KeyValue, LIST, members};
use serde::{Deserialize, Serialize};

/// A required group: `sg-…`, `name:…` or `tag:key=value`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum GroupRequirement {
    /// The group with this id.
    Id(String),
    /// A group with this name.
    Name(String),
    /// A group with this tag.
    Tag {
        /// The key.
        key: String,
        /// The value, compared in full.
        value: String,
    },
}

/// A comma list of groups, in the order of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupRequirements(Vec<GroupRequirement>);

/// The required groups by VPC, as in the parameter `perVpc`.
pub type PerVpc = BTreeMap<String, Vec<GroupRequirement>>;

/// The groups of one VPC that match each requirement, by the requirement's text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FoundGroups(pub BTreeMap<String, BTreeSet<String>>);

impl GroupRequirements {
    /// The groups.
    pub fn list(&self) -> &[GroupRequirement] {
        &self.0
    }
}

impl FoundGroups {
    /// The groups that satisfy a requirement: those found in the VPC, and a group required by id if an interface has it,
    /// because EC2 would have rejected a group that cannot be used in the VPC.
    pub fn candidates(&self, requirement: &GroupRequirement, attached: &BTreeSet<&str>) -> BTreeSet<String> {
        let mut ids = self.0.get(&requirement.to_string()).cloned().unwrap_or_default();
        if let GroupRequirement::Id(id) = requirement
            && attached.contains(id.as_str())
        {
            ids.insert(id.clone());
        }
        ids
    }
}

impl TryFrom<String> for GroupRequirement {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim();
        let invalid = || format!("expected sg-…, name:… or tag:key=value: received `{text}`");
        if let Some(name) = text.strip_prefix("name:").map(str::trim) {
            return if name.is_empty() { Err(invalid()) } else { Ok(Self::Name(name.to_owned())) };
        }
        if let Some(tag) = text.strip_prefix("tag:") {
            let KeyValue { key, value } = tag.parse().map_err(|_| invalid())?;
            return Ok(Self::Tag { key, value });
        }
        let id =
            text.strip_prefix("sg-").filter(|id| !id.is_empty() && id.chars().all(|it| it.is_ascii_alphanumeric()));
        id.map(|_| Self::Id(text.to_owned())).ok_or_else(invalid)
    }
}

impl fmt::Display for GroupRequirement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => out.write_str(id),
            Self::Name(name) => write!(out, "name:{name}"),
            Self::Tag { key, value } => write!(out, "tag:{key}={value}"),
        }
    }
}

impl From<GroupRequirement> for String {
    fn from(requirement: GroupRequirement) -> Self {
        requirement.to_string()
    }
}

impl TryFrom<String> for GroupRequirements {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        members(&text).map(|member| member.to_owned().try_into()).collect::<Result<_, _>>().map(Self)
    }
}

impl From<GroupRequirements> for String {
    fn from(requirements: GroupRequirements) -> Self {
        requirements.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

rectify_compliance::inline_schema!([] GroupRequirements, "GroupRequirements", {
    "type": "string", "format": "comma list of `sg-…`, `name:…`, `tag:key=value`", LIST: true
});

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<GroupRequirement>, String> {
        GroupRequirements::try_from(text.to_owned()).map(|it| it.0)
    }

    #[test]
    fn groups_are_given_by_id_name_or_tag() {
        let expected = vec![
            GroupRequirement::Id("sg-0a1b".to_owned()),
            GroupRequirement::Name("base line".to_owned()),
            GroupRequirement::Tag { key: "role".to_owned(), value: "a=b".to_owned() },
        ];
        let text = " sg-0a1b,, name:base line , tag:role=a=b ";
        assert_eq!(read(text), Ok(expected));
        assert_eq!(read(" , "), Ok(vec![]));
        let list = GroupRequirements::try_from(text.to_owned()).unwrap();
        assert_eq!(GroupRequirements::try_from(String::from(list.clone())), Ok(list));
    }

    #[test]
    fn invalid_requirement_is_rejected() {
        for text in ["web", "sg-", "sg-*", "name:", "tag:role", "tag:=x", "Name:web"] {
            let expected = format!("expected sg-…, name:… or tag:key=value: received `{text}`");
            assert_eq!(read(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn attached_group_counts_only_if_required_by_id() {
        let found = FoundGroups([("name:base".to_owned(), BTreeSet::from(["sg-1".to_owned()]))].into());
        let attached = BTreeSet::from(["sg-2"]);
        let ids = |text: &str| {
            let requirement = GroupRequirement::try_from(text.to_owned()).unwrap();
            found.candidates(&requirement, &attached).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(ids("sg-2"), ["sg-2"]);
        assert_eq!(ids("name:base"), ["sg-1"]);
        assert_eq!(ids("sg-3"), [""; 0]);
        assert_eq!(ids("name:other"), [""; 0]);
    }
}
