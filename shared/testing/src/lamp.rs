//! An example resource with one setting, for tests of what every setting shares.

use rectify_compliance::{
    ConfigurationItem, Level, NoParameters, Operation, Permission, Resource, ResourceIdentity, ResourceKey,
    ResourceState, Setting, ShapeError, Tags, Verdict, View,
};
use serde::{Deserialize, Serialize};

/// A lamp.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lamp {
    /// Its name.
    pub name: String,
    /// Whether it is on.
    pub on: bool,
    /// Whether an accepted change is still being applied.
    pub busy: bool,
    /// Whether it may not be changed.
    pub locked: bool,
    /// Its tags; `off` requires an operator.
    pub tags: Tags,
}

impl ResourceState for Lamp {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new("Test::Lamp", &self.name), arn: None, name: None, tags: &self.tags }
    }
}

impl Resource for Lamp {
    const TYPES: &'static [&'static str] = &["Test::Lamp"];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Self::deserialize(&item.configuration).map_err(|error| ShapeError::new("configuration", "a lamp", error))
    }
}

/// `ModifyLamp`; a setting it does not name keeps its value.
pub const MODIFY_LAMP: Operation =
    Operation { name: "ModifyLamp", resource: "LampName", permissions: &[Permission::unscoped("lamps:ModifyLamp")] };

impl View for Lamp {
    type Resource = Self;
    type Facts = ();
    const FACTS: &'static [Permission] = &[];
    const READ: &'static [Permission] = &[Permission::unscoped("lamps:DescribeLamp")];
    const LIST: &'static [Permission] = &[Permission::unscoped("lamps:DescribeLamps")];

    fn of(lamp: Self, (): ()) -> Self {
        lamp
    }

    fn call_id(&self) -> &str {
        &self.name
    }

    fn blocked(&self) -> Option<String> {
        self.locked.then(|| format!("{} is locked", self.name))
    }

    fn is_in_progress(&self) -> bool {
        self.busy
    }
}

/// Lamps must be on.
pub const LAMP_ON: Setting<Lamp, bool, NoParameters> = Setting {
    field: "on",
    get: |lamp| lamp.on,
    set: |lamp, on| lamp.on = on,
    not_judged: |lamp, _| (lamp.name == "spare").then(|| Verdict::not_applicable("spare is not used")),
    violation: |lamp, _| (!lamp.on).then(|| (format!("{} is off", lamp.name), true)),
    call: MODIFY_LAMP.member("On"),
    level: Level::L1,
    blocked: |lamp| lamp.tags.contains_key("off").then(|| "tagged off".to_owned()),
};

/// A lamp that can be changed.
pub fn lamp(name: &str, on: bool) -> Lamp {
    Lamp { name: name.to_owned(), on, busy: false, locked: false, tags: Tags::new() }
}
