//! A trail as one account sees it in one region, from a configuration item or from the API.
//!
//! Knows no control and no SDK. One trail is visible in many places: in every region if it is multi-region, in every
//! member account if it is an organization trail. Only its owner evaluates it, in its home region.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use rectify_compliance::{
    AccountId, Arn, ConfigurationItem, ManagedBy, Operation, Permission, PhysicalId, Region, Resource,
    ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags, Target, Verdict, View,
};
use serde::{Deserialize, Serialize};

/// Permissions of the controls of single trails, on trails in their home region.
pub mod permissions {
    use super::Permission;

    const TRAILS: &str = "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/*";
    /// Lists trails, or gets one by name.
    pub const DESCRIBE: Permission = Permission::unscoped("cloudtrail:DescribeTrails");
    /// Reads a trail.
    pub const GET: Permission = Permission::on("cloudtrail:GetTrail", TRAILS);
    /// Reads its tags.
    pub const LIST_TAGS: Permission = Permission::on("cloudtrail:ListTags", TRAILS);
    /// Reads the status of its deliveries.
    pub const GET_STATUS: Permission = Permission::on("cloudtrail:GetTrailStatus", TRAILS);
    /// Updates it.
    pub const UPDATE: Permission = Permission::on("cloudtrail:UpdateTrail", TRAILS);
}

/// The resource type in AWS Config. The resource id is the trail's name.
pub const TYPE: &str = "AWS::CloudTrail::Trail";

/// How a stack that manages a trail is found.
pub const MANAGED_BY: ManagedBy = ManagedBy::Lookup("the name of the trail, in its home region");

/// A trail, as seen from one account and region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trail {
    /// The name: what AWS Config identifies the trail by.
    pub name: String,
    /// The ARN: what the API identifies it by.
    pub arn: String,
    /// The account in the ARN; for an organization trail always the management account.
    pub owner: AccountId,
    /// The region the trail was created in, the only one it can be changed in.
    pub home_region: Region,
    /// The account and region it was read from.
    pub seen_from: ObservedFrom,
    /// `LogFileValidationEnabled`. A missing flag counts as off for a trail that is not [local](TrailOwnership::Local),
    /// which is not
    /// evaluated here.
    pub log_file_validation: bool,
    /// Everything else that `UpdateTrail` could have changed.
    pub settings: Settings,
    /// The tags, if they were read: AWS Config does not record them.
    pub tags: Tags,
}

/// The account and region a trail is read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObservedFrom {
    /// The account that reads it.
    pub account: AccountId,
    /// The region whose endpoint is called.
    pub region: Region,
}

/// Who owns a trail. Trails of the same name take precedence in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrailOwnership {
    /// This account, home region here.
    Local,
    /// This account, replicated from another region.
    Replica,
    /// Another account: an organization trail, seen from a member account or a delegated administrator.
    OtherAccount,
}

/// The settings of a trail except log file validation, as in the API. `None` means that the API omitted the setting or
/// returned
/// an empty string.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// `S3BucketName`: the bucket for log files.
    pub s3_bucket_name: Option<String>,
    /// `S3KeyPrefix`: the prefix of their keys.
    pub s3_key_prefix: Option<String>,
    /// `SnsTopicARN`: the topic notified of each log file.
    #[serde(rename = "snsTopicARN")]
    pub sns_topic_arn: Option<String>,
    /// `KmsKeyId`: the ARN of the key that encrypts them.
    pub kms_key_id: Option<String>,
    /// `CloudWatchLogsLogGroupArn`: the log group that also receives events.
    pub cloud_watch_logs_log_group_arn: Option<String>,
    /// `CloudWatchLogsRoleArn`: the role that writes to it.
    pub cloud_watch_logs_role_arn: Option<String>,
    /// `IncludeGlobalServiceEvents`.
    pub include_global_service_events: Option<bool>,
    /// `IsMultiRegionTrail`.
    pub is_multi_region_trail: Option<bool>,
    /// `IsOrganizationTrail`.
    pub is_organization_trail: Option<bool>,
    /// `RecursiveLogging`: whether the trail's own deliveries are logged.
    pub recursive_logging: Option<bool>,
    /// `HasCustomEventSelectors`.
    pub has_custom_event_selectors: Option<bool>,
    /// `HasInsightSelectors`.
    pub has_insight_selectors: Option<bool>,
}

/// A trail in a configuration item or an API response; every field may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// `Name`.
    pub name: Option<String>,
    /// `TrailARN`.
    #[serde(rename = "trailARN")]
    pub arn: Option<String>,
    /// `HomeRegion`.
    pub home_region: Option<String>,
    /// `LogFileValidationEnabled`.
    pub log_file_validation_enabled: Option<bool>,
    /// The other settings.
    #[serde(flatten)]
    pub settings: Settings,
}

/// A trail as AWS Config recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedTrail {
    trail: Trail,
    has_validation_flag: bool,
}

/// The live trail of the same name, if the configuration item alone does not decide.
pub type LiveTrail = Option<Trail>;

impl Trail {
    /// Who owns it, seen from this account and region.
    pub fn ownership(&self) -> TrailOwnership {
        if self.owner != self.seen_from.account {
            TrailOwnership::OtherAccount
        } else if self.home_region != self.seen_from.region {
            TrailOwnership::Replica
        } else {
            TrailOwnership::Local
        }
    }

    /// NOT_APPLICABLE for a trail that is not [local](TrailOwnership::Local), naming where it is evaluated.
    pub fn evaluated_elsewhere(&self) -> Option<Verdict> {
        let Self { name, owner, home_region, .. } = self;
        match self.ownership() {
            TrailOwnership::OtherAccount => {
                Some(Verdict::not_applicable(format!("Trail {name} belongs to account {owner}; evaluated there")))
            }
            TrailOwnership::Replica => {
                Some(Verdict::not_applicable(format!("Trail {name} is replicated from {home_region}; evaluated there")))
            }
            TrailOwnership::Local => None,
        }
    }

    /// Why no remediation may update it; `None` if one may.
    pub fn update_blocker(&self) -> Option<String> {
        (self.settings.is_organization_trail == Some(true)).then(|| {
            format!(
                "Trail {} is an organization trail: its update needs \
                 organizations:ListAWSServiceAccessForOrganization and iam:GetRole in the management account {}, which \
                 this remediation is not granted",
                self.name, self.owner
            )
        })
    }

    /// The ARN of the trail that `target` identifies: in the target's account and region.
    pub fn arn_of(target: &Target) -> String {
        let resource = format!("trail/{}", target.name_or_id());
        target.region.partition().arn("cloudtrail", target.region.as_str(), target.account.as_str(), &resource)
    }
}

impl Settings {
    /// Replaces empty strings by `None`: AWS returns either for an unset setting.
    fn without_blanks(mut self) -> Self {
        for text in [
            &mut self.s3_bucket_name,
            &mut self.s3_key_prefix,
            &mut self.sns_topic_arn,
            &mut self.kms_key_id,
            &mut self.cloud_watch_logs_log_group_arn,
            &mut self.cloud_watch_logs_role_arn,
        ] {
            text.take_if(|it| it.is_empty());
        }
        self
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.name, self.home_region)
    }
}

impl ResourceState for Trail {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.name), arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

/// `UpdateTrail`; a setting it leaves out keeps its value.
pub const UPDATE_TRAIL: Operation =
    Operation { name: "UpdateTrail", resource: "Name", permissions: &[permissions::UPDATE] };

impl View for Trail {
    type Resource = RecordedTrail;
    type Facts = LiveTrail;
    const FACTS: &'static [Permission] = &[permissions::DESCRIBE];
    const READ: &'static [Permission] = &[permissions::GET, permissions::LIST_TAGS];
    const LIST: &'static [Permission] = &[permissions::DESCRIBE];
    const MANAGED_BY: ManagedBy = MANAGED_BY;

    fn of(recorded: RecordedTrail, live: LiveTrail) -> Self {
        recorded.or_live(live)
    }

    fn call_id(&self) -> &str {
        &self.arn
    }

    fn stack_resources(&self) -> Vec<PhysicalId> {
        vec![stack_resource(&self.arn)]
    }

    fn blocked(&self) -> Option<String> {
        self.update_blocker()
    }
}

impl Description {
    /// The trail that the API returned to `seen_from`.
    ///
    /// # Errors
    /// [`ShapeError`] when the name or the trail ARN is missing, or when a local trail lacks the validation flag.
    pub fn seen(self, seen_from: ObservedFrom) -> Result<Trail, ShapeError> {
        let has_validation_flag = self.log_file_validation_enabled.is_some();
        let trail = self.lenient(seen_from)?;
        if !has_validation_flag && trail.ownership() == TrailOwnership::Local {
            return Err(ShapeError::missing(format!("{}.LogFileValidationEnabled", trail.arn), "true or false"));
        }
        Ok(trail)
    }

    /// The trail; a missing validation flag counts as off.
    fn lenient(self, seen_from: ObservedFrom) -> Result<Trail, ShapeError> {
        let name = self.name.filter(|it| !it.is_empty()).ok_or_else(|| ShapeError::missing("Name", "a trail name"))?;
        let arn = self.arn.filter(|it| !it.is_empty()).ok_or_else(|| ShapeError::missing("TrailARN", "an ARN"))?;
        let (region, owner) = place_in(&arn)?;
        Ok(Trail {
            name,
            owner,
            // A response may omit it; the region in the ARN is the home region.
            home_region: self.home_region.filter(|it| !it.is_empty()).map_or(region, Region::new),
            arn,
            seen_from,
            log_file_validation: self.log_file_validation_enabled.unwrap_or(false),
            settings: self.settings.without_blanks(),
            tags: Tags::new(),
        })
    }
}

impl Resource for RecordedTrail {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let mut description = Description::deserialize(&item.configuration)
            .map_err(|error| ShapeError::new("configuration", "a trail", error))?;
        let has_validation_flag = description.log_file_validation_enabled.is_some();
        description.name = Some(item.resource.id.clone());
        description.arn = description.arn.or_else(|| item.arn.clone());
        let seen_from = ObservedFrom { account: item.account.clone(), region: item.region.clone() };
        let trail = description.lenient(seen_from).map_err(|error| error.within("configuration"))?;
        Ok(Self { trail: Trail { tags: item.tags.clone(), ..trail }, has_validation_flag })
    }
}

impl RecordedTrail {
    /// The name, which AWS Config uses as the resource id.
    pub fn name(&self) -> &str {
        &self.trail.name
    }

    /// Whether the trail is local and so evaluated here. A trail that is not can hide a local one of the same name:
    /// both have the
    /// same resource id in AWS Config.
    pub fn is_local(&self) -> bool {
        self.trail.ownership() == TrailOwnership::Local
    }

    /// The trail to evaluate: the live one if there is one.
    pub fn judged<'a>(&'a self, live: &'a LiveTrail) -> &'a Trail {
        live.as_ref().unwrap_or(&self.trail)
    }

    /// Whether the item contains the validation flag.
    pub fn has_validation(&self) -> bool {
        self.has_validation_flag
    }

    /// The trail in `described` to evaluate instead of the item; `None` if the trail was deleted.
    pub fn settle(&self, described: Vec<Trail>) -> Option<LiveTrail> {
        let local =
            described.into_iter().find(|it| it.name == self.trail.name && it.ownership() == TrailOwnership::Local);
        if local.is_none() && self.is_local() { None } else { Some(local) }
    }

    /// The trail to evaluate, by value. A validation flag missing in both counts as off.
    pub fn or_live(self, live: LiveTrail) -> Trail {
        live.unwrap_or(self.trail)
    }
}

/// One trail per name, sorted by name: a local trail before a replica before one of another account, then by ARN.
///
/// AWS Config identifies a trail by its name alone. If all were reported, the last result would win, and a replica's
/// NOT_APPLICABLE could replace the finding of the local trail.
pub fn one_per_name(trails: Vec<Trail>) -> Vec<Trail> {
    let mut by_name: BTreeMap<String, Trail> = BTreeMap::new();
    for trail in trails {
        match by_name.entry(trail.name.clone()) {
            Entry::Vacant(free) => {
                free.insert(trail);
            }
            Entry::Occupied(mut taken) => {
                if (trail.ownership(), &trail.arn) < (taken.get().ownership(), &taken.get().arn) {
                    taken.insert(trail);
                }
            }
        }
    }
    by_name.into_values().collect()
}

/// The physical id of the trail in CloudFormation: its name, in its home region.
pub fn stack_resource(trail: &str) -> PhysicalId {
    PhysicalId::at_home(trail, trail.rsplit('/').next().unwrap_or(trail))
}

/// The region in the ARN of a trail: its home region.
///
/// # Errors
/// [`ShapeError`] when `arn` is not the ARN of a trail.
pub fn region_of(arn: &str) -> Result<Region, ShapeError> {
    place_in(arn).map(|(region, _)| region)
}

/// Region and account of `arn:<partition>:cloudtrail:<region>:<account>:trail/<name>`.
fn place_in(arn: &str) -> Result<(Region, AccountId), ShapeError> {
    Arn::of(arn, "cloudtrail")
        .filter(|it| it.resource().starts_with("trail/"))
        .and_then(|it| Some((it.region()?, it.account()?)))
        .ok_or_else(|| ShapeError::new("TrailARN", "the ARN of a trail", arn))
}

#[cfg(test)]
pub(crate) mod tests;

#[cfg(test)]
pub(crate) mod arbitrary;
