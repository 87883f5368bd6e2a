//! The parameters, and their defaults.

use rectify_compliance::json_parameter::JsonParameter;
use rectify_compliance::parameters;
use rectify_compliance::values::{Flag, StringList};

use super::requirement::{DefaultValues, RequiredTags as RequiredByKey, TagKey};

parameters! {
    /// The parameters of [`RequiredTags`](super::RequiredTags); the first twelve are the managed rule's.
    pub RequiredTagsParameters, check: RequiredTagsParameters::check_given {
        /// A required key, 1 to 128 characters. Default CostCenter.
        tag1_key: TagKey = TagKey::literal("CostCenter"),
        /// The values the first key may have, a comma list. Default: any.
        tag1_value: Option<StringList> = None,
        /// A second required key. Default: none.
        tag2_key: Option<TagKey> = None,
        /// The values the second key may have, a comma list. Default: any.
        tag2_value: Option<StringList> = None,
        /// A third required key. Default: none.
        tag3_key: Option<TagKey> = None,
        /// The values the third key may have, a comma list. Default: any.
        tag3_value: Option<StringList> = None,
        /// A fourth required key. Default: none.
        tag4_key: Option<TagKey> = None,
        /// The values the fourth key may have, a comma list. Default: any.
        tag4_value: Option<StringList> = None,
        /// A fifth required key. Default: none.
        tag5_key: Option<TagKey> = None,
        /// The values the fifth key may have, a comma list. Default: any.
        tag5_value: Option<StringList> = None,
        /// A sixth required key. Default: none.
        tag6_key: Option<TagKey> = None,
        /// The values the sixth key may have, a comma list. Default: any.
        tag6_value: Option<StringList> = None,
        /// More required keys with `values`, a `pattern` or neither. Default: none.
        required: Option<JsonParameter<RequiredByKey>> = None,
        /// Whether an empty value is accepted. Default false.
        allow_empty_value: Flag = Flag(false),
        /// Whether keys that differ only in case are the same. Default false.
        case_insensitive_keys: Flag = Flag(false),
        /// Whether resources owned by AWS services, such as Lambda network interfaces, are NOT_APPLICABLE. Default true.
        skip_requester_managed: Flag = Flag(true),
        /// Values the remediation may write, by key. Default: none.
        defaults: Option<JsonParameter<DefaultValues>> = None,
        /// Keys the remediation never writes, a comma list. Default: none.
        protected_keys: Option<StringList> = None,
    }
}
