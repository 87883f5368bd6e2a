//! A trail as one account sees it in one region, whether from a configuration item or from the API.
//!
//! Knows no control and no SDK. One trail shows up in many places: in every region if it is multi-region, in every
//! member account if it is of an organization. Whose it is decides who judges it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use rectify_compliance::{
    AccountId, Arn, ConfigurationItem, ManagedBy, Operation, Permission, PhysicalId, Region, Resource, ResourceKey,
    ResourceState, ShapeError, Tags, Target, Verdict, View,
};
use serde::{Deserialize, Serialize};

/// What the controls of single trails may call, in the one region a trail is changed in.
pub mod permissions {
    use super::Permission;

    const TRAILS: &str = "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/*";
    /// Lists trails, or looks one up by its name.
    pub const DESCRIBE: Permission = Permission::unscoped("cloudtrail:DescribeTrails");
    /// Reads one.
    pub const GET: Permission = Permission::on("cloudtrail:GetTrail", TRAILS);
    /// Reads its tags.
    pub const LIST_TAGS: Permission = Permission::on("cloudtrail:ListTags", TRAILS);
    /// Reads how its deliveries go.
    pub const GET_STATUS: Permission = Permission::on("cloudtrail:GetTrailStatus", TRAILS);
    /// Changes it.
    pub const UPDATE: Permission = Permission::on("cloudtrail:UpdateTrail", TRAILS);
}

/// The resource type in AWS Config. Its id is the trail's name.
pub const TYPE: &str = "AWS::CloudTrail::Trail";

/// How it is known that a stack manages a trail.
pub const MANAGED_BY: ManagedBy = ManagedBy::Lookup("the name of the trail, in its home region");

/// A trail, from where it is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trail {
    /// The name: what AWS Config identifies the trail by.
    pub name: String,
    /// The ARN: what the API identifies it by.
    pub arn: String,
    /// The account in the ARN; of an organization trail always the management account.
    pub owner: AccountId,
    /// The region the trail was created in, the only one it can be changed in.
    pub home_region: Region,
    /// Where it was looked at.
    pub seen_from: ObservedFrom,
    /// `LogFileValidationEnabled`. Of a trail that is not [ours](TrailOwnership::Ours) an absent one is off: it is not judged.
    pub log_file_validation: bool,
    /// Everything else that `UpdateTrail` could have changed.
    pub settings: Settings,
    /// The tags, where they were read: AWS Config does not record them.
    pub tags: Tags,
}

/// The account and region a trail is looked at from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObservedFrom {
    /// Who looks.
    pub account: AccountId,
    /// Through which region's endpoint.
    pub region: Region,
}

/// Whose trail it is. The order is that in which trails of one name take precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrailOwnership {
    /// Of the account that looks, in the region it looks at.
    Ours,
    /// Of the account that looks, replicated from another region.
    Replica,
    /// Of another account: an organization trail, seen from a member or a delegated administrator.
    Foreign,
}

/// What a trail does beside validating, each as the API has it: absent means that the API did not say, or said the empty
/// text that clears a setting.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// `S3BucketName`: where log files go.
    pub s3_bucket_name: Option<String>,
    /// `S3KeyPrefix`: what their keys begin with.
    pub s3_key_prefix: Option<String>,
    /// `SnsTopicARN`: the topic that is notified of each.
    #[serde(rename = "snsTopicARN")]
    pub sns_topic_arn: Option<String>,
    /// `KmsKeyId`: the ARN of the key they are encrypted with.
    pub kms_key_id: Option<String>,
    /// `CloudWatchLogsLogGroupArn`: where events go as well.
    pub cloud_watch_logs_log_group_arn: Option<String>,
    /// `CloudWatchLogsRoleArn`: as whom.
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

/// A trail of an item's `configuration` or of an API answer; every field may be missing.
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
    /// The rest.
    #[serde(flatten)]
    pub settings: Settings,
}

/// A trail as AWS Config recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedTrail {
    trail: Trail,
    validation_told: bool,
}

/// What stands live under a recorded trail's name, where the item alone does not decide it.
pub type LiveTrail = Option<Trail>;

impl Trail {
    /// Whose it is, from here.
    pub fn custody(&self) -> TrailOwnership {
        if self.owner != self.seen_from.account {
            TrailOwnership::Foreign
        } else if self.home_region != self.seen_from.region {
            TrailOwnership::Replica
        } else {
            TrailOwnership::Ours
        }
    }

    /// NOT_APPLICABLE for a trail that is not [ours](TrailOwnership::Ours), with where it is judged.
    pub fn judged_elsewhere(&self) -> Option<Verdict> {
        let Self { name, owner, home_region, .. } = self;
        match self.custody() {
            TrailOwnership::Foreign => {
                Some(Verdict::not_applicable(format!("Trail {name} belongs to account {owner}; evaluated there")))
            }
            TrailOwnership::Replica => {
                Some(Verdict::not_applicable(format!("Trail {name} is replicated from {home_region}; evaluated there")))
            }
            TrailOwnership::Ours => None,
        }
    }

    /// Why no remediation may update it, if none may.
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

    /// The ARN of the trail that `target` identifies: the one its account has in its region.
    pub fn arn_of(target: &Target) -> String {
        let resource = format!("trail/{}", target.name_or_id());
        target.region.partition().arn("cloudtrail", target.region.as_str(), target.account.as_str(), &resource)
    }
}

impl Settings {
    /// The same with empty texts absent: both are how AWS says that nothing is set.
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
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::new(TYPE, &self.name)
    }

    fn arn(&self) -> Option<&str> {
        Some(&self.arn)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }
}

/// `UpdateTrail`; every setting it leaves out stays as it is.
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
    /// The trail as the API described it to `seen_from`.
    ///
    /// # Errors
    /// [`ShapeError`] without a name or an ARN of a trail, and when a trail that is judged here does not say whether it validates.
    pub fn seen(self, seen_from: ObservedFrom) -> Result<Trail, ShapeError> {
        let told = self.log_file_validation_enabled.is_some();
        let trail = self.unjudged(seen_from)?;
        if !told && trail.custody() == TrailOwnership::Ours {
            return Err(ShapeError::missing(format!("{}.LogFileValidationEnabled", trail.arn), "true or false"));
        }
        Ok(trail)
    }

    /// The trail; a missing validation flag counts as off.
    fn unjudged(self, seen_from: ObservedFrom) -> Result<Trail, ShapeError> {
        let name = self.name.filter(|it| !it.is_empty()).ok_or_else(|| ShapeError::missing("Name", "a trail name"))?;
        let arn = self.arn.filter(|it| !it.is_empty()).ok_or_else(|| ShapeError::missing("TrailARN", "an ARN"))?;
        let (region, owner) = place_in(&arn)?;
        Ok(Trail {
            name,
            owner,
            // An answer may leave it out; the ARN has the region the trail was created in, which is the same.
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
        let validation_told = description.log_file_validation_enabled.is_some();
        description.name = Some(item.resource.id.clone());
        description.arn = description.arn.or_else(|| item.arn.clone());
        let seen_from = ObservedFrom { account: item.account.clone(), region: item.region.clone() };
        let trail = description.unjudged(seen_from).map_err(|error| error.within("configuration"))?;
        Ok(Self { trail: Trail { tags: item.tags.clone(), ..trail }, validation_told })
    }
}

impl RecordedTrail {
    /// The name it is reported under.
    pub fn name(&self) -> &str {
        &self.trail.name
    }

    /// Whether the trail is judged here. One that is not may hide one of the same name that is: the two share one id in AWS
    /// Config.
    pub fn is_ours(&self) -> bool {
        self.trail.custody() == TrailOwnership::Ours
    }

    /// The trail to judge: the live one where there is one.
    pub fn judged<'a>(&'a self, live: &'a LiveTrail) -> &'a Trail {
        live.as_ref().unwrap_or(&self.trail)
    }

    /// Whether it also says whether the trail validates.
    pub fn tells_validation(&self) -> bool {
        self.validation_told
    }

    /// Finds among `described` what decides in the item's place; `None` when the trail is gone.
    pub fn settle(&self, described: Vec<Trail>) -> Option<LiveTrail> {
        let ours = described.into_iter().find(|it| it.name == self.trail.name && it.custody() == TrailOwnership::Ours);
        if ours.is_none() && self.is_ours() { None } else { Some(ours) }
    }

    /// The same, by value. A flag that neither the item nor the live trail holds counts as off.
    pub fn or_live(self, live: LiveTrail) -> Trail {
        live.unwrap_or(self.trail)
    }
}

/// One trail a name, in the order of the names: ours before a replica before a foreign one, then by ARN.
///
/// AWS Config knows a trail by its name alone. Were each reported, the last would stand, and a replica's
/// NOT_APPLICABLE could cover a finding about our own trail.
pub fn one_per_name(trails: Vec<Trail>) -> Vec<Trail> {
    let mut by_name: BTreeMap<String, Trail> = BTreeMap::new();
    for trail in trails {
        match by_name.entry(trail.name.clone()) {
            Entry::Vacant(free) => {
                free.insert(trail);
            }
            Entry::Occupied(mut taken) => {
                if (trail.custody(), &trail.arn) < (taken.get().custody(), &taken.get().arn) {
                    taken.insert(trail);
                }
            }
        }
    }
    by_name.into_values().collect()
}

/// The trail of this ARN as CloudFormation identifies it: by its name, in its home region.
pub fn stack_resource(trail: &str) -> PhysicalId {
    PhysicalId::at_home(trail, trail.rsplit('/').next().unwrap_or(trail))
}

/// The region in the ARN of a trail: the one it was created in and can be changed in.
///
/// # Errors
/// [`ShapeError`] when it is no ARN of a trail.
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
