//! A single-threaded executor with a virtual clock: it jumps to the next wake-up time when no task can run. Tasks take
//! no real time, and run in the same order each time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};

/// The clock. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct VirtualTime(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Microseconds since the start.
    now: u64,
    number: u64,
    waiting: BinaryHeap<Reverse<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    until: u64,
    number: u64,
    /// Empty once the wait is cancelled.
    waker: Slot,
}

type Slot = Arc<Mutex<Option<Waker>>>;

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        (self.until, self.number) == (other.until, other.number)
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.until, self.number).cmp(&(other.until, other.number))
    }
}

/// Set when the running future may be polled again.
#[derive(Debug)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl VirtualTime {
    /// Waits for this long.
    pub fn wait(&self, time: Duration) -> impl Future<Output = ()> + Send + Sync + 'static + use<> {
        let clock = self.clone();
        let until = clock.state().now + u64::try_from(time.as_micros()).unwrap();
        Until { clock, until, waker: Slot::default(), waits: false }
    }

    /// Runs a future to completion.
    ///
    /// # Panics
    /// If it waits for something that never happens.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            while flag.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                    return value;
                }
            }
            let next = {
                let mut state = self.state();
                let Reverse(next) = state.waiting.pop().expect("a future that can complete");
                state.now = state.now.max(next.until);
                next
            };
            if let Some(waker) = take_waker(&next.waker) {
                waker.wake();
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the waker out of a slot.
fn take_waker(slot: &Slot) -> Option<Waker> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

struct Until {
    clock: VirtualTime,
    until: u64,
    waker: Slot,
    waits: bool,
}

impl Future for Until {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = this.clock.state();
        if state.now >= this.until {
            return Poll::Ready(());
        }
        *this.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        if !std::mem::replace(&mut this.waits, true) {
            state.number += 1;
            let (until, number, waker) = (this.until, state.number, Arc::clone(&this.waker));
            state.waiting.push(Reverse(Waiting { until, number, waker }));
        }
        Poll::Pending
    }
}

impl Drop for Until {
    fn drop(&mut self) {
        take_waker(&self.waker);
    }
}

impl AsyncSleep for VirtualTime {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(self.wait(duration))
    }
}
