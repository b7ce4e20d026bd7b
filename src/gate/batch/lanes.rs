//! Order in two ways: what is about one customer is done one after the other, and what is done is handed out in
//! the order in which it came. Everything else happens at once, up to a bound.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, Stream};

use crate::domain::words::Name;

/// How much may be completed before others on the thread get their turn: what is decided without waiting takes some
/// microseconds each.
const AT_A_TURN: usize = 64;

/// Where something came in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u64);

struct Slot<T> {
    bytes: usize,
    outcome: Option<T>,
}

/// Work, and the customer it is about.
struct Waiting<W> {
    place: Place,
    customer: Name,
    work: W,
}

/// The future of a customer's work, and what it is about.
struct Running<T> {
    place: Place,
    customer: Name,
    work: BoxFuture<'static, T>,
}

impl<T> Future for Running<T> {
    type Output = (Place, Name, T);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = std::task::ready!(self.work.as_mut().poll(context));
        Poll::Ready((self.place, self.customer.clone(), outcome))
    }
}

/// Makes of work the future that does it.
type Begin<W, T> = Box<dyn Fn(W) -> BoxFuture<'static, T> + Send>;

pub struct Lanes<W, T> {
    begin: Begin<W, T>,
    most_running: usize,
    running: FuturesUnordered<Running<T>>,
    /// The customers for whom something is done or about to be, and what comes after it.
    lanes: HashMap<Name, VecDeque<(Place, W)>>,
    /// First of their lanes, and waiting until less is running.
    waiting: VecDeque<Waiting<W>>,
    /// In the order of their places.
    slots: VecDeque<Slot<T>>,
    first: u64,
    bytes: usize,
}

impl<W, T> Lanes<W, T> {
    pub fn new(begin: Begin<W, T>, most_running: usize) -> Self {
        Self {
            begin,
            most_running,
            running: FuturesUnordered::new(),
            lanes: HashMap::new(),
            waiting: VecDeque::new(),
            slots: VecDeque::new(),
            first: 0,
            bytes: 0,
        }
    }

    /// How many places are not handed out.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many bytes they take.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing is being done.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// The next place.
    pub fn place(&mut self, bytes: usize) -> Place {
        let place = Place(self.first + self.slots.len() as u64);
        self.slots.push_back(Slot { bytes, outcome: None });
        self.bytes += bytes;
        place
    }

    /// Something that needs no doing stands in its place.
    pub fn settle(&mut self, place: Place, outcome: T) {
        if let Some(slot) = self.slots.get_mut((place.0 - self.first) as usize) {
            slot.outcome = Some(outcome);
        }
    }

    /// Does the work as soon as what was entered before about the same customer is done.
    pub fn enter(&mut self, place: Place, customer: Name, work: W) {
        match self.lanes.entry(customer) {
            Entry::Occupied(mut lane) => lane.get_mut().push_back((place, work)),
            Entry::Vacant(free) => {
                let customer = free.key().clone();
                free.insert(VecDeque::new());
                self.start(Waiting { place, customer, work });
            }
        }
    }

    fn start(&mut self, next: Waiting<W>) {
        if self.running.len() >= self.most_running {
            self.waiting.push_back(next);
        } else {
            let Waiting { place, customer, work } = next;
            self.running.push(Running { place, customer, work: (self.begin)(work) });
        }
    }

    /// Works on; ready when anything was done.
    pub fn poll_progress(&mut self, context: &mut Context<'_>) -> Poll<()> {
        for done in 0..AT_A_TURN {
            match Pin::new(&mut self.running).poll_next(context) {
                Poll::Ready(Some((place, customer, outcome))) => {
                    self.settle(place, outcome);
                    self.go_on(customer);
                }
                Poll::Ready(None) | Poll::Pending if done == 0 => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        Poll::Ready(())
    }

    /// A customer's work is done: what waits for it, and what waits for room.
    fn go_on(&mut self, customer: Name) {
        let next = self.lanes.get_mut(&customer).and_then(VecDeque::pop_front);
        match next {
            Some((place, work)) => self.waiting.push_back(Waiting { place, customer, work }),
            None => drop(self.lanes.remove(&customer)),
        }
        if let Some(next) = self.waiting.pop_front() {
            self.start(next);
        }
    }

    /// What stands in the first place that is not handed out, once it is done.
    pub fn take(&mut self) -> Option<T> {
        let outcome = self.slots.front_mut()?.outcome.take()?;
        if let Some(slot) = self.slots.pop_front() {
            self.bytes -= slot.bytes;
            self.first += 1;
        }
        Some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::{Arc, Mutex};

    use futures_util::FutureExt;
    use tokio::sync::Semaphore;

    use super::*;

    /// Lanes whose work is done when a permit is given, and the order in which it was begun.
    /// The order in which lines were begun.
    type Begun = Arc<Mutex<Vec<u32>>>;

    fn lanes(most: usize) -> (Lanes<u32, u32>, Arc<Semaphore>, Begun) {
        let (gate, begun) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
        let begin = {
            let (gate, begun) = (Arc::clone(&gate), Arc::clone(&begun));
            move |work| {
                begun.lock().unwrap().push(work);
                let gate = Arc::clone(&gate);
                async move {
                    gate.acquire().await.unwrap().forget();
                    work
                }
                .boxed()
            }
        };
        (Lanes::new(Box::new(begin), most), gate, begun)
    }

    fn enter(lanes: &mut Lanes<u32, u32>, customer: &str, work: u32) {
        let place = lanes.place(1);
        lanes.enter(place, customer.into(), work);
    }

    #[tokio::test]
    async fn one_customers_work_is_done_in_turn_and_others_at_once() {
        let (mut lanes, gate, begun) = lanes(10);
        for (customer, work) in [("a", 1), ("a", 2), ("b", 3), ("a", 4)] {
            enter(&mut lanes, customer, work);
        }
        assert_eq!(*begun.lock().unwrap(), [1, 3]);
        gate.add_permits(2);
        poll_fn(|context| lanes.poll_progress(context)).await;
        assert_eq!(*begun.lock().unwrap(), [1, 3, 2]);
        assert_eq!((lanes.take(), lanes.take()), (Some(1), None), "handed out in the order entered");
        gate.add_permits(2);
        while lanes.len() > 0 && !lanes.is_idle() {
            poll_fn(|context| lanes.poll_progress(context)).await;
        }
        assert_eq!(
            [lanes.take(), lanes.take(), lanes.take(), lanes.take()],
            [Some(2), Some(3), Some(4), None]
        );
        assert_eq!((lanes.len(), lanes.bytes(), lanes.lanes.len()), (0, 0, 0));
    }

    #[tokio::test]
    async fn no_more_than_so_many_run_at_once() {
        let (mut lanes, gate, begun) = lanes(2);
        for work in 0..5 {
            enter(&mut lanes, &format!("c-{work}"), work);
        }
        assert_eq!(begun.lock().unwrap().len(), 2);
        gate.add_permits(1);
        poll_fn(|context| lanes.poll_progress(context)).await;
        assert_eq!(begun.lock().unwrap().len(), 3);
    }
}
