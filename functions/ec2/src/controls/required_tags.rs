//! `required-tags`: resources have the required tags. Covers the resource types of AWS Config's managed rule.
//!
//! Pure: the resource with its tags is passed in as one [`TaggedResource`].

pub mod requirement;

use rectify_compliance::json_parameter::JsonParameter;
use rectify_compliance::values::StringList;
use rectify_compliance::{
    Control, FromItem, Irreversible, Level, Permission, Plan, Remediation, RemediationPermissions, Step, Timestamp,
    Verdict, control,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::requirement::{
    Allowed, DefaultValues, RequiredTags as RequiredByKey, Requirements, TagKey, TagViolation, annotation, default_for,
};
use crate::families::authorization::Tag;
use crate::resources::stored_parameter::{GET_PARAMETER, known};
use crate::resources::tagged_resource::{StoredTags, TYPES, TagFacts, TaggedResource, TaggingSupport};

control! {
    /// ## What it checks
    /// That a resource has every required tag, with a value, and with one of the allowed values if there are any.
    /// Keys and values are compared in full and are case-sensitive; `caseInsensitiveKeys` ignores the case of keys.
    /// An empty value is a finding, unlike with the managed rule; `allowEmptyValue` accepts it.
    /// Items lag behind the tags of EC2 resources, so before such a resource becomes a finding, `ec2:DescribeTags` is called, and the tags it returns count.
    /// Resources that an AWS service owns and instances that are gone are NOT_APPLICABLE: user tags do not last on them.
    /// EC2 states service ownership in three places, and any one is enough: `requesterManaged`, an `interfaceType` that users do not create (all but `interface`, `efa` and `efa-only`), and `operator.managed`, which instances, volumes and interfaces have.
    ///
    /// ## Why it matters
    /// Without tags it is unclear who owns a resource, who pays for it, and whether it may be deleted.
    ///
    /// ## Compliant example
    /// With `tag1Key` `Env` and `tag1Value` `prod,test`: `{"tags": {"Env": "prod"}}`.
    ///
    /// ## Non-compliant example
    /// With the same parameters: `{"tags": {"Env": "production"}}`.
    ///
    /// ## Parameters
    /// `tag1Key` to `tag6Key` with `tag1Value` to `tag6Value`, as in the managed rule; `tag1Key` defaults to `CostCenter`, even if other parameters require more tags.
    /// `required` adds any number of tags, as JSON by key: `{"Owner": {}, "Env": {"values": ["prod"]}, "Cost": {"pattern": "[0-9]{4}"}}`; a pattern must match the whole value.
    /// If a key is required twice, the requirement that restricts its values wins; two different restrictions are rejected.
    /// `defaults` is JSON too, `{"Owner": "unassigned"}`, and each of its values must be allowed for its key.
    /// Both can be stored in a Systems Manager parameter whose name begins with `/rectify/`: `ssm:/rectify/tags`.
    ///
    /// ## Remediation
    /// L1, for EC2 resource types: `ec2:CreateTags` with the missing keys that have a default, and no others.
    /// Existing values are never overwritten: a wrong or empty value becomes a manual step, and so does a missing key without a default; a plan with a manual step is not applied automatically.
    /// Blocked if a key to write is one of `protectedKeys` (a tag can grant access), if an existing key differs from it only in case, or if the resource would have more than 50 user tags.
    /// For resources of other types, the plan is a manual step.
    /// What may break: policies with conditions on such a tag; list its key in `protectedKeys`.
    /// The role may write any key on the twelve types: the keys of `defaults` are known only at run time, so no condition on `aws:TagKeys` can name them.
    /// `CreateTags` overwrites, so a value that another principal writes in the milliseconds between the last read and the write is lost.
    /// How to undo: `ec2:DeleteTags` with keys and values, so that a value changed in the meantime stays.
    ///
    /// ## References
    /// - [required-tags](https://docs.aws.amazon.com/config/latest/developerguide/required-tags.html)
    /// - [CreateTags](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html)
    /// - [DeleteTags](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html)
    /// - [GetResources](https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html)
    pub REQUIRED_TAGS: RequiredTags {
        id: "required-tags",
        title: "Resource lacks required tags",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: TYPES,
        level: L1,
        frameworks: {
            Nist80053r5: ["CM-8"],
        },
    }
}

/// The maximum number of user tags of a resource; `aws:` tags do not count.
const MAX_TAGS: usize = 50;

impl RequiredTagsParameters {
    /// Rejects parameters that contradict each other; stored values are not known here.
    fn check_given(&self) -> Result<(), String> {
        for (number, (key, values)) in (2..).zip(self.optional()) {
            if key.is_none() && values.as_ref().is_some_and(|values| !values.list().is_empty()) {
                return Err(format!("tag{number}Value needs tag{number}Key"));
            }
        }
        let given = self.required.as_ref().and_then(JsonParameter::given);
        let requirements = self.merged(given)?;
        let required_is_stored = self.required.as_ref().is_some_and(|it| it.stored().is_some());
        match self.defaults.as_ref().and_then(JsonParameter::given).filter(|_| !required_is_stored) {
            Some(defaults) => requirements.check_defaults(defaults),
            None => Ok(()),
        }
    }
}

impl FromItem for RequiredTags {
    type Resource = TaggedResource;
    /// `None` if the item is enough for a verdict.
    type Facts = Option<TagFacts>;
    fn fact_permissions(&self) -> &'static [Permission] {
        const { &[Permission::unscoped("ec2:DescribeTags"), GET_PARAMETER] }
    }

    fn subject(&self, resource: TaggedResource, facts: Option<TagFacts>) -> TaggedResource {
        match facts {
            Some(TagFacts { live_tags, stored }) => TaggedResource { live_tags, stored, ..resource },
            None => resource,
        }
    }
}

impl Control for RequiredTags {
    type Params = RequiredTagsParameters;
    type Subject = TaggedResource;

    fn evaluate(&self, subject: &TaggedResource, params: &RequiredTagsParameters, _now: Timestamp) -> Verdict {
        match &subject.standing {
            TaggingSupport::Gone(state) => return Verdict::not_applicable(format!("instance is {state}")),
            TaggingSupport::RequesterManaged if params.skip_requester_managed.0 => {
                return Verdict::not_applicable("owned by an AWS service");
            }
            TaggingSupport::RequesterManaged | TaggingSupport::Ordinary => {}
        }
        let requirements = match params.requirements(&subject.stored) {
            Ok(requirements) => requirements,
            Err(reason) => return Verdict::non_compliant(format!("Tags not evaluated: {reason}")),
        };
        let recorded = requirements.violations(&subject.tags);
        if recorded.is_empty() {
            return Verdict::COMPLIANT;
        }
        match subject.live_tags.as_ref().map(|tags| requirements.violations(tags)) {
            Some(live) if live.is_empty() => Verdict::Compliant(Some("tags found live".into())),
            live => Verdict::non_compliant(annotation(&live.unwrap_or(recorded))),
        }
    }
}

/// The calls of the remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum RequiredTagsAction {
    /// Writes tags; an existing key gets the new value.
    CreateTags {
        /// Ids, always one.
        resources: Vec<String>,
        /// The tags.
        tags: Vec<Tag>,
    },
}

/// The calls of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum RequiredTagsUndo {
    /// Removes tags that still have these values.
    DeleteTags {
        /// Ids, always one.
        resources: Vec<String>,
        /// The tags.
        tags: Vec<Tag>,
    },
}

impl Remediation for RequiredTags {
    type Action = RequiredTagsAction;
    type Undo = RequiredTagsUndo;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions { read: permissions::LIVE, fix: permissions::CREATE, undo: permissions::DELETE }
    }

    fn needs_name(&self) -> bool {
        true
    }

    fn fix(&self, live: &TaggedResource, params: &RequiredTagsParameters, _now: Timestamp) -> Plan<RequiredTagsAction> {
        let known = (params.requirements(&live.stored), params.default_values(&live.stored));
        let (requirements, defaults) = match known {
            (Ok(requirements), Ok(defaults)) => (requirements, defaults),
            (Err(reason), _) | (_, Err(reason)) => return Plan::blocked(reason, vec![]),
        };
        let violations = requirements.violations(&live.tags);
        let id = &live.key.id;
        if !live.is_ec2_type() {
            return Plan::steps_in_order(vec![Step::manual(
                Level::L0,
                format!("tag {id}: {}", annotation(&violations)),
            )]);
        }
        let (mut written, mut reasons, mut manual) = (Vec::new(), Vec::new(), Vec::new());
        for violation in violations {
            match violation {
                TagViolation::Missing { key, lookalike } => match params.default_of(defaults, &key) {
                    None => manual.push(format!("add the tag {} to {id}", key.as_str())),
                    Some(value) => {
                        reasons.extend(params.blocker(&key, lookalike.as_deref()));
                        written.push(Tag { key: key.as_str().to_owned(), value: value.to_owned() });
                    }
                },
                TagViolation::Empty { key } | TagViolation::Wrong { key, .. } => manual.push(format!(
                    "change the value of the tag {} on {id}: existing values are never overwritten",
                    key.as_str()
                )),
            }
        }
        let user_tags = live.tags.keys().filter(|key| !key.starts_with("aws:")).count();
        if user_tags + written.len() > MAX_TAGS && !written.is_empty() {
            reasons.push(format!("{id} has {user_tags} tags; {} more would exceed {MAX_TAGS}", written.len()));
        }
        let mut steps = Vec::new();
        if !written.is_empty() {
            let action = RequiredTagsAction::CreateTags { resources: vec![id.clone()], tags: written };
            steps.push(Step::call(Level::L1, action));
        }
        steps.extend(manual.into_iter().map(|text| Step::manual(Level::L0, text)));
        Plan::unless(reasons, steps)
    }

    fn predict(&self, mut live: TaggedResource, action: &RequiredTagsAction) -> TaggedResource {
        let RequiredTagsAction::CreateTags { resources, tags } = action;
        if resources.contains(&live.key.id) {
            live.tags.extend(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
        }
        live
    }

    /// Only the written keys, so that other tags do not block an undo.
    fn touched_fields(&self, subject: &TaggedResource, done: &[RequiredTagsAction]) -> Value {
        let written = done.iter().flat_map(|RequiredTagsAction::CreateTags { tags, .. }| tags);
        let value = |tag: &Tag| subject.tags.get(&tag.key).map_or(Value::Null, |value| value.as_str().into());
        Value::Object(written.map(|tag| (tag.key.clone(), value(tag))).collect::<Map<_, _>>())
    }

    fn undo(
        &self,
        before: &TaggedResource,
        done: &[RequiredTagsAction],
    ) -> Result<Vec<RequiredTagsUndo>, Irreversible> {
        done.iter()
            .rev()
            .map(|RequiredTagsAction::CreateTags { resources, tags }| {
                match tags.iter().find(|tag| before.tags.contains_key(&tag.key)) {
                    None => Ok(RequiredTagsUndo::DeleteTags { resources: resources.clone(), tags: tags.clone() }),
                    Some(tag) => Err(Irreversible {
                        action: "CreateTags".to_owned(),
                        reason: format!("the tag `{}` was there before", tag.key),
                    }),
                }
            })
            .collect()
    }
}

impl RequiredTagsParameters {
    /// The optional keys of the managed rule, with their values.
    fn optional(&self) -> [(&Option<TagKey>, &Option<StringList>); 5] {
        [
            (&self.tag2_key, &self.tag2_value),
            (&self.tag3_key, &self.tag3_value),
            (&self.tag4_key, &self.tag4_value),
            (&self.tag5_key, &self.tag5_value),
            (&self.tag6_key, &self.tag6_value),
        ]
    }

    fn merged(&self, required: Option<&RequiredByKey>) -> Result<Requirements, String> {
        let allowed = |values: &Option<StringList>| {
            Allowed::values(values.as_ref().map_or_else(Vec::new, |values| values.list().to_vec()))
        };
        let first = (self.tag1_key.clone(), allowed(&self.tag1_value));
        let others = self.optional().into_iter().filter_map(|(key, values)| Some((key.clone()?, allowed(values))));
        let more = required.into_iter().flatten().map(|(key, allowed)| (key.clone(), allowed.clone()));
        let all = std::iter::once(first).chain(others).chain(more);
        Requirements::merged(all, self.case_insensitive_keys.0, self.allow_empty_value.0)
    }

    /// All requirements, including stored ones.
    fn requirements(&self, stored: &StoredTags) -> Result<Requirements, String> {
        self.merged(known(self.required.as_ref(), stored.required.as_ref())?)
    }

    /// The values that may be written.
    fn default_values<'a>(&'a self, stored: &'a StoredTags) -> Result<Option<&'a DefaultValues>, String> {
        known(self.defaults.as_ref(), stored.defaults.as_ref())
    }

    /// Rejects contradictions that show only once the stored values are read.
    ///
    /// # Errors
    /// A description of the contradiction.
    pub fn check_stored(&self, stored: &StoredTags) -> Result<(), String> {
        let requirements = self.requirements(stored)?;
        self.default_values(stored)?.map_or(Ok(()), |defaults| requirements.check_defaults(defaults))
    }

    /// Whether an item is enough for a verdict, so that live tags need not be read.
    pub fn is_item_sufficient(&self, resource: &TaggedResource, stored: &StoredTags) -> bool {
        let recorded = TaggedResource { stored: stored.clone(), ..resource.clone() };
        !resource.is_ec2_type() || !RequiredTags.evaluate(&recorded, self, Timestamp::UNIX_EPOCH).is_non_compliant()
    }

    fn default_of<'a>(&self, defaults: Option<&'a DefaultValues>, key: &TagKey) -> Option<&'a str> {
        default_for(defaults?, key, self.case_insensitive_keys.0)
    }

    /// Why a key must not be written automatically.
    fn blocker(&self, key: &TagKey, lookalike: Option<&str>) -> Option<String> {
        let name = key.as_str();
        let protected = self.protected_keys.as_ref().map_or(&[][..], StringList::list);
        // Condition keys in policies are case-insensitive.
        if protected.iter().any(|it| it.to_lowercase() == name.to_lowercase()) {
            return Some(format!("the tag `{name}` is protected"));
        }
        lookalike.map(|other| format!("the tag `{other}` differs from `{name}` only in case"))
    }
}

mod parameters;
mod permissions;

pub use parameters::RequiredTagsParameters;

#[cfg(test)]
mod tests;
