//! The service of the fake widgets: in memory, scripted by the test, recording every call.
//!
//! It never replaces the ledger, the bus or AWS Config.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use rectify_compliance::{FromItem, Periodic, ResourceKey, Target};
use rectify_runtime::client::{AccountRegion, Connect, Fix, Found, List, Listed, Page, ReadFacts};
use rectify_runtime::{AwsError, CallError, CallErrorKind};
use serde_json::Value;

use crate::controls::{
    Action, Facts, GlobalWidgetDisabled, NamedWidgetDisabled, Params, Receipt, Undo, WIDGET, Widget, WidgetDisabled,
    WidgetItem,
};
use crate::crash_point::CrashPoint;

/// One call to the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The facts beside an item were read.
    Facts(String),
    /// One page was listed.
    Page(usize),
    /// A widget was read, by this name or id.
    Read(String),
    /// An action.
    Apply(Action),
    /// An undo.
    Revert(Undo),
}

/// The kinds of call that faults can be injected into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Facts and live reads.
    Read,
    /// Pages of the list.
    Page,
    /// Actions.
    Apply,
    /// Undos.
    Revert,
}

impl On {
    const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Page => "page",
            Self::Apply => "apply",
            Self::Revert => "revert",
        }
    }
}

/// A fault injected into a call.
#[derive(Clone)]
pub enum InjectedFault {
    /// The call is refused with this code and has no effect.
    Refused(&'static str, CallErrorKind),
    /// The call is answered with this status and code and has no effect.
    Answered(u16, &'static str),
    /// The call takes effect, and its answer is lost.
    AnswerLost,
    /// The call takes effect, and is answered with this status and code.
    Misreported(u16, &'static str),
    /// The call succeeds without an effect.
    NoEffect,
    /// The widgets change just before the call.
    Before(fn(&mut BTreeMap<String, Widget>)),
    /// The widgets change just after the call.
    After(fn(&mut BTreeMap<String, Widget>)),
}

#[derive(Default)]
struct State {
    widgets: BTreeMap<String, Widget>,
    calls: Vec<Call>,
    effects: Vec<Call>,
    script: Vec<(On, usize, InjectedFault)>,
    counts: HashMap<&'static str, usize>,
    token: u32,
    tokens: HashMap<String, u32>,
    page_size: usize,
    locked: HashMap<String, (&'static str, CallErrorKind)>,
    crash_point: Option<CrashPoint>,
    during_call: Vec<(On, usize, BoxFuture<'static, ()>)>,
}

/// The service.
#[derive(Clone, Default)]
pub struct FakeService(Arc<Mutex<State>>);

static SERVICES: LazyLock<Mutex<HashMap<String, FakeService>>> = LazyLock::new(Mutex::default);

impl std::fmt::Debug for FakeService {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("FakeService")
    }
}

impl FakeService {
    /// A service with these widgets.
    pub fn with(widgets: impl IntoIterator<Item = Widget>) -> Self {
        let service = Self::default();
        {
            let mut state = service.state();
            state.widgets = widgets.into_iter().map(|widget| (widget.id.clone(), widget)).collect();
            state.token = 100;
            state.page_size = 60;
        }
        service
    }

    /// An SDK configuration whose clients use this service.
    pub fn reached_through(&self, config: &SdkConfig) -> SdkConfig {
        let mut services = SERVICES.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("widgets-{}", services.len());
        services.insert(name.clone(), self.clone());
        config.to_builder().app_name(AppName::new(name).unwrap()).build()
    }

    /// Counts calls as steps of this crash point from now on.
    pub fn crash_at(&self, crash_point: &CrashPoint) {
        self.state().crash_point = Some(crash_point.clone());
    }

    /// Injects a fault into the `number`th call of this kind, counted from 1.
    pub fn inject_fault(&self, on: On, number: usize, fault: InjectedFault) -> &Self {
        self.state().script.push((on, number, fault));
        self
    }

    /// Runs `work` while the `number`th call of this kind, counted from 1, is answered: the call took effect, and its
    /// caller does not have the answer yet.
    pub fn during_call(&self, on: On, number: usize, work: impl Future<Output = ()> + Send + 'static) -> &Self {
        self.state().during_call.push((on, number, work.boxed()));
        self
    }

    /// Makes this widget unreadable when it is listed.
    pub fn deny_reads(&self, id: &str, code: &'static str, kind: CallErrorKind) -> &Self {
        self.state().locked.insert(id.to_owned(), (code, kind));
        self
    }

    /// Removes the injected faults that were not hit.
    pub fn clear_faults(&self) {
        self.state().script.clear();
    }

    /// The current state of a widget.
    pub fn widget(&self, id: &str) -> Option<Widget> {
        self.state().widgets.get(id).cloned()
    }

    /// Changes a widget without a call.
    pub fn change(&self, id: &str, change: impl FnOnce(&mut Widget)) {
        change(self.state().widgets.get_mut(id).unwrap());
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The modifying calls, with or without an effect.
    pub fn writes(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| matches!(call, Call::Apply(_) | Call::Revert(_))).collect()
    }

    /// The calls that changed a widget.
    pub fn effects(&self) -> Vec<Call> {
        self.state().effects.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call, injects its fault and carries it out.
    async fn call<T>(
        &self,
        on: On,
        operation: &'static str,
        call: Call,
        work: impl FnOnce(&mut State, bool) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let crash_point = self.state().crash_point.clone();
        if let Some(crash_point) = &crash_point {
            crash_point.step().await;
        }
        let result = self.carry_out(on, operation, call, work);
        if let Some(work) = self.work_during(on) {
            work.await;
        }
        if let Some(crash_point) = &crash_point {
            crash_point.step().await;
        }
        result
    }

    /// The work to run while the last call of this kind is answered.
    fn work_during(&self, on: On) -> Option<BoxFuture<'static, ()>> {
        let mut state = self.state();
        let number = state.counts.get(on.name()).copied().unwrap_or_default();
        let index = state.during_call.iter().position(|(kind, at, _)| *kind == on && *at == number)?;
        Some(state.during_call.remove(index).2)
    }

    fn carry_out<T>(
        &self,
        on: On,
        operation: &'static str,
        call: Call,
        work: impl FnOnce(&mut State, bool) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let mut state = self.state();
        state.calls.push(call);
        let count = state.counts.entry(on.name()).or_default();
        *count += 1;
        let number = *count;
        let fault = state.script.iter().find(|(kind, at, _)| *kind == on && *at == number).map(|it| it.2.clone());
        match fault {
            None => work(&mut state, true),
            Some(InjectedFault::Refused(code, kind)) => Err(failed(operation, code, kind)),
            Some(InjectedFault::Answered(status, code)) => Err(answered(operation, status, code)),
            Some(InjectedFault::AnswerLost) => {
                work(&mut state, true)?;
                Err(AwsError::Call(CallError::unanswered(operation, "Timeout", "as scripted")))
            }
            Some(InjectedFault::Misreported(status, code)) => {
                work(&mut state, true)?;
                Err(answered(operation, status, code))
            }
            Some(InjectedFault::NoEffect) => work(&mut state, false),
            Some(InjectedFault::Before(change)) => {
                change(&mut state.widgets);
                work(&mut state, true)
            }
            Some(InjectedFault::After(change)) => {
                let result = work(&mut state, true);
                change(&mut state.widgets);
                result
            }
        }
    }

    async fn read(&self, name: &str, call: Call) -> Result<Option<Widget>, AwsError> {
        self.call(On::Read, "widgets:DescribeWidget", call, |state, _| Ok(state.widgets.get(name).cloned())).await
    }

    /// The widgets of a page, and the number of the next page while there may be more.
    async fn page(&self, number: usize) -> Result<Page<Widget>, AwsError> {
        self.call(On::Page, "widgets:ListWidgets", Call::Page(number), |state, _| {
            let listed = |widget: &Widget| match state.locked.get(&widget.id) {
                None => Listed::Read(widget.clone()),
                Some((code, kind)) => {
                    let found = Found { resource: ResourceKey::new(WIDGET, &widget.id), name: widget.name.clone() };
                    Listed::Unreadable(found, failed("widgets:DescribeWidget", code, *kind))
                }
            };
            let widgets = state.widgets.values().skip(number * state.page_size).take(state.page_size);
            let resources: Vec<_> = widgets.map(listed).collect();
            let next = (!resources.is_empty()).then(|| (number + 1).to_string());
            Ok(Page { resources, next })
        })
        .await
    }

    async fn enable(&self, id: &str, action: &Action) -> Result<Receipt, AwsError> {
        self.call(On::Apply, "widgets:EnableFlag", Call::Apply(action.clone()), |state, takes_effect| {
            let Action::EnableFlag { flag } = action;
            let key = format!("{id}/{flag}");
            let next = state.token + 1;
            let disabled = flag_of(state, id, flag, "widgets:EnableFlag")?;
            if !takes_effect {
                return Ok(Receipt { token: 1 });
            }
            if !std::mem::replace(disabled, false) {
                return Ok(Receipt { token: state.tokens.get(&key).copied().unwrap_or_default() });
            }
            state.token = next;
            state.tokens.insert(key, next);
            state.effects.push(Call::Apply(action.clone()));
            Ok(Receipt { token: next })
        })
        .await
    }

    async fn disable(&self, id: &str, undo: &Undo) -> Result<(), AwsError> {
        self.call(On::Revert, "widgets:DisableFlag", Call::Revert(undo.clone()), |state, takes_effect| {
            let Undo::DisableFlag { flag, token } = undo;
            let expected = state.tokens.get(&format!("{id}/{flag}")).copied();
            let disabled = flag_of(state, id, flag, "widgets:DisableFlag")?;
            if !takes_effect || *disabled {
                return Ok(());
            }
            if expected != Some(*token) {
                return Err(failed("widgets:DisableFlag", "WrongToken", CallErrorKind::Rejected));
            }
            *disabled = true;
            state.effects.push(Call::Revert(undo.clone()));
            Ok(())
        })
        .await
    }
}

fn flag_of<'a>(state: &'a mut State, id: &str, flag: &str, operation: &'static str) -> Result<&'a mut bool, AwsError> {
    let widget = state.widgets.get_mut(id).ok_or_else(|| failed(operation, "NoSuchWidget", CallErrorKind::Rejected))?;
    widget.flags.get_mut(flag).ok_or_else(|| failed(operation, "NoSuchFlag", CallErrorKind::Rejected))
}

fn failed(operation: &'static str, code: &str, kind: CallErrorKind) -> AwsError {
    let status = match kind {
        CallErrorKind::AccessDenied => 403,
        CallErrorKind::Throttled | CallErrorKind::Rejected => 400,
        CallErrorKind::Unavailable => 500,
    };
    answered(operation, status, code)
}

fn answered(operation: &'static str, status: u16, code: &str) -> AwsError {
    AwsError::Call(CallError::answered(operation, status, code, "as scripted"))
}

impl Connect for FakeService {
    fn connect(config: &SdkConfig) -> Self {
        let services = SERVICES.lock().unwrap_or_else(PoisonError::into_inner);
        let name = config.app_name().map(ToString::to_string).unwrap_or_default();
        services.get(&name).cloned().unwrap_or_default()
    }
}

macro_rules! client {
    ($($control:ident),+) => {$(
        impl ReadFacts<FakeService> for $control {
            async fn facts(
                &self, widgets: &FakeService,
                target: &Target,
                _resource: &WidgetItem,
                _params: &Params,
            ) -> Result<Option<<Self as FromItem>::Facts>, AwsError> {
                let id = target.resource.id.clone();
                let widget = widgets.read(&id, Call::Facts(id.clone())).await?;
                Ok(widget.map(|widget| Facts { color: widget.color }))
            }
        }

        impl List<FakeService> for $control {
            fn pages<'a>(
                &'a self, widgets: &'a FakeService,
                _place: &'a AccountRegion,
                _params: &'a Params,
                from: Option<String>,
            ) -> impl Stream<Item = Result<Page<<Self as rectify_compliance::Control>::Subject>, AwsError>> + Send + 'a
            where
                Self: Periodic,
            {
                let first: usize = from.map_or(0, |it| it.parse().unwrap());
                stream::unfold(Some(first), move |page| async move {
                    let answer = widgets.page(page?).await;
                    let next = answer.as_ref().ok().and_then(|page| page.next.as_ref()).map(|it| it.parse().unwrap());
                    Some((answer, next))
                })
                .boxed()
            }
        }

        impl Fix<FakeService> for $control {
            async fn live(&self, widgets: &FakeService, target: &Target, _params: &Params) -> Result<Option<Widget>, AwsError> {
                let name = target.name_or_id();
                widgets.read(name, Call::Read(name.to_owned())).await
            }

            async fn apply(&self, widgets: &FakeService, target: &Target, action: &Action) -> Result<(), AwsError> {
                widgets.enable(target.name_or_id(), action).await.map(drop)
            }

            async fn apply_with_response(&self, widgets: &FakeService, target: &Target, action: &Action) -> Result<Value, AwsError> {
                let receipt = widgets.enable(target.name_or_id(), action).await?;
                Ok(serde_json::to_value(receipt).unwrap())
            }

            async fn revert(&self, widgets: &FakeService, target: &Target, undo: &Undo) -> Result<(), AwsError> {
                widgets.disable(target.name_or_id(), undo).await
            }
        }

    )+};
}

client!(WidgetDisabled, NamedWidgetDisabled, GlobalWidgetDisabled);
