//! The declaration of a control.

/// Declares a control: a unit struct with its [`ControlMeta`](crate::ControlMeta). The doc comment is the docs page.
///
/// ```
/// use rectify_compliance::{Declared, control};
///
/// control! {
///     /// ## What it checks
///     /// That the thing is on.
///     pub ThingOff {
///         id: "thing-off",
///         title: "Thing is off",
///         severity: Low,
///         triggers: [Change, Periodic(OneHour)],
///         scope: Regional,
///         resource_types: &["AWS::EC2::Volume"],
///         level: L1,
///         frameworks: { Fsbp: ["EC2.7"] },
///     }
/// }
/// assert_eq!(ThingOff::META.id, "thing-off");
/// assert!(ThingOff::META.docs.starts_with(" ## What it checks"));
/// ```
#[macro_export]
macro_rules! control {
    (
        $(#[doc = $doc:expr])*
        pub $name:ident {
            id: $id:expr,
            title: $title:expr,
            severity: $severity:ident,
            triggers: [$($trigger:ident $(($frequency:ident))?),+ $(,)?],
            scope: $scope:ident,
            resource_types: $types:expr,
            level: $level:ident,
            frameworks: { $($framework:ident: [$($requirement:expr),* $(,)?]),* $(,)? } $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name;

        impl $crate::Declared for $name {
            const META: &'static $crate::ControlMeta = &$crate::ControlMeta {
                id: $id,
                title: $title,
                severity: $crate::Severity::$severity,
                triggers: &[$($crate::Trigger::$trigger $(($crate::Frequency::$frequency))?),+],
                scope: $crate::Scope::$scope,
                resource_types: $types,
                frameworks: &[$($crate::Mapping {
                    framework: $crate::Framework::$framework,
                    ids: &[$($requirement),*],
                }),*],
                level: $crate::Level::$level,
                docs: concat!($($doc, "\n"),*),
                source: file!(),
            };
        }
    };
}
