//! Order in two ways: what is about one customer is done one after the other, and what is done is handed out in
//! the order in which it came. Everything else is done in blocks, some of them at once.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, Stream};

use crate::domain::words::Name;

/// Where something came in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u64);

struct Slot<T> {
    bytes: usize,
    outcome: Option<T>,
}

/// One customer's work that is not begun, in its order.
struct Lane<W> {
    waiting: VecDeque<(Place, W)>,
    /// A running block is about the customer.
    is_busy: bool,
}

/// A block that is being done, and what it is about.
struct Running<T> {
    about: Vec<(Place, Name)>,
    work: BoxFuture<'static, Vec<T>>,
}

impl<T> Future for Running<T> {
    type Output = (Vec<(Place, Name)>, Vec<T>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcomes = std::task::ready!(self.work.as_mut().poll(context));
        Poll::Ready((std::mem::take(&mut self.about), outcomes))
    }
}

/// Makes of a block of work the future that does it: what is about one customer in its order, with an outcome for each.
type Begin<W, T> = Box<dyn Fn(Vec<W>) -> BoxFuture<'static, Vec<T>> + Send>;

pub struct Lanes<W, T> {
    begin: Begin<W, T>,
    /// The most of a block, and the most blocks at once.
    block: usize,
    most_running: usize,
    running: FuturesUnordered<Running<T>>,
    /// Of every customer with work.
    lanes: HashMap<Name, Lane<W>>,
    /// The customers whose work may begin, in the order in which it came, and how much that is.
    free: VecDeque<Name>,
    free_works: usize,
    /// In the order of their places.
    slots: VecDeque<Slot<T>>,
    first: u64,
    bytes: usize,
}

impl<W, T> Lanes<W, T> {
    pub fn new(begin: Begin<W, T>, block: usize, most_running: usize) -> Self {
        Self {
            begin,
            block,
            most_running,
            running: FuturesUnordered::new(),
            lanes: HashMap::new(),
            free: VecDeque::new(),
            free_works: 0,
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

    /// Whether nothing is being done or can be.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.free.is_empty()
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

    /// Does the work once what was entered before about the same customer is done, or with it.
    pub fn enter(&mut self, place: Place, customer: Name, work: W) {
        match self.lanes.entry(customer) {
            Entry::Occupied(mut lane) => {
                let lane = lane.get_mut();
                lane.waiting.push_back((place, work));
                self.free_works += usize::from(!lane.is_busy);
            }
            Entry::Vacant(none) => {
                self.free.push_back(none.key().clone());
                self.free_works += 1;
                none.insert(Lane { waiting: VecDeque::from([(place, work)]), is_busy: false });
            }
        }
    }

    /// Begins what may be: full blocks beside others, and whatever there is where nothing runs.
    fn begin(&mut self) {
        while self.running.len() < self.most_running
            && self.free_works > 0
            && (self.free_works >= self.block || self.running.is_empty())
        {
            self.begin_block();
        }
    }

    fn begin_block(&mut self) {
        let mut about = Vec::with_capacity(self.block);
        let mut works = Vec::with_capacity(self.block);
        while works.len() < self.block
            && let Some(customer) = self.free.pop_front()
        {
            let Some(lane) = self.lanes.get_mut(&customer) else { continue };
            lane.is_busy = true;
            self.free_works -= lane.waiting.len();
            let room = self.block - works.len();
            for (place, work) in lane.waiting.drain(..room.min(lane.waiting.len())) {
                about.push((place, customer.clone()));
                works.push(work);
            }
        }
        self.running.push(Running { about, work: (self.begin)(works) });
    }

    /// A block about the customer is done; what has waited for that is free.
    fn release(&mut self, customer: Name) {
        if let Entry::Occupied(mut lane) = self.lanes.entry(customer) {
            if lane.get().waiting.is_empty() {
                lane.remove();
            } else if std::mem::take(&mut lane.get_mut().is_busy) {
                self.free_works += lane.get().waiting.len();
                self.free.push_back(lane.key().clone());
            }
        }
    }

    /// Works on; ready when a block was done.
    pub fn poll_progress(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.begin();
        let Some((about, outcomes)) = std::task::ready!(Pin::new(&mut self.running).poll_next(context))
        else {
            return Poll::Pending;
        };
        for ((place, customer), outcome) in about.into_iter().zip(outcomes) {
            self.settle(place, outcome);
            self.release(customer);
        }
        self.begin();
        Poll::Ready(())
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

    /// The blocks that were begun.
    type Begun = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Lanes whose blocks are done when a permit is given.
    fn lanes(block: usize, most: usize) -> (Lanes<u32, u32>, Arc<Semaphore>, Begun) {
        let (gate, begun) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
        let begin = {
            let (gate, begun) = (Arc::clone(&gate), Arc::clone(&begun));
            move |works: Vec<u32>| {
                begun.lock().unwrap().push(works.clone());
                let gate = Arc::clone(&gate);
                async move {
                    gate.acquire().await.unwrap().forget();
                    works
                }
                .boxed()
            }
        };
        (Lanes::new(Box::new(begin), block, most), gate, begun)
    }

    fn enter(lanes: &mut Lanes<u32, u32>, customer: &str, work: u32) {
        let place = lanes.place(1);
        lanes.enter(place, customer.into(), work);
    }

    fn is_pending(lanes: &mut Lanes<u32, u32>) -> bool {
        poll_fn(|context| lanes.poll_progress(context)).now_or_never().is_none()
    }

    fn taken(lanes: &mut Lanes<u32, u32>) -> Vec<u32> {
        std::iter::from_fn(|| lanes.take()).collect()
    }

    #[tokio::test]
    async fn one_customers_work_is_never_in_two_blocks_at_once() {
        let (mut lanes, gate, begun) = lanes(2, 10);
        for (customer, work) in [("a", 1), ("a", 2), ("b", 3), ("a", 4), ("b", 5), ("c", 6)] {
            enter(&mut lanes, customer, work);
        }
        assert!(is_pending(&mut lanes));
        assert_eq!(
            *begun.lock().unwrap(),
            [vec![1, 2], vec![3, 5]],
            "4 waits for its customer, and 6 until a block is full or none runs"
        );
        gate.add_permits(1);
        poll_fn(|context| lanes.poll_progress(context)).await;
        assert_eq!(*begun.lock().unwrap(), [vec![1, 2], vec![3, 5], vec![6, 4]]);
        assert_eq!(taken(&mut lanes), [1, 2], "handed out in the order entered");
        gate.add_permits(2);
        while !lanes.is_idle() {
            poll_fn(|context| lanes.poll_progress(context)).await;
        }
        assert_eq!(taken(&mut lanes), [3, 4, 5, 6]);
        assert_eq!((lanes.len(), lanes.bytes(), lanes.lanes.len()), (0, 0, 0));
    }

    #[tokio::test]
    async fn no_more_than_so_many_blocks_run_at_once_and_what_there_is_runs_alone() {
        let (mut lanes, gate, begun) = lanes(2, 2);
        enter(&mut lanes, "z", 0);
        assert!(is_pending(&mut lanes));
        assert_eq!(*begun.lock().unwrap(), [vec![0]]);
        for work in 1..=6 {
            enter(&mut lanes, &format!("c-{work}"), work);
        }
        assert!(is_pending(&mut lanes));
        assert_eq!(begun.lock().unwrap().len(), 2);
        gate.add_permits(1);
        poll_fn(|context| lanes.poll_progress(context)).await;
        assert_eq!(*begun.lock().unwrap(), [vec![0], vec![1, 2], vec![3, 4]]);
    }
}
