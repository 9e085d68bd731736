//! What others keep beside a model from one request to the next, one thing of each type.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::Runtime;

/// The things by their type.
#[derive(Default)]
pub(super) struct Beside(HashMap<TypeId, Rc<dyn Any>>);

impl Runtime {
    /// The thing of type `T` that is kept as long as this model is loaded; its default at the first call.
    pub fn beside<T: Default + 'static>(&mut self) -> Rc<RefCell<T>> {
        self.beside.get()
    }
}

impl Beside {
    fn get<T: Default + 'static>(&mut self) -> Rc<RefCell<T>> {
        let kept = self.0.entry(TypeId::of::<T>()).or_insert_with(|| Rc::new(RefCell::new(T::default())));
        // The key is the type, so that nothing else can be here.
        Rc::clone(kept).downcast().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_found_again_by_its_type() {
        let mut beside = Beside::default();
        beside.get::<u32>().replace(7);
        beside.get::<String>().borrow_mut().push('a');
        assert_eq!((*beside.get::<u32>().borrow(), beside.get::<String>().borrow().as_str()), (7, "a"));
        assert_eq!(*beside.get::<u64>().borrow(), 0);
    }
}
