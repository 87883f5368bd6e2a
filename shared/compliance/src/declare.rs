//! The declaration of a control.

/// Declares a control: a static [`Declared`](crate::Declared) of its [`ControlMeta`](crate::ControlMeta) and its logic.
/// The doc comment is the docs page. Without `= logic`, it also defines the type, as a unit struct.
///
/// ```
/// use rectify_compliance::control;
///
/// control! {
///     /// ## What it checks
///     /// That the thing is on.
///     pub THING_OFF: ThingOff {
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
/// assert_eq!(THING_OFF.meta.id, "thing-off");
/// assert!(THING_OFF.meta.docs.starts_with(" ## What it checks"));
/// assert_eq!(THING_OFF.logic, ThingOff);
/// ```
#[macro_export]
macro_rules! control {
    (
        $(#[doc = $doc:expr])*
        pub $name:ident: $logic:ident { $($declaration:tt)* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $logic;

        $crate::control! { $(#[doc = $doc])* pub $name: $logic = $logic { $($declaration)* } }
    };
    (
        $(#[doc = $doc:expr])*
        pub $name:ident: $type:ty = $logic:path {
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
        pub static $name: $crate::Declared<$type> = $crate::Declared {
            meta: $crate::ControlMeta {
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
            },
            logic: $logic,
        };
    };
}

/// Declares the rule parameters of a control, each with its default: a struct that is
/// [`Parameters`](crate::Parameters). The doc comment of a field states its unit, range and default; docs page and
/// template repeat it. With `check`, a function rejects combinations that no resource can satisfy. A last member
/// `..name: Type` adds the parameters of `Type`, which several controls share; the `check` of `Type` is not called.
///
/// ```
/// use rectify_compliance::parameters;
/// use rectify_compliance::values::Flag;
///
/// parameters! {
///     /// Which lamps count as on.
///     pub Lamps {
///         /// Whether a dimmed lamp counts as on. Default false.
///         count_dimmed: Flag = Flag(false),
///     }
/// }
/// parameters! {
///     /// Which lamps must be on.
///     pub Rooms {
///         /// Whether lamps in the cellar are evaluated too. Default false.
///         cellar: Flag = Flag(false),
///         ..lamps: Lamps,
///     }
/// }
/// assert!(!Rooms::default().lamps.count_dimmed.0);
/// ```
#[macro_export]
macro_rules! parameters {
    (
        $(#[$meta:meta])*
        pub $name:ident $(, check: $check:path)? {
            $($(#[$field_meta:meta])* $field:ident: $type:ty = $default:expr),*
            $(, ..$shared:ident: $shared_type:ty)? $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "camelCase", default)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            $(
                /// The parameters shared with other controls.
                #[serde(flatten)]
                pub $shared: $shared_type,
            )?
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* $($shared: <$shared_type>::default(),)? }
            }
        }

        impl $crate::Parameters for $name {
            $(fn check(&self) -> Result<(), String> {
                $check(self)
            })?
        }
    };
}
