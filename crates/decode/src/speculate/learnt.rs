//! What speculation learnt of a model and of this device, for the next request.

use std::cell::RefCell;
use std::rc::Rc;

use super::memory::{DraftMemory, SharedMemory};
use super::planner::{Curve, Planner};
use super::rates::Rates;

/// Times of passes, rates of guesses, and what drafters remember.
#[derive(Debug, Default)]
pub struct Learnt {
    planner: Planner,
    rates: Rates,
    memory: SharedMemory,
}

/// What requests to one model share.
pub type SharedLearnt = Rc<RefCell<Learnt>>;

impl Learnt {
    /// With a memory of earlier times.
    #[must_use]
    pub fn remembering(memory: DraftMemory) -> Self {
        Self { memory: Rc::new(RefCell::new(memory)), ..Self::default() }
    }

    /// What drafters remember of the model.
    #[must_use]
    pub fn memory(&self) -> SharedMemory {
        Rc::clone(&self.memory)
    }

    /// Begins with measured times of passes instead of finding them out.
    pub fn inform(&mut self, measured: &Curve) {
        self.planner.inform(measured);
    }
}

/// The part of one request: taken at its begin, given back at its end, whatever the end is.
pub(crate) struct Learning {
    shared: SharedLearnt,
    /// A given curve says nothing of the device.
    own: bool,
    pub(crate) planner: Planner,
    pub(crate) rates: Rates,
}

impl Learning {
    pub(crate) fn new(shared: SharedLearnt, given: Option<Curve>) -> Self {
        let (planner, rates) = {
            let learnt = shared.borrow();
            (learnt.planner.clone(), learnt.rates.clone())
        };
        let own = given.is_some();
        let mut planner = if own { Planner::new(given) } else { planner };
        planner.begin();
        Self { shared, own, planner, rates }
    }
}

impl Drop for Learning {
    fn drop(&mut self) {
        let Ok(mut learnt) = self.shared.try_borrow_mut() else { return };
        learnt.rates = std::mem::take(&mut self.rates);
        if !self.own {
            learnt.planner = std::mem::take(&mut self.planner);
        }
    }
}
