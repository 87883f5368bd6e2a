//! The parameters, and their defaults.

use rectify_compliance::json_parameter::JsonParameter;
use rectify_compliance::values::{Flag, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tag_requirement::{DefaultValues, RequiredTags as RequiredByKey, TagKey};

/// The parameters of [`RequiredTags`](super::RequiredTags); the first twelve are the managed rule's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct RequiredTagsParameters {
    /// A required key, 1 to 128 characters. Default CostCenter.
    pub tag1_key: TagKey,
    /// The values the first key may have, a comma list. Default: any.
    pub tag1_value: Option<Words>,
    /// A second required key. Default: none.
    pub tag2_key: Option<TagKey>,
    /// The values the second key may have, a comma list. Default: any.
    pub tag2_value: Option<Words>,
    /// A third required key. Default: none.
    pub tag3_key: Option<TagKey>,
    /// The values the third key may have, a comma list. Default: any.
    pub tag3_value: Option<Words>,
    /// A fourth required key. Default: none.
    pub tag4_key: Option<TagKey>,
    /// The values the fourth key may have, a comma list. Default: any.
    pub tag4_value: Option<Words>,
    /// A fifth required key. Default: none.
    pub tag5_key: Option<TagKey>,
    /// The values the fifth key may have, a comma list. Default: any.
    pub tag5_value: Option<Words>,
    /// A sixth required key. Default: none.
    pub tag6_key: Option<TagKey>,
    /// The values the sixth key may have, a comma list. Default: any.
    pub tag6_value: Option<Words>,
    /// More required keys with `values`, a `pattern` or neither. Default: none.
    pub required: Option<JsonParameter<RequiredByKey>>,
    /// Whether an empty value is one. Default false.
    pub allow_empty_value: Flag,
    /// Whether keys that differ in letter case alone are the same. Default false.
    pub case_insensitive_keys: Flag,
    /// Whether resources that AWS services own, such as the network interfaces of Lambda, are left out. Default true.
    pub skip_requester_managed: Flag,
    /// Values the remediation may write, by key. Default: none.
    pub defaults: Option<JsonParameter<DefaultValues>>,
    /// Keys the remediation never writes, a comma list. Default: none.
    pub protected_keys: Option<Words>,
}

impl Default for RequiredTagsParameters {
    fn default() -> Self {
        Self {
            tag1_key: TagKey::literal("CostCenter"),
            tag1_value: None,
            tag2_key: None,
            tag2_value: None,
            tag3_key: None,
            tag3_value: None,
            tag4_key: None,
            tag4_value: None,
            tag5_key: None,
            tag5_value: None,
            tag6_key: None,
            tag6_value: None,
            required: None,
            allow_empty_value: Flag(false),
            case_insensitive_keys: Flag(false),
            skip_requester_managed: Flag(true),
            defaults: None,
            protected_keys: None,
        }
    }
}
