//! Which requirements the frameworks have, which of them a control covers, and since when and until when an id holds.
//!
//! A control declares the ids it covers. Everything else about a framework is data here, since frameworks change
//! without the controls: AWS retires ids, and CIS renumbers its recommendations in every version.

mod cis;
mod exceptions;
mod fsbp;

use jiff::civil::{Date, date};
use rectify_compliance::{ControlMeta, Framework};

pub use cis::RECOMMENDATIONS;
pub use exceptions::EXCEPTIONS;
pub use fsbp::len as fsbp_len;

/// The day for which profiles and docs are made; it moves when the frameworks are read again.
pub const AS_OF: Date = date(2026, 11, 30);

/// One recommendation of the CIS AWS Foundations Benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recommendation {
    /// Its number in version 3.0.
    pub v3: Option<&'static str>,
    /// Its number in version 5.0.
    pub v5: Option<&'static str>,
    /// What it recommends, in a few words that are not those of CIS.
    pub subject: &'static str,
    /// Controls that answer it without declaring it: by their parameters, or once they exist. A control that declares it
    /// need not be here.
    pub more: &'static [&'static str],
    /// How far controls can answer it.
    pub extent: Extent,
}

/// How far controls can answer a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Entirely.
    Whole,
    /// Only so far.
    Limited(&'static str),
    /// Not at all: no API shows it.
    Unseen(&'static str),
}

/// An id that a framework does not have at all times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exception {
    /// The framework.
    pub framework: Framework,
    /// The id.
    pub id: &'static str,
    /// The first day on which it holds, if it is known.
    pub since: Option<Date>,
    /// The first day on which it no longer holds. If AWS does not publish the day, that of the first list without it.
    pub until: Option<Date>,
    /// What replaces it, or why it is named nevertheless.
    pub instead: Instead,
}

/// What replaces an id that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// Another id of the framework, which the control declares too.
    Successor(&'static str),
    /// None, for this reason.
    Nothing(&'static str),
}

impl Recommendation {
    /// Its number in a version of the benchmark; `None` in other frameworks.
    pub fn number(&self, framework: Framework) -> Option<&'static str> {
        match framework {
            Framework::Cis30 => self.v3,
            Framework::Cis50 => self.v5,
            Framework::Fsbp | Framework::Nist80053r5 | Framework::Pci40 => None,
        }
    }
}

/// The recommendations of a version of the benchmark; empty for other frameworks.
pub fn recommendations(framework: Framework) -> impl Iterator<Item = (&'static str, &'static Recommendation)> {
    RECOMMENDATIONS.iter().filter_map(move |it| Some((it.number(framework)?, it)))
}

/// The requirements of a framework that a control covers: those it declares, whether they hold or not, and those that
/// name it.
pub fn covered(control: &ControlMeta, framework: Framework) -> Vec<&'static str> {
    let declared = control.frameworks.iter().filter(|it| it.framework == framework).flat_map(|it| it.ids).copied();
    let mut ids: Vec<&str> = declared.collect();
    for (number, recommendation) in recommendations(framework) {
        if recommendation.more.contains(&control.id) && !ids.contains(&number) {
            ids.push(number);
        }
    }
    ids
}

/// Whether a framework has this id on a day. The ids of NIST and PCI are taken as they are declared.
pub fn holds(framework: Framework, id: &str, on: Date) -> bool {
    let is_listed = match framework {
        Framework::Cis30 | Framework::Cis50 => recommendations(framework).any(|(number, _)| number == id),
        Framework::Fsbp => fsbp::lists(id),
        Framework::Nist80053r5 | Framework::Pci40 => true,
    };
    let is_in_force = exception(framework, id)
        .is_none_or(|it| it.since.is_none_or(|since| since <= on) && it.until.is_none_or(|until| on < until));
    is_listed && is_in_force
}

/// The exception for an id, if there is one.
pub fn exception(framework: Framework, id: &str) -> Option<&'static Exception> {
    EXCEPTIONS.iter().find(|it| it.framework == framework && it.id == id)
}

/// The key that orders `1.2.8` before `1.10.1`, and `AC-2` before `AC-10`: runs of digits count as numbers.
pub fn natural(id: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut word = String::new();
    let mut chars = id.chars().peekable();
    while let Some(char) = chars.next() {
        let Some(mut number) = char.to_digit(10).map(u64::from) else {
            word.push(char);
            continue;
        };
        while let Some(digit) = chars.peek().and_then(|it| it.to_digit(10)) {
            number = number.saturating_mul(10).saturating_add(u64::from(digit));
            chars.next();
        }
        parts.push((std::mem::take(&mut word), number));
    }
    parts.push((word, 0));
    parts
}

#[cfg(test)]
mod tests;
