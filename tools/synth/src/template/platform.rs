//! Platform functions: the reconciler, which gets the modes of all controls, attribution, and the router on request.

use rectify_compliance::{Mode, roles};

use super::{member_fix, options, policy};
use crate::fragment::{Unfilled, fill};
use crate::settings::{Settings, highest};

const ATTRIBUTION: &str = include_str!("attribution.yaml");
const ROUTER: &str = include_str!("router.yaml");
const RECONCILER: &str = include_str!("reconciler.yaml");

/// The functions, their roles and their schedule.
///
/// # Errors
/// [`Unfilled`] when a fragment has a placeholder without a value.
pub(super) fn resources(settings: &Settings, roles_of_services: &str) -> Result<String, Unfilled> {
    let statements = policy::statements(roles::RECONCILER, &[]).concat();
    let means = options::statements(settings);
    let modes = format!("\"{}\"", modes(settings));
    let values = [
        ("modes", modes.as_str()),
        ("statements", &statements),
        ("own-means", &means),
        ("members", &member_fix::accounts_variable(settings)),
    ];
    let mut text = fill(RECONCILER, &values)?;
    let statements = policy::statements(roles::ATTRIBUTION, &[]).concat();
    let values = [("statements", statements.as_str()), ("roles", roles_of_services), ("own-means", &means)];
    text.push_str(&fill(ATTRIBUTION, &values)?);
    if options::sends_tickets(settings) {
        let statements = policy::statements(roles::ROUTER, &[]).concat();
        text.push_str(&fill(ROUTER, &[("statements", &statements), ("own-means", &means)])?);
    }
    Ok(text)
}

/// The modes of all controls as the reconciler reads them: the most frequent one for all, `*=plan`, and the others by
/// id. A function's environment has at most 4 KB.
fn modes(settings: &Settings) -> String {
    let differs = |mode: Mode| settings.controls().iter().filter(move |it| mode.min(highest(it.control)) != it.mode);
    let fewest = Mode::ALL.into_iter().rev().min_by_key(|mode| differs(*mode).count());
    let default = fewest.unwrap_or(Mode::Plan);
    let others = differs(default).map(|it| format!(" {}={}", it.control.meta.id, it.mode.name()));
    format!("*={}{}", default.name(), others.collect::<String>())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_mode_is_the_one_for_all() {
        let of = |text: &str| modes(&Settings::read(text, &rectify_catalogue::controls().collect::<Vec<_>>()).unwrap());
        assert_eq!(of(""), "*=plan");
        assert_eq!(of("controls: {restricted-ssh: enforce}"), "*=plan restricted-ssh=enforce");
        assert_eq!(of("mode: off\ncontrols: {restricted-ssh: enforce}"), "*=off restricted-ssh=enforce");
    }
}
