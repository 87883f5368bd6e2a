//! Controls that require an alarm on events with certain names: pattern, docs and declaration follow from the names.

/// Declares an [`AlarmControl`](super::AlarmControl) on the events with one of these names. Its doc comment says why
/// they matter.
///
/// | optional | content |
/// |---|---|
/// | `and` | a term that the events must match too; a filter without it is broader |
/// | `retired` | more names, of a retired feature; a filter without them is an accepted variant |
/// | `also_from` | an event source; a filter limited to it is an accepted variant |
/// | `only_in` | `management_account`: other accounts are NOT_APPLICABLE |
/// | `security_hub` | the number of Security Hub's control, if it has one |
macro_rules! alarm_on_events {
    (
        $(#[doc = $why:literal])+
        pub $name:ident {
            id: $id:literal,
            title: $title:literal,
            subject: $subject:literal,
            events: $events:tt,
            $(and: $term:literal,)?
            $(retired: $retired:tt,)?
            $(also_from: $source:literal,)?
            $(only_in: $place:ident,)?
            metric: $metric:literal,
            cis: $cis:literal,
            $(security_hub: $number:literal,)?
        }
    ) => {
        use $crate::families::alarm_chain::filter;
        use $crate::families::alarm_control::{AlarmControl, FirstEvent};

        rectify_compliance::control! {
            #[doc = " ## What it checks"]
            #[doc = concat!(
                " That ", $subject, " raise an alarm that notifies an operator: the events ",
                alarm_on_events!(@names $events) $(, ", ", alarm_on_events!(@names $retired))?
                $(, " with `", $term, "`")?, ". One filter must count them all."
            )]
            #[doc = $crate::families::alarm_control::alarm_docs!(chain)]
            #[doc = alarm_on_events!(@variants $(without $retired)? $(from $source)?)]
            #[doc = $crate::families::alarm_control::alarm_docs!(elsewhere)]
            $(#[doc = $crate::families::alarm_control::alarm_docs!($place)])?
            ///
            /// ## Why it matters
            $(#[doc = $why])+
            ///
            /// ## Compliant example
            #[doc = concat!(
                " A filter `", alarm_on_events!(@pattern $events $(or $retired)? $(and $term)?),
                "`, an alarm `Sum >= 1` over 300 seconds on its metric, and a topic with a confirmed subscription."
            )]
            ///
            /// ## Non-compliant example
            /// The same, but the alarm has its actions disabled: `Alarm chain broken at alarm: Watch has its actions disabled (filter Watch ok)`.
            #[doc = alarm_on_events!(@missing $events)]
            ///
            #[doc = $crate::families::alarm_control::alarm_docs!(rest)]
            /// ## References
            $(#[doc = concat!(
                " - [Security Hub CloudWatch.", $number, "](https://docs.aws.amazon.com/securityhub/latest/userguide/",
                "cloudwatch-controls.html#cloudwatch-", $number, "), which requires one exact pattern"
            )])?
            #[doc = $crate::families::alarm_control::alarm_docs!(links)]
            pub $name: AlarmControl<FirstEvent> = LOGIC {
                id: $id,
                title: $title,
                severity: Medium,
                triggers: [Periodic(TwentyFourHours)],
                scope: Regional,
                resource_types: &[rectify_compliance::place::ACCOUNT_TYPE],
                level: L2,
                frameworks: {
                    Cis30: [$cis],
                    Cis50: [$cis],
                    Nist80053r5: ["AU-6(1)", "AU-6(5)"],
                    Pci40: ["10.4.1.1", "10.7.2"],
                },
            }
        }

        const LOGIC: AlarmControl<FirstEvent> = AlarmControl {
            id: $id,
            events: filter::ExpectedEvents {
                pattern: alarm_on_events!(@pattern $events $(or $retired)? $(and $term)?),
                variants: &[
                    $(filter::Variant {
                        pattern: alarm_on_events!(@pattern $events),
                        remark: concat!(alarm_on_events!(@list $retired), " not covered"),
                    },)?
                    $(filter::Variant {
                        pattern: alarm_on_events!(@pattern $events and concat!("$.eventSource = ", $source)),
                        remark: concat!("only events of ", $source),
                    },)?
                ],
                refused: None,
            },
            metric: $metric,
            one_datapoint: true,
            in_management_account: alarm_on_events!(@is $($place)?),
            defaults: FirstEvent,
        };
    };
    // The filter pattern of events with one of these names, as CIS writes it.
    (@pattern [$name:literal] and $term:expr) => {
        concat!("{ ($.eventName = ", $name, ") && (", $term, ") }")
    };
    (@pattern $names:tt and $term:expr) => {
        concat!("{ (", $term, ") && (", alarm_on_events!(@any $names), ") }")
    };
    (@pattern $names:tt $(or $more:tt)?) => {
        concat!("{ ", alarm_on_events!(@any $names) $(, " || ", alarm_on_events!(@any $more))?, " }")
    };
    (@any [$first:literal $(, $name:literal)* $(,)?]) => {
        concat!("($.eventName = ", $first, ")" $(, " || ($.eventName = ", $name, ")")*)
    };
    (@is) => { false };
    (@is management_account) => { true };
    // Texts about these names.
    (@names [$first:literal $(, $name:literal)* $(,)?]) => {
        concat!("`", $first, "`" $(, ", `", $name, "`")*)
    };
    (@list [$first:literal $(, $name:literal)* $(,)?]) => {
        concat!($first $(, ", ", $name)*)
    };
    (@variants) => {
        " No variant of this pattern is widely used, so `acceptVariants` has no effect here."
    };
    (@variants without $retired:tt) => {
        concat!(
            " AWS has retired the feature that these events belong to: ", alarm_on_events!(@names $retired),
            "; a filter without them is accepted unless `acceptVariants` is false, and the annotation says so."
        )
    };
    (@variants from $source:literal) => {
        concat!(
            " A filter that is limited to `$.eventSource = ", $source,
            "` is accepted unless `acceptVariants` is false, and the annotation says so."
        )
    };
    (@missing [$only:literal]) => { "" };
    (@missing [$first:literal $($rest:tt)+]) => {
        concat!(
            " A filter that lacks a name: `Alarm chain broken at filter: none of 1 matches; closest Watch: ",
            $first, " missing`."
        )
    };
}

pub(crate) use alarm_on_events;

#[cfg(test)]
mod tests;
