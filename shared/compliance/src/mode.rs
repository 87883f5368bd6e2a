//! The mode of a control: how much of the loop from finding to fix it runs.

use std::str::FromStr;

/// What a control may do, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Nothing.
    Off,
    /// The rule only.
    Observe,
    /// Record and announce the plan.
    Plan,
    /// Apply it.
    Enforce,
}

impl Mode {
    /// The name in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Observe => "observe",
            Self::Plan => "plan",
            Self::Enforce => "enforce",
        }
    }

    /// Every mode, lowest first.
    pub const ALL: [Self; 4] = [Self::Off, Self::Observe, Self::Plan, Self::Enforce];
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mode = Self::ALL.into_iter().find(|mode| mode.name() == text);
        mode.ok_or_else(|| format!("expected off, observe, plan or enforce: received `{text}`"))
    }
}
